"""From purchases to members: days, refunds, windows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.scoring.rules.arrays import NO_DAY
from chalicelib.scoring.rules.history import (
    Members,
    Purchases,
    basket_deviation,
    bought_between,
    members_on,
    purchase_days,
)
from tests.scoring import NOW, bought


def same(first: Members, second: Members) -> bool:
    return all(np.allclose(getattr(first, name), getattr(second, name)) for name in Members.__struct_fields__)


def test_purchases_of_one_day_are_one() -> None:
    members = members_on(bought((0, NOW - 9, 10.0), (0, NOW - 9, 5.0), (0, NOW - 2, 7.0), (0, NOW - 2, 0.5)), NOW)
    assert members.repeats.tolist() == [1]
    assert members.mean_repeat.tolist() == [7.5]
    assert members.value.tolist() == [22.5]
    assert members.last_gap_days.tolist() == [7]


def test_who_has_bought_nothing_is_there_all_the_same() -> None:
    members = members_on(bought((1, NOW, 3.0), members=3), NOW)
    assert members.first_day.tolist() == [NO_DAY, NOW, NO_DAY]
    assert members.repeats.tolist() == [0, 0, 0]
    empty = members_on(bought(members=0), NOW)
    assert len(empty) == 0


def test_a_refund_comes_off_the_latest_purchase_before_it() -> None:
    found = bought((0, 10, 30.0), (0, 20, 40.0), (0, 40, 50.0), (0, 30, -45.0))
    # 40 of day 20, which is thereby no purchase any more, and 5 of day 10.
    assert found.day.tolist() == [10, 40]
    assert found.value.tolist() == [25.0, 50.0]
    assert found.refunds_unmatched == 0


def test_more_refunded_than_bought_leaves_nothing_and_is_counted() -> None:
    found = bought((0, 10, 30.0), (0, 11, -31.0), (1, 5, 8.0), (1, 4, -2.0), members=2)
    assert (found.member.tolist(), found.value.tolist()) == ([1], [8.0])
    assert found.refunds_unmatched == 2
    assert members_on(found, 20).first_day.tolist() == [NO_DAY, 5]


def test_a_purchase_that_cost_nothing_is_one() -> None:
    found = bought((0, 10, 0.0), (0, 12, 5.0), (0, 12, -5.0))
    assert found.day.tolist() == [10]


ROWS = st.lists(
    st.tuples(
        st.integers(0, 4), st.integers(NOW - 400, NOW), st.integers(-3_000, 9_000).map(lambda cents: cents / 100)
    ),
    max_size=40,
)


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_rows_does_not_matter(rows: list[tuple[int, int, float]], random: object) -> None:
    shuffled = rows.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = bought(*rows, members=5), bought(*shuffled, members=5)
    assert first.day.tolist() == second.day.tolist()
    assert np.allclose(first.value, second.value)
    assert first.refunds_unmatched == second.refunds_unmatched
    assert same(members_on(first, NOW), members_on(second, NOW))


@given(ROWS)
@settings(max_examples=100, deadline=None)
def test_what_is_told_of_a_member_is_what_counting_by_hand_gives(rows: list[tuple[int, int, float]]) -> None:
    purchases = bought(*rows, members=5)
    members = members_on(purchases, NOW - 30)
    for member in range(5):
        mine = [
            (int(day), float(value))
            for owner, day, value in zip(purchases.member, purchases.day, purchases.value, strict=True)
            if owner == member and day <= NOW - 30
        ]
        days = [day for day, _value in mine]
        since = [NOW - 30 - day for day in days]
        gaps = [later - earlier for earlier, later in itertools.pairwise(days)]
        assert members.repeats[member] == max(len(days) - 1, 0)
        assert members.first_day[member] == (days[0] if days else NO_DAY)
        assert members.last_day[member] == (days[-1] if days else NO_DAY)
        assert members.last_gap_days[member] == (gaps[-1] if gaps else 0)
        assert members.ln_gaps[member] == pytest.approx(sum(np.log(gaps)))
        assert members.purchases_28[member] == sum(age < 28 for age in since)
        assert members.purchases_91[member] == sum(age < 91 for age in since)
        assert members.purchases_before_91[member] == sum(91 <= age < 182 for age in since)
        assert members.value_365[member] == pytest.approx(
            sum(value for age, (_day, value) in zip(since, mine, strict=True) if age < 365)
        )
        repeat = [value for _day, value in mine[1:]]
        assert members.mean_repeat[member] == pytest.approx(sum(repeat) / len(repeat) if repeat else 0.0)
        later = sum(
            NOW - 30 < day <= NOW for owner, day in zip(purchases.member, purchases.day, strict=True) if owner == member
        )
        assert bought_between(purchases, NOW - 30, NOW)[member] == later


def with_baskets(*values: float) -> Purchases:
    return bought(*((0, NOW - 100 + place, value) for place, value in enumerate(values)))


def test_a_basket_out_of_the_ordinary_stands_out() -> None:
    usual = (20.0, 22.0, 19.0, 21.0, 20.5, 18.5)
    assert abs(float(basket_deviation(with_baskets(*usual, 21.5), NOW)[0])) < 2
    assert float(basket_deviation(with_baskets(*usual, 200.0), NOW)[0]) > 3.5
    assert float(basket_deviation(with_baskets(*usual, 2.0), NOW)[0]) < -3.5


def test_baskets_that_are_alike_say_nothing_of_another_one() -> None:
    assert basket_deviation(with_baskets(*[9.99] * 7, 400.0), NOW).tolist() == [0.0]
    # More than half alike: the mean deviation stands in, so there is an answer and no division by nothing.
    assert np.isfinite(basket_deviation(with_baskets(*[10.0] * 6, 12.0, 40.0), NOW)).all()
    assert basket_deviation(with_baskets(10.0, 400.0), NOW).tolist() == [0.0]


def test_ten_thousand_purchases_of_one_member() -> None:
    random = np.random.default_rng(1)
    days = np.arange(NOW - 10_000, NOW)
    found = purchase_days(1, np.zeros(10_000, np.int64), random.permutation(days), np.full(10_000, 3.0))
    members = members_on(found, NOW)
    assert (members.repeats.tolist(), members.ln_gaps.tolist()) == ([9_999], [0.0])
