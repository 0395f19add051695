"""Campaigns: when they are live, whom they are for, what they take from their budgets."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.base import clock
from chalicelib.program.document import Program, decode
from chalicelib.program.rules import campaigns
from chalicelib.program.rules.earning import evaluate
from chalicelib.program.rules.inputs import Award, Earned, Member
from tests.programs import document, texts
from tests.rules.test_earning_rules import BASE, bought, rule, tea, told, with_rules


def campaign(code: str = "party", *rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    found = {"code": code, "title": texts(code), "status": "active", "starts_at": "2026-11-11T00:00"}
    return found | {"rules": list(rules) or [rule("bonus", f"{code}_gift", points=10)]} | fields


def running(*found: dict[str, Any], **fields: Any) -> Program:
    return with_rules(BASE, campaigns=list(found), **fields)


def earned(program: Program, at: str = "2026-11-21T04:00:00Z", exhausted: tuple[str, ...] = (), **facts: Any) -> Earned:
    purchase = bought(tea(), occurred_at=clock.parse(at))
    return evaluate(program, purchase, Member(**facts), frozenset(exhausted))


def state(program: Program, at: str) -> str:
    return campaigns.state_of(program, program.campaigns[0], clock.parse(at))


@pytest.mark.parametrize(
    ("zone", "before", "first", "last", "after"),
    [
        (
            "Asia/Shanghai",
            "2026-03-07T17:59:59Z",
            "2026-03-07T18:00:00Z",
            "2026-10-31T17:29:59Z",
            "2026-10-31T17:30:00Z",
        ),
        # 2 o'clock is skipped, and 1:30 is shown twice.
        (
            "America/New_York",
            "2026-03-08T06:59:59Z",
            "2026-03-08T07:00:00Z",
            "2026-11-01T05:29:59Z",
            "2026-11-01T05:30:00Z",
        ),
        (
            "Pacific/Apia",
            "2026-03-07T12:59:59Z",
            "2026-03-07T13:00:00Z",
            "2026-10-31T12:29:59Z",
            "2026-10-31T12:30:00Z",
        ),
    ],
)
def test_a_window_takes_in_its_first_instant_and_not_its_last(
    zone: str, before: str, first: str, last: str, after: str
) -> None:
    window = {"starts_at": "2026-03-08T02:00", "ends_at": "2026-11-01T01:30"}
    found = running(campaign(**window), time_zone=zone)
    assert [state(found, at) for at in (before, first, last, after)] == ["scheduled", "live", "live", "ended"]
    reasons = [told(earned(found, at))["party_gift"] for at in (before, first, last, after)]
    assert reasons == ["campaign_scheduled", 10, 10, "campaign_ended"]


def test_a_window_may_begin_in_a_day_that_never_was() -> None:
    found = running(campaign(starts_at="2011-12-30T12:00"), time_zone="Pacific/Apia")
    assert [state(found, at) for at in ("2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z")] == ["scheduled", "live"]


@pytest.mark.parametrize(
    ("status", "states"),
    [
        ("draft", ["draft", "draft", "draft"]),
        ("active", ["scheduled", "live", "ended"]),
        ("paused", ["paused", "paused", "ended"]),
    ],
)
def test_the_merchant_decides_and_the_window_judges(status: str, states: list[str]) -> None:
    found = running(campaign(status=status, ends_at="2026-11-12T00:00"))
    times = ("2026-11-10T15:00:00Z", "2026-11-10T16:00:00Z", "2026-11-11T16:00:00Z")
    assert [state(found, at) for at in times] == states
    reasons = [told(earned(found, at))["party_gift"] for at in times]
    assert reasons == [10 if one == "live" else f"campaign_{one}" for one in states]


def test_a_window_without_an_end_stays_open() -> None:
    assert state(running(campaign()), "2099-01-01T00:00:00Z") == "live"


@pytest.mark.parametrize(
    ("audience", "facts"),
    [
        ({"tiers": ["gold"]}, {"tier": "gold"}),
        ({"segments": ["loyal", "new"]}, {"segments": ("new",)}),
        ({"tags": ["vip"]}, {"tags": ("staff", "vip")}),
        ({"members": ["mem_1", "mem_2"]}, {"member_id": "mem_2"}),
    ],
)
def test_a_campaign_is_for_its_audience(audience: dict[str, Any], facts: dict[str, Any]) -> None:
    found = running(campaign(audience=audience))
    assert told(earned(found, **facts))["party_gift"] == 10
    assert told(earned(found))["party_gift"] == "not_in_audience"


def test_of_every_list_of_an_audience_one_must_fit() -> None:
    found = running(campaign(audience={"tiers": ["gold"], "tags": ["vip"]}))
    assert told(earned(found, tier="gold"))["party_gift"] == "not_in_audience"
    assert told(earned(found, tier="gold", tags=("vip",)))["party_gift"] == 10


def test_campaigns_are_judged_in_their_order_and_after_the_programmes_own_rules() -> None:
    double = rule("multiplier", "double", factor="2", of="so_far")
    found = running(campaign("one"), campaign("two", double))
    result = earned(found, tier="gold")
    assert [item.rule for item in result.explanations] == ["base", "tier_multiplier", "one_gift", "double"]
    assert told(result) == {"base": 10, "tier_multiplier": 10, "one_gift": 10, "double": 30}


def test_the_tier_multiplies_the_programmes_base_rules_and_not_a_campaigns() -> None:
    more = rule("per_amount", "more")
    result = earned(running(campaign("one", more)), tier="gold")
    assert told(result) == {"base": 10, "tier_multiplier": 10, "more": 10}
    assert result.qualifying_points == 20


def test_a_campaign_with_a_budget_takes_what_it_gave() -> None:
    both = campaign("one", rule("bonus", "a", points=3), rule("bonus", "b", points=4), budget={"points": 100})
    result = earned(running(both, campaign("two"), campaign("three", budget={"awards": 5})))
    assert result.awards == (Award("one", 7), Award("three", 10))


def test_a_campaign_that_gave_nothing_takes_nothing_from_its_budget() -> None:
    dear = rule("bonus", "a", points=3, when={"minimum_minor": {"CNY": 9_999}})
    assert earned(running(campaign("one", dear, budget={"points": 100}))).awards == ()


def test_an_exhausted_campaign_says_so_and_the_others_go_on() -> None:
    result = earned(running(campaign("one", budget={"points": 100}), campaign("two")), exhausted=("one",))
    assert told(result)["one_gift"] == "budget_exhausted"
    assert told(result)["two_gift"] == 10
    assert (result.awards, result.limits) == ((), ())


def test_a_group_chooses_within_its_campaign() -> None:
    best = campaign("one", rule("bonus", "a", points=3, group="g"), rule("bonus", "b", points=4, group="g"))
    assert told(earned(running(best, stacking={"g": "best"})))["a"] == "other_rule_better"


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({}, False),
        ({"when": {"tiers": ["gold"], "first_purchase": True}}, False),
        ({"when": {"birthday": "day"}}, True),
        ({"when": {"segments": ["loyal"]}}, True),
        ({"when": {"tags": ["vip"]}}, True),
        ({"when": {"condition": "member.purchases > `3`"}}, False),
        ({"when": {"condition": "contains(member.tags, 'vip')"}}, True),
        ({"when": {"condition": "contains(member.\"t\\u0061gs\", 'vip')"}}, True),
    ],
)
def test_the_profile_is_needed_only_where_a_rule_looks_at_it(changes: dict[str, Any], needed: bool) -> None:  # noqa: FBT001
    gift = rule("bonus", "gift", points=1) | changes
    assert campaigns.needs_profile(with_rules(BASE, gift)) is needed
    assert campaigns.needs_profile(running(campaign("one", gift))) is needed


@pytest.mark.parametrize(
    ("audience", "needed"),
    [({"tiers": ["gold"], "members": ["mem_1"]}, False), ({"segments": ["loyal"]}, True), ({"tags": ["vip"]}, True)],
)
def test_the_profile_is_needed_for_audiences_by_segment_and_tag(audience: dict[str, Any], needed: bool) -> None:  # noqa: FBT001
    assert campaigns.needs_profile(running(campaign(audience=audience))) is needed


def test_what_is_kept_ready_of_a_programme_is_never_anothers() -> None:
    """As many programmes as a backtest or a test suite goes through, each judged by its own rules."""
    rates = [{"CNY": {"points": points, "per_minor": 100}} for points in range(1, 50)]
    made = (decode(msgspec.json.encode(document(currencies=rate))) for rate in rates)
    assert [evaluate(one, bought(tea(100)), Member()).points for one in made] == list(range(1, 50))
