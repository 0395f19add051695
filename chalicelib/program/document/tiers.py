"""The ladder: tiers, how they are reached, kept and lost."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from chalicelib.base import money
from chalicelib.program.document.parts import Code, Decimal, Minor, Part, Points, Texts

Times: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000)]


class Tier(Part, frozen=True, kw_only=True):
    """A rung of the ladder, reached with as much as its thresholds say.

    They may ask for qualifying points, for spending (minor units of the base currency), for purchases and for activity
    (what events count); None asks for nothing. `multiplier` is a decimal such as "1.2". A tier is never removed: the
    one that takes its place names it in `replaces`.
    """

    code: Code
    name: Texts
    threshold_points: Points | None = None
    threshold_spend_minor: Minor | None = None
    threshold_purchases: Times | None = None
    threshold_activity: Times | None = None
    multiplier: Decimal = "1"
    benefits: Annotated[tuple[Texts, ...], Meta(max_length=20)] = ()
    replaces: Annotated[tuple[Code, ...], Meta(max_length=20)] = ()

    @property
    def rate(self) -> Fraction:
        """The multiplier as an exact number."""
        return money.rate(self.multiplier)


class TierPolicy(Part, frozen=True, kw_only=True):
    """What counts towards tiers, for how long a tier is kept, and how it is lost.

    With the period `rolling`, what was gathered in `window_months` calendar months reaches a tier, which is kept for
    `keep_months` more. With `calendar_year` it is what was gathered since the year began, with the month
    `year_start_month`, and the tier is kept to the end of the next year; with `membership_year` the year begins with
    the month in which the member enrolled. `match` says whether all thresholds of a tier must be reached, or any one.

    Who has not earned a tier again by the end of its term has `grace_days`, and the rest of the last month, to make up
    for it, and falls after that: to the tier that was earned, or by one tier at the most.
    """

    window_months: Annotated[int, Meta(ge=1, le=36)] = 12
    keep_months: Annotated[int, Meta(ge=1, le=36)] = 12
    downgrade: Literal["to_fit", "one_down"] = "to_fit"
    grace_days: Annotated[int, Meta(ge=0, le=366)] = 0
    match: Literal["all", "any"] = "all"
    period: Literal["rolling", "calendar_year", "membership_year"] = "rolling"
    year_start_month: Annotated[int, Meta(ge=1, le=12)] = 1
