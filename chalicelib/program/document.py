"""The programme document: everything that a merchant decides about the programme, as one JSON document.

Stored documents are read for ever, so a field is only ever added with a default. What a single field must satisfy
stands here in its type; how the fields must fit together is checked by `validation`.
"""

from __future__ import annotations

import functools
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from chalicelib.base import facts, money

LOCALES: Final = ("en", "zh-Hans", "zh-Hant")
"""The languages in which every text is given."""

DOCUMENT_MAX_BYTES: Final = 262_144
"""The size of a document, well under the 400 KB that a DynamoDB item may have."""

Text: TypeAlias = Annotated[str, Meta(max_length=200, pattern=r"\S")]
# A bare `$` would let a line break through at the end.
Code: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}(?!\n)$")]
Currency: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Z]{3}(?!\n)$")]
Points: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000_000)]
PositivePoints: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000_000)]
PositiveMinor: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000_000_000)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Texts(_Part, frozen=True, kw_only=True):
    """One text in every language."""

    en: Text
    zh_hans: Text = msgspec.field(name="zh-Hans")
    zh_hant: Text = msgspec.field(name="zh-Hant")


class Rate(_Part, frozen=True, kw_only=True):
    """`points` for every `per_minor` minor units: one point a whole yuan is 1 for 100."""

    points: PositivePoints
    per_minor: PositiveMinor


class Earning(_Part, frozen=True, kw_only=True):
    """Which parts of an order earn: by default neither tax nor shipping, nor what points and gift cards paid for."""

    on_tax: bool = False
    on_shipping: bool = False
    payments_that_earn_nothing: Annotated[tuple[Code, ...], Meta(max_length=20)] = ("points", "gift_card")


class PerAmount(_Part, frozen=True, kw_only=True, tag="per_amount", tag_field="kind"):
    """Points for the money spent, at the rate of the order's currency."""

    code: Code
    title: Texts


EarningRule: TypeAlias = PerAmount


class Tier(_Part, frozen=True, kw_only=True):
    """A rung of the ladder, reached with `threshold_points` qualifying points.

    `multiplier` is a decimal such as "1.2". A tier is never removed: the one that takes its place names it in
    `replaces`.
    """

    code: Code
    name: Texts
    threshold_points: Points
    multiplier: Annotated[str, Meta(min_length=1, max_length=8)] = "1"
    benefits: Annotated[tuple[Texts, ...], Meta(max_length=20)] = ()
    replaces: Annotated[tuple[Code, ...], Meta(max_length=20)] = ()

    @property
    def rate(self) -> Fraction:
        """The multiplier as an exact number."""
        return money.rate(self.multiplier)


class TierPolicy(_Part, frozen=True, kw_only=True):
    """Qualifying points of `window_months` calendar months reach a tier, which is then kept for `keep_months` more.

    Who has not earned it again by then has `grace_days`, and the rest of the last month, to make up for it, and falls
    after that: to the tier that the months do reach, or by one tier at the most.
    """

    window_months: Annotated[int, Meta(ge=1, le=36)]
    keep_months: Annotated[int, Meta(ge=1, le=36)]
    downgrade: Literal["to_fit", "one_down"] = "to_fit"
    grace_days: Annotated[int, Meta(ge=0, le=366)] = 0


class RollingMonths(_Part, frozen=True, kw_only=True, tag="rolling_months", tag_field="kind"):
    """Points live for `months` whole calendar months after the one in which they were earned."""

    months: Annotated[int, Meta(ge=1, le=58)]


class CalendarYear(_Part, frozen=True, kw_only=True, tag="calendar_year", tag_field="kind"):
    """Points live to the end of the `years`-th year after the one in which they were earned, 0 for that year itself.

    A year ends with the month `month`.
    """

    years: Annotated[int, Meta(ge=0, le=10)]
    month: Annotated[int, Meta(ge=1, le=12)] = 12


class Inactivity(_Part, frozen=True, kw_only=True, tag="inactivity", tag_field="kind"):
    """All points live for `months` whole calendar months after that of the member's last purchase or redemption."""

    months: Annotated[int, Meta(ge=1, le=58)]


class Never(_Part, frozen=True, kw_only=True, tag="never", tag_field="kind"):
    """Points do not expire."""


class Redemption(_Part, frozen=True, kw_only=True):
    """Points as a discount: `points_per` points are worth `amount_minor` of each currency."""

    points_per: PositivePoints
    amount_minor: Annotated[dict[Currency, PositiveMinor], Meta(min_length=1, max_length=20)]
    minimum_points: PositivePoints
    step_points: PositivePoints = 1


class Reasons(_Part, frozen=True, kw_only=True):
    """What a statement says of an entry: by its kind, and of an adjustment by its reason.

    A kind that is not listed has the engine's own title. Only the reasons listed here may be given for an adjustment.
    """

    entries: Annotated[dict[Code, Texts], Meta(max_length=100)] = {}
    adjustments: Annotated[dict[Code, Texts], Meta(min_length=1, max_length=100)]


class Program(_Part, frozen=True, kw_only=True):
    """The whole document. `base_currency` is the one in which spending counts towards what a member has spent."""

    name: Texts
    time_zone: Annotated[str, Meta(min_length=1, max_length=64)]
    base_currency: Currency
    currencies: Annotated[dict[Currency, Rate], Meta(min_length=1, max_length=20)]
    earning: Earning = Earning()
    earning_rules: Annotated[tuple[EarningRule, ...], Meta(min_length=1, max_length=200)]
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
    return decode(Path(__file__).with_name("default.json").read_bytes())


def localise(texts: Texts, locale: str) -> str:
    """A text in one of LOCALES, in English for anything else."""
    if locale == "zh-Hans":
        return texts.zh_hans
    return texts.zh_hant if locale == "zh-Hant" else texts.en


def entry_title(program: Program, kind: str, reason: str, locale: str) -> str:
    """What a statement says of a ledger entry of this kind; `reason` is the reason code of an adjustment, else ""."""
    texts = program.reasons.adjustments.get(reason) if kind == facts.ADJUSTED else None
    texts = texts or program.reasons.entries.get(kind) or default().reasons.entries.get(kind)
    return localise(texts, locale) if texts else kind
