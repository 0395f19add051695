"""Each kind of rule by example."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.program.document import Program
from chalicelib.program.rules.earning import evaluate
from chalicelib.program.rules.inputs import Earned, Explanation, Line, Member, Payment, Purchase
from tests.programs import document, program, texts, tier

BASE = {"kind": "per_amount", "code": "base", "title": texts("base")}
PLAIN = [tier("member", 0), tier("gold", 10, "2"), tier("lowered", 20, "0.5")]


def rule(kind: str, code: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "code": code, "title": texts(code), **fields}


def with_rules(*rules: dict[str, Any], **fields: Any) -> Program:
    return program(**{"earning_rules": list(rules), "tiers": PLAIN} | fields)


def bought(*lines: Line, **fields: Any) -> Purchase:
    total = sum(line.amount_minor for line in lines)
    found: dict[str, Any] = {"currency": "CNY", "total_minor": total, "lines": lines, "occurred_at": 1_795_233_600}
    return Purchase(**(found | fields))


def tea(amount_minor: int = 1_000, quantity: int = 1) -> Line:
    return Line("tea", "drinks", quantity, amount_minor)


def cup(amount_minor: int = 2_000, quantity: int = 1) -> Line:
    return Line("cup", "wares", quantity, amount_minor)


def told(earned: Earned) -> dict[str, int | str]:
    """The points of rules that fired, the reasons of the others."""
    return {item.rule: item.points if item.fired else item.reason for item in earned.explanations}


def judged(found: Program, purchase: Purchase, **facts: Any) -> dict[str, int | str]:
    return told(evaluate(found, purchase, Member(**facts)))


def explained(earned: Earned, code: str) -> Explanation:
    return next(item for item in earned.explanations if item.rule == code)


# -- base rules


def test_a_rule_for_items_earns_their_part_of_the_eligible_amount() -> None:
    """Of 30 yuan 10 are for drinks, and a third of what 6 yuan of points paid."""
    drinks = with_rules(rule("per_amount", "drinks", items={"categories": ["drinks"]}))
    assert judged(drinks, bought(tea(), cup())) == {"drinks": 10, "tier_multiplier": "no_difference"}
    paid = (Payment("points", 600), Payment("card", 2_400))
    assert judged(drinks, bought(tea(), cup(), payments=paid))["drinks"] == 8


def test_a_rule_may_name_skus_and_categories_and_means_lines_with_either() -> None:
    either = with_rules(rule("per_amount", "either", items={"skus": ["cup"], "categories": ["drinks"]}))
    assert judged(either, bought(tea(), cup(), Line("pot", "wares", 1, 500)))["either"] == 30


def test_lines_that_a_rule_excludes_are_never_meant() -> None:
    wares = with_rules(rule("per_amount", "wares", items={"categories": ["wares"], "excluded_skus": ["cup"]}))
    assert judged(wares, bought(cup(), Line("pot", "wares", 1, 500)))["wares"] == 5
    assert judged(wares, bought(cup()))["wares"] == "no_matching_lines"
    tea_only = with_rules(rule("per_amount", "tea", items={"skus": ["tea", "cup"], "excluded_categories": ["wares"]}))
    assert judged(tea_only, bought(tea(), cup()))["tea"] == 10


def test_what_the_programme_excludes_earns_nothing_and_counts_nowhere() -> None:
    earning = document()["earning"] | {"excluded_categories": ["cards"], "excluded_skus": ["cup"]}
    found = with_rules(BASE, earning=earning)
    earned = evaluate(found, bought(tea(), cup(), Line("gift", "cards", 1, 5_000)), Member())
    assert (earned.points, earned.line_points, earned.eligible_minor, earned.spend_minor) == (
        10,
        (10, 0, 0),
        1_000,
        1_000,
    )
    assert judged(found, bought(cup()))["base"] == "excluded"


@pytest.mark.parametrize("where", [{"channel": "outlet"}, {"store": "airport"}])
def test_an_excluded_channel_or_store_earns_nothing_at_all(where: dict[str, str]) -> None:
    earning = document()["earning"] | {"excluded_channels": ["outlet"], "excluded_stores": ["airport"]}
    found = with_rules(BASE, rule("bonus", "gift", points=5), earning=earning)
    earned = evaluate(found, bought(tea(), **where), Member(tier="gold"))
    assert told(earned) == {"base": "excluded", "tier_multiplier": "no_difference", "gift": "excluded"}
    assert (earned.points, earned.qualifying_points, earned.spend_minor, earned.line_points) == (0, 0, 0, (0,))
    assert evaluate(found, bought(tea()), Member()).points == 15


def test_a_rule_has_rates_of_its_own_and_else_the_programmes() -> None:
    rates = {"CNY": {"points": 1, "per_minor": 100}, "USD": {"points": 7, "per_minor": 100}}
    found = with_rules(rule("per_amount", "more", rates={"CNY": {"points": 3, "per_minor": 200}}), currencies=rates)
    assert judged(found, bought(tea()))["more"] == 15
    assert judged(found, bought(tea(), currency="USD"))["more"] == 70


def test_a_purchase_without_lines_is_not_for_rules_that_name_items() -> None:
    found = with_rules(
        BASE,
        rule("per_amount", "drinks", items={"categories": ["drinks"]}),
        rule("per_amount", "not_cups", items={"excluded_skus": ["cup"]}),
        rule("per_item", "each", items={}, points=5),
    )
    assert judged(found, bought(total_minor=1_000)) == {
        "base": 10,
        "drinks": "no_matching_lines",
        "not_cups": 10,
        "each": "no_matching_lines",
        "tier_multiplier": "no_difference",
    }


def test_points_per_piece_rise_with_how_many_are_bought() -> None:
    steps = [{"quantity": 3, "points": 7}, {"quantity": 6, "points": 10}]
    found = with_rules(rule("per_item", "tea", items={"skus": ["tea"]}, points=5, steps=steps))
    points = [judged(found, bought(tea(1_000, pieces)))["tea"] for pieces in (1, 2, 3, 5, 6)]
    assert points == [5, 10, 21, 35, 60]
    assert evaluate(found, bought(tea(500, 2), cup(), tea(500, 1)), Member()).line_points == (14, 0, 7)


def test_pieces_that_cost_nothing_bring_nothing_and_are_not_counted() -> None:
    """A gift is no purchase: else a shop's giving away would earn, and could never be taken back by its amount."""
    found = with_rules(rule("per_item", "tea", items={"skus": ["tea"]}, points=5))
    assert evaluate(found, bought(tea(), tea(0, 9)), Member()).line_points == (5, 0)


