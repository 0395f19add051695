"""Real threads at cases that are counted: whoever is faster, a month's counts are those of its cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chalicelib.base import clock
from chalicelib.cases import acting, feedback, merging, moving, tallies
from chalicelib.cases.acting import Plan
from chalicelib.cases.action_table import leads_of, read_action
from chalicelib.cases.changing import read
from chalicelib.cases.feedback import Sender
from chalicelib.cases.moving import Words
from chalicelib.cases.rules import counting
from chalicelib.cases.rules.moves import Assignment
from chalicelib.cases.schema import FeedbackIn
from chalicelib.cases.table import LeadItem
from infra.local.aws import LocalAws
from tests.api import desk
from tests.local_engine import engine_on
from tests.programs import texts
from tests.stack.test_threads_cases import at_once, who

CAUSES = {code: texts(code) for code in ("packaging", "courier")}


@pytest.fixture(autouse=True)
def engine(tmp_path: Path) -> Iterator[None]:
    """The engine on a DynamoDB of its own, without the deployed functions beside it."""
    with engine_on(LocalAws(tmp_path)):
        desk.publish(causes=CAUSES)
        yield


def received(key: str) -> str:
    body = FeedbackIn(kind="complaint", text="The seal was broken.", dimension="product")
    return feedback.receive(body, Sender(actor="system:crm", key=key), now=clock.now()).case.case_id


def put_down(case_id: str, cause: str, key: str) -> Callable[[], object]:
    return lambda: acting.put_down(case_id, cause, "", who("li", key))


def put_right(case_id: str) -> Callable[[], object]:
    return lambda: moving.assign(case_id, Assignment(dimension="price"), Words(), who("wang", case_id))


def merge(case_id: str, into: str) -> Callable[[], object]:
    return lambda: merging.merge(case_id, into, "", who("li"))


def test_whatever_happens_at_once_the_month_counts_each_case_as_it_is_in_the_end() -> None:
    assert at_once([lambda number=number: received(str(number)) for number in range(12) for _copy in range(3)]) == {  # type: ignore[misc]
        "done": 36
    }
    cases = [received(str(number)) for number in range(12)]
    acts = [put_down(case_id, cause, f"{cause} {turn}") for case_id in cases for cause in CAUSES for turn in range(2)]
    acts += [put_right(case_id) for case_id in cases[:6]]
    acts += [merge(case_id, cases[0]) for case_id in cases[8:]]
    said = at_once(acts * 2)
    assert set(said) <= {"done", "case_merged"}

    expected: Counter[str] = Counter()
    for case_id in cases:
        expected.update(counting.counted(read(case_id).case))
    found = Counter[str]()
    for counts in tallies.read([read(cases[0]).case.month]).values():
        found.update(counts)
    assert {name: count for name, count in found.items() if count} == dict(expected)
    assert expected[counting.CASES] == 8


def test_many_who_finish_an_action_at_once_finish_it_once() -> None:
    case_id = received("one")
    acting.put_down(case_id, "packaging", "", who("li"))
    wanted = Plan(department="quality", what="Other seals.", due_on="2999-01-01")
    plans = at_once([lambda: acting.plan(case_id, wanted, who("li"))] * 6)
    assert plans == {"done": 6}
    (action,) = read(case_id).case.actions

    def finish(number: int) -> Callable[[], object]:
        return lambda: acting.finish(case_id, action.action_id, works_on="", text=f"{number}", who=who("li"))

    said = at_once([finish(number) for number in range(8)])
    assert said == {"done": 1, "action_done": 7}
    done = read_action(action.action_id)
    assert done
    leads = {(str(item.key), str(item.part)) for item in LeadItem.scan() if str(item.key).startswith("actions:")}
    assert leads == leads_of(done)
