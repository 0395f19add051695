"""Real threads at one survey: a burst of answers loses none, counts each once, and heats no item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks import survey_burst
from chalicelib.base import clock
from chalicelib.program import service as programs
from chalicelib.surveys import crossing, tallies
from chalicelib.surveys.crossing import Month
from chalicelib.surveys.result_table import read_crossed
from chalicelib.surveys.rules.crossing import unpacked
from chalicelib.surveys.table import SHARDS, shard_of
from infra.local.aws import LocalAws
from tests.answered import opened
from tests.local_engine import engine_on

_ANSWERS = 400


@pytest.fixture(autouse=True)
def engine(tmp_path: Path) -> Iterator[None]:
    """The engine on a DynamoDB of its own, without the deployed functions beside it."""
    with engine_on(LocalAws(tmp_path)):
        yield


def this_month() -> str:
    now = clock.now()
    return clock.month_text(clock.month_of(now, programs.in_force(now, now=now).program.zone))


def test_a_burst_of_answers_is_counted_exactly_though_each_is_sent_twice() -> None:
    survey_id, month = opened(), this_month()
    with ThreadPoolExecutor(16) as pool:
        sent = [*range(_ANSWERS), *range(_ANSWERS)]
        ids = set(pool.map(lambda number: survey_burst.answer(survey_id, number), sent))
    assert len(ids) == _ANSWERS
    totals = tallies.read(survey_id, [month])[month].sound
    assert totals["#n"] == _ANSWERS
    given = Counter(number % 11 for number in range(_ANSWERS))
    assert {number: totals[f"nps:{number}"] for number in range(11)} == dict(given)
    assert max(Counter(map(shard_of, ids)).values()) < 2.5 * _ANSWERS / SHARDS


def test_tables_made_by_many_at_once_are_those_of_one() -> None:
    survey_id, month = opened(), this_month()
    survey_burst.burst(survey_id, 120)

    def cross(_turn: int) -> None:
        crossing.take(Month(survey_id, month, anew=True), queue_url="", goes_on=lambda: True, now=clock.now())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(cross, range(8)))
    item = read_crossed(survey_id, month)
    assert item is not None
    assert item.answers == 120
    assert unpacked(item.all)["sound"]["#n"] == 120
