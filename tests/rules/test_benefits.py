"""What members have beside points."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.base import clock
from chalicelib.engagement.rules import benefits
from chalicelib.ledger.limits import MEMORY_S
from chalicelib.ledger.state import NEVER, Limit
from tests.programs import ladder, program, texts

ZONE = ZoneInfo("Asia/Shanghai")
NOW = clock.seconds(datetime(2026, 11, 20, 12, tzinfo=ZONE))
NEW_YEAR = clock.seconds(datetime(2027, 1, 1, tzinfo=ZONE))


def benefit(code: str = "lounge", **fields: Any) -> dict[str, Any]:
    return {"code": code, "kind": "experience", "title": texts(code), "tiers": ["gold"], **fields}


def held(*items: dict[str, Any], tier: str = "gold", used: tuple[Limit, ...] = (), **options: Any) -> list[Any]:
    found = benefits.held(program(benefits=list(items)), tier, used, NOW, **options)
    return [(item.benefit.code, item.status, item.uses_left) for item in found]


def test_a_tier_has_what_names_it() -> None:
    items = benefit(), benefit("gift", tiers=["silver", "gold"]), benefit("jet", tiers=["diamond"])
    assert held(*items) == [("lounge", "open", None), ("gift", "open", None)]
    assert held(*items, tier="member") == []


def test_the_next_tier_s_are_shown_as_locked() -> None:
    items = benefit(), benefit("gift", tiers=["silver", "gold"]), benefit("jet", tiers=["diamond"])
    assert held(*items, tier="silver", next_too=True) == [("lounge", "locked", None), ("gift", "open", None)]
    assert held(*items, tier="diamond", next_too=True) == [("jet", "open", None)]


def test_one_that_named_a_tier_of_before_belongs_to_the_tier_that_took_its_place() -> None:
    tiers = ladder(member=0, argent=1000, gold=5000)
    tiers[1]["replaces"] = ["silver"]
    document = program(tiers=tiers, benefits=[benefit(tiers=["silver"])])
    assert [item.benefit.code for item in benefits.held(document, "argent", (), NOW)] == ["lounge"]


@pytest.mark.parametrize(
    ("window", "status"),
    [
        ({"starts_at": "2026-11-20T12:01"}, "upcoming"),
        ({"starts_at": "2026-11-20T12:00", "ends_at": "2026-11-20T12:01"}, "open"),
        ({"ends_at": "2026-11-20T12:00"}, None),
    ],
)
def test_one_with_a_window_is_listed_until_it_is_over(window: dict[str, str], status: str | None) -> None:
    found = held(benefit(kind="event", **window))
    assert found == ([("lounge", status, None)] if status else [])


def test_what_is_left_goes_by_the_period_of_the_programme_s_clocks() -> None:
    counted = benefit(uses=4, per="year")
    used = (Limit("lounge:benefit", NEW_YEAR, 3, 0),)
    assert held(counted, used=used) == [("lounge", "open", 1)]
    assert held(counted, used=(Limit("lounge:benefit", NEW_YEAR, 4, 0),)) == [("lounge", "used_up", 0)]
    later = benefits.as_held(program(), program(benefits=[counted]).benefits[0], used, NEW_YEAR)
    assert later.uses_left == 4


def test_one_counted_once_and_for_all_has_no_period() -> None:
    once = benefit(uses=1, per="ever")
    assert held(once, used=(Limit("lounge:benefit", NEVER, 1, 0),)) == [("lounge", "used_up", 0)]


def test_of_a_period_too_long_ago_nothing_is_left() -> None:
    found = program(benefits=[benefit(uses=1, per="day")]).benefits[0]
    assert benefits.uses_left(found, (), NOW, NOW + MEMORY_S) == 0


def test_a_programme_that_gives_fewer_than_were_used_leaves_none() -> None:
    assert held(benefit(uses=2), used=(Limit("lounge:benefit", NEW_YEAR, 3, 0),)) == [("lounge", "used_up", 0)]
