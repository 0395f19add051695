"""Whatever fails on the way, a case is opened, moved, merged and compensated once, and its lists stay in step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.base.errors import Unavailable
from chalicelib.cases import compensating, feedback, listing, merging, moving, opening, watching
from chalicelib.cases.changing import read
from chalicelib.cases.compensating import Amends
from chalicelib.cases.feedback import Sender
from chalicelib.cases.listing import Wanted
from chalicelib.cases.moving import Who, Words
from chalicelib.cases.opening import Complaint
from chalicelib.cases.rules.case import Case
from chalicelib.cases.rules.moves import Assignment
from chalicelib.cases.schema import FeedbackIn
from chalicelib.cases.table import HeadItem, LeadItem, leads_of, read_steps
from chalicelib.ledger.posting import Lost, Write, peek, put_once
from chalicelib.ledger.table import read_chain
from chalicelib.members import enrolling
from chalicelib.members.schema import ExternalIn, MemberIn
from tests import faults

NOW = 1_800_000_000
HOUR = 3_600
FAULTS = [faults.lost_on_the_way, faults.committed_then_timed_out, faults.conflicting, faults.throttled, faults.failing]


def enrolled() -> str:
    body = MemberIn(external=(ExternalIn(source="tests", id="1"),))
    return str(enrolling.enrol(body, client_id="tests", key="one", actor="system:tests", now=NOW).member_id)


def who(key: str, actor: str = "staff:li") -> Who:
    return Who(actor, key, NOW)


def received(member_id: str, key: str = "one") -> str:
    body = FeedbackIn(kind="complaint", text="The seal was broken.", dimension="product", member_id=member_id)
    return feedback.receive(body, Sender(actor="system:tests", key=key), now=NOW).case.case_id


def leads() -> set[tuple[str, str]]:
    return {(str(item.key), str(item.part)) for item in LeadItem.scan() if str(item.key).count("#")}


def in_step(*case_ids: str) -> bool:
    """Whether the lists are exactly what the cases say, nothing more and nothing less."""
    return leads() == {lead for name in case_ids for lead in leads_of(read(name).case)}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_step_happens_once(fault: faults.Fault) -> None:
    member_id = enrolled()
    before = peek(member_id, now=NOW, consistent=True).state.available

    def met(act: Callable[[], Any]) -> Any:
        with faults.calls(fault):
            return act()

    case_id = met(lambda: received(member_id))
    other = met(lambda: received(member_id, "two"))
    assert in_step(case_id, other)
    met(lambda: moving.assign(case_id, Assignment(owner="staff:li"), Words(), who("a")))
    met(lambda: moving.move(case_id, "analyse", Words("Broken."), who("b")))
    met(lambda: moving.note(case_id, Words("Sorry.", is_public=True), who("c")))
    met(lambda: merging.merge(other, case_id, "", who("")))
    assert in_step(case_id, other)
    given, compensation_id = met(lambda: compensating.ask(case_id, Amends(points=400, reason="Sorry."), who("d")))
    waiting = met(lambda: compensating.ask(case_id, Amends(points=300, reason="More."), who("e")))[1]
    met(lambda: compensating.decide(case_id, waiting, approves=True, text="", who=who("f", "staff:boss")))
    assert given.case.compensations[0].compensation_id == compensation_id
    met(lambda: watching.watch(now=NOW + 97 * HOUR))
    assert watching.watch(now=NOW + 97 * HOUR)["near"] == 0
    met(lambda: moving.move(case_id, "resolve", Words(), who("g")))
    met(lambda: moving.move(case_id, "reopen", Words(), who("h")))
    assert in_step(case_id, other)

    assert peek(member_id, now=NOW, consistent=True).state.available == before + 700
    kinds = [item.kind for item in read_chain(member_id, consistent=True) if item.kind.startswith("case")]
    assert kinds == ["case_opened"] * 2 + ["case_compensated"] * 2 + ["case_resolved", "case_reopened"]
    steps = [step.kind.removeprefix("case_") for step in read_steps(case_id)]
    assert steps[:5] == ["opened", "assigned", "analysing", "noted", "took_over"]
    assert steps[5:] == ["compensated", "compensation_asked", "compensated", "alerted", "resolved", "reopened"]
    assert [int(step.number) for step in read_steps(case_id)] == list(range(1, len(steps) + 1))


@pytest.mark.parametrize("kind", ["resolve", "compensate"])
def test_a_database_that_never_answers_leaves_nothing_half_done(kind: str) -> None:
    member_id = enrolled()
    case_id = received(member_id)
    moving.assign(case_id, Assignment(owner="staff:li"), Words(), who("a"))
    moving.move(case_id, "analyse", Words(), who("b"))
    before, chain = read(case_id), len(list(read_chain(member_id, consistent=True)))

    def act() -> None:
        if kind == "resolve":
            moving.move(case_id, "resolve", Words(), who("c"))
        else:
            compensating.ask(case_id, Amends(points=10, reason="Sorry."), who("c"))

    with faults.calls(*[faults.throttled] * 8), pytest.raises(Unavailable):
        act()
    assert (read(case_id), len(list(read_chain(member_id, consistent=True)))) == (before, chain)
    act()
    assert len(list(read_chain(member_id, consistent=True))) == chain + 1


def complaint(member_id: str | None) -> Complaint:
    return Complaint(
        member_id=member_id,
        kind="complaint",
        dimension="service",
        severity="high",
        text="I would not recommend it.",
        channel="survey",
        response_id="rsp_1",
        actor="member",
    )


def test_a_case_opens_within_the_transaction_of_an_answer_or_not_at_all() -> None:
    member_id = enrolled()
    found = opening.opening(complaint(member_id), key="rsp_1", now=NOW)
    taken = Write(HeadItem("rsp_1", "answer", version=1, body="{}"), condition=HeadItem.key.does_not_exist())

    put_once(found.record, [taken, *found.writes[1:]])
    case = read(found.case_id).case
    assert (case.response_id, case.severity, case.state, case.department) == ("rsp_1", "high", "new", "")
    assert case.resolve_by == NOW + 48 * HOUR
    again = opening.opening(complaint(member_id), key="rsp_2", now=NOW)
    with pytest.raises(Lost):
        put_once(again.record, [taken, *again.writes[1:]])
    assert [str(item.key) for item in HeadItem.scan() if str(item.part) == "head"] == [found.case_id]


def test_the_same_answer_opens_one_case() -> None:
    one, two = (opening.opening(complaint(None), key="rsp_1", now=NOW + later) for later in (0, 60))
    assert one.case_id == two.case_id
    assert one.case_id != opening.opening(complaint(None), key="rsp_2", now=NOW).case_id


def test_a_list_gives_a_case_while_a_lead_to_it_is_a_moment_old() -> None:
    case_id = received(enrolled())
    stale = LeadItem("due#0", f"{clock.text(NOW)}#cse_gone")
    stale.save()
    found = listing.page(Wanted(), after=None, limit=5)
    assert [case.case_id for case in found.cases] == [case_id]


def test_a_head_that_grows_for_years_stays_small() -> None:
    case_id = received(enrolled())
    assert isinstance(read(case_id).case, Case)
    for number in range(30):
        moving.note(case_id, Words("x" * 2_000), who(f"note {number}"))
    item = next(iter(HeadItem.query(case_id, HeadItem.part == "head")))
    assert len(item.body) < 1_000
