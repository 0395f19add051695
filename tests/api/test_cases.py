"""How a case moves: each step once, by whoever may, and never from a state in which it makes no sense."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.ledger.table import read_chain
from tests.api import desk, shop
from tests.api.client import client, member, staff
from tests.api.desk import AGENT, LI, WANG, step

ANNA = member("anna", phone="+8615900159001")
EVE = member("eve", phone="+8615900159002")


@pytest.fixture(autouse=True)
def _policy() -> None:
    desk.publish()


def join(who: Any) -> str:
    answer = client.post("/v1/members", json={}, caller=who, key=f"join-{who.subject}")
    assert answer.status in {200, 201}, answer.text
    return str(answer.json["member"]["id"])


def test_a_case_goes_its_way_and_every_step_is_kept() -> None:
    member_id = shop.enrol()
    case_id = desk.opened(member_id=member_id)
    walk: list[tuple[str, dict[str, Any]]] = [
        ("assign", {"owner": "me", "note": "Mine."}),
        ("analyse", {"note": "The carrier dropped it."}),
        ("act", {}),
        ("resolve", {"note": "A new one is on its way.", "public": True}),
        ("verify", {}),
    ]
    for move, body in walk:
        answer = step(case_id, move, **body)
        assert answer.status == 200, answer.text
    found = desk.work(case_id)

    assert [(each["number"], each["kind"], each["actor"], each["state"]) for each in found["steps"]] == [
        (1, "case_opened", "system:crm", "new"),
        (2, "case_assigned", "staff:li", "assigned"),
        (3, "case_analysing", "staff:li", "analysing"),
        (4, "case_acting", "staff:li", "acting"),
        (5, "case_resolved", "staff:li", "resolved"),
        (6, "case_verified", "staff:li", "verified"),
    ]
    assert found["steps"][1]["text"] == "Mine."
    assert desk.kinds(member_id) == ["case_opened", "case_resolved"]


def test_the_member_s_facts_name_the_case_and_no_record_has_two_entries() -> None:
    member_id = shop.enrol()
    case_id = desk.taken(desk.opened(member_id=member_id), "analyse", "resolve")
    step(case_id, "reopen")
    step(case_id, "act")
    step(case_id, "resolve")
    records = [item.record for item in read_chain(member_id, consistent=True) if item.kind.startswith("case")]

    assert desk.kinds(member_id) == ["case_opened", "case_resolved", "case_reopened", "case_resolved"]
    assert {record.partition(".")[0] for record in records} == {case_id}
    assert len(set(records)) == len(records)


@pytest.mark.parametrize(
    ("steps", "move"),
    [
        ((), "analyse"),
        ((), "act"),
        ((), "resolve"),
        ((), "verify"),
        ((), "reopen"),
        (("analyse",), "analyse"),
        (("analyse",), "verify"),
        (("analyse", "resolve"), "act"),
        (("analyse", "resolve"), "assign"),
        (("analyse", "resolve", "verify"), "resolve"),
        (("analyse", "resolve", "verify"), "verify"),
    ],
)
def test_a_move_that_makes_no_sense_is_refused_with_the_state_named(steps: tuple[str, ...], move: str) -> None:
    case_id = desk.opened()
    if steps:
        desk.taken(case_id, *steps)
    before = desk.work(case_id)
    refused = step(case_id, move, **({"owner": "me"} if move == "assign" else {}))

    assert (refused.status, refused.code) == (409, "case_state_forbids")
    assert f"The case is {before['state']}" in refused.json["detail"]
    assert desk.work(case_id) == before


def test_a_complaint_is_looked_into_before_it_is_resolved_and_a_question_is_just_answered() -> None:
    complaint, question = desk.taken(desk.opened()), desk.taken(desk.opened(kind="question"))
    assert step(complaint, "resolve").code == "case_state_forbids"
    assert step(question, "resolve").status == 200


def test_a_step_sent_again_is_taken_once_and_answered_alike() -> None:
    member_id = shop.enrol()
    case_id = desk.taken(desk.opened(member_id=member_id), "analyse")
    first, again = (step(case_id, "resolve", key="one", note="Done.") for _ in range(2))
    step(case_id, "verify")
    late = step(case_id, "resolve", key="one", note="Done.")
    changed = step(case_id, "resolve", key="one", note="Done!")

    assert (first.status, again.status, late.status) == (200, 200, 200)
    assert first.json == again.json
    assert late.json["case"]["state"] == "verified"
    assert (changed.status, changed.code) == (409, "key_reused")
    assert desk.kinds(member_id) == ["case_opened", "case_resolved"]
    assert step(case_id, "resolve", key="two").code == "case_state_forbids"


def test_a_step_needs_a_key() -> None:
    case_id = desk.opened()
    refused = client.post(f"/v1/cases/{case_id}/assign", json={"owner": "me"}, caller=LI)
    assert (refused.status, refused.code) == (400, "idempotency_key_missing")


def test_nobody_takes_a_case_over_unknowingly() -> None:
    case_id = desk.taken(desk.opened())
    refused = step(case_id, "assign", WANG, owner="me")
    assert (refused.status, refused.code) == (409, "case_taken")
    assert "staff:li" in refused.json["detail"]

    assert step(case_id, "assign", WANG, owner="me", instead_of="staff:li").status == 200
    assert desk.work(case_id)["owner"] == "staff:wang"
    assert step(case_id, "assign", owner="me", instead_of="staff:li").code == "case_taken"


def test_of_two_who_move_a_case_at_once_one_is_told_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = desk.taken(desk.opened(), "analyse")
    theirs: list[int] = []
    desk.overtake(monkeypatch, "moving", lambda: theirs.append(step(case_id, "resolve", WANG).status))
    refused = step(case_id, "act")

    assert theirs == [200]
    assert (refused.status, refused.code) == (409, "case_state_forbids")
    assert "The case is resolved" in refused.json["detail"]


def test_notes_of_two_at_once_are_both_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = desk.taken(desk.opened())
    desk.overtake(monkeypatch, "moving", lambda: step(case_id, "notes", WANG, note="Theirs."))
    assert step(case_id, "notes", note="Ours.").status == 200

    notes = [(each["number"], each["text"]) for each in desk.work(case_id)["steps"] if each["kind"] == "case_noted"]
    assert notes == [(3, "Theirs."), (4, "Ours.")]


def test_another_severity_has_other_deadlines_and_another_dimension_another_department() -> None:
    case_id = desk.opened()
    before = desk.work(case_id)
    step(case_id, "assign", owner="me", severity="critical", dimension="service")
    after = desk.work(case_id)

    assert clock.parse(before["resolve_by"]) - clock.parse(after["resolve_by"]) == (120 - 24) * 3600
    assert (before["department"], after["department"]) == ("quality", "shop")
    assert step(case_id, "assign", owner="me", department="nowhere").code == "department_unknown"
    assert step(case_id, "assign", owner="me", department="quality").status == 200
    assert desk.work(case_id)["department"] == "quality"


def test_a_case_is_put_right_without_anybody_taking_it() -> None:
    case_id = desk.opened(kind="question")
    assert step(case_id, "assign", LI, department="shop", kind="complaint").status == 200
    found = desk.work(case_id)
    assert (found["state"], found["owner"], found["department"], found["kind"]) == ("new", None, "shop", "complaint")
    step(case_id, "assign", owner="me")
    assert step(case_id, "assign", WANG, severity="high").status == 200
    found = desk.work(case_id)
    assert (found["state"], found["owner"], found["severity"]) == ("assigned", "staff:li", "high")


def test_a_case_that_is_reopened_has_time_again_and_keeps_its_owner() -> None:
    case_id = desk.taken(desk.opened(), "analyse", "resolve", "verify")
    assert step(case_id, "reopen", note="It broke again.").status == 200
    found = desk.work(case_id)

    assert (found["state"], found["owner"], found["reopened"]) == ("reopened", "staff:li", 1)
    assert found["resolved_at"] is None
    assert step(case_id, "act").status == 200


def test_a_member_sees_what_is_public_and_may_reply() -> None:
    join(ANNA)
    case_id = desk.taken(desk.opened(ANNA, text="My tea is late."))
    step(case_id, "notes", note="He always complains.")
    step(case_id, "notes", note="Which order is it?", public=True)
    assert step(case_id, "reply", ANNA, key="r", text="The last one.").status == 200
    assert step(case_id, "reply", ANNA, key="r", text="The last one.").status == 200
    found = desk.read(case_id, ANNA)

    assert (found["status"], found["text"], found["work"]) == ("in_progress", "My tea is late.", None)
    assert [(each["by"], each["text"]) for each in found["messages"]] == [
        ("shop", "Which order is it?"),
        ("member", "The last one."),
    ]
    assert "staff" not in str(found)
    assert desk.work(case_id)["steps"][-1]["actor"] == "member"


def test_another_member_s_case_is_not_there() -> None:
    own = join(ANNA)
    join(EVE)
    case_id = desk.opened(ANNA)
    for answer in (
        client.get(f"/v1/cases/{case_id}", caller=EVE),
        client.get("/v1/cases/cse_" + "a" * 26, caller=EVE),
        step(case_id, "reply", EVE, text="Mine?"),
        client.get(f"/v1/cases/{desk.opened()}", caller=EVE),
    ):
        assert (answer.status, answer.code) == (404, "case_not_found")
    assert client.get(f"/v1/members/{own}/cases", caller=EVE).code == "not_your_account"
    assert client.get("/v1/cases", caller=ANNA).code == "caller_not_allowed"
    assert step(case_id, "resolve", ANNA).code == "caller_not_allowed"


def test_a_member_s_list_is_theirs_the_latest_first() -> None:
    own = join(ANNA)
    cases = [desk.opened(ANNA), desk.opened(member_id=own)]
    desk.taken(cases[0], "analyse", "resolve")
    first = client.get("/v1/members/me/cases?limit=1", caller=ANNA).json
    second = client.get(f"/v1/members/me/cases?limit=1&cursor={first['next_cursor']}", caller=ANNA).json

    found = {each["id"]: each["status"] for page in (first, second) for each in page["cases"]}
    assert found == {cases[0]: "resolved", cases[1]: "received"}
    assert second["next_cursor"] is None


def test_a_case_takes_so_many_notes_and_then_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.cases.rules.moves.NOTES_MAX", 2)
    case_id = desk.taken(desk.opened())
    assert [step(case_id, "notes", note="More.").status for _ in range(3)] == [200, 200, 409]
    assert step(case_id, "analyse").status == 200


def test_reading_and_writing_need_their_scopes() -> None:
    case_id = desk.opened()
    assert client.get(f"/v1/cases/{case_id}", caller=staff("cases.read")).status == 200
    assert client.get(f"/v1/cases/{case_id}", caller=staff("orders.read")).code == "scope_missing"
    assert step(case_id, "assign", staff("cases.read"), owner="me").code == "scope_missing"
    assert step("cse_" + "a" * 26, "assign", AGENT, owner="me").code == "case_not_found"
    assert step("mem_" + "a" * 26, "assign", AGENT, owner="me").code == "case_not_found"
