"""What is said of a cause before and after: by published figures, by counting out, and never of too little."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.cases.rules import effect
from chalicelib.cases.rules.effect import Side

COUNTS = st.integers(0, 3_000)


def side(cases: int, known: int, days: int = 90) -> Side:
    return Side(cases, known, days)


def test_the_interval_of_a_rate_is_wilson_s() -> None:
    # Newcombe 1998, table I: 81 of 263.
    found = effect.per_1000(81, 263)
    assert found is not None
    assert (round(found.low), round(found.high)) == (255, 366)


def test_the_interval_of_a_change_is_newcombe_s() -> None:
    # Newcombe 1998, table II, method 10: 56/70 less 48/80.
    found = effect.rates(side(48, 80), side(56, 70))
    assert found.change is not None
    assert (round(found.change.value), round(found.change.low), round(found.change.high)) == (200, 52, 334)
    assert found.verdict == "worse"


def test_the_interval_of_a_count_is_byar_s() -> None:
    # The exact interval of ten is 4.795 to 18.39.
    found = effect.per_30_days(10, 30)
    assert found is not None
    assert (found.value, round(found.low, 1), round(found.high, 1)) == (10, 4.8, 18.4)
    nothing = effect.per_30_days(0, 30)
    assert nothing is not None
    assert (nothing.value, nothing.low, round(nothing.high, 1)) == (0, 0, 3.7)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ((40, 100), (10, 100), "better"),
        ((10, 100), (40, 100), "worse"),
        ((20, 100), (18, 100), "no_change_shown"),
        ((20, 100), (20, 100), "no_change_shown"),
        ((20, 29), (0, 100), "too_few"),
        ((20, 100), (0, 29), "too_few"),
        ((0, 0), (0, 0), "too_few"),
        ((0, 30), (0, 30), "no_change_shown"),
        ((30, 30), (0, 30), "better"),
    ],
)
def test_a_rate_that_may_be_chance_is_not_called_a_change(
    before: tuple[int, int], after: tuple[int, int], verdict: str
) -> None:
    assert effect.rates(side(*before), side(*after)).verdict == verdict


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ((40, 90), (10, 90), "better"),
        ((10, 90), (40, 90), "worse"),
        ((20, 90), (18, 90), "no_change_shown"),
        ((30, 90), (10, 30), "no_change_shown"),
        ((30, 90), (30, 30), "worse"),
        ((9, 90), (0, 90), "too_few"),
        ((10, 90), (0, 90), "better"),
        ((40, 90), (0, 0), "too_few"),
        ((0, 0), (40, 90), "too_few"),
    ],
)
def test_a_pace_is_held_against_the_days(before: tuple[int, int], after: tuple[int, int], verdict: str) -> None:
    sides = [Side(cases, 1_000, days) for cases, days in (before, after)]
    assert effect.paces(*sides).verdict == verdict


def test_where_there_is_one_cause_only_the_pace_tells_what_the_rate_cannot() -> None:
    before, after = side(100, 100), side(40, 40)
    assert effect.rates(before, after).verdict == "no_change_shown"
    assert effect.paces(before, after).verdict == "better"


SIDES = st.builds(lambda cases, others, days: Side(cases, cases + others, days), COUNTS, COUNTS, st.integers(1, 400))


@given(SIDES, SIDES)
def test_intervals_hold_their_figures_and_the_two_directions_mirror_each_other(before: Side, after: Side) -> None:
    mirrored = {"better": "worse", "worse": "better"}
    for compare in (effect.rates, effect.paces):
        there, back = compare(before, after), compare(after, before)
        assert back.verdict == mirrored.get(there.verdict, there.verdict)
        for figure in (there.before, there.after, there.change):
            if figure:
                assert figure.low <= figure.value + 1e-9
                assert figure.value <= figure.high + 1e-9
                assert math.isfinite(figure.high - figure.low)


def test_where_nothing_has_changed_a_change_is_claimed_no_more_often_than_promised() -> None:
    draw = random.Random(7)  # noqa: S311 -- a simulation
    claimed = 0
    for _ in range(2_000):
        counts = [sum(draw.random() < 0.2 for _case in range(120)) for _side in range(2)]
        verdict = effect.rates(*(side(count, 120) for count in counts)).verdict
        claimed += verdict in {"better", "worse"}
    assert claimed <= 2_000 * 0.06


@pytest.mark.parametrize(
    ("works_on", "before", "after"),
    [
        ("2026-06-15", ["2026-03", "2026-05"], ["2026-07", "2026-09"]),
        ("2026-06-01", ["2026-03", "2026-05"], ["2026-06", "2026-08"]),
        ("2026-09-30", ["2026-06", "2026-08"], ["2026-10", "2026-10"]),
        ("2026-01-02", ["2025-10", "2025-12"], ["2026-02", "2026-04"]),
        ("2026-11-02", ["2026-08", "2026-10"], []),
        ("2027-02-01", ["2026-11", "2027-01"], []),
    ],
)
def test_whole_months_are_compared_and_none_that_is_not_over(
    works_on: str, before: list[str], after: list[str]
) -> None:
    def text(month: int) -> str:
        return f"{month // 12}-{month % 12 + 1:02d}"

    earlier, later = effect.months(works_on, 2026 * 12 + 10, 3)
    assert [text(earlier[0]), text(earlier[-1])] == before
    assert [text(month) for month in (later[:1] + later[-1:] if later else [])] == after


def test_months_from_before_there_was_anything_are_left_out() -> None:
    assert effect.begun([0, 0, 4, 0]) == 2
    assert effect.begun([1]) == 0
    assert effect.begun([0, 0]) == 2
