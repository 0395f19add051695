"""Real threads at surveys: every answer is taken, once, and counted, however many come at once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chalicelib.base import clock
from chalicelib.base.errors import Refusal
from chalicelib.ledger import auditing, projector
from chalicelib.ledger.posting import peek
from chalicelib.ledger.table import read_chain, read_view
from chalicelib.surveys import by_hand, changing, defining, inviting, respondents, responding, tallies
from chalicelib.surveys.document import Answer
from chalicelib.surveys.preparing import Submission
from chalicelib.surveys.respondents import Respondent
from chalicelib.surveys.table import SHARDS, AnswerItem, answers_key
from infra.local.aws import LocalAws
from tests import writers
from tests.local_engine import engine_on
from tests.rules.survey_cases import definition, question

_WRITERS = 16
_AT = clock.now()
_MONTHS = sorted({clock.text(_AT)[:7], clock.text(_AT + 8 * 3600)[:7]})


@pytest.fixture(autouse=True)
def engine(tmp_path: Path) -> Iterator[None]:
    """The engine on a DynamoDB of its own, without the deployed functions beside it."""
    with engine_on(LocalAws(tmp_path)):
        yield


def opened() -> str:
    rules = [{"question": "recommend", "at_most": 6}]
    made, _replayed = changing.create(
        definition(question("nps", "recommend"), points=50, case_rules=rules), actor="staff:li", now=_AT
    )
    return changing.set_status(made.survey_id, "open", actor="staff:li", now=_AT).survey_id


def answer(survey_id: str, respondent: Respondent, number: int) -> str:
    submission = Submission(
        survey_id=survey_id,
        answers={"recommend": Answer(number=number)},
        channel="app",
        actor="member",
        occurred_at=_AT,
    )
    return str(responding.respond(submission, respondent, now=_AT).record.record_id)


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
    random.Random(7).shuffle(acts)  # noqa: S311 -- an order of arrival, not a secret
    with ThreadPoolExecutor(_WRITERS) as threads:
        return Counter(threads.map(patiently, acts))


def counted(survey_id: str) -> tuple[int, int]:
    """How many answers lie in their months, and how many are counted."""
    keys = [answers_key(survey_id, month, shard) for month in _MONTHS for shard in range(SHARDS)]
    listed = sum(len(list(AnswerItem.query(key, consistent_read=True))) for key in keys)
    totals = [found.sound for found in tallies.read(survey_id, _MONTHS).values()]
    return listed, sum(sound[f"recommend:{number}"] for sound in totals for number in range(11))


def test_a_burst_of_answers_each_sent_twice_loses_none_and_counts_each_once() -> None:
    survey_id, count = opened(), 400

    def row(number: int) -> Callable[[], object]:
        return lambda: answer(survey_id, respondents.of_row(survey_id, "paper", str(number), None), 7 + number % 4)

    assert at_once([row(number) for number in range(count)] * 2) == {"done": 2 * count}
    assert counted(survey_id) == (count, count)


def test_members_who_answer_on_several_devices_are_paid_once() -> None:
    survey_id, members = opened(), writers.enrolled(10)
    before = [peek(member, now=_AT, consistent=True).state.available for member in members]

    def device(member: str) -> Callable[[], object]:
        return lambda: answer(survey_id, respondents.of_member(survey_id, member), 3)

    def agent(member: str) -> Callable[[], object]:
        return lambda: answer(survey_id, respondents.of_row(survey_id, "phone", member, member), 3)

    assert at_once([act(member) for member in members for act in (device, agent) for _copy in range(4)]) == {"done": 80}
    assert counted(survey_id) == (10, 10)
    for member, points in zip(members, before, strict=True):
        assert peek(member, now=_AT, consistent=True).state.available == points + 50
        assert [item.kind for item in read_chain(member, consistent=True)].count("survey_answered") == 1
        projector.rebuild(member)
        assert auditing.audit(member, read_view(member), now=clock.now(), consistent=True).findings == ()


def test_of_many_who_have_the_link_one_is_heard() -> None:
    survey_id, (member,) = opened(), writers.enrolled(1)
    wanted = by_hand.Request(member_id=member, open_days=1)
    invitation = by_hand.invite(survey_id, wanted, key="1", actor="staff:li", now=_AT).record.key

    def holder(number: int) -> Callable[[], object]:
        return lambda: answer(survey_id, respondents.of_link(survey_id, invitation), number)

    told = at_once([holder(number) for number in range(11)])
    assert told == {"done": 1, "answered_before": 10}
    assert counted(survey_id) == (1, 1)
    assert inviting.read(invitation).status == "answered"


def test_a_survey_that_is_edited_while_it_is_answered_loses_no_answer() -> None:
    survey_id = opened()

    def edit(points: int) -> None:
        found = defining.read_now(survey_id)
        body = definition(question("nps", "recommend"), question("text", "why", required=False), points=points)
        changing.change(survey_id, body, based_on=str(found.version), actor="staff:li", now=_AT)

    def row(number: int) -> Callable[[], object]:
        return lambda: answer(survey_id, respondents.of_row(survey_id, "paper", str(number), None), 9)

    edits: list[Callable[[], object]] = [lambda points=points: edit(points) for points in range(10)]  # type: ignore[misc]
    told = at_once([*(row(number) for number in range(100)), *edits])
    assert told["done"] + told["survey_changed"] == 110
    assert told["survey_changed"] < 10
    assert counted(survey_id) == (100, 100)
