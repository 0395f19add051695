"""What events bring."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.ledger.limits import added_limits
from chalicelib.ledger.state import Limit
from chalicelib.program.document import Program
from chalicelib.program.rules.events import evaluate
from chalicelib.program.rules.inputs import Event, Gained, Member
from tests.programs import texts
from tests.rules.test_earning_rules import BASE, rule, with_rules

NOON = 1_795_233_600
HOUR_S = 3_600
VISIT = rule("per_event", "visit", events=["visit"], points=5)


def happens(found: Program, kind: str = "visit", at: int = NOON, **fields: Any) -> Gained:
    facts: dict[str, Any] = {"at": at}
    facts |= {name: fields.pop(name) for name in ("limits", "tags", "tier", "purchases") if name in fields}
    return evaluate(found, Event(type=kind, occurred_at=at, **fields), Member(**facts))


def told(gained: Gained) -> dict[str, int | str]:
    return {item.rule: item.points if item.fired else item.reason for item in gained.explanations}


def test_an_event_brings_points_and_activity() -> None:
    found = with_rules(BASE, VISIT, rule("per_event", "share", events=["share"], points=0, activity=3))
    assert (happens(found).points, happens(found).activity, told(happens(found))) == (
        5,
        1,
        {"visit": 5, "share": "other_event"},
    )
    shared = happens(found, "share")
    assert (shared.points, shared.activity, told(shared)) == (0, 3, {"visit": "other_event", "share": 0})


def test_the_tiers_multiplier_is_for_purchases_alone() -> None:
    assert happens(with_rules(BASE, VISIT), tier="gold").points == 5


def test_an_event_of_a_custom_type_is_like_any_other() -> None:
    custom = rule("per_event", "walk", events=["dog_walked"], points=2)
    assert happens(with_rules(BASE, custom), "dog_walked").points == 2


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ({"tags": ["vip"]}, "wrong_tag"),
        ({"channels": ["app"]}, "wrong_channel"),
        ({"tiers": ["gold"]}, "wrong_tier"),
        ({"weekdays": [1]}, "wrong_day"),
        ({"first_purchase": True}, "not_first_purchase"),
        ({"condition": "event.properties.stars >= `4`"}, "condition_false"),
        ({"condition": "event.properties.stars > `9` && member.tier == 'gold'"}, "condition_false"),
    ],
)
def test_an_event_rule_has_conditions(when: dict[str, Any], reason: str) -> None:
    found = with_rules(BASE, VISIT | {"when": when})
    assert told(happens(found, properties={"stars": 3}, purchases=1))["visit"] == reason


def test_the_event_rule_that_brings_most_may_stand_first() -> None:
    large, small = (
        rule("per_event", code, events=["visit"], points=points, group="g") for code, points in (("l", 9), ("s", 2))
    )
    assert told(happens(with_rules(BASE, large, small, stacking={"g": "best"}))) == {"l": 9, "s": "other_rule_better"}


def test_a_condition_looks_at_what_the_shop_system_says_of_an_event() -> None:
    found = with_rules(BASE, VISIT | {"when": {"condition": "event.properties.stars >= `4`"}})
    assert happens(found, properties={"stars": 4}).points == 5
    assert told(happens(found, properties={"stars": "many"}))["visit"] == "condition_error"


def test_a_rule_fires_once_in_its_cooldown() -> None:
    found = with_rules(BASE, VISIT | {"cooldown_minutes": 60})
    first = happens(found)
    assert first.limits == (Limit("visit:cooldown", NOON + HOUR_S, 1, 5),)
    limits = added_limits((), first.limits, NOON)
    assert told(happens(found, at=NOON + HOUR_S - 1, limits=limits))["visit"] == "cooldown"
    assert happens(found, at=NOON + HOUR_S, limits=limits).points == 5


def test_a_cooldown_holds_before_an_event_as_well_for_events_that_arrive_late() -> None:
    found = with_rules(BASE, VISIT | {"cooldown_minutes": 60})
    limits = added_limits((), happens(found).limits, NOON)
    assert told(happens(found, at=NOON - HOUR_S + 1, limits=limits))["visit"] == "cooldown"
    assert happens(found, at=NOON - HOUR_S, limits=limits).points == 5


def test_before_two_later_events_nothing_is_known_and_nothing_given() -> None:
    found = with_rules(BASE, VISIT | {"cooldown_minutes": 60})
    limits: tuple[Limit, ...] = ()
    for hours in (2, 4):
        limits = added_limits(limits, happens(found, at=NOON + hours * HOUR_S, limits=limits).limits, NOON)
    assert told(happens(found, limits=limits))["visit"] == "limit_period_closed"


def test_caps_hold_for_events() -> None:
    found = with_rules(BASE, VISIT | {"caps": [{"per": "day", "times": 2, "points": 7}]})
    limits: tuple[Limit, ...] = ()
    gained = []
    for _ in range(3):
        one = happens(found, limits=limits)
        limits = added_limits(limits, one.limits, NOON)
        gained.append((one.points, one.activity, one.explanations[0].cut_points, one.explanations[0].reason))
    assert gained == [(5, 1, 0, "event"), (2, 1, 3, "event"), (0, 0, 5, "capped")]


def test_a_rule_without_points_is_held_back_by_times_alone() -> None:
    caps = [{"per": "day", "times": 1, "points": 1}]
    found = with_rules(BASE, VISIT | {"points": 0, "caps": caps})
    first = happens(found)
    assert (first.activity, told(first)["visit"]) == (1, 0)
    assert told(happens(found, limits=added_limits((), first.limits, NOON)))["visit"] == "capped"


def test_a_campaign_has_event_rules_caps_and_a_budget() -> None:
    party = {
        "code": "party",
        "title": texts("party"),
        "status": "active",
        "starts_at": "2026-11-01T00:00",
        "rules": [
            rule("per_event", "dance", events=["visit"], points=4),
            rule("per_event", "sing", events=["visit"], points=4),
        ],
        "caps": [{"per": "day", "points": 6}],
        "budget": {"points": 100},
    }
    found = with_rules(BASE, VISIT, campaigns=[party])
    gained = happens(found)
    assert told(gained) == {"visit": 5, "dance": 4, "sing": 2}
    assert [(award.campaign, award.points) for award in gained.awards] == [("party", 6)]
    assert [limit.limit_id for limit in gained.limits] == ["party:day"]
    exhausted = evaluate(found, Event(type="visit", occurred_at=NOON), Member(), frozenset({"party"}))
    assert told(exhausted) == {"visit": 5, "dance": "budget_exhausted", "sing": "budget_exhausted"}
    before = happens(found, at=NOON - 40 * 86_400)
    assert told(before)["dance"] == "campaign_scheduled"


def test_rules_for_purchases_are_not_explained_for_events() -> None:
    assert happens(with_rules(BASE)).explanations == ()
