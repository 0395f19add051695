"""What a tier asks for, and what a member's months hold of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, TypeAlias

import msgspec

from chalicelib.ledger.state import Month, TierRecord
from chalicelib.program.document import Program
from chalicelib.program.document.tiers import Tier

Metric: TypeAlias = Literal["points", "spend_minor", "purchases", "activity"]


class Amounts(msgspec.Struct, frozen=True):
    """What counts towards tiers: qualifying points, spending in the base currency, purchases, and activity."""

    points: int = 0
    spend_minor: int = 0
    purchases: int = 0
    activity: int = 0


class Missing(msgspec.Struct, frozen=True):
    """How much is missing of each metric, None for one that is not asked for.

    With `match` `all` everything is needed. With `any` one of them is enough: `nearest` names the one of which the
    smallest part is missing, and once one is reached nothing is missing of the others.
    """

    points: int | None
    spend_minor: int | None
    purchases: int | None
    activity: int | None
    match: Literal["all", "any"]
    nearest: Metric | None = None


METRICS: tuple[Metric, ...] = ("points", "spend_minor", "purchases", "activity")


class Needs(msgspec.Struct, frozen=True):
    """What reaches a tier: all of the amounts, or any one of them. An amount of 0 is not asked for."""

    amounts: Amounts
    is_any: bool = False

    def met_by(self, have: Amounts) -> bool:
        """Whether so much is enough."""
        needed = self.amounts
        # Spelled out: every posting asks this some dozens of times.
        if self.is_any:
            return (
                0 < needed.points <= have.points
                or 0 < needed.spend_minor <= have.spend_minor
                or 0 < needed.purchases <= have.purchases
                or 0 < needed.activity <= have.activity
            )
        return (
            (not needed.points or needed.points <= have.points)
            and (not needed.spend_minor or needed.spend_minor <= have.spend_minor)
            and (not needed.purchases or needed.purchases <= have.purchases)
            and (not needed.activity or needed.activity <= have.activity)
        )

    def missing_from(self, have: Amounts) -> Missing:
        """What is missing yet."""
        is_met = self.met_by(have)
        short = {metric: 0 if is_met else max(needed - getattr(have, metric), 0) for metric, needed in self._asked()}
        nearest = None
        if self.is_any and not is_met:
            nearest = min(short, key=lambda metric: Fraction(short[metric], getattr(self.amounts, metric)))
        return Missing(
            short.get("points"),
            short.get("spend_minor"),
            short.get("purchases"),
            short.get("activity"),
            "any" if self.is_any else "all",
            nearest,
        )

    def _asked(self) -> list[tuple[Metric, int]]:
        return [(metric, needed) for metric in METRICS if (needed := getattr(self.amounts, metric))]


def needs_of(program: Program, tier: Tier) -> Needs:
    """What a tier asks for today."""
    amounts = Amounts(
        tier.threshold_points or 0,
        tier.threshold_spend_minor or 0,
        tier.threshold_purchases or 0,
        tier.threshold_activity or 0,
    )
    return Needs(amounts, program.tier_policy.match == "any")


def needs_when_reached(record: TierRecord) -> Needs:
    """What a tier asked for when it was reached."""
    amounts = Amounts(record.needed, record.needed_spend_minor, record.needed_purchases, record.needed_activity)
    return Needs(amounts, record.is_any)


def gathered(months: Sequence[Month], last_month: int, window_months: int) -> Amounts:
    """What the window of so many calendar months holds that ends with `last_month`."""
    first_month = last_month - window_months + 1
    points = spend_minor = purchases = activity = 0
    for month in months:
        if first_month <= month.month <= last_month:
            points += month.points
            spend_minor += month.spend_minor
            purchases += month.purchases
            activity += month.activity
    return Amounts(points, spend_minor, purchases, activity)
