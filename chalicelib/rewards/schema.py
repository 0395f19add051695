"""What redemptions look like at the edge."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.ledger.schema import AccountSummary, EntrySummary


class RedemptionIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Spend `points` as a discount in `currency`, at the programme's rate."""

    points: Annotated[int, Meta(ge=1, le=1_000_000_000, description="Points to spend.", examples=[500])]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217 code.", examples=["CNY"])]
    note: Annotated[str, Meta(max_length=500)] = ""


class RedemptionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A redemption: what was spent, what it is worth at the till, and what became of it."""

    id: str
    status: Literal["issued", "used", "cancelled"]
    member_id: str
    points: int
    amount_minor: int
    currency: str
    issued_at: str
    order_id: str | None
    cancelled_at: str | None


class RedemptionPosted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a redemption or its cancellation."""

    redemption: RedemptionOut
    entry: EntrySummary | None
    account: AccountSummary | None
