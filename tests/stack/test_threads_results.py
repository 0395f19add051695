"""Real threads at the night's tables: however many make them at once, they are those of one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks import survey_burst
from chalicelib.base import clock
from chalicelib.program import service as programs
from chalicelib.surveys import crossing
from chalicelib.surveys.crossing import Month
from chalicelib.surveys.result_table import read_crossed
from chalicelib.surveys.rules.crossing import unpacked
from infra.local.aws import LocalAws
from tests.answered import opened
from tests.local_engine import engine_on


@pytest.fixture(autouse=True)
def engine(tmp_path: Path) -> Iterator[None]:
    """The engine on a DynamoDB of its own, without the deployed functions beside it."""
    with engine_on(LocalAws(tmp_path)):
        yield


def test_tables_made_by_many_at_once_are_those_of_one() -> None:
    now = clock.now()
    survey_id, month = opened(), clock.month_text(clock.month_of(now, programs.in_force(now, now=now).program.zone))
    survey_burst.burst(survey_id, 120)

    def cross(_turn: int) -> None:
        crossing.take(Month(survey_id, month, anew=True), queue_url="", goes_on=lambda: True, now=clock.now())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(cross, range(8)))
    item = read_crossed(survey_id, month)
    assert item is not None
    assert item.answers == 120
    assert unpacked(item.all)["sound"]["#n"] == 120
