"""How members are scored at night: what counts how much, and what a purchase is worth to the merchant."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from chalicelib.program.document.parts import Part, PositivePoints

Weight: TypeAlias = Annotated[int, Meta(ge=0, le=100)]


class ScoreWeights(Part, frozen=True, kw_only=True):
    """How much each part of the score counts, in percent; together 100.

    The first four are known of every member. A part of which the programme knows nothing leaves its weight to the rest.
    """

    staying: Weight = 25
    value: Weight = 20
    frequency: Weight = 15
    trend: Weight = 10
    engagement: Weight = 10
    nps: Weight = 10
    csat: Weight = 5
    advocacy: Weight = 5

    @property
    def percents(self) -> tuple[int, ...]:
        """The weights in the order in which the parts stand."""
        first = (self.staying, self.value, self.frequency, self.trend)
        return (*first, self.engagement, self.nps, self.csat, self.advocacy)


class ScoringPolicy(Part, frozen=True, kw_only=True):
    """What a night scores by. A change counts from the night after its publication on.

    `margin_percent` is the share of a purchase that is profit, `discount_percent` what a year's waiting for it costs:
    together they make purchases expected into 12-month value. `model` says how members stay and leave. An alert goes
    out where `expiring_points_min` points expire within 30 days; without it, as many as the least redemption takes.
    The care calendar keeps the `anniversaries` of enrolments, and tiers that are lost within `tier_ending_days` (0 for
    none).
    """

    weights: ScoreWeights = ScoreWeights()
    margin_percent: Annotated[int, Meta(ge=1, le=100)] = 100
    discount_percent: Annotated[int, Meta(ge=0, le=100)] = 15
    model: Literal["mbg-nbd", "bg-nbd"] = "mbg-nbd"
    expiring_points_min: PositivePoints | None = None
    anniversaries: bool = True
    tier_ending_days: Annotated[int, Meta(ge=0, le=366)] = 30
