"""Real threads at cases: handlers who do the same thing at once do it once, and give no more than may be given."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chalicelib.base import clock
from chalicelib.base.errors import Refusal
from chalicelib.cases import compensating, feedback, merging, moving, watching
from chalicelib.cases.changing import read
from chalicelib.cases.compensating import Amends
from chalicelib.cases.feedback import Sender
from chalicelib.cases.moving import Who, Words
from chalicelib.cases.rules.moves import Assignment
from chalicelib.cases.schema import FeedbackIn
from chalicelib.cases.table import LeadItem, leads_of, read_steps
from chalicelib.ledger import auditing, projector
from chalicelib.ledger.posting import peek
from chalicelib.ledger.table import read_chain, read_view
from infra.local.aws import LocalAws
from tests import writers
from tests.api import desk
from tests.local_engine import engine_on

_WRITERS = 16
LIMITS = {"handler_points": 500, "points_max": 2_000}


@pytest.fixture(autouse=True)
def engine(tmp_path: Path) -> Iterator[None]:
    """The engine on a DynamoDB of its own, without the deployed functions beside it."""
    with engine_on(LocalAws(tmp_path)):
        yield


def who(actor: str, key: str = "key") -> Who:
    return Who(f"staff:{actor}", key, clock.now())


def received(member_id: str, key: str) -> str:
    body = FeedbackIn(kind="complaint", text="The seal was broken.", dimension="product", member_id=member_id)
    return feedback.receive(body, Sender(actor="system:crm", key=key), now=clock.now()).case.case_id


def patiently(act: Callable[[], object]) -> str:
    """What came of an act that is sent again while the engine is busy, as clients do."""
    for _attempt in range(40):
        try:
            act()
        except Refusal as refusal:
            if refusal.reason_code != "busy":
                return refusal.reason_code
        else:
            return "done"
    return "given up"


def at_once(acts: list[Callable[[], object]]) -> Counter[str]:
    random.Random(5).shuffle(acts)  # noqa: S311 -- an order of arrival, not a secret
    with ThreadPoolExecutor(_WRITERS) as threads:
        return Counter(threads.map(patiently, acts))


def sound(member_id: str) -> bool:
    projector.rebuild(member_id)
    return auditing.audit(member_id, read_view(member_id), now=clock.now(), consistent=True).findings == ()


def test_the_same_feedback_by_sixteen_senders_is_one_case() -> None:
    desk.publish()
    member_id = writers.enrolled(1)[0]
    assert at_once([lambda: received(member_id, "one")] * 32) == {"done": 32}
    assert [item.kind for item in read_chain(member_id, consistent=True)].count("case_opened") == 1
    assert sound(member_id)


def test_of_many_who_take_a_case_at_once_one_has_it_and_the_others_are_told() -> None:
    desk.publish()
    case_id = received(writers.enrolled(1)[0], "one")
    handlers = [f"handler-{number}" for number in range(8)]

    def take(name: str) -> Callable[[], object]:
        return lambda: moving.assign(case_id, Assignment(owner=f"staff:{name}"), Words(), who(name))

    said = at_once([take(name) for name in handlers for _copy in range(3)])
    assert set(said) == {"done", "case_taken"}
    assert said["done"] == 3
    assert [step.kind for step in read_steps(case_id)] == ["case_opened", "case_assigned"]
    moved = at_once([lambda name=name: moving.move(case_id, "analyse", Words(), who(name)) for name in handlers])  # type: ignore[misc]
    assert moved == {"done": 1, "case_state_forbids": 7}


def test_notes_of_many_at_once_are_all_taken_and_numbered_without_a_gap() -> None:
    desk.publish()
    case_id = received(writers.enrolled(1)[0], "one")

    def note(number: int) -> Callable[[], object]:
        return lambda: moving.note(case_id, Words(f"note {number}"), who("li", f"note {number}"))

    assert at_once([note(number) for number in range(20) for _copy in range(2)]) == {"done": 40}
    steps = read_steps(case_id)
    assert [int(step.number) for step in steps] == list(range(1, 22))
    assert read(case_id).case.notes == 20


def test_many_who_compensate_two_merging_cases_at_once_stay_within_the_limits() -> None:
    desk.publish(compensation=LIMITS)
    member_id = writers.enrolled(1)[0]
    before = peek(member_id, now=clock.now(), consistent=True).state.available
    cases = [received(member_id, key) for key in ("one", "two")]
    for case_id in cases:
        moving.assign(case_id, Assignment(owner="staff:li"), Words(), who("li"))

    def give(case_id: str, number: int) -> Callable[[], object]:
        wanted = Amends(points=110, reason="Sorry.")
        return lambda: compensating.ask(case_id, wanted, who(f"h{number}", f"give {number}"))

    acts = [give(case_id, number) for number in range(12) for case_id in cases for _copy in range(2)]
    acts += [lambda: merging.merge(cases[1], cases[0], "", who("li"))] * 4
    said = at_once(acts)
    assert set(said) <= {"done", "case_merged", "case_merged_too_often", "compensation_limit_exceeded"}

    found = read(cases[0]).case
    given = [each for each in found.compensations if each.status == "given"]
    by_case = Counter(dict.fromkeys(cases, 0))
    for each in given:
        by_case[each.case_id] += each.points
    assert all(points <= LIMITS["handler_points"] for points in by_case.values())
    total = sum(each.points for each in given)
    assert peek(member_id, now=clock.now(), consistent=True).state.available == before + total
    kinds = Counter(item.kind for item in read_chain(member_id, consistent=True))
    assert kinds["case_compensated"] == len(given)
    assert sound(member_id)


def test_many_who_approve_at_once_give_it_once() -> None:
    desk.publish(compensation=LIMITS)
    member_id = writers.enrolled(1)[0]
    before = peek(member_id, now=clock.now(), consistent=True).state.available
    case_id = received(member_id, "one")
    moving.assign(case_id, Assignment(owner="staff:li"), Words(), who("li"))
    asked = compensating.ask(case_id, Amends(points=1_500, reason="Sorry."), who("li"))[1]

    def decide(number: int) -> Callable[[], object]:
        approves = number % 2 == 0
        return lambda: compensating.decide(case_id, asked, approves=approves, text="", who=who(f"boss-{number}"))

    said = at_once([decide(number) for number in range(12)])
    assert said == {"done": 1, "compensation_decided": 11}
    found = read(case_id).case.compensations[0]
    given = 1_500 if found.status == "given" else 0
    assert peek(member_id, now=clock.now(), consistent=True).state.available == before + given
    assert sound(member_id)


def test_runs_of_the_watch_beside_handlers_tell_each_deadline_once_and_leave_the_lists_in_step() -> None:
    desk.publish()
    cases = [received(member_id, member_id) for member_id in writers.enrolled(6)]
    late = clock.now() + 130 * 3600
    acts: list[Callable[[], object]] = [lambda: watching.watch(now=late)] * 4
    acts += [
        lambda case_id=case_id: moving.assign(case_id, Assignment(owner="staff:li"), Words(), who("li"))  # type: ignore[misc]
        for case_id in cases
    ]
    assert at_once(acts) == {"done": len(acts)}

    watching.watch(now=late)
    for case_id in cases:
        kinds = Counter(step.kind for step in read_steps(case_id))
        assert kinds["case_alerted"] <= 2
        assert kinds["case_assigned"] == 1
    leads = {(str(item.key), str(item.part)) for item in LeadItem.scan() if "#" in str(item.key)}
    assert leads == {lead for case_id in cases for lead in leads_of(read(case_id).case)}