def test_what_is_paid_with_points_alone_brings_nothing_by_any_rule() -> None:
    found = with_rules(BASE, rule("per_item", "each", items={}, points=5), rule("bonus", "gift", points=5))
    assert judged(found, bought(tea(), payments=(Payment("points", 1_000),)), tier="gold") == {
        "base": "nothing_eligible",
        "each": "nothing_eligible",
        "tier_multiplier": "no_difference",
        "gift": "nothing_eligible",
    }


def test_only_rules_that_qualify_count_towards_the_tier_and_no_multiplier_does() -> None:
    found = with_rules(
        BASE,
        rule("per_item", "tea", items={"skus": ["tea"]}, points=5, qualifies=False),
        rule("multiplier", "triple", factor="3"),
        rule("bonus", "gift", points=50),
    )
    earned = evaluate(found, bought(tea(1_050)), Member(tier="gold"))
    assert (earned.qualifying_points, earned.points) == (10, 112)


# -- multipliers


def test_multipliers_add_up_and_do_not_multiply_each_other() -> None:
    """Twice for the tier and three times for the day is four times in all, not six."""
    found = with_rules(BASE, rule("multiplier", "day", factor="3"))
    assert judged(found, bought(tea()), tier="gold") == {"base": 10, "tier_multiplier": 10, "day": 20}


def test_a_multiplier_of_what_is_there_so_far_multiplies_all_before_it() -> None:
    found = with_rules(BASE, rule("multiplier", "day", factor="3", of="so_far"))
    assert judged(found, bought(tea()), tier="gold") == {"base": 10, "tier_multiplier": 10, "day": 40}


def test_a_multiplier_for_items_multiplies_what_they_brought() -> None:
    found = with_rules(BASE, rule("multiplier", "drinks", factor="2", items={"categories": ["drinks"]}))
    earned = evaluate(found, bought(tea(), cup()), Member(tier="gold"))
    assert told(earned) == {"base": 30, "tier_multiplier": 30, "drinks": 10}
    assert earned.line_points == (30, 40)


def test_a_multiplier_rises_with_how_many_are_bought() -> None:
    steps = [{"quantity": 2, "factor": "1.5"}, {"quantity": 10, "factor": "3"}]
    found = with_rules(BASE, rule("multiplier", "bulk", factor="1", items={"skus": ["tea"]}, steps=steps))
    points = [judged(found, bought(tea(1_000, pieces)))["bulk"] for pieces in (1, 2, 9, 10)]
    assert points == ["no_difference", 5, 5, 20]


