"""Live totals are exact, and no item of theirs is hot."""

from __future__ import annotations

from collections import Counter

from chalicelib.base.dynamo import key_of
from chalicelib.ledger.posting import Write
from chalicelib.surveys import tallies
from chalicelib.surveys.rules import counting
from chalicelib.surveys.table import SHARDS
from chalicelib.vouchers.store import write_together
from tests.meter import metered
from tests.surveys import FLAGGED, LARGEST, SOUND, VISIT, answers, everything, ids

SURVEY = "srv_" + "a" * 26


def counted(month: str, number: int) -> Write:
    context = FLAGGED if number % 7 == 0 else SOUND
    return tallies.counting(SURVEY, month, next(ids), VISIT, answers(nps=number % 11, words="words"), context)


def test_every_answer_is_in_the_totals_of_its_month_flagged_ones_apart() -> None:
    for number in range(60):
        assert write_together([counted("2026-10" if number < 20 else "2026-11", number)])
    found = tallies.read(SURVEY, ["2026-09", "2026-10", "2026-11"])
    assert [(found[month].sound["#n"], found[month].flagged["#n"]) for month in found] == [(0, 0), (17, 3), (34, 6)]
    sound = [number for number in range(20, 60) if number % 7]
    assert found["2026-11"].sound == Counter(
        {"#n": 34, "#channel:app": 34, "words#": 34} | Counter(f"nps:{number % 11}" for number in sound)
    )
    assert found["2026-11"].flagged["#speeding"] == 6


def test_answers_spread_over_all_shards() -> None:
    keys = Counter(key_of(counted("2026-11", 1).model) for _ in range(3_200))
    assert len(keys) == SHARDS
    assert max(keys.values()) < 2 * 3_200 / SHARDS


def test_a_question_named_like_a_key_counts_beside_it() -> None:
    survey = tallies.counting(SURVEY, "2026-11", next(ids), LARGEST, everything(LARGEST), SOUND)
    assert write_together([survey])
    total = tallies.read(SURVEY, ["2026-11"])["2026-11"].sound
    assert total["#n"] == 1
    assert len(total) <= counting.LIVE_COUNTERS


def test_a_usual_answer_counts_for_two_units() -> None:
    write_together([counted("2026-11", 1)])
    with metered() as bill:
        write_together([counted("2026-11", 1)])
    assert (bill.write_units, bill.round_trips) == (2, 1)
