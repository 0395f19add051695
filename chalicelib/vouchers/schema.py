"""What vouchers look like at the edge."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.ledger.schema import AccountSummary, EntrySummary
from chalicelib.vouchers.document import Batch
from chalicelib.vouchers.importing import LINES_MAX, BadLine
from chalicelib.vouchers.jobs import CODES_MAX
from chalicelib.web.fields import Line

Minor = Annotated[int, Meta(ge=0, le=1_000_000_000_000, description="Money in minor units of the currency.")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217 code.", examples=["CNY"])]
MemberId = Annotated[
    str, Meta(max_length=40, pattern=r"^mem_[a-z0-9_]+(?!\n)$", description="The engine's id of a member.")
]
Session = Annotated[Line, Meta(description="The shop's own name for a checkout.")]
Codes = Annotated[tuple[Annotated[str, Meta(max_length=128)], ...], Meta(max_length=20)]


class _In(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    pass


class VoucherLineIn(_In, frozen=True, kw_only=True):
    """A line of an order; `amount_minor` is for its whole quantity, other discounts taken off."""

    sku: Line
    amount_minor: Minor
    category: Annotated[str, Meta(max_length=100)] = ""


class VoucherSketchIn(_In, frozen=True, kw_only=True):
    """An order as far as a voucher has to know it; `total_minor` includes shipping.

    `session` names the checkout and `other_codes` the vouchers that are to be used on the same order.
    """

    currency: Currency
    total_minor: Minor
    shipping_minor: Minor = 0
    lines: Annotated[tuple[VoucherLineIn, ...], Meta(max_length=200)] = ()
    member_id: MemberId | UnsetType = UNSET
    session: Session | UnsetType = UNSET
    other_codes: Codes = ()


class VoucherLockIn(VoucherSketchIn, frozen=True, kw_only=True):
    """Keep a voucher for a checkout, for `ttl_seconds`."""

    session: Session
    ttl_seconds: Annotated[int, Meta(ge=30, le=86_400)] = 900


class VoucherUnlockIn(_In, frozen=True, kw_only=True):
    """End the lock of a checkout."""

    session: Session


class VoucherRedeemIn(VoucherSketchIn, frozen=True, kw_only=True):
    """Use a voucher on the order that the shop's system `source` calls `order_id`."""

    source: Line
    order_id: Line


class VoucherRollbackIn(_In, frozen=True, kw_only=True):
    """Take back the use of a voucher on an order: the newest one, or that which `redemption_id` names."""

    source: Line
    order_id: Line
    redemption_id: Annotated[str, Meta(pattern="^vrd_[a-z2-7]{26}$")] | UnsetType = UNSET


class GiftOut(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces of an article that the shop gives for nothing."""

    sku: str
    quantity: int


class VoucherWorth(msgspec.Struct, frozen=True, kw_only=True):
    """What a voucher takes off an order, in all and (where it reduces the goods) by line, or what it gives for it."""

    discount_minor: int
    currency: str
    line_discounts_minor: tuple[int, ...]
    points: int
    gift: GiftOut | None


class VoucherOut(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher and what it is worth for the order that was asked about; `locked_until` where the session has it."""

    id: str
    batch_id: str
    title: str
    effect: Literal["percentage", "amount", "gift", "free_shipping", "points"]
    stacking: Literal["alone", "with_others"]
    ends_at: str | None
    locked_until: str | None
    worth: VoucherWorth


class VoucherUnlocked(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher that the session does not keep, or no longer."""

    id: str
    batch_id: str


class VoucherRedemptionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A use of a voucher. `status` is as of now, also where a request is repeated."""

    id: str
    status: Literal["redeemed", "rolled_back"]
    voucher_id: str
    batch_id: str
    member_id: str | None
    source: str
    order_id: str
    worth: VoucherWorth
    redeemed_at: str
    rolled_back_at: str | None


class VoucherRedeemed(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a use or its rolling back, with the entry that moved points, if any."""

    redemption: VoucherRedemptionOut
    entry: EntrySummary | None
    account: AccountSummary | None


class MemberVoucherOut(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher of a member's."""

    id: str
    code: str
    status: Literal["open", "used", "expired"]
    batch_id: str
    title: str
    effect: Literal["percentage", "amount", "gift", "free_shipping", "points"]
    issued_at: str
    starts_at: str | None
    ends_at: str | None
    used_at: str | None


class MemberVouchersOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a member's vouchers, newest first."""

    vouchers: tuple[MemberVoucherOut, ...]
    next_cursor: str | None


class VoucherIssueIn(_In, frozen=True, kw_only=True):
    """Issue a voucher of a batch to the member."""

    batch_id: Annotated[str, Meta(pattern="^vbt_[a-z2-7]{26}$")]


class VoucherIssued(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher that was issued, with its code."""

    id: str
    code: str
    batch_id: str
    member_id: str
    issued_at: str
    ends_at: str | None


class VoucherBatchIn(Batch, frozen=True, kw_only=True):
    """A batch of vouchers; it never changes, but may be paused."""


class VoucherBatchStateIn(_In, frozen=True, kw_only=True):
    """Whether vouchers of the batch may be used."""

    state: Literal["active", "paused"]


class VoucherCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in a batch so far, exactly. `in_use` is what was redeemed and not rolled back.

    `left` is what the limit in total leaves (locks that lapsed count as taken until somebody needs them).
    `redeemed_per_mille` is `in_use` for every thousand issued.
    """

    issued: int
    locked: int
    redeemed: int
    rolled_back: int
    in_use: int
    left: int | None
    redeemed_per_mille: int


class VoucherBatchMade(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as it was made; `code` is that of a shared voucher."""

    id: str
    created_at: str
    time_zone: str
    code: str | None
    definition: Batch


class VoucherBatchOut(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as it is now; `code` is that of a shared voucher."""

    id: str
    state: Literal["active", "paused"]
    created_at: str
    time_zone: str
    code: str | None
    definition: Batch
    counts: VoucherCounts


class VoucherBatchLine(msgspec.Struct, frozen=True, kw_only=True):
    """A batch in the list."""

    id: str
    title: str
    kind: Literal["single", "shared"]
    effect: Literal["percentage", "amount", "gift", "free_shipping", "points"]
    state: Literal["active", "paused"]
    code: str | None
    created_at: str


class VoucherBatchesOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of batches, newest first."""

    batches: tuple[VoucherBatchLine, ...]
    next_cursor: str | None


class VoucherJobIn(_In, frozen=True, kw_only=True):
    """Make so many codes."""

    codes: Annotated[int, Meta(ge=1, le=CODES_MAX, examples=[100_000])]


class VoucherJobBegun(msgspec.Struct, frozen=True, kw_only=True):
    """A bulk job as it was begun."""

    id: str
    batch_id: str
    codes: int
    started_at: str


class VoucherJobOut(msgspec.Struct, frozen=True, kw_only=True):
    """A bulk job and how far it is, exactly."""

    id: str
    batch_id: str
    status: Literal["running", "done"]
    codes: int
    made: int
    started_at: str
    changed_at: str


class VoucherCodesOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a job's codes as CSV (number, code), with a line of titles."""

    csv: str
    codes: int
    next_cursor: str | None


class VoucherImportIn(_In, frozen=True, kw_only=True):
    """Codes that were made elsewhere, one a line."""

    codes: Annotated[tuple[Annotated[str, Meta(max_length=128)], ...], Meta(min_length=1, max_length=LINES_MAX)]


class VoucherImported(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an import: each line is either taken or named, with the reason."""

    id: str
    batch_id: str
    imported: int
    refused: tuple[BadLine, ...]
