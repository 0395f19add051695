"""What redemptions look like at the edge."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.ledger.schema import AccountSummary, EntrySummary


class RedemptionIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Spend `points` as a discount in `currency`, at the programme's rate.

    With `hold_seconds` they are only reserved, for a checkout: commit or release the redemption before that time is up.
    """

    points: Annotated[int, Meta(ge=1, le=1_000_000_000, description="Points to spend.", examples=[500])]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217 code.", examples=["CNY"])]
    note: Annotated[str, Meta(max_length=500)] = ""
    hold_seconds: Annotated[int, Meta(ge=30, le=86_400)] | UnsetType = UNSET


class RedemptionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A redemption: what it spends, what it is worth at the till, and what became of it.

    `returned_points` is what refunds of the order that used it have put back.
    """

    id: str
    status: Literal["held", "lapsed", "released", "issued", "used", "cancelled"]
    member_id: str
    points: int
    amount_minor: int
    currency: str
    issued_at: str
    held_until: str | None
    returned_points: int
    order_id: str | None
    cancelled_at: str | None


class RedemptionPosted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a redemption or its cancellation."""

    redemption: RedemptionOut
    entry: EntrySummary | None
    account: AccountSummary | None
