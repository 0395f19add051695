from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.program.document import Program, default
from chalicelib.program.rules.earning import CurrencyNotAccepted, evaluate
from chalicelib.program.rules.inputs import Explanation, Line, Member, Payment, Purchase
from tests.programs import document, program, tier

MULTIPLIERS = {"member": Fraction(1), "silver": Fraction(6, 5), "gold": Fraction(3, 2), "diamond": Fraction(2)}


def purchase(total_minor: int, **rest: Any) -> Purchase:
    fields: dict[str, Any] = {"currency": "CNY", "total_minor": total_minor, "occurred_at": 1_790_000_000}
    return Purchase(**(fields | rest))


def line(amount_minor: int) -> Line:
    return Line("sku", "", 1, amount_minor)


def fired(rule: str, reason: str, points: int) -> Explanation:
    return Explanation(rule=rule, fired=True, reason=reason, points=points)


def silent(rule: str, reason: str) -> Explanation:
    return Explanation(rule=rule, fired=False, reason=reason, points=0)


def points_of(found: Program, bought: Purchase, tier: str = "member") -> int:
    return evaluate(found, bought, Member(tier=tier)).points


def test_a_whole_yuan_earns_a_point() -> None:
    assert [points_of(default(), purchase(minor)) for minor in (0, 99, 100, 199, 12_345)] == [0, 0, 1, 1, 123]


@pytest.mark.parametrize(("tier", "points"), [("member", 99), ("silver", 119), ("gold", 149), ("diamond", 199)])
def test_the_multiplier_comes_before_the_one_rounding(tier: str, points: int) -> None:
    """99.99 yuan: 119.988, 149.985 and 199.98 are floored, and the floored 99 is never multiplied."""
    earned = evaluate(default(), purchase(9_999), Member(tier=tier))
    assert (earned.points, earned.qualifying_points) == (points, 99)


@pytest.mark.parametrize("hundredths", range(101, 200, 7))
def test_a_multiplier_is_exactly_what_it_says(hundredths: int) -> None:
    """100 yuan at 1.15 are 115 points; as a float 1.15 is a little less."""
    tiers = [tier("a", 0, f"{hundredths / 100}"), tier("b", 1), tier("c", 2)]
    assert points_of(program(tiers=tiers), purchase(10_000), "a") == hundredths


def test_lines_do_not_round_by_themselves() -> None:
    three = tuple(line(50) for _ in range(3))
    assert points_of(default(), purchase(150, lines=three)) == 1


def test_tax_and_shipping_earn_nothing_by_default() -> None:
    assert points_of(default(), purchase(10_000, tax_minor=1_000, shipping_minor=500)) == 85


def test_tax_and_shipping_earn_where_the_programme_says_so() -> None:
    earning = document()["earning"] | {"on_tax": True, "on_shipping": True}
    assert points_of(program(earning=earning), purchase(10_000, tax_minor=1_000, shipping_minor=500)) == 100


def test_what_points_and_gift_cards_paid_earns_nothing() -> None:
    paid = (Payment("points", 1_000), Payment("gift_card", 2_000), Payment("card", 7_000))
    assert points_of(default(), purchase(10_000, payments=paid)) == 70


def test_an_order_paid_with_points_alone_earns_nothing_and_never_less() -> None:
    paid = (Payment("points", 10_000),)
    earned = evaluate(default(), purchase(10_000, shipping_minor=800, payments=paid), Member(tier="diamond"))
    assert (earned.points, earned.qualifying_points, earned.eligible_minor, earned.spend_minor) == (0, 0, 0, 0)


def test_payments_that_earn_are_the_programmes_choice() -> None:
    earning = document()["earning"] | {"payments_that_earn_nothing": []}
    assert points_of(program(earning=earning), purchase(10_000, payments=(Payment("points", 10_000),))) == 100


