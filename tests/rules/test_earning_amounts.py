"""Amounts at their edges: none, huge, discounted away, without minor units, in many lines."""

from __future__ import annotations

from chalicelib.program.rules.earning import evaluate
from chalicelib.program.rules.inputs import Line, Member
from chalicelib.program.rules.tally import POINTS_MAX
from tests.programs import document
from tests.rules.test_earning_rules import BASE, bought, cup, judged, rule, tea, with_rules


def test_yen_have_no_minor_units() -> None:
    found = with_rules(
        BASE, currencies={"CNY": {"points": 1, "per_minor": 100}, "JPY": {"points": 1, "per_minor": 110}}
    )
    assert evaluate(found, bought(tea(3_299), currency="JPY"), Member()).points == 29


def test_an_order_of_nothing_earns_nothing() -> None:
    found = with_rules(BASE, rule("bonus", "gift", points=5), rule("per_item", "each", items={}, points=1))
    for purchase in (bought(), bought(tea(0)), bought(tea(0), cup(0))):
        earned = evaluate(found, purchase, Member(tier="gold"))
        assert (earned.points, sum(earned.line_points), earned.limits) == (0, 0, ())


def test_a_discount_larger_than_a_line_leaves_the_line_without_points() -> None:
    found = with_rules(BASE, rule("per_item", "each", items={}, points=1), rule("bonus", "gift", points=7))
    assert evaluate(found, bought(tea(0), cup(700)), Member()).line_points == (0, 15)


def test_what_earns_beside_free_lines_is_the_first_lines() -> None:
    """The shipping of free goods, where it earns: some line must have the points, or a refund would leave them."""
    found = with_rules(BASE, earning=document()["earning"] | {"on_shipping": True})
    earned = evaluate(found, bought(tea(0), cup(0), total_minor=800, shipping_minor=800), Member())
    assert (earned.points, earned.line_points) == (8, (8, 0))


def test_two_hundred_lines_add_up() -> None:
    lines = tuple(Line(f"sku_{number}", "drinks" if number % 3 else "wares", 1, 101) for number in range(200))
    found = with_rules(BASE, rule("multiplier", "drinks", factor="1.3", items={"categories": ["drinks"]}))
    earned = evaluate(found, bought(*lines), Member(tier="gold"))
    assert sum(earned.line_points) == earned.points == (202 * 200 + 101 * 3 * 133 // 10) // 100


def test_no_order_brings_more_points_than_readers_of_json_keep_exact() -> None:
    when = {"minimum_minor": {"CNY": 1}}
    found = with_rules(BASE, rule("bonus", "huge", points=1_000_000_000, repeats=True, when=when))
    earned = evaluate(found, bought(tea(10**12)), Member(tier="gold"))
    assert earned.points == sum(item.points for item in earned.explanations) == sum(earned.line_points) == POINTS_MAX


def test_fractions_of_several_rules_make_a_whole_point_together() -> None:
    """0.4 of each: the third makes 1.2, and its point is told there."""
    fifth = {"CNY": {"points": 1, "per_minor": 250}}
    found = with_rules(*(rule("per_amount", f"r{number}", rates=fifth) for number in range(3)))
    assert judged(found, bought(tea(100))) == {
        "r0": "less_than_one_point",
        "r1": "less_than_one_point",
        "r2": 1,
        "tier_multiplier": "no_difference",
    }
