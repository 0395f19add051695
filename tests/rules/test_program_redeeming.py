from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.program.document import default
from chalicelib.program.rules.redeeming import NotRedeemable, discount
from tests.programs import program


def test_points_are_worth_what_the_programme_says() -> None:
    assert discount(default(), 100, "CNY") == 100
    assert discount(default(), 12_300, "CNY") == 12_300


@pytest.mark.parametrize("points", [-100, 0, 1, 99])
def test_fewer_points_than_the_minimum_are_refused(points: int) -> None:
    with pytest.raises(NotRedeemable, match="At least 100 points") as refusal:
        discount(default(), points, "CNY")
    assert refusal.value.field == "points"


def test_points_between_two_steps_are_refused() -> None:
    with pytest.raises(NotRedeemable, match="steps of 100"):
        discount(default(), 150, "CNY")


def test_a_currency_without_a_value_is_refused() -> None:
    with pytest.raises(NotRedeemable) as refusal:
        discount(default(), 100, "USD")
    assert refusal.value.field == "currency"


def test_a_programme_may_give_no_discounts() -> None:
    with pytest.raises(NotRedeemable):
        discount(program(redemption=None), 100, "CNY")


@given(points_per=st.integers(1, 500), amount_minor=st.integers(1, 500), steps=st.integers(1, 1_000))
def test_a_discount_is_exact_in_every_step(points_per: int, amount_minor: int, steps: int) -> None:
    """A step of `points_per` is always worth whole minor units."""
    redemption = {
        "points_per": points_per,
        "amount_minor": {"CNY": amount_minor},
        "minimum_points": points_per,
        "step_points": points_per,
    }
    found = discount(program(redemption=redemption), steps * points_per, "CNY")
    assert found * points_per == steps * points_per * amount_minor