def test_each_currency_has_its_own_rate() -> None:
    """Three points for two dollars; one point for 150 yen, which have no minor unit."""
    rates = {"CNY": {"points": 1, "per_minor": 100}, "USD": {"points": 3, "per_minor": 200}}
    both = program(currencies=rates | {"JPY": {"points": 1, "per_minor": 150}})
    assert points_of(both, purchase(199, currency="USD")) == 2
    assert points_of(both, purchase(1_000, currency="JPY")) == 6


def test_only_the_base_currency_counts_as_spending() -> None:
    rates = document()["currencies"] | {"USD": {"points": 7, "per_minor": 100}}
    assert evaluate(program(currencies=rates), purchase(500, currency="USD"), Member(tier="member")).spend_minor == 0
    assert evaluate(program(currencies=rates), purchase(500, tax_minor=100), Member(tier="member")).spend_minor == 400


def test_a_currency_without_a_rate_is_refused() -> None:
    with pytest.raises(CurrencyNotAccepted) as refusal:
        evaluate(default(), purchase(100, currency="EUR"), Member(tier="member"))
    assert refusal.value.field == "currency"


def test_an_unknown_tier_earns_as_the_first() -> None:
    assert points_of(default(), purchase(10_000), "platinum") == 100


def test_free_lines_take_no_share_of_the_points() -> None:
    bought = purchase(10_000, lines=(line(0), line(7_500), line(2_500)))
    assert evaluate(default(), bought, Member(tier="member")).line_points == (0, 75, 25)


def test_every_rule_explains_itself() -> None:
    assert evaluate(default(), purchase(9_999), Member(tier="silver")).explanations == (
        fired("base", "amount_spent", 99),
        fired("tier_multiplier", "tier", 20),
    )
    assert evaluate(default(), purchase(0), Member(tier="silver")).explanations == (
        silent("base", "nothing_eligible"),
        silent("tier_multiplier", "no_difference"),
    )
    assert evaluate(default(), purchase(83), Member(tier="silver")).explanations == (
        silent("base", "less_than_one_point"),
        silent("tier_multiplier", "no_difference"),
    )


amounts = st.integers(0, 10**12)


@st.composite
def purchases(draw: st.DrawFn) -> Purchase:
    lines = draw(st.lists(st.integers(0, 10**9), max_size=12))
    tax, shipping = draw(st.integers(0, 10**6)), draw(st.integers(0, 10**6))
    total = sum(lines) + tax + shipping
    paid_with_points = draw(st.integers(0, total))
    return purchase(
        total,
        tax_minor=tax,
        shipping_minor=shipping,
        lines=tuple(line(amount) for amount in lines),
        payments=(Payment("points", paid_with_points), Payment("card", total - paid_with_points)),
    )


@given(bought=purchases(), tier=st.sampled_from(sorted(MULTIPLIERS)))
def test_points_add_up_over_lines_and_over_explanations(bought: Purchase, tier: str) -> None:
    earned = evaluate(default(), bought, Member(tier=tier))
    assert sum(item.points for item in earned.explanations) == earned.points
    if bought.lines:
        assert sum(earned.line_points) == earned.points
        assert len(earned.line_points) == len(bought.lines)
        assert all(points >= 0 for points in earned.line_points)


@given(bought=purchases(), tier=st.sampled_from(sorted(MULTIPLIERS)))
def test_points_are_the_exact_product_floored_once(bought: Purchase, tier: str) -> None:
    earned = evaluate(default(), bought, Member(tier=tier))
    exact = Fraction(earned.eligible_minor, 100) * MULTIPLIERS[tier]
    assert earned.points == exact.numerator // exact.denominator
    assert 0 <= earned.eligible_minor <= bought.total_minor


@given(first=amounts, second=amounts, tier=st.sampled_from(sorted(MULTIPLIERS)))
def test_two_purchases_never_earn_more_than_both_at_once(first: int, second: int, tier: str) -> None:
    apart = points_of(default(), purchase(first), tier) + points_of(default(), purchase(second), tier)
    together = points_of(default(), purchase(first + second), tier)
    assert together - 1 <= apart <= together
