"""What redemptions look like at the edge."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.ledger.schema import AccountSummary, EntrySummary


class RedemptionIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Spend `points` as a discount in `currency`, at the programme's rate; or take a reward by its `reward_id`.

    A reward is priced by the catalogue: leave `points` out. `cash_minor` is the money of `currency` that is paid beside
    the points, for all pieces, and chooses among the prices; `currency` also says in which money a gift card is wanted.
    With `hold_seconds` all is only reserved, for a checkout: commit or release the redemption before that time is up.
    """

    points: Annotated[int, Meta(ge=1, le=1_000_000_000, description="Points to spend.", examples=[500])] | UnsetType = (
        UNSET
    )
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217 code.", examples=["CNY"])] | UnsetType = (
        UNSET
    )
    note: Annotated[str, Meta(max_length=500)] = ""
    hold_seconds: Annotated[int, Meta(ge=30, le=86_400)] | UnsetType = UNSET
    reward_id: Annotated[str, Meta(min_length=1, max_length=32, examples=["tea_mug"])] | UnsetType = UNSET
    quantity: Annotated[int, Meta(ge=1, le=1_000)] | UnsetType = UNSET
    cash_minor: Annotated[int, Meta(ge=0, le=1_000_000_000_000)] | UnsetType = UNSET


class ShipIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What was redeemed is on its way; `tracking` is how to follow it, in the carrier's words."""

    tracking: Annotated[str, Meta(max_length=200)] = ""


class UseIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What was redeemed is handed over; `store` is where."""

    store: Annotated[str, Meta(max_length=100)] = ""


class RewardTaken(msgspec.Struct, frozen=True, kw_only=True):
    """What was redeemed: a reward by its title as it was then, and the money to be paid beside the points.

    `voucher_code` is the code of the voucher that it is, from the issue until it is cancelled.
    """

    id: str
    title: str
    quantity: int
    fulfilment: Literal["ship", "till", "voucher", "none"]
    cash_minor: int
    cash_currency: str | None
    voucher_code: str | None


class StepOut(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a redemption, and when; `order_id`, `store` and `tracking` say with or where."""

    kind: str
    at: str
    by: Literal["member", "staff", "system"] | None
    order_id: str | None = None
    store: str | None = None
    tracking: str | None = None


class RedemptionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A redemption: what it spends, what it is worth at the till, and what became of it.

    `reward` is null for a discount, and `currency` for what is worth no money. `returned_points` is what refunds of the
    order that used it have put back. `history` has everything that happened, oldest first.
    """

    id: str
    status: Literal["held", "lapsed", "released", "issued", "shipped", "used", "cancelled"]
    member_id: str
    points: int
    amount_minor: int
    currency: str | None
    issued_at: str
    held_until: str | None
    returned_points: int
    order_id: str | None
    cancelled_at: str | None
    reward: RewardTaken | None
    history: tuple[StepOut, ...]


class RedemptionPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a member's redemptions, newest first."""

    redemptions: tuple[RedemptionOut, ...]
    next_cursor: str | None


class RedemptionPosted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a redemption or its cancellation."""

    redemption: RedemptionOut
    entry: EntrySummary | None
    account: AccountSummary | None


class PriceOut(msgspec.Struct, frozen=True, kw_only=True):
    """What one piece costs: points, and so much money beside them; `cash_minor` is 0 for points alone."""

    points: int
    cash_minor: int
    currency: str | None


class AmountOut(msgspec.Struct, frozen=True, kw_only=True):
    """An amount of money."""

    amount_minor: int
    currency: str


class OfferOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this member may take one piece now and, if not, why, and when that changes (null where nobody knows).

    `reason` is the code by which taking it would be refused. `missing_points` are those short of the cheapest price,
    and `max_quantity` is how many pieces may be taken at once as far as limits, points and stock go; null: any number.
    """

    available: bool
    reason: (
        Literal[
            "reward_not_yet",
            "reward_ended",
            "wrong_tier",
            "reward_not_for_you",
            "limit_reached",
            "sold_out",
            "sold_out_today",
            "insufficient_points",
            "not_a_member",
        ]
        | None
    )
    changes_at: str | None
    missing_points: int
    max_quantity: int | None


class RewardOut(msgspec.Struct, frozen=True, kw_only=True):
    """A reward of the catalogue. `opens_at` is when it begins for this member; `left` are the pieces in stock."""

    id: str
    kind: Literal["goods", "discount", "gift_card", "experience", "charity"]
    title: str
    description: str
    picture_urls: tuple[str, ...]
    tags: tuple[str, ...]
    fulfilment: Literal["ship", "till", "voucher", "none"]
    prices: tuple[PriceOut, ...]
    worth: tuple[AmountOut, ...]
    tiers: tuple[str, ...]
    opens_at: str | None
    ends_at: str | None
    left: int | None
    offer: OfferOut


class CataloguePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the catalogue, in its order."""

    rewards: tuple[RewardOut, ...]
    next_cursor: str | None