def test_a_multiplier_below_one_takes_away_but_never_below_nothing() -> None:
    halves = [rule("multiplier", f"half_{number}", factor="0.5") for number in range(3)]
    earned = evaluate(with_rules(BASE, *halves, rule("bonus", "gift", points=3)), bought(tea()), Member())
    assert told(earned) == {
        "base": 10,
        "tier_multiplier": "no_difference",
        "half_0": -5,
        "half_1": -5,
        "half_2": "nothing_to_multiply",
        "gift": 3,
    }
    assert judged(with_rules(BASE), bought(tea()), tier="lowered") == {"base": 10, "tier_multiplier": -5}


def test_a_multiplier_has_nothing_to_multiply_where_no_base_rule_gave() -> None:
    found = with_rules(
        rule("per_amount", "drinks", items={"skus": ["tea"]}),
        rule("multiplier", "wares", factor="2", items={"skus": ["cup"]}),
    )
    assert judged(found, bought(tea(), cup()))["wares"] == "nothing_to_multiply"


# -- bonuses


def test_a_bonus_is_given_from_its_threshold_on() -> None:
    found = with_rules(BASE, rule("bonus", "spend", points=50, when={"minimum_minor": {"CNY": 1_000}}))
    assert judged(found, bought(tea(999)))["spend"] == "below_threshold"
    assert judged(found, bought(tea(1_000)))["spend"] == 50
    assert judged(found, bought(tea(3_000)))["spend"] == 50


def test_a_bonus_may_repeat_with_its_threshold() -> None:
    found = with_rules(BASE, rule("bonus", "each", points=50, repeats=True, when={"minimum_minor": {"CNY": 1_000}}))
    assert [judged(found, bought(tea(minor)))["each"] for minor in (1_000, 1_999, 3_000)] == [50, 50, 150]


def test_a_threshold_looks_at_the_eligible_amount_of_the_rules_items() -> None:
    when = {"minimum_minor": {"CNY": 1_000}}
    found = with_rules(BASE, rule("bonus", "drinks", points=5, items={"categories": ["drinks"]}, when=when))
    assert judged(found, bought(tea(999), cup(9_999)))["drinks"] == "below_threshold"
    paid = (Payment("points", 1), Payment("card", 999))
    assert judged(found, bought(tea(1_000), payments=paid))["drinks"] == "below_threshold"


def test_a_threshold_in_another_currency_is_not_met() -> None:
    rates = {"CNY": {"points": 1, "per_minor": 100}, "JPY": {"points": 1, "per_minor": 10}}
    when = {"minimum_minor": {"CNY": 1}}
    found = with_rules(BASE, rule("bonus", "yuan", points=5, when=when), currencies=rates)
    assert judged(found, bought(tea(), currency="JPY"))["yuan"] == "wrong_currency"


def test_a_bonus_may_ask_for_a_number_of_pieces() -> None:
    found = with_rules(BASE, rule("bonus", "three", points=9, repeats=True, when={"minimum_quantity": 3}))
    assert [judged(found, bought(tea(100, pieces)))["three"] for pieces in (2, 3, 7)] == ["too_few_items", 9, 18]


def test_a_combination_must_be_complete() -> None:
    when = {"combination": [{"items": {"skus": ["tea"]}, "quantity": 2}, {"items": {"skus": ["cup"]}}]}
    found = with_rules(BASE, rule("bonus", "set", points=9, repeats=True, when=when))
    assert judged(found, bought(tea(100, 1), cup()))["set"] == "combination_incomplete"
    assert judged(found, bought(tea(100, 9)))["set"] == "combination_incomplete"
    assert judged(found, bought(tea(100, 2), cup()))["set"] == 9
    assert judged(found, bought(tea(100, 5), cup(100, 3)))["set"] == 18


def test_no_piece_serves_two_parts_of_a_combination() -> None:
    when = {"combination": [{"items": {"categories": ["drinks"]}}, {"items": {"skus": ["tea"]}}]}
    found = with_rules(BASE, rule("bonus", "two", points=9, when=when))
    assert judged(found, bought(tea()))["two"] == "combination_incomplete"
    assert judged(found, bought(tea(), Line("milk", "drinks", 1, 100)))["two"] == 9
    assert judged(found, bought(tea(100, 2)))["two"] == 9


def test_a_bonus_is_shared_by_the_lines_that_it_is_for() -> None:
    found = with_rules(rule("bonus", "wares", points=30, items={"categories": ["wares"]}))
    assert evaluate(found, bought(tea(), cup(1_000), cup(2_000)), Member()).line_points == (0, 10, 20)
