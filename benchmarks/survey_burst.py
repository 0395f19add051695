"""Ten thousand answers to one survey, as fast as sixteen threads send them: none is lost, and no item is hot.

On the local AWS, whose pace says nothing of DynamoDB's; what counts is how often an item is written, and how many units
that takes: DynamoDB takes 1,000 a second for one item, and for one partition until it splits.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tests.conftest  # noqa: F401 -- sets the environment that the engine reads when it is imported
from chalicelib.base import clock
from chalicelib.base.errors import Unavailable
from chalicelib.program import service as programs
from chalicelib.surveys import crossing, respondents, responding, tallies
from chalicelib.surveys.crossing import Month
from chalicelib.surveys.preparing import Submission
from chalicelib.surveys.result_table import read_crossed
from chalicelib.surveys.rules import counting
from chalicelib.surveys.table import SHARDS, shard_of
from infra.local.aws import LocalAws
from tests.answered import opened
from tests.local_engine import engine_on
from tests.meter import metered
from tests.surveys import VISIT, answers

ANSWERS = 10_000
_THREADS = 16
_UNITS_A_SECOND = 1_000
_ACTOR = "system:bench"


def answer(survey_id: str, number: int) -> str:
    """Somebody's answer, sent again while the engine is busy; gives its id."""
    respondent = respondents.of_row(survey_id, "burst", str(number), None)
    submission = Submission(
        survey_id=survey_id,
        answers=answers(
            nps=number % 11, rating={"goods": number % 5 + 1, "staff": 3, "prices": 4}, wishes=["more"], words="words"
        ),
        channel="paper",
        actor=_ACTOR,
        occurred_at=clock.now(),
    )
    while True:
        try:
            responding.respond(submission, respondent, now=clock.now())
        except Unavailable:
            continue
        return respondent.response_id


def burst(survey_id: str, count: int) -> list[str]:
    """That many answers at once; gives their ids."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(lambda number: answer(survey_id, number), range(count)))


def main() -> None:
    """Print what a burst of answers writes, and that all of them are counted and crossed."""
    with tempfile.TemporaryDirectory() as folder, engine_on(LocalAws(Path(folder))):
        survey_id = opened()
        with metered() as bill:
            answer(survey_id, ANSWERS)
        begun = time.perf_counter()
        ids = burst(survey_id, ANSWERS)
        seconds = time.perf_counter() - begun
        month = clock.month_text(
            clock.month_of(clock.now(), programs.in_force(clock.now(), now=clock.now()).program.zone)
        )
        total = tallies.answers_of(survey_id, [month])[month] - 1
        begun = time.perf_counter()
        crossing.take(Month(survey_id, month), queue_url="", goes_on=lambda: True, now=clock.now())
        crossed = read_crossed(survey_id, month)
        crossing_s = time.perf_counter() - begun
    busiest = max(Counter(shard_of(response_id) for response_id in ids).values())
    # The count is one item of a transaction, of a kilobyte at the most for a usual survey: two units.
    names = sum(len(list(counting.names(question))) for question in VISIT.questions)
    print("| | |\n|---|--:|")
    print(f"| answers sent by {_THREADS} threads | {ANSWERS:,} |")
    print(f"| counted in the live totals | {total:,} |")
    print(f"| in the night's tables | {(crossed.answers if crossed and crossed.answers else 0) - 1:,} |")
    print(f"| writes of the busiest item of {SHARDS} | {busiest:,} ({busiest / ANSWERS:.1%}) |")
    print(f"| counters that a shard may have | {names} |")
    print(f"| write units of an answer in all | {bill.write_units:g} |")
    print(f"| answers a second until the busiest item is full | {_UNITS_A_SECOND / 2 * ANSWERS / busiest:,.0f} |")
    print(f"| answers a second here | {ANSWERS / seconds:,.0f} |")
    print(f"| answers crossed a second here | {ANSWERS / crossing_s:,.0f} |")


if __name__ == "__main__":
    main()
