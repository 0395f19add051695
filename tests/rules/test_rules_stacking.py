"""How rules that stand in one group share."""

from __future__ import annotations

import pytest

from chalicelib.program.rules.earning import evaluate
from chalicelib.program.rules.events import evaluate as of_event
from chalicelib.program.rules.inputs import Event, Line, Member
from tests.rules.test_earning_rules import BASE, bought, cup, judged, rule, tea, told, with_rules

TRIPLE = {"CNY": {"points": 3, "per_minor": 100}}
DOUBLE = {"CNY": {"points": 2, "per_minor": 100}}
ALL = rule("per_amount", "all", group="g", rates=DOUBLE)
DRINKS = rule("per_amount", "drinks", group="g", rates=TRIPLE, items={"categories": ["drinks"]})
SET = {"combination": [{"items": {"skus": ["tea"]}}, {"items": {"skus": ["cup"]}}]}


def test_the_best_base_rule_is_chosen_line_by_line() -> None:
    found = with_rules(ALL, DRINKS, stacking={"g": "best"})
    earned = evaluate(found, bought(tea(), cup()), Member())
    assert told(earned) == {"all": 40, "drinks": 30, "tier_multiplier": "no_difference"}
    assert earned.line_points == (30, 40)


def test_the_first_base_rule_that_fires_is_chosen_line_by_line() -> None:
    assert judged(with_rules(DRINKS, ALL, stacking={"g": "exclusive"}), bought(tea(), cup()))["all"] == 40
    assert judged(with_rules(ALL, DRINKS, stacking={"g": "exclusive"}), bought(tea(), cup())) == {
        "all": 60,
        "drinks": "other_rule_first",
        "tier_multiplier": "no_difference",
    }


def test_a_base_rule_that_wins_no_line_says_so() -> None:
    weak = rule("per_amount", "weak", group="g", items={"categories": ["drinks"]})
    assert judged(with_rules(weak, ALL, stacking={"g": "best"}), bought(tea()))["weak"] == "other_rule_better"


def test_rates_are_compared_by_what_they_bring() -> None:
    """7 for 4 yuan are less than 2 for one."""
    odd = DRINKS | {"rates": {"CNY": {"points": 7, "per_minor": 400}}}
    assert judged(with_rules(odd, ALL, stacking={"g": "best"}), bought(tea()))["drinks"] == "other_rule_better"


def test_rules_of_a_stacking_group_all_give() -> None:
    assert judged(with_rules(ALL, DRINKS, stacking={"g": "stack"}), bought(tea()))["drinks"] == 30


def test_a_rule_whose_cap_is_used_up_leaves_its_lines_to_the_others() -> None:
    """Before its cap is used up it takes its lines, and is cut."""
    capped = DRINKS | {"caps": [{"per": "day", "points": 20}]}
    found = with_rules(ALL, capped, stacking={"g": "best"})
    first = evaluate(found, bought(tea(), cup()), Member())
    assert told(first) == {"all": 40, "drinks": 20, "tier_multiplier": "no_difference"}
    again = evaluate(found, bought(tea(), cup()), Member(limits=first.limits))
    assert told(again) == {"all": 60, "drinks": "capped", "tier_multiplier": "no_difference"}


def test_a_purchase_without_lines_is_one_line() -> None:
    found = with_rules(ALL, rule("per_amount", "more", group="g", rates=TRIPLE), stacking={"g": "best"})
    assert judged(found, bought(total_minor=1_000))["more"] == 30


@pytest.mark.parametrize(
    ("mode", "points"),
    [
        ("best", {"spend": "other_rule_better", "double": 30, "set": "other_rule_better"}),
        ("exclusive", {"spend": "other_rule_first", "double": 30, "set": "other_rule_first"}),
        ("stack", {"spend": 20, "double": 30, "set": 25}),
    ],
)
def test_bonuses_and_multipliers_are_chosen_between_for_the_purchase(mode: str, points: dict[str, int | str]) -> None:
    """The multiplier stands first, because multipliers come before bonuses."""
    found = with_rules(
        BASE,
        rule("bonus", "spend", group="g", points=20),
        rule("multiplier", "double", group="g", factor="2"),
        rule("bonus", "set", group="g", points=25, when=SET),
        stacking={"g": mode},
    )
    assert judged(found, bought(tea(), cup())) == {"base": 30, "tier_multiplier": "no_difference", **points}


def test_of_equals_the_first_is_the_best() -> None:
    found = with_rules(
        rule("bonus", "one", group="g", points=5), rule("bonus", "two", group="g", points=5), stacking={"g": "best"}
    )
    assert judged(found, bought(tea()))["two"] == "other_rule_better"


def test_a_rule_that_does_not_fire_tells_its_own_reason_though_another_is_chosen() -> None:
    found = with_rules(
        rule("bonus", "spend", group="g", points=5),
        rule("bonus", "much", group="g", points=50, when={"minimum_minor": {"CNY": 9_999}}),
        stacking={"g": "best"},
    )
    assert judged(found, bought(tea())) == {"tier_multiplier": "no_difference", "spend": 5, "much": "below_threshold"}


def test_what_caps_leave_decides_which_bonus_is_best() -> None:
    found = with_rules(
        rule("bonus", "large", group="g", points=50, caps=[{"per": "order", "points": 10}]),
        rule("bonus", "small", group="g", points=20),
        stacking={"g": "best"},
    )
    assert judged(found, bought(tea()))["small"] == 20


@pytest.mark.parametrize(("mode", "points"), [("best", 7), ("exclusive", 5), ("stack", 12)])
def test_event_rules_are_chosen_between_for_the_event(mode: str, points: int) -> None:
    found = with_rules(
        BASE,
        rule("per_event", "visit", group="g", events=["visit"], points=5),
        rule("per_event", "any", group="g", events=["visit", "share"], points=7),
        stacking={"g": mode},
    )
    assert of_event(found, Event(type="visit", occurred_at=1_795_233_600), Member()).points == points


def test_every_line_of_a_group_earns_once_however_many_there_are() -> None:
    lines = tuple(Line(f"s{number}", "drinks" if number % 2 else "wares", 1, 100) for number in range(200))
    found = with_rules(ALL, DRINKS, stacking={"g": "best"})
    assert evaluate(found, bought(*lines), Member()).line_points == (2, 3) * 100
