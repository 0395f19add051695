"""What orders, refunds and quotes look like at the edge, for the API and the intake queue alike."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.ledger.schema import AccountSummary, EntrySummary
from chalicelib.web.fields import Line

Minor = Annotated[int, Meta(ge=0, le=1_000_000_000_000, description="Money in minor units of the currency.")]
Text = Annotated[str, Meta(max_length=100)]
Key = Line
MemberId = Annotated[
    str, Meta(max_length=40, pattern=r"^mem_[a-z0-9_]+(?!\n)$", description="The engine's id of a member.")
]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset.")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217 code.")]


class _In(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    pass


class Identity(_In, frozen=True, kw_only=True):
    """One of the ways to name a member without the id."""

    phone: Annotated[str, Meta(min_length=3, max_length=32)] | UnsetType = UNSET
    mail: Annotated[str, Meta(min_length=3, max_length=254)] | UnsetType = UNSET
    external: ExternalIdentity | UnsetType = UNSET


class ExternalIdentity(_In, frozen=True, kw_only=True):
    """The member's id in another system."""

    source: Key
    id: Key


class LineIn(_In, frozen=True, kw_only=True):
    """One line of an order; `amount_minor` is for the whole quantity, the line's own discounts taken off."""

    sku: Key
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    amount_minor: Minor
    category: Text = ""


class PaymentIn(_In, frozen=True, kw_only=True):
    """How a part of the total was paid. Points and gift cards earn nothing by default."""

    type: Annotated[
        str, Meta(min_length=1, max_length=40, pattern="^[a-z0-9_]+$", examples=["card", "points", "gift_card"])
    ]
    amount_minor: Minor
    redemption_id: Annotated[str, Meta(pattern="^red_[a-z2-7]{26}$")] | UnsetType = UNSET


class PurchaseIn(_In, frozen=True, kw_only=True):
    """A purchase: what `POST /v1/quotes` takes, and an order without its name.

    `lines` add up to the total less shipping, with tax either inside them or on top, and with `discount_minor` on top
    where that is given: a discount on the whole order (满减), shared by the lines in proportion. `payments` add up to
    the total. Either may be left out.
    """

    currency: Currency
    total_minor: Minor
    tax_minor: Minor = 0
    shipping_minor: Minor = 0
    # Left out it must not show in the request's fingerprint, for orders of before know nothing of it.
    discount_minor: Minor | UnsetType = UNSET
    member_id: MemberId | UnsetType = UNSET
    identity: Identity | UnsetType = UNSET
    channel: Text = ""
    store: Text = ""
    lines: Annotated[tuple[LineIn, ...], Meta(max_length=200)] = ()
    payments: Annotated[tuple[PaymentIn, ...], Meta(max_length=20)] = ()


class QuoteIn(PurchaseIn, frozen=True, kw_only=True):
    """A purchase that may happen; `occurred_at` is now where it is left out."""

    occurred_at: Moment | UnsetType = UNSET


class OrderVoucher(_In, frozen=True, kw_only=True):
    """A voucher that was redeemed for an order, by the id that redeeming it was answered with."""

    redemption_id: Annotated[str, Meta(pattern="^vrd_[a-z2-7]{26}$")]


class OrderIn(PurchaseIn, frozen=True, kw_only=True):
    """A paid order. `source` and `order_id` name it for ever: the shop system and its own order number.

    An order that names the `vouchers` redeemed for it gives them back when all of it is refunded or cancelled.
    """

    source: Key
    order_id: Key
    occurred_at: Moment
    parent: Annotated[str, Meta(pattern="^ord_[a-z2-7]{26}$")] | UnsetType = UNSET
    # As with `discount_minor`, for orders of before know nothing of it.
    vouchers: Annotated[tuple[OrderVoucher, ...], Meta(min_length=1, max_length=20)] | UnsetType = UNSET


class RefundLineIn(_In, frozen=True, kw_only=True):
    """What comes back of one line (counted from 0): an amount, a quantity, or with neither all that is left of it."""

    line: Annotated[int, Meta(ge=0, lt=200)]
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] | UnsetType = UNSET
    amount_minor: Annotated[int, Meta(ge=1, le=1_000_000_000_000)] | UnsetType = UNSET


