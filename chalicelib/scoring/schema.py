"""What a score looks like at the edge: codes for programs, and names of them for people."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Share = Annotated[float, Meta(ge=0, le=1)]
Minor = Annotated[int, Meta(ge=0, description="Minor units of the base currency.")]

ValueSegment = Literal["low", "mid", "high", "gold"]
Behaviour = Literal["none", "new", "active", "at_risk", "lapsed", "won_back"]
Stage = Literal["prospect", "onboarding", "growing", "mature", "declining", "dormant", "reactivated"]
Loyalty = Literal["undetermined", "impulse", "emotional", "cognitive", "behavioural"]
PartCode = Literal["staying", "value", "frequency", "trend", "engagement", "nps", "csat", "advocacy"]
ChurnReason = Literal["none", "unhappy", "never_returned", "silent_too_long", "buying_less", "buys_seldom"]
Action = Literal[
    "first_purchase",
    "second_purchase",
    "recover_service",
    "call_personally",
    "remind",
    "win_back",
    "leave_alone",
    "thank_for_return",
    "honour",
    "invite_friends",
    "widen_basket",
    "give_a_reason",
]


class _Out(msgspec.Struct, frozen=True, kw_only=True):
    pass


class PartOut(_Out, frozen=True, kw_only=True):
    """A part of the score: its value and weight, and by how many points it moves the member off the usual member.

    Weights add up to 1; what the programme knows of nobody is no part.
    """

    code: PartCode
    name: str
    value: Share
    weight: Share
    moves: float


class ReasonOut(_Out, frozen=True, kw_only=True):
    """Why a score is above or below the usual one, by a part that moves it by more than a point; the largest first."""

    part: PartCode
    direction: Literal["lifts", "holds"]
    moves: float
    text: str


class ValueOut(_Out, frozen=True, kw_only=True):
    """The segment by value. `higher_than` is the share of members with less 12-month value; gold ones are high too."""

    code: ValueSegment
    name: str
    higher_than: Share


class BehaviourOut(_Out, frozen=True, kw_only=True):
    """The segment by behaviour."""

    code: Behaviour
    name: str


class StageOut(_Out, frozen=True, kw_only=True):
    """The stage of life."""

    code: Stage
    name: str


class LoyaltyOut(_Out, frozen=True, kw_only=True):
    """The kind of loyalty; `confidence` is its lead over the second kind, 0 where it is undetermined."""

    code: Loyalty
    name: str
    confidence: Share


class ChurnReasonOut(_Out, frozen=True, kw_only=True):
    """Why the member may leave."""

    code: ChurnReason
    name: str


class ChurnOut(_Out, frozen=True, kw_only=True):
    """The chance of no purchase in the next 91 days, and the main reason. Null without a purchase."""

    probability: Share | None
    reason: ChurnReasonOut


class RfmOut(_Out, frozen=True, kw_only=True):
    """Recency, frequency and what was spent, each 1 to 5."""

    recency: Annotated[int, Meta(ge=1, le=5)]
    frequency: Annotated[int, Meta(ge=1, le=5)]
    monetary: Annotated[int, Meta(ge=1, le=5)]


class TrendOut(_Out, frozen=True, kw_only=True):
    """ln of the purchases of the last 91 days against those of the 91 days before."""

    value: float
    is_significant: bool


class PersonaOut(_Out, frozen=True, kw_only=True):
    """The group of members that this one is nearest to."""

    code: str
    name: str


class ActionOut(_Out, frozen=True, kw_only=True):
    """The next best action."""

    code: Action
    name: str


class BasisOut(_Out, frozen=True, kw_only=True):
    """The night that the score goes by: its number, and the last day that was in it."""

    number: int
    day: str


class ScoreOut(_Out, frozen=True, kw_only=True):
    """A member's score on the day `as_of`, in the programme's zone.

    `active` is the chance that the member is still a customer, `overdue` that of so long a silence if so;
    `expected_purchases` are those of the next 91 days. Without a purchase nothing is known of these, nor are RFM and
    persona; the trend is known after 182 days. `segments` are those of the day, which programme and surveys may name
    from the next night on.
    """

    member_id: str
    as_of: str
    basis: BasisOut
    score: Annotated[float, Meta(ge=0, le=100)]
    parts: tuple[PartOut, ...]
    reasons: tuple[ReasonOut, ...]
    value: ValueOut
    behaviour: BehaviourOut
    segments: tuple[str, ...]
    stage: StageOut
    loyalty: LoyaltyOut
    churn: ChurnOut
    active: Share | None
    overdue: Share | None
    purchases: int
    days_since_purchase: int | None
    expected_purchases: float | None
    currency: str
    expected_basket_minor: Minor | None
    value_12_months_minor: Minor
    rfm: RfmOut | None
    trend: TrendOut | None
    persona: PersonaOut | None
    next_action: ActionOut
