"""What earns: the rules, their conditions and caps, and campaigns.

A *base rule* (per amount, per item) gives points for the lines of a purchase. A *multiplier* adds to what base rules
gave, a *bonus* is given for the purchase as a whole, an *event rule* for something else that a member did, and a
*voucher* for either.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from chalicelib.program.document.parts import (
    BatchId,
    Code,
    Currency,
    Decimal,
    LocalTime,
    Name,
    Part,
    PositiveMinor,
    PositivePoints,
    Rate,
    Texts,
)

Names: TypeAlias = Annotated[tuple[Name, ...], Meta(max_length=500)]
Codes: TypeAlias = Annotated[tuple[Code, ...], Meta(max_length=100)]
Condition: TypeAlias = Annotated[str, Meta(max_length=500)]
"""A JMESPath expression over `event`, `order` and `member`; empty for none."""


class Earning(Part, frozen=True, kw_only=True):
    """Which parts of an order earn: by default neither tax nor shipping, nor what points and gift cards paid for.

    Lines of the excluded SKUs and categories earn nothing by any rule, nor does a purchase of an excluded channel or
    store.
    """

    on_tax: bool = False
    on_shipping: bool = False
    payments_that_earn_nothing: Annotated[tuple[Code, ...], Meta(max_length=20)] = ("points", "gift_card")
    excluded_skus: Names = ()
    excluded_categories: Names = ()
    excluded_channels: Names = ()
    excluded_stores: Names = ()


class Catalogue(Part, frozen=True, kw_only=True):
    """What the shop systems sell, and where: of a list that is given, rules may name nothing else."""

    categories: Annotated[tuple[Name, ...], Meta(max_length=2_000)] = ()
    channels: Names = ()
    stores: Annotated[tuple[Name, ...], Meta(max_length=2_000)] = ()


class Items(Part, frozen=True, kw_only=True):
    """Lines of a purchase: those with one of the SKUs or one of the categories, all where neither is given.

    Lines that are excluded here never belong to them.
    """

    skus: Names = ()
    categories: Names = ()
    excluded_skus: Names = ()
    excluded_categories: Names = ()


class Piece(Part, frozen=True, kw_only=True):
    """A part of a combination: so many of these items."""

    items: Items
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class When(Part, frozen=True, kw_only=True):
    """When a rule fires: everything that is given must hold, and of each list one.

    `weekdays` are 1 for Monday to 7, `month_days` 1 to 31 (会员日), `dates` month and day such as "11-11"; all in the
    programme's zone. A birthday's week begins on Monday, and one of 29 February is kept on the 28th in other years.
    `minimum_minor` is the threshold (满额) that the eligible amount of the rule's items must reach, `minimum_quantity`
    their number, `combination` what must have been bought together. `first_purchase` holds while a member has none.
    """

    tiers: Codes = ()
    segments: Codes = ()
    tags: Codes = ()
    channels: Names = ()
    stores: Names = ()
    weekdays: Annotated[tuple[Annotated[int, Meta(ge=1, le=7)], ...], Meta(max_length=7)] = ()
    month_days: Annotated[tuple[Annotated[int, Meta(ge=1, le=31)], ...], Meta(max_length=31)] = ()
    dates: Annotated[tuple[Annotated[str, Meta(pattern=r"^[0-9]{2}-[0-9]{2}(?!\n)$")], ...], Meta(max_length=100)] = ()
    birthday: Literal["day", "week", "month"] | None = None
    first_purchase: bool = False
    minimum_minor: Annotated[dict[Currency, PositiveMinor], Meta(max_length=20)] = msgspec.field(default_factory=dict)
    minimum_quantity: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    # Every set of them is looked at: 63 of 6.
    combination: Annotated[tuple[Piece, ...], Meta(max_length=6)] = ()
    condition: Condition = ""


class Cap(Part, frozen=True, kw_only=True):
    """How often a member may gain by a rule or campaign, or how many points, in each period of the programme's zone.

    A week begins on Monday. `order` is each single purchase or event, for which only `points` can be capped; `ever` is
    the whole life of the rule or campaign.
    """

    per: Literal["order", "day", "week", "month", "year", "ever"]
    times: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    points: PositivePoints | None = None


class Rule(Part, frozen=True, kw_only=True):
    """What all rules have. `group` names the stacking group; a rule without one always stacks."""

    code: Code
    title: Texts
    when: When = When()
    caps: Annotated[tuple[Cap, ...], Meta(max_length=6)] = ()
    group: Code | None = None


class PerAmount(Rule, frozen=True, kw_only=True, tag="per_amount", tag_field="kind"):
    """Points for the money spent on the items, at the rule's own rate of the currency or else the programme's.

    `qualifies` says whether they count towards the tier.
    """

    items: Items = Items()
    rates: Annotated[dict[Currency, Rate], Meta(max_length=20)] = msgspec.field(default_factory=dict)
    qualifies: bool = True


class QuantityPoints(Part, frozen=True, kw_only=True):
    """From so many pieces on, every one brings `points`."""

    quantity: Annotated[int, Meta(ge=1, le=1_000_000)]
    points: PositivePoints


class PerItem(Rule, frozen=True, kw_only=True, tag="per_item", tag_field="kind"):
    """`points` for each piece of the items; `steps` give more where more are bought (量大优惠)."""

    items: Items
    points: PositivePoints
    steps: Annotated[tuple[QuantityPoints, ...], Meta(max_length=20)] = ()
    qualifies: bool = True


class QuantityFactor(Part, frozen=True, kw_only=True):
    """From so many pieces on, the factor is this."""

    quantity: Annotated[int, Meta(ge=1, le=1_000_000)]
    factor: Decimal


class Multiplier(Rule, frozen=True, kw_only=True, tag="multiplier", tag_field="kind"):
    """What base rules gave for the items, times `factor`; `steps` change it where more are bought (量大优惠).

    With `of` as `base` a factor of 2 adds once what the base rules gave, whatever else multiplies; with `so_far` it
    adds once all that rules before this one gave, multipliers included.
    """

    factor: Decimal
    of: Literal["base", "so_far"] = "base"
    items: Items = Items()
    steps: Annotated[tuple[QuantityFactor, ...], Meta(max_length=20)] = ()


class Bonus(Rule, frozen=True, kw_only=True, tag="bonus", tag_field="kind"):
    """`points` for the purchase; with `repeats` as many times as its threshold, quantity or combination is met."""

    points: PositivePoints
    items: Items = Items()
    repeats: bool = False


class PerEvent(Rule, frozen=True, kw_only=True, tag="per_event", tag_field="kind"):
    """`points` for an event of one of the types, at most once in `cooldown_minutes`.

    `activity` is what it adds to the member's activity, by which tiers may be reached.
    """

    events: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=20)]
    points: Annotated[int, Meta(ge=0, le=1_000_000_000)]
    activity: Annotated[int, Meta(ge=0, le=1_000)] = 1
    cooldown_minutes: Annotated[int, Meta(ge=0, le=527_040)] = 0


class Voucher(Rule, frozen=True, kw_only=True, tag="voucher", tag_field="kind"):
    """A voucher of a batch of single-use codes for the purchase, or where `events` are named, for such an event.

    It brings no points, so its caps are of times.
    """

    voucher_batch_id: BatchId
    items: Items = Items()
    events: Annotated[tuple[Code, ...], Meta(max_length=20)] = ()


Stacking: TypeAlias = Literal["stack", "best", "exclusive"]
EarningRule: TypeAlias = PerAmount | PerItem | Multiplier | Bonus | PerEvent | Voucher
Rules: TypeAlias = Annotated[tuple[EarningRule, ...], Meta(min_length=1, max_length=200)]


class Audience(Part, frozen=True, kw_only=True):
    """Whom a campaign is for: a member with one of each that is given; everybody where none is."""

    tiers: Codes = ()
    segments: Codes = ()
    tags: Codes = ()
    members: Annotated[tuple[Annotated[str, Meta(max_length=40)], ...], Meta(max_length=1_000)] = ()


class Budget(Part, frozen=True, kw_only=True):
    """What a campaign may give in all: points, awards (an order or event that gained by it), or both.

    Each lies in `shards` parts, from which as many may take at once; an award is taken whole, from one part.
    """

    points: Annotated[int, Meta(ge=1, le=1_000_000_000_000)] | None = None
    awards: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None
    shards: Annotated[int, Meta(ge=1, le=20)] = 8


class Campaign(Part, frozen=True, kw_only=True):
    """Rules for a time and an audience, with a budget.

    `status` is what the merchant decided; an active campaign is scheduled, live or ended by its window, which begins
    with `starts_at` and is over at `ends_at` (None: open). `caps` hold for all its rules together.
    """

    code: Code
    title: Texts
    status: Literal["draft", "active", "paused"] = "draft"
    starts_at: LocalTime
    ends_at: LocalTime | None = None
    audience: Audience = Audience()
    rules: Annotated[tuple[EarningRule, ...], Meta(min_length=1, max_length=20)]
    caps: Annotated[tuple[Cap, ...], Meta(max_length=6)] = ()
    budget: Budget | None = None
