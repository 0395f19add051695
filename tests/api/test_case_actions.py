"""Causes are the programme's, actions are of a department and a day, and both are counted and listed to the case."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.cases import acting
from tests.api import desk, shop
from tests.api.client import Response, client, member
from tests.api.desk import AGENT, LI, WANG, post
from tests.programs import texts

CAUSES = {"packaging": texts("Packaging"), "courier": texts("Courier")}


@pytest.fixture(autouse=True)
def _policy() -> None:
    desk.publish(causes=CAUSES)


def put_down(case_id: str, cause: str = "packaging", key: str | None = None, **body: Any) -> Response:
    return post(f"/v1/cases/{case_id}/cause", LI, key, cause=cause, **body)


def day(days: int) -> str:
    return (date.fromisoformat(acting.today(clock.now())) + timedelta(days)).isoformat()


def plan(case_id: str, key: str | None = None, **body: Any) -> Response:
    wanted = {"department": "quality", "what": "Seals of the other maker.", "due_on": day(10), **body}
    return post(f"/v1/cases/{case_id}/actions", LI, key, **wanted)


def planned(case_id: str, **body: Any) -> Any:
    answer = plan(case_id, **body)
    assert answer.status == 201, answer.text
    return answer.json["action"]


def finish(case_id: str, action: Any, caller: Any = LI, **body: Any) -> Response:
    said = {"note": "They are in.", **body}
    return client.post(f"/v1/cases/{case_id}/actions/{action['id']}/done", json=said, caller=caller)


def with_cause(cause: str = "packaging", **fields: Any) -> str:
    case_id = desk.opened(**fields)
    assert put_down(case_id, cause).status == 200
    return case_id


def listed(query: str = "") -> list[str]:
    answer = client.get(f"/v1/case-actions{query}", caller=LI)
    assert answer.status == 200, answer.text
    return [each["id"] for each in answer.json["actions"]]


def month() -> Any:
    answer = client.get("/v1/cases/statistics", caller=LI)
    assert answer.status == 200, answer.text
    assert len(answer.json["months"]) == 6
    return answer.json["months"][-1]


def causes() -> dict[str, int]:
    return {code: each["cases"] for code, each in month()["causes"].items() if each["cases"]}


def test_a_case_is_put_down_to_a_cause_and_every_finding_is_kept() -> None:
    case_id = desk.opened()
    put_down(case_id, "courier", note="Dented.")
    put_down(case_id, "packaging", note="The seal, after all.")
    work = desk.work(case_id)

    assert work["cause"] == "packaging"
    assert [(each["kind"], each["cause"], each["text"]) for each in work["steps"][1:]] == [
        ("case_cause_found", "courier", "Dented."),
        ("case_cause_found", "packaging", "The seal, after all."),
    ]
    assert put_down(case_id, "weather").code == "cause_unknown"


def test_the_month_counts_each_case_for_its_last_cause_and_once() -> None:
    first, second = with_cause(), with_cause("courier")
    assert causes() == {"packaging": 1, "courier": 1}
    put_down(second)
    put_down(second)
    assert causes() == {"packaging": 2}
    assert [put_down(first, "courier", key="one").status for _ in range(2)] == [200, 200]
    assert causes() == {"packaging": 1, "courier": 1}
    assert month()["known_causes"] == 2


def test_a_duplicate_is_counted_no_more_and_what_is_put_right_is_counted_right() -> None:
    case_id, twin = with_cause(), with_cause()
    desk.opened(kind="praise")
    assert post(f"/v1/cases/{twin}/merge", into=case_id).status == 200
    found = month()
    assert (found["cases"], found["kinds"]) == (2, {"complaint": 1, "praise": 1})
    assert causes() == {"packaging": 1}
    desk.step(case_id, "assign", owner="me", dimension="price")
    dimensions = {code: each["cases"] for code, each in month()["complaints_by_dimension"].items()}
    assert dimensions == {"product": 0, "price": 1}
    desk.step(case_id, "assign", kind="question")
    assert month()["complaints"]["cases"] == 0


def test_rates_are_hidden_below_thirty() -> None:
    for number in range(29):
        desk.opened(kind="complaint" if number % 2 else "praise")
    assert month()["complaints"] == {"cases": 14, "per_1000": None}
    desk.opened()
    found = month()["complaints"]
    assert (found["cases"], found["per_1000"]["value"]) == (15, 500)
    assert found["per_1000"]["low"] < 500 < found["per_1000"]["high"]


@pytest.mark.parametrize(
    "query", ["?from=2026-13", "?to=now", "?from=2020-01", "?from=2026-05&to=2026-04", "?to=٢٠٢٦-01"]
)
def test_months_that_are_none_are_refused(query: str) -> None:
    answer = client.get(f"/v1/cases/statistics{query}", caller=LI)
    assert (answer.status, answer.code) == (400, "query_invalid")


def test_an_action_is_planned_done_and_shown_with_its_case() -> None:
    case_id = with_cause()
    action = planned(case_id)
    assert (action["cause"], action["state"], action["overdue"]) == ("packaging", "open", False)
    answer = finish(case_id, action, works_on=day(-3))

    assert answer.json["action"]["works_on"] == day(-3)
    assert [each["works_on"] for each in desk.work(case_id)["actions"]] == [day(-3)]
    kinds = [each["kind"] for each in desk.work(case_id)["steps"]]
    assert kinds == ["case_opened", "case_cause_found", "case_action_planned", "case_action_done"]


def test_an_action_needs_a_cause_a_department_and_a_day_to_come() -> None:
    assert plan(desk.opened()).code == "case_without_cause"
    case_id = with_cause()
    assert plan(case_id, department="kitchen").code == "department_unknown"
    assert plan(case_id, due_on=day(-1)).code == "due_on_past"
    assert plan(case_id, due_on="soon").status == 400
    assert plan(case_id, what=" ").status == 400
    assert plan(case_id, due_on=day(0)).status == 201
    assert len(desk.work(case_id)["actions"]) == 1


def test_an_action_keeps_the_cause_against_which_it_was_planned() -> None:
    case_id = with_cause()
    action = planned(case_id)
    put_down(case_id, "courier")
    assert finish(case_id, action).json["action"]["cause"] == "packaging"


def test_an_action_sent_again_is_one_and_is_done_once() -> None:
    case_id = with_cause()
    first, again = (plan(case_id, key="one") for _ in range(2))
    assert (first.status, again.status) == (201, 200)
    assert first.json["action"] == again.json["action"]
    action = first.json["action"]
    assert [finish(case_id, action).status for _ in range(2)] == [200, 200]
    assert finish(case_id, action, WANG, note="By me.").code == "action_done"
    assert finish(case_id, action, works_on=day(1)).code == "action_done"
    assert finish(case_id, {"id": "act_" + "a" * 26}).code == "action_not_found"
    assert finish(with_cause(), action).code == "action_not_found"
    late = finish(case_id, planned(case_id), works_on=day(500))
    assert late.code == "works_on_invalid"


def test_actions_of_all_cases_are_listed_by_their_day_department_and_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = with_cause(), with_cause("courier")
    late, soon = planned(one, due_on=day(9)), planned(one, due_on=day(2), department="shop")
    other = planned(two, due_on=day(5))
    done = planned(two, due_on=day(1))
    finish(two, done)

    assert listed() == [soon["id"], other["id"], late["id"]]
    assert listed("?department=quality") == [other["id"], late["id"]]
    assert listed("?cause=packaging") == [soon["id"], late["id"]]
    assert listed("?cause=packaging&department=quality") == [late["id"]]
    assert listed("?state=done") == [done["id"]]
    assert listed("?state=done&department=shop") == []
    assert listed("?state=overdue") == []
    later = clock.now() + 6 * clock.DAY_S
    monkeypatch.setattr(clock, "now", lambda: later)
    assert listed("?state=overdue") == [soon["id"], other["id"]]
    finish(one, soon)
    assert listed("?state=overdue") == [other["id"]]


def test_a_list_of_actions_goes_on_where_it_ended() -> None:
    case_id = with_cause()
    wanted = [planned(case_id, due_on=day(1 + number // 2))["id"] for number in range(7)]
    for state in ("open", "done"):
        found, query = [], f"?state={state}&limit=3"
        cursor = ""
        while True:
            answer = client.get(f"/v1/case-actions{query}{cursor}", caller=LI).json
            found += [each["id"] for each in answer["actions"]]
            if not answer["next_cursor"]:
                break
            cursor = f"&cursor={answer['next_cursor']}"
        assert sorted(found) == sorted(wanted)
        for action_id in wanted:
            finish(case_id, {"id": action_id})


def test_actions_go_with_a_case_into_the_one_that_it_becomes_part_of() -> None:
    case_id, into = with_cause(), desk.opened()
    action = planned(case_id)
    post(f"/v1/cases/{case_id}/merge", into=into)
    assert [each["id"] for each in desk.work(into)["actions"]] == [action["id"]]
    assert finish(case_id, action).status == 200
    assert desk.work(into)["actions"][0]["done_at"]


def test_a_member_learns_nothing_of_causes_and_actions() -> None:
    member_id = shop.enrol()
    case_id = with_cause(member_id=member_id)
    planned(case_id)
    for path in ("/v1/case-actions", "/v1/cases/statistics", "/v1/case-causes/packaging/outcome?action_id=x"):
        assert client.get(path, caller=AGENT).status in {200, 404}
        refused = client.get(path, caller=member("anna"))
        assert (refused.status, refused.code) == (403, "caller_not_allowed")
