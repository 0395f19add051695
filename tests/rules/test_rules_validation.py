"""What publishing refuses of rules, groups, caps and campaigns."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.program.validation import InvalidProgram, validate
from tests.programs import document, texts
from tests.rules.test_earning_rules import BASE, rule

GIFT = rule("bonus", "gift", points=5)
VISIT = rule("per_event", "visit", events=["visit"], points=5)
DAILY = {"per": "day", "times": 1}


def problems_of(**changes: Any) -> dict[str, str]:
    with pytest.raises(InvalidProgram) as refusal:
        validate(document(**changes))
    return {problem.field: problem.detail for problem in refusal.value.problems}


def of_rules(*rules: dict[str, Any], **changes: Any) -> set[str]:
    return set(problems_of(earning_rules=list(rules), **changes))


def party(code: str = "party", *rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    found = {"code": code, "title": texts(code), "starts_at": "2026-11-11T00:00", "rules": list(rules) or [GIFT]}
    return found | fields


def of_campaigns(*found: dict[str, Any], **changes: Any) -> set[str]:
    return set(problems_of(campaigns=list(found), **changes))


def test_codes_are_unique_over_rules_and_campaigns() -> None:
    """An account remembers limits by them, and explanations are told by them."""
    assert of_rules(BASE, BASE | {"code": "base"}) == {"earning_rules[1].code"}
    assert of_campaigns(party("one", GIFT), party("two", GIFT)) == {"campaigns[1].rules[0].code"}
    assert of_campaigns(party("gift", GIFT)) == {"campaigns[0].code"}
    assert of_campaigns(party("one"), party("one", GIFT | {"code": "other"})) == {"campaigns[1].code"}
    assert of_rules(BASE | {"code": "tier_multiplier"}) == {"earning_rules[0].code"}


@pytest.mark.parametrize(
    ("when", "field"),
    [
        ({"tiers": ["gold", "platinum"]}, "tiers[1]"),
        ({"tiers": ["gold", "gold"]}, "tiers[1]"),
        ({"dates": ["11-11", "02-30"]}, "dates[1]"),
        ({"dates": ["13-01"]}, "dates[0]"),
        ({"dates": ["00-10"]}, "dates[0]"),
        ({"weekdays": [1, 1]}, "weekdays[1]"),
        ({"channels": ["web", "web"]}, "channels[1]"),
        ({"minimum_minor": {"EUR": 100}}, "minimum_minor.EUR"),
        ({"combination": [{"items": {"skus": ["a", "a"]}}]}, "combination[0].items.skus[1]"),
        ({"condition": "order.totl > `1`"}, "condition"),
        ({"condition": "event.type == 'visit'"}, "condition"),
    ],
)
def test_a_condition_names_what_there_is(when: dict[str, Any], field: str) -> None:
    assert of_rules(GIFT | {"when": when}) == {f"earning_rules[0].when.{field}"}
    assert of_campaigns(party("one", GIFT | {"when": when})) == {f"campaigns[0].rules[0].when.{field}"}


def test_29_february_is_a_date() -> None:
    validate(document(earning_rules=[GIFT | {"when": {"dates": ["02-29"]}}]))


@pytest.mark.parametrize(
    "when", [{"minimum_minor": {"CNY": 1}}, {"minimum_quantity": 1}, {"combination": [{"items": {"skus": ["a"]}}]}]
)
def test_an_event_has_neither_an_amount_nor_items(when: dict[str, Any]) -> None:
    assert of_rules(VISIT | {"when": when}) == {f"earning_rules[0].when.{next(iter(when))}"}


def test_a_condition_of_an_event_rule_names_no_order() -> None:
    assert of_rules(VISIT | {"when": {"condition": "order.channel == 'web'"}}) == {"earning_rules[0].when.condition"}
    validate(document(earning_rules=[VISIT | {"when": {"condition": "event.channel == 'web'"}}]))


def test_a_condition_of_ten_thousand_nodes_is_refused() -> None:
    for condition in ("!" * 10_000, "||".join(["order.store"] * 5_000), "[" * 10_000 + "]" * 10_000):
        (field,) = problems_of(earning_rules=[GIFT | {"when": {"condition": condition}}])
        assert field == "earning_rules[0].when.condition"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (rule("per_amount", "a", rates={"EUR": {"points": 1, "per_minor": 100}}), "rates.EUR"),
        (rule("per_amount", "a", rates={"CNY": {"points": 91, "per_minor": 1}}), "rates.CNY"),
        (rule("per_amount", "a", items={"skus": ["x", "y", "x"]}), "items.skus[2]"),
        (rule("per_item", "a", items={}, points=1, steps=[{"quantity": 3, "points": 2}] * 2), "steps[1].quantity"),
        (rule("multiplier", "a", factor="0"), "factor"),
        (rule("multiplier", "a", factor="1e3"), "factor"),
        (rule("multiplier", "a", factor="2", steps=[{"quantity": 3, "factor": "101"}]), "steps[0].factor"),
        (
            rule("multiplier", "a", factor="2", steps=[{"quantity": 3, "factor": "2"}, {"quantity": 2, "factor": "3"}]),
            "steps[1].quantity",
        ),
        (rule("bonus", "a", points=1, repeats=True), "repeats"),
        (rule("per_event", "a", events=["x", "x"], points=1), "events[1]"),
        (rule("per_event", "a", events=["x"], points=0, activity=0), "points"),
        (GIFT | {"caps": [{"per": "day"}]}, "caps[0]"),
        (GIFT | {"caps": [{"per": "order", "times": 1}]}, "caps[0].times"),
        (GIFT | {"caps": [DAILY, {"per": "day", "points": 5}]}, "caps[1].per"),
    ],
)
def test_a_rule_can_be_reckoned(wrong: dict[str, Any], field: str) -> None:
    assert of_rules(BASE, wrong) == {f"earning_rules[1].{field}"}


def test_an_account_has_room_for_twenty_limits() -> None:
    """Caps per order need no memory."""
    caps = [{"per": per, "times": 1} for per in ("day", "week", "month", "year", "ever")]
    rules = [GIFT | {"code": f"r{number}", "caps": [*caps, {"per": "order", "points": 1}]} for number in range(3)]
    campaign = party("one", VISIT | {"cooldown_minutes": 5}, caps=caps[:4])
    validate(document(earning_rules=rules, campaigns=[campaign]))
    assert of_rules(*rules, campaigns=[party("one", VISIT | {"cooldown_minutes": 5}, caps=caps)]) == {"earning_rules"}


# -- groups


def test_a_group_is_listed_and_used() -> None:
    assert of_rules(GIFT | {"group": "g"}) == {"earning_rules[0].group"}
    assert of_rules(GIFT, stacking={"g": "best"}) == {"stacking.g"}


@pytest.mark.parametrize("pair", [(BASE, GIFT), (BASE, VISIT), (GIFT, VISIT)])
def test_the_rules_of_a_group_can_be_chosen_between(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    one, other = (one | {"group": "g"} for one in pair)
    assert of_rules(one, other, stacking={"g": "best"}) == {"earning_rules[1].group"}


def test_a_group_does_not_reach_beyond_a_campaign() -> None:
    grouped = GIFT | {"group": "g"}
    other = grouped | {"code": "other"}
    assert of_rules(grouped, campaigns=[party("one", other)], stacking={"g": "best"}) == {"campaigns[0].rules[0].group"}
    assert of_campaigns(party("one", grouped), party("two", other), stacking={"g": "best"}) == {
        "campaigns[1].rules[0].group"
    }
    validate(document(campaigns=[party("one", grouped, other)], stacking={"g": "best"}))


# -- campaigns


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"ends_at": "2026-11-11T00:00"}, "ends_at"),
        ({"ends_at": "2026-11-10T00:00"}, "ends_at"),
        ({"starts_at": "2026-11-31T00:00"}, "starts_at"),
        ({"starts_at": "2026-11-11T24:00"}, "starts_at"),
        ({"ends_at": "9999-01-01T00:00"}, "ends_at"),
        ({"audience": {"tiers": ["platinum"]}}, "audience.tiers[0]"),
        ({"audience": {"members": ["m", "m"]}}, "audience.members[1]"),
        ({"budget": {}}, "budget"),
        ({"caps": [{"per": "order", "times": 3}]}, "caps[0].times"),
    ],
)
def test_a_campaign_can_be_run(fields: dict[str, Any], field: str) -> None:
    assert of_campaigns(party(**fields)) == {f"campaigns[0].{field}"}


# -- the catalogue


def test_without_a_catalogue_every_name_goes() -> None:
    validate(document(earning_rules=[BASE | {"items": {"categories": ["whatever"]}, "when": {"channels": ["any"]}}]))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"items": {"categories": ["drinks", "shoes"]}}, "items.categories[1]"),
        ({"items": {"excluded_categories": ["shoes"]}}, "items.excluded_categories[0]"),
        ({"when": {"channels": ["fax"]}}, "when.channels[0]"),
        ({"when": {"stores": ["moon"]}}, "when.stores[0]"),
        ({"when": {"combination": [{"items": {"categories": ["shoes"]}}]}}, "when.combination[0].items.categories[0]"),
    ],
)
def test_a_name_that_the_catalogue_lacks_is_refused(changes: dict[str, Any], field: str) -> None:
    catalogue = {"categories": ["drinks"], "channels": ["web"], "stores": ["bund"]}
    wrong = rule("per_amount", "a") | changes
    assert of_rules(BASE, wrong, catalogue=catalogue) == {f"earning_rules[1].{field}"}
    assert of_campaigns(party("one", wrong), catalogue=catalogue) == {f"campaigns[0].rules[0].{field}"}


@pytest.mark.parametrize("field", ["categories", "channels", "stores"])
def test_what_is_excluded_stands_in_the_catalogue_and_once(field: str) -> None:
    catalogue = {field: ["a"]}
    assert set(problems_of(catalogue=catalogue, earning={f"excluded_{field}": ["b"]})) == {
        f"earning.excluded_{field}[0]"
    }
    assert set(problems_of(earning={f"excluded_{field}": ["b", "b"]})) == {f"earning.excluded_{field}[1]"}
    assert set(problems_of(catalogue={field: ["a", "a"]})) == {f"catalogue.{field}[1]"}
