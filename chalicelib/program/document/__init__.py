"""The programme document: everything that a merchant decides about the programme, as one JSON document.

Stored documents are read for ever, so a field is only ever added with a default. What a single field must satisfy
stands here in its type; how the fields must fit together is checked by `validation`.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from chalicelib.base import facts
from chalicelib.program.document.birthday import BirthdayCare
from chalicelib.program.document.cases import CasePolicy
from chalicelib.program.document.earning import Campaign, Catalogue, Earning, Rules, Stacking
from chalicelib.program.document.engagement import AnyChallenge, Benefit, EventType
from chalicelib.program.document.parts import (
    LOCALES,
    Code,
    Currency,
    Part,
    Points,
    PositiveMinor,
    PositivePoints,
    Rate,
    Texts,
    localise,
)
from chalicelib.program.document.referrals import ReferralPolicy
from chalicelib.program.document.rewards import Reward
from chalicelib.program.document.scoring import ScoringPolicy
from chalicelib.program.document.surveys import SurveyPolicy
from chalicelib.program.document.tiers import Tier, TierPolicy

__all__ = [
    "DOCUMENT_MAX_BYTES",
    "LOCALES",
    "CalendarYear",
    "Inactivity",
    "Never",
    "Program",
    "RollingMonths",
    "Texts",
    "decode",
    "default",
    "encode",
    "entry_title",
    "localise",
]

DOCUMENT_MAX_BYTES: Final = 262_144
"""The size of a document, well under the 400 KB that a DynamoDB item may have."""


class RollingMonths(Part, frozen=True, kw_only=True, tag="rolling_months", tag_field="kind"):
    """Points live for `months` whole calendar months after the one in which they were earned."""

    months: Annotated[int, Meta(ge=1, le=58)]


class CalendarYear(Part, frozen=True, kw_only=True, tag="calendar_year", tag_field="kind"):
    """Points live to the end of the `years`-th year after the one in which they were earned, 0 for that year itself.

    A year ends with the month `month`.
    """

    years: Annotated[int, Meta(ge=0, le=10)]
    month: Annotated[int, Meta(ge=1, le=12)] = 12


class Inactivity(Part, frozen=True, kw_only=True, tag="inactivity", tag_field="kind"):
    """All points live for `months` whole calendar months after that of the member's last purchase or redemption."""

    months: Annotated[int, Meta(ge=1, le=58)]


class Never(Part, frozen=True, kw_only=True, tag="never", tag_field="kind"):
    """Points do not expire."""


class Redemption(Part, frozen=True, kw_only=True):
    """Points as a discount: `points_per` points are worth `amount_minor` of each currency."""

    points_per: PositivePoints
    amount_minor: Annotated[dict[Currency, PositiveMinor], Meta(min_length=1, max_length=20)]
    minimum_points: PositivePoints
    step_points: PositivePoints = 1


class Reasons(Part, frozen=True, kw_only=True):
    """What a statement says of an entry: by its kind, and of an adjustment by its reason.

    A kind that is not listed has the engine's own title. Only the reasons listed here may be given for an adjustment.
    """

    entries: Annotated[dict[Code, Texts], Meta(max_length=100)] = msgspec.field(default_factory=dict)
    adjustments: Annotated[dict[Code, Texts], Meta(min_length=1, max_length=100)]


class Program(Part, frozen=True, kw_only=True):
    """The whole document. `base_currency` is the one in which spending counts towards what a member has spent.

    Rules are judged in the order in which they stand. `stacking` says of each group of rules whether all of them give
    (`stack`), the one that gives most (`best`), or the first that fires (`exclusive`). Where there are `events`, no
    others are taken or named.
    """

    name: Texts
    time_zone: Annotated[str, Meta(min_length=1, max_length=64)]
    base_currency: Currency
    currencies: Annotated[dict[Currency, Rate], Meta(min_length=1, max_length=20)]
    earning: Earning = Earning()
    catalogue: Catalogue = Catalogue()
    earning_rules: Rules
    stacking: Annotated[dict[Code, Stacking], Meta(max_length=50)] = msgspec.field(default_factory=dict)
    campaigns: Annotated[tuple[Campaign, ...], Meta(max_length=100)] = ()
    events: Annotated[dict[Code, EventType], Meta(max_length=100)] = msgspec.field(default_factory=dict)
    benefits: Annotated[tuple[Benefit, ...], Meta(max_length=100)] = ()
    challenges: Annotated[tuple[AnyChallenge, ...], Meta(max_length=50)] = ()
    welcome_points: Points = 0
    tiers: Annotated[tuple[Tier, ...], Meta(min_length=3, max_length=5)]
    tier_policy: TierPolicy
    expiry: RollingMonths | CalendarYear | Inactivity | Never
    pending_days: Annotated[int, Meta(ge=0, le=60)] = 0
    # As far back as the qualifying months in a member's state reach.
    late_days: Annotated[int, Meta(ge=0, le=1100)]
    # The ledger remembers a year of expired lots for refunds.
    refund_window_days: Annotated[int, Meta(ge=0, le=365)]
    grace_days: Annotated[int, Meta(ge=0, le=366)] = 0
    redemption: Redemption | None = None
    rewards: Annotated[tuple[Reward, ...], Meta(max_length=200)] = ()
    referrals: ReferralPolicy | None = None
    birthday: BirthdayCare | None = None
    surveys: SurveyPolicy = SurveyPolicy()
    cases: CasePolicy = CasePolicy()
    scoring: ScoringPolicy = ScoringPolicy()
    reasons: Reasons

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which days and months begin."""
        return ZoneInfo(self.time_zone)

    def tier(self, code: str) -> Tier | None:
        """The tier that has this code, or that took the place of the one that had it."""
        return next((tier for tier in self.tiers if code == tier.code or code in tier.replaces), None)


_DECODER = msgspec.json.Decoder(Program)
_ENCODER = msgspec.json.Encoder(order="deterministic")


def encode(program: Program) -> str:
    """The stored form: every default written out, so that later engines read what was meant."""
    return _ENCODER.encode(program).decode()


def decode(text: str | bytes) -> Program:
    """A document of the right structure, or else msgspec.DecodeError; the rest was checked when it was published."""
    return _DECODER.decode(text)


@functools.cache
def default() -> Program:
    """The programme that comes with the engine, in force until one is published."""
    return decode(Path(__file__).parent.with_name("default.json").read_bytes())


def entry_title(program: Program, kind: str, reason: str, locale: str) -> str:
    """What a statement says of a ledger entry; `reason` is of an adjustment its reason code, of a gift its code.

    What the care calendar tells of is titled among the entries, by its reason.
    """
    texts = program.reasons.adjustments.get(reason) if kind == facts.ADJUSTED else None
    if kind == facts.BIRTHDAY_GIFT and program.birthday:
        texts = next((gift.title for gift in program.birthday.gifts if gift.code == reason), None)
    names = (reason, kind) if kind == facts.CARE else (kind,)
    for document in (program, default()):
        texts = texts or next((found for name in names if (found := document.reasons.entries.get(name))), None)
    return localise(texts, locale) if texts else kind
