"""What a batch of vouchers says: its effect, when, for whom, on what and how often it may be used. Pure."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Annotated, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from chalicelib.base import clock, money
from chalicelib.base.errors import Invalid
from chalicelib.program.document.parts import Code, Currency, Decimal, Name, Part, PositiveMinor, PositivePoints, Texts

Amounts: TypeAlias = Annotated[dict[Currency, PositiveMinor], Meta(min_length=1, max_length=20)]
"""Minor units by currency."""

_CENT = 100


class Percentage(Part, frozen=True, kw_only=True, tag_field="type", tag="percentage"):
    """A part of the eligible amount, such as "12.5" percent, and no more than `max_minor` in the order's currency."""

    percent: Decimal
    max_minor: dict[Currency, PositiveMinor] = msgspec.field(default_factory=dict)

    @property
    def rate(self) -> Fraction:
        """The part as a ratio."""
        return money.rate(self.percent) / _CENT


class Amount(Part, frozen=True, kw_only=True, tag_field="type", tag="amount"):
    """An amount off, in each currency for which there is one."""

    amount_minor: Amounts


class Gift(Part, frozen=True, kw_only=True, tag_field="type", tag="gift"):
    """So many pieces of an article for nothing; the shop puts them into the parcel."""

    sku: Name
    quantity: Annotated[int, Meta(ge=1, le=1000)] = 1


class FreeShipping(Part, frozen=True, kw_only=True, tag_field="type", tag="free_shipping"):
    """The order's shipping, and no more than `max_minor` in the order's currency."""

    max_minor: dict[Currency, PositiveMinor] = msgspec.field(default_factory=dict)


class Points(Part, frozen=True, kw_only=True, tag_field="type", tag="points"):
    """Points on the member's account, by the programme's own expiry."""

    points: PositivePoints


Effect = Percentage | Amount | Gift | FreeShipping | Points


class Validity(Part, frozen=True, kw_only=True):
    """When vouchers are good: from `starts_at` (included) until `ends_at` (excluded), to the second.

    With `days_after_issue` each is good until the end of that many days after the day on which it was issued, on the
    clocks of `time_zone` (the programme's where it is left out); of two ends the earlier counts.
    """

    starts_at: Annotated[datetime, Meta(tz=True)] | None = None
    ends_at: Annotated[datetime, Meta(tz=True)] | None = None
    days_after_issue: Annotated[int, Meta(ge=0, le=3660)] | None = None
    time_zone: Annotated[str, Meta(max_length=64)] = ""


class Items(Part, frozen=True, kw_only=True):
    """Which lines of an order count: those of these SKUs or categories (all, where neither is named), less others."""

    skus: Annotated[tuple[Name, ...], Meta(max_length=500)] = ()
    categories: Annotated[tuple[Name, ...], Meta(max_length=200)] = ()
    excluded_skus: Annotated[tuple[Name, ...], Meta(max_length=500)] = ()
    excluded_categories: Annotated[tuple[Name, ...], Meta(max_length=200)] = ()

    @property
    def is_everything(self) -> bool:
        """Whether lines need not be looked at."""
        return self == _EVERYTHING

    def cover(self, sku: str, category: str) -> bool:
        """Whether a line counts."""
        if sku in self.excluded_skus or category in self.excluded_categories:
            return False
        return not (self.skus or self.categories) or sku in self.skus or category in self.categories


_EVERYTHING = Items()


class Limits(Part, frozen=True, kw_only=True):
    """How often vouchers of the batch may be used, by one member and in all; without a number as often as one likes."""

    per_member: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    total: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None


class Batch(Part, frozen=True, kw_only=True):
    """A batch: `single` vouchers have a code each and are used once, a `shared` one has one `code` that many use.

    An `owner` of `member` binds each voucher to the member whom it is issued to; a bearer voucher is good for whoever
    knows the code. One that stands `alone` goes with no other voucher on the same order. Fields are only added, with a
    default: batches are read for ever.
    """

    title: Texts
    kind: Literal["single", "shared"]
    effect: Effect
    code: Annotated[str, Meta(max_length=40)] = ""
    validity: Validity = Validity()
    minimum_minor: dict[Currency, PositiveMinor] = msgspec.field(default_factory=dict)
    items: Items = Items()
    tiers: Annotated[tuple[Code, ...], Meta(max_length=20)] = ()
    limits: Limits = Limits()
    stacking: Literal["alone", "with_others"] = "with_others"
    owner: Literal["member", "bearer"] = "bearer"

    @property
    def needs_member(self) -> bool:
        """Whether somebody must be named before it can be used."""
        return bool(self.owner == "member" or self.tiers or self.limits.per_member or isinstance(self.effect, Points))

    def ends_at(self, issued_at: int, zone: ZoneInfo) -> int | None:
        """The instant from which a voucher issued then is expired; None for never."""
        validity = self.validity
        ends = [clock.seconds(validity.ends_at)] if validity.ends_at else []
        if validity.days_after_issue is not None:
            ends.append(clock.day_start(issued_at, validity.days_after_issue + 1, zone))
        return min(ends, default=None)

    @property
    def starts_at(self) -> int | None:
        """The first instant at which its vouchers are good; None for at once."""
        return clock.seconds(self.validity.starts_at) if self.validity.starts_at else None


_BATCHES = msgspec.json.Decoder(Batch)


def encode(batch: Batch) -> str:
    """A batch as it is stored."""
    return msgspec.json.encode(batch).decode()


def decode(text: str) -> Batch:
    """The inverse of `encode`, for this and every earlier version."""
    return _BATCHES.decode(text)


def read(document: Any) -> Batch:
    """A batch from plain JSON data. Raises Invalid."""
    try:
        batch = msgspec.convert(document, Batch)
    except msgspec.ValidationError as fault:
        raise Invalid(f"{fault}.", code="batch_invalid") from fault
    check(batch)
    return batch


def check(batch: Batch) -> None:
    """Raises Invalid (`batch_invalid`) for a batch that contradicts itself."""
    for holds, field, detail in (
        (_is_percentage(batch.effect), "effect.percent", "A percentage is a decimal above 0 and not above 100."),
        (_is_window(batch.validity), "validity.ends_at", "The end comes after the start."),
        (_is_zone(batch.validity.time_zone), "validity.time_zone", "Name a zone of the IANA database."),
        (not batch.code or batch.kind == "shared", "code", "Single vouchers get a code each; leave it out."),
        (batch.kind == "single" or batch.owner == "bearer", "owner", "A shared code is nobody's own."),
    ):
        if not holds:
            raise Invalid(detail, field=field, code="batch_invalid")


def invalid_code(field: str) -> Invalid:
    """The refusal of what can be no code."""
    return Invalid(
        "A code is 4 to 32 letters and digits; blanks and hyphens do not count.",
        field=field,
        code="voucher_code_invalid",
    )


def _is_percentage(effect: Effect) -> bool:
    if not isinstance(effect, Percentage):
        return True
    try:
        return 0 < effect.rate <= 1
    except ValueError:
        return False


def _is_window(validity: Validity) -> bool:
    return validity.starts_at is None or validity.ends_at is None or validity.starts_at < validity.ends_at


def _is_zone(name: str) -> bool:
    try:
        return not name or bool(ZoneInfo(name))
    except (KeyError, OSError, ValueError):
        return False
