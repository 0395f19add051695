"""Orders that arrive after the programme has changed."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.program import service as programs
from tests.api import shop
from tests.api.client import client
from tests.api.shop import SHOP
from tests.programs import document, tier

BEFORE = [tier("member", 0), tier("silver", 1_000, "1.5"), tier("gold", 5_000, "2")]
RENAMED = [
    tier("basic", 0, replaces=("member",)),
    tier("argent", 1_000, "3", replaces=("silver",)),
    tier("or", 5_000, "4", replaces=("gold",)),
]


def publish(now: int, **changes: Any) -> None:
    programs.publish(document(**changes), by="tests", now=now - programs.LEAD_S)


@pytest.fixture
def member_id(monkeypatch: pytest.MonkeyPatch) -> str:
    """A silver member of four days ago, whose tier has had another name for two days."""
    now = clock.now()
    publish(now - 4 * clock.DAY_S, tiers=BEFORE, late_days=30)
    monkeypatch.setattr(clock, "now", lambda: now - 3 * clock.DAY_S)
    member_id = shop.enrol()
    shop.post_order("big", member_id=member_id, total_minor=1_000_00, occurred_at=shop.moment(3.5))
    assert shop.account(member_id)["tier"]["code"] == "silver"
    publish(now - 2 * clock.DAY_S, tiers=RENAMED, late_days=5)
    monkeypatch.setattr(clock, "now", lambda: now)
    programs.reset_cache()
    return member_id


def test_an_order_from_before_a_tier_was_renamed_has_the_multiplier_that_the_tier_had_then(member_id: str) -> None:
    assert shop.account(member_id)["tier"]["code"] == "argent"
    late = shop.post_order("late", member_id=member_id, occurred_at=shop.moment(3))
    assert (late.json["order"]["earned_points"], late.json["account"]["tier"]) == (150, "argent")
    today = shop.post_order("today", member_id=member_id, occurred_at=shop.moment(1))
    assert today.json["order"]["earned_points"] == 300


def test_a_quote_for_then_agrees_with_the_order(member_id: str) -> None:
    body = {"currency": "CNY", "total_minor": 100_00, "member_id": member_id, "occurred_at": shop.moment(3)}
    quote = client.post("/v1/quotes", json=body, caller=SHOP).json
    assert (quote["tier"], quote["points"]) == ("silver", 150)


def test_a_tier_that_came_later_counts_as_the_one_that_its_threshold_would_have_reached(member_id: str) -> None:
    tiers = [*RENAMED, tier("platinum", 6_000, "9")]
    publish(clock.now() - clock.DAY_S // 2, tiers=tiers, late_days=5)
    shop.post_order("huge", member_id=member_id, total_minor=7_000_00, occurred_at=shop.moment(0.1))
    assert shop.account(member_id)["tier"]["code"] == "platinum"
    late = shop.post_order("late", member_id=member_id, occurred_at=shop.moment(3))
    assert late.json["order"]["earned_points"] == 200


def test_how_late_is_too_late_is_what_the_programme_of_today_says(member_id: str) -> None:
    """Thirty days were allowed when the purchase was made, and five are when it arrives."""
    answer = shop.post_order("old", member_id=member_id, occurred_at=shop.moment(20))
    assert (answer.status, answer.code) == (400, "occurred_too_long_ago")
    assert "5 days" in answer.json["detail"]
    order_id = shop.post_order("young", member_id=member_id, occurred_at=shop.moment(3)).json["order"]["id"]
    refused = shop.refund(order_id, amount_minor=1, occurred_at=shop.moment(20))
    assert (refused.status, refused.code) == (400, "occurred_too_long_ago")
