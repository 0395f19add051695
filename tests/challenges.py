"""Challenges for tests, as the programme document has them."""

from __future__ import annotations

from typing import Any

from tests.programs import texts

OPEN_SINCE = "2020-01-01T00:00"
CLUB = {"code": "club_badge", "title": texts("Club"), "picture_url": "https://shop.example/club.svg"}


def card(code: str = "tea_card", **fields: Any) -> dict[str, Any]:
    """A card of 10 stamps with 2 given, worth 50 points."""
    plain = {"kind": "punch_card", "code": code, "title": texts(code), "starts_at": OPEN_SINCE}
    return {**plain, "stamps": 10, "given": 2, "points": 50, **fields}


def streak(code: str = "daily", **fields: Any) -> dict[str, Any]:
    """A check-in on 3 days in a row, worth 30 points."""
    plain = {"kind": "streak", "code": code, "title": texts(code), "starts_at": OPEN_SINCE}
    return {**plain, "period": "day", "length": 3, "events": ["check_in"], "points": 30, **fields}


def quest(code: str = "welcome", **fields: Any) -> dict[str, Any]:
    """A purchase of tea, and two shares, worth 70 points."""
    steps = [
        {"code": "tea", "title": texts("tea"), "items": {"categories": ["tea"]}},
        {"code": "share", "title": texts("share"), "events": ["share"], "count": 2},
    ]
    plain = {"kind": "quest", "code": code, "title": texts(code), "starts_at": OPEN_SINCE}
    return {**plain, "steps": steps, "points": 70, **fields}
