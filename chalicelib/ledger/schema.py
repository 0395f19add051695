"""What every answer to a posting shows of the ledger."""

from __future__ import annotations

import msgspec

from chalicelib.ledger.records import Record


class EntrySummary(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger entry that an operation made: its place in the member's chain and its net points."""

    seq: int
    kind: str
    points: int
    posted_at: str


class AccountSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The account right after an entry."""

    member_id: str
    available: int
    owed: int
    pending: int
    tier: str
    as_of: str


def entry_summary(record: Record) -> EntrySummary | None:
    """The entry that a record was committed with; None for one that moved no account."""
    if not record.has_entry:
        return None
    return EntrySummary(seq=record.seq, kind=record.kind, points=record.points or 0, posted_at=record.posted_at)


def account_summary(record: Record) -> AccountSummary | None:
    """The account right after a record was committed; None for one that moved no account."""
    if not record.has_entry:
        return None
    return AccountSummary(
        member_id=record.member_id,
        available=record.available or 0,
        owed=record.owed or 0,
        pending=record.pending or 0,
        tier=record.tier or "",
        as_of=record.posted_at,
    )
