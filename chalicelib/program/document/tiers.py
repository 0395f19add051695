"""The ladder: tiers, how they are reached, kept and lost."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.base import money
from chalicelib.program.document.parts import Code, Decimal, Part, Points, Texts


class Tier(Part, frozen=True, kw_only=True):
    """A rung of the ladder, reached with `threshold_points` qualifying points.

    `multiplier` is a decimal such as "1.2". A tier is never removed: the one that takes its place names it in
    `replaces`.
    """

    code: Code
    name: Texts
    threshold_points: Points
    multiplier: Decimal = "1"
    benefits: Annotated[tuple[Texts, ...], Meta(max_length=20)] = ()
    replaces: Annotated[tuple[Code, ...], Meta(max_length=20)] = ()

    @property
    def rate(self) -> Fraction:
        """The multiplier as an exact number."""
        return money.rate(self.multiplier)


class TierPolicy(Part, frozen=True, kw_only=True):
    """Qualifying points of `window_months` calendar months reach a tier, which is then kept for `keep_months` more.

    Who has not earned it again by then has `grace_days`, and the rest of the last month, to make up for it, and falls
    after that: to the tier that the months do reach, or by one tier at the most.
    """

    window_months: Annotated[int, Meta(ge=1, le=36)]
    keep_months: Annotated[int, Meta(ge=1, le=36)]
    downgrade: Literal["to_fit", "one_down"] = "to_fit"
    grace_days: Annotated[int, Meta(ge=0, le=366)] = 0
