"""What came of it: what the member said afterwards, and how often the cause came before and after."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.base import clock
from chalicelib.surveys import defining
from tests.api import desk, polls, shop
from tests.api.client import Response, client, link, staff
from tests.api.desk import LI, step
from tests.api.polls import answer
from tests.api.test_case_actions import CAUSES, finish, month, planned, put_down
from tests.programs import texts

ZONE = ZoneInfo("Asia/Shanghai")
QUESTIONS = [{"code": "easy", "kind": "ces", "title": texts("Easy?"), "required": True}]


@pytest.fixture(autouse=True)
def _policy() -> None:
    desk.publish(causes=CAUSES)


def resolved(member_id: str) -> str:
    return desk.taken(desk.opened(member_id=member_id), "analyse", "resolve")


def rate(member_id: str, case_id: str, number: int, name: str = "ces") -> Response:
    survey_id = polls.opened(name, kind="post_case", questions=QUESTIONS)
    defining.read(survey_id)
    return answer(survey_id, link(polls.invited(survey_id, member_id, case_id=case_id)), {"easy": {"number": number}})


def suggested() -> list[str]:
    return desk.listed("?suggested=reopen")


@pytest.mark.parametrize("number", [1, 3, 4, 7])
def test_a_case_that_was_made_hard_is_suggested_for_reopening(number: int) -> None:
    is_suggested = number <= 3
    member_id = shop.enrol()
    case_id = resolved(member_id)
    assert rate(member_id, case_id, number).status == 201
    work = desk.work(case_id)

    assert (work["ces"], work["reopening_suggested"]) == (number, is_suggested)
    assert work["ces_response_id"].startswith("rsp_")
    assert (work["steps"][-1]["kind"], work["steps"][-1]["ces"]) == ("case_rated", number)
    assert suggested() == ([case_id] if is_suggested else [])


def test_a_case_reopened_is_suggested_no_more_and_its_history_keeps_the_answer() -> None:
    member_id = shop.enrol()
    case_id = resolved(member_id)
    rate(member_id, case_id, 1)
    step(case_id, "reopen")
    assert suggested() == []
    assert desk.work(case_id)["ces"] is None
    step(case_id, "act")
    step(case_id, "resolve")
    assert suggested() == []
    rate(member_id, case_id, 2, "again")
    assert suggested() == [case_id]
    assert [each["ces"] for each in desk.work(case_id)["steps"] if each["ces"]] == [1, 2]


def test_verified_cases_are_suggested_as_well_and_other_filters_narrow_them() -> None:
    member_id = shop.enrol()
    case_id = resolved(member_id)
    step(case_id, "verify")
    rate(member_id, case_id, 2)
    assert desk.listed("?suggested=reopen&state=verified") == [case_id]
    assert desk.listed("?suggested=reopen&kind=praise") == []
    refused = client.get("/v1/cases?suggested=reopen&owner=me", caller=LI)
    assert (refused.status, refused.code) == (400, "query_invalid")
    assert client.get("/v1/cases?suggested=close", caller=LI).code == "query_invalid"


def test_answers_are_counted_with_the_case_and_its_cause_and_hidden_below_thirty() -> None:
    member_id = shop.enrol()
    for number in range(2):
        case_id = resolved(member_id)
        put_down(case_id)
        rate(member_id, case_id, 6, f"ces_{number}")
    found = month()
    assert (found["rated"], found["ces"]) == (2, None)


def at(patch: pytest.MonkeyPatch, month: int, day: int) -> None:
    """Let it be noon of a day in 2031."""
    instant = int(datetime(2031, month, day, 12, tzinfo=ZONE).timestamp())
    patch.setattr(clock, "now", lambda: instant)


def cases(packaging: int, courier: int) -> None:
    for cause, count in (("packaging", packaging), ("courier", courier)):
        for _ in range(count):
            put_down(desk.opened(), cause)


def outcome(action: Any, query: str = "&months=1", cause: str = "packaging") -> Response:
    return client.get(f"/v1/case-causes/{cause}/outcome?action_id={action['id']}{query}", caller=LI)


def test_the_rate_of_a_cause_falls_after_its_action_and_it_is_said_whether_by_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at(monkeypatch, 1, 31)
    cases(20, 20)
    case_id = desk.opened()
    at(monkeypatch, 2, 10)
    put_down(case_id)
    action = planned(case_id)
    assert outcome(action).code == "action_open"
    finish(case_id, action)
    assert outcome(action).json["after"]["months"] == []
    assert outcome(action).json["per_1000"]["verdict"] == "too_few"
    # The month in which it began to work counts for neither side.
    cases(3, 0)
    at(monkeypatch, 3, 1)
    cases(2, 30)
    assert outcome(action).json["after"]["months"] == []
    at(monkeypatch, 4, 1)
    found = outcome(action).json

    assert (found["before"]["months"], found["after"]["months"]) == (["2031-01"], ["2031-03"])
    assert {name: found["before"][name] for name in ("cases", "known", "all_cases", "days")} == {
        "cases": 21,
        "known": 41,
        "all_cases": 41,
        "days": 31,
    }
    assert (found["after"]["cases"], found["after"]["known"]) == (2, 32)
    assert found["per_1000"]["verdict"] == "better"
    assert found["per_1000"]["after"]["value"] == 62.5
    assert found["per_1000"]["change"]["high"] < 0
    assert found["per_30_days"]["verdict"] == "better"
    # Months from before there was anything are not counted as good ones.
    assert outcome(action, "&months=12").json["before"]["months"] == ["2031-01"]


def test_an_outcome_is_of_the_cause_that_the_action_is_against() -> None:
    case_id = desk.opened()
    put_down(case_id)
    action = planned(case_id)
    finish(case_id, action)
    assert outcome(action).status == 200
    assert outcome(action, cause="courier").code == "action_not_found"
    assert outcome({"id": "act_none"}).code == "action_not_found"
    for query in ("&months=0", "&months=13", "&months=x"):
        assert outcome(action, query).code == "query_invalid"
    assert client.get("/v1/case-causes/packaging/outcome", caller=LI).code == "query_invalid"


@pytest.mark.parametrize(("hour", "counted"), [(23, "2031-01"), (24, "2031-02")])
def test_a_case_counts_for_the_month_of_the_programme_s_zone(
    monkeypatch: pytest.MonkeyPatch, hour: int, counted: str
) -> None:
    begin = int(datetime(2031, 1, 31, tzinfo=ZONE).timestamp())
    monkeypatch.setattr(clock, "now", lambda: begin + hour * 3600)
    case_id = desk.opened()
    monkeypatch.setattr(clock, "now", lambda: begin + 40 * clock.DAY_S)
    put_down(case_id)
    answer = client.get("/v1/cases/statistics?from=2031-01&to=2031-03", caller=LI).json
    months = {each["month"]: (each["cases"], each["known_causes"]) for each in answer["months"]}
    assert {name for name, found in months.items() if found == (1, 1)} == {counted}


def test_who_may_not_read_cases_reads_no_statistics() -> None:
    refused = client.get("/v1/cases/statistics", caller=staff("members.read"))
    assert (refused.status, refused.code) == (403, "scope_missing")
