"""The catalogue: what members may have for their points."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from chalicelib.program.document.earning import Audience, Codes
from chalicelib.program.document.parts import Code, Currency, LocalTime, Part, Points, PositiveMinor, Texts

Pieces: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Story: TypeAlias = Annotated[str, Meta(max_length=2_000)]
# A page that is served over https shows no picture that is not.
PictureUrl: TypeAlias = Annotated[str, Meta(max_length=500, pattern=r"^https://[^\s]+(?!\n)$")]


class Stories(Part, frozen=True, kw_only=True):
    """One longer text in every language."""

    en: Story
    zh_hans: Story = msgspec.field(name="zh-Hans")
    zh_hant: Story = msgspec.field(name="zh-Hant")


class Price(Part, frozen=True, kw_only=True):
    """What one piece costs: `points`, and with `cash_minor` that much money beside them, in each currency."""

    points: Points
    cash_minor: Annotated[dict[Currency, PositiveMinor], Meta(max_length=20)] = msgspec.field(default_factory=dict)


class PieceLimit(Part, frozen=True, kw_only=True):
    """How many pieces a member may take in each period of the programme's zone; a week begins on Monday."""

    per: Literal["day", "week", "month", "year", "ever"]
    pieces: Pieces


class Stock(Part, frozen=True, kw_only=True):
    """How many pieces there are in all, ever: `total` is only raised. Of a `daily` one it is how many a day.

    They lie in `shards` parts, each of which takes some hundred members a second; what is taken at once is taken from
    one part.
    """

    total: Annotated[int, Meta(ge=0, le=1_000_000_000)]
    shards: Annotated[int, Meta(ge=1, le=20)] = 1


class Reward(Part, frozen=True, kw_only=True):
    """Something to be had for points.

    One of the `prices` is paid for each piece, of which one at the most is in points alone; members of the tiers in
    `free_for` pay nothing. `worth_minor` is what a discount or gift card is worth at the till, and what an order may be
    paid with. The window begins with `starts_at`, for some tiers `early_hours` before, and is over at `ends_at` (None:
    open). `order` sorts the catalogue, lowest first. With `fulfilment` as `ship` it is sent, with `till` used at a
    till, with `voucher` it is one of the batch `voucher_batch_id`, and with `none` nobody hands anything over.
    """

    code: Code
    kind: Literal["goods", "discount", "gift_card", "experience", "charity"]
    title: Texts
    description: Stories | None = None
    picture_urls: Annotated[tuple[PictureUrl, ...], Meta(max_length=10)] = ()
    tags: Codes = ()
    order: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    fulfilment: Literal["ship", "till", "voucher", "none"] = "till"
    prices: Annotated[tuple[Price, ...], Meta(min_length=1, max_length=10)]
    free_for: Codes = ()
    worth_minor: Annotated[dict[Currency, PositiveMinor], Meta(max_length=20)] = msgspec.field(default_factory=dict)
    starts_at: LocalTime | None = None
    ends_at: LocalTime | None = None
    early_hours: Annotated[dict[Code, Annotated[int, Meta(ge=1, le=8_784)]], Meta(max_length=5)] = msgspec.field(
        default_factory=dict
    )
    audience: Audience = Audience()
    members_only: bool = False
    limits: Annotated[tuple[PieceLimit, ...], Meta(max_length=5)] = ()
    stock: Stock | None = None
    daily: Stock | None = None
    voucher_batch_id: Annotated[str, Meta(pattern=r"^(vbt_[a-z0-9]{26})?(?!\n)$")] = ""