class RefundIn(_In, frozen=True, kw_only=True):
    """A refund, by lines or by an amount. `refund_id` names it within its order for ever."""

    refund_id: Key
    occurred_at: Moment
    lines: Annotated[tuple[RefundLineIn, ...], Meta(max_length=200)] = ()
    amount_minor: Annotated[int, Meta(ge=1, le=1_000_000_000_000)] | UnsetType = UNSET
    note: Annotated[str, Meta(max_length=500)] = ""


class CancelIn(_In, frozen=True, kw_only=True):
    """Cancelling an order: whatever was not refunded yet goes back."""

    occurred_at: Moment
    note: Annotated[str, Meta(max_length=500)] = ""


class OrderMessage(_In, frozen=True, kw_only=True, tag="order", tag_field="type"):
    """An order on the intake queue."""

    order: OrderIn


class RefundMessage(_In, frozen=True, kw_only=True, tag="refund", tag_field="type"):
    """A refund on the intake queue; the order goes by the shop's own name for it."""

    source: Key
    order_id: Key
    refund: RefundIn


class CancelMessage(_In, frozen=True, kw_only=True, tag="cancel", tag_field="type"):
    """A cancellation on the intake queue."""

    source: Key
    order_id: Key
    cancel: CancelIn


Message = OrderMessage | RefundMessage | CancelMessage


class ExplanationOut(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule did: whether it fired, why, and the points it gave.

    The points of all add up to those of the order. `campaign` is that of the rule. A cap took `cut_points` off, and
    `cut_by` says which: `order`, `day`, `week`, `month`, `year` or `ever`, with `campaign_` before it where it is the
    campaign's; both are 0 and null where none did. `voucher_id` is the voucher that it gave.
    """

    rule: str
    campaign: str | None
    fired: bool
    reason: str
    points: int
    cut_points: int
    cut_by: str | None
    voucher_id: str | None


class GivenVoucherOut(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher that a rule gave: the member's list of vouchers shows its code."""

    rule: str
    voucher_batch_id: str
    voucher_id: str


class RefundOut(msgspec.Struct, frozen=True, kw_only=True):
    """A refund or cancellation as recorded.

    `clawed_points` of what the order earned are taken back (with those that had expired already), and `returned_points`
    of what paid it go back to the redemptions they came from.
    """

    id: str
    kind: Literal["refund", "order_cancelled", "pending_cancelled"]
    amount_minor: int
    clawed_points: int
    returned_points: int
    occurred_at: str
    posted_at: str


class OrderOut(msgspec.Struct, frozen=True, kw_only=True):
    """An order as recorded. `member_id` is null, and nothing explained, while nobody has claimed it.

    `vouchers` were used on it, `given_vouchers` were given for it by rules; an unused one is taken out of use with the
    refund or cancellation by which all of the order has gone back.
    """

    id: str
    status: Literal["posted", "unclaimed", "partly_refunded", "refunded", "cancelled"]
    source: str
    order_id: str
    member_id: str | None
    occurred_at: str
    posted_at: str
    currency: str
    total_minor: int
    refunded_minor: int
    earned_points: int
    clawed_points: int
    line_points: tuple[int, ...]
    points_available_at: str | None
    points_expire_at: str | None
    explanations: tuple[ExplanationOut, ...]
    vouchers: tuple[OrderVoucher, ...]
    given_vouchers: tuple[GivenVoucherOut, ...]
    refunds: tuple[RefundOut, ...]


class OrderPosted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an order: `entry` and `account` are null for an order that nobody has claimed yet."""

    order: OrderOut
    entry: EntrySummary | None
    account: AccountSummary | None


class RefundPosted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a refund or cancellation; without entry and account while the order is unclaimed."""

    refund: RefundOut
    entry: EntrySummary | None
    account: AccountSummary | None


class QuoteOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a purchase would earn if it were posted now.

    A campaign whose budget cannot pay for it any more gives nothing (`budget_exhausted`); one that can may be spent by
    others before the order comes.
    """

    points: int
    qualifying_points: int
    eligible_minor: int
    tier: str
    line_points: tuple[int, ...]
    available_at: str | None
    expires_at: str | None
    program_version: int
    explanations: tuple[ExplanationOut, ...]
