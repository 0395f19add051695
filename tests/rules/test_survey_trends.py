"""Since when a figure is another one."""

from __future__ import annotations

import itertools
import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.surveys.rules import trends
from chalicelib.surveys.rules.trends import ALPHA, Point, changes
from tests.surveys import repeatable


def months(*shares: tuple[float, float], n: int = 200, chance: Random | None = None) -> list[Point]:
    """Months of NPS with shares of promoters and detractors: drawn by chance, or exactly these."""
    found = []
    for number, (plus, minus) in enumerate(shares):
        if chance:
            drawn = [chance.random() for _ in range(n)]
            promoters = sum(value < plus for value in drawn)
            detractors = sum(value >= 1 - minus for value in drawn)
        else:
            promoters, detractors = round(plus * n), round(minus * n)
        given_numbers = {10: promoters, 0: detractors, 7: n - promoters - detractors}
        found.append(trends.of_nps(f"{2025 + number // 12}-{number % 12 + 1:02d}", given_numbers))
    return found


def test_a_fall_is_found_in_its_month_with_its_size() -> None:
    (change,) = changes(months(*[(0.5, 0.2)] * 6, *[(0.4, 0.3)] * 6))
    assert change.month == "2025-07"
    assert (change.before, change.after, change.difference) == (30.0, 10.0, -20.0)
    variance = (0.7 - 0.3**2 + 0.7 - 0.1**2) * 10_000 / 1_200
    assert change.low == pytest.approx(-20 - 1.96 * math.sqrt(variance))
    z = 20 / math.sqrt(variance)
    assert change.p == pytest.approx(11 * math.erfc(z / math.sqrt(2)))


def test_a_fall_and_a_recovery_are_two_changes() -> None:
    found = changes(months(*[(0.5, 0.2)] * 5, *[(0.3, 0.4)] * 4, *[(0.5, 0.2)] * 5))
    assert [(change.month, change.before, change.after) for change in found] == [
        ("2025-06", 30.0, -10.0),
        ("2025-10", -10.0, 30.0),
    ]


def test_csat_is_looked_at_by_the_same_test() -> None:
    points = [
        trends.of_csat(f"2025-{month:02d}", {5: 80 if month < 6 else 60, 2: 20 if month < 6 else 40})
        for month in range(1, 11)
    ]
    (change,) = changes(points)
    assert (change.month, change.before, change.after) == ("2025-06", 80.0, 60.0)


def test_one_month_of_few_answers_is_no_change() -> None:
    points = months(*[(0.5, 0.2)] * 6)
    assert changes([*points, trends.of_nps("2025-07", {0: 29})]) == ()


def test_in_a_series_of_less_than_two_months_nothing_changes() -> None:
    assert changes([]) == changes(months((0.5, 0.2))) == ()


def test_months_that_always_differ_are_no_change() -> None:
    """Answers alone would not explain so much up and down; it is how this series is."""
    shares = [(0.5, 0.2), (0.4, 0.3)] * 9
    assert changes(months(*shares)) == ()


def test_where_nothing_changes_hardly_a_change_is_found() -> None:
    chance = repeatable(7)
    runs = 400
    wrong = sum(bool(changes(months(*[(0.5, 0.2)] * 12, n=100, chance=chance))) for _ in range(runs))
    # Three standard errors above what is promised.
    assert wrong / runs <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / runs)


def test_a_fall_by_twenty_points_is_found_nearly_always() -> None:
    chance = repeatable(11)
    runs = 100
    found = [changes(months(*[(0.5, 0.2)] * 8, *[(0.4, 0.3)] * 4, n=200, chance=chance)) for _ in range(runs)]
    near = [run for run in found if any(change.month in {"2025-08", "2025-09", "2025-10"} for change in run)]
    assert len(near) >= 85


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60)), max_size=14))
def test_changes_come_in_the_order_of_their_months_and_speak_of_what_is_between_them(
    counts: list[tuple[int, int, int]],
) -> None:
    points = [
        trends.of_nps(f"{2025 + place // 12}-{place % 12 + 1:02d}", {10: plus, 7: middle, 0: minus})
        for place, (plus, middle, minus) in enumerate(counts)
    ]
    found = changes(points)
    assert [change.month for change in found] == sorted({change.month for change in found})
    for one, other in itertools.pairwise(found):
        assert one.after == other.before
    for change in found:
        assert change.p < ALPHA
        assert change.low <= change.difference <= change.high
