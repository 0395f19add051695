"""Whole programmes for the proof: rules of every kind with caps, campaigns with budgets, events, benefits, a card.

Everything is small, so that short histories reach every cap and the end of every budget.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from chalicelib.program.document import Program
from tests import programs
from tests.programs import texts
from tests.proof.rules_model import Rules

Plain = dict[str, Any]
LONG_AGO = "2020-01-01T00:00"


def _rule(kind: str, code: str, **fields: Any) -> Plain:
    return {"kind": kind, "code": code, "title": texts(code), **fields}


BASE = _rule("per_amount", "base", group="rate")
TEA = _rule("per_amount", "tea", items={"categories": ["tea"]}, rates={"CNY": {"points": 1, "per_minor": 70}})
CUPS = _rule("per_item", "cups", items={"skus": ["cup"]}, points=3, caps=[{"per": "day", "times": 1}])
WARM = _rule("multiplier", "warm", factor="1.5", items={"categories": ["tea"]}, caps=[{"per": "month", "points": 40}])
LARGE = _rule("bonus", "large", points=25, when={"minimum_minor": {"CNY": 20_000}}, group="gift")
FIRST = _rule("bonus", "first", points=15, when={"first_purchase": True}, group="gift")
HERE = _rule("per_event", "here", events=["check_in"], points=5, caps=[{"per": "day", "times": 1}])
TOLD = _rule(
    "per_event", "told", events=["review"], points=8, cooldown_minutes=120, caps=[{"per": "month", "points": 20}]
)
RULES = [
    BASE,
    {**TEA, "group": "rate"},
    CUPS,
    WARM,
    {**LARGE, "caps": [{"per": "ever", "times": 2}]},
    FIRST,
    HERE,
    TOLD,
]
SPRING: Plain = {
    "code": "spring",
    "title": texts("spring"),
    "status": "active",
    "starts_at": LONG_AGO,
    "rules": [
        _rule("bonus", "spring_gift", points=30),
        _rule("per_event", "spring_visit", events=["check_in"], points=12),
    ],
    "caps": [{"per": "week", "times": 2}, {"per": "ever", "points": 150}],
    "budget": {"points": 70, "awards": 4, "shards": 3},
}
DOUBLE: Plain = {
    "code": "double",
    "title": texts("double"),
    "status": "active",
    "starts_at": LONG_AGO,
    "rules": [_rule("multiplier", "double_base", factor="2")],
    "budget": {"points": 130, "shards": 2},
}
CARD_POINTS = 7


@dataclass(frozen=True)
class Programme:
    """What differs from one of these to the next. `ends_at` is when the spring campaign is over."""

    ends_at: str | None = None
    status: str = "active"
    has_campaigns: bool = True
    has_rules: bool = True
    stamps: int = 3

    def document(self) -> Plain:
        """The part of the document that says so."""
        spring = {**SPRING, "ends_at": self.ends_at, "status": self.status}
        challenge = {
            "kind": "punch_card",
            "code": "card",
            "title": texts("card"),
            "starts_at": LONG_AGO,
            "stamps": self.stamps,
            "given": 1,
            "points": CARD_POINTS,
            "repeats": True,
            "events": ["check_in"],
            # With types of events, purchases count where items are named as well.
            "items": {"categories": ["tea"]},
        }
        return {
            "earning_rules": RULES if self.has_rules else [_rule("per_amount", "base")],
            "stacking": {"rate": "best", "gift": "exclusive"} if self.has_rules else {},
            "campaigns": [spring, DOUBLE] if self.has_campaigns else [],
            "events": {code: {"title": texts(code)} for code in ("check_in", "review", "wave")},
            "earning": {"excluded_skus": ["bag"]},
            "benefits": [
                {"code": "lounge", "kind": "experience", "title": texts("lounge"), "tiers": ["member", "silver"]}
                | {"uses": 2, "per": "month"},
                {"code": "suite", "kind": "experience", "title": texts("suite"), "tiers": ["silver", "gold"]}
                | {"uses": 1, "per": "week"},
            ],
            "challenges": [challenge],
        }


@dataclass(frozen=True)
class Whole(Rules):
    """Rules with a whole programme."""

    programme: Programme = Programme()

    def document(self) -> Plain:
        """The document to be published."""
        return super().document() | self.programme.document()


@functools.cache
def parsed(rules: Rules) -> Program:
    """The document as its structs, for whoever reckons with them."""
    return programs.program(**rules.document())
