"""What a member's account, statement and chain look like at the edge."""

from __future__ import annotations

from typing import Literal

import msgspec


class LotOut(msgspec.Struct, frozen=True, kw_only=True):
    """Points that expire together; null means never."""

    points: int
    expires_at: str | None


class PendingOut(msgspec.Struct, frozen=True, kw_only=True):
    """Points that are on their way."""

    points: int
    available_at: str


class NextTierOut(msgspec.Struct, frozen=True, kw_only=True):
    """The next tier up, and what is missing for it now: qualifying points, spending, purchases and activity.

    What it does not ask for is null. With `match` `all` everything is needed; with `any` one of them is enough, and
    `nearest` is the one of which the smallest part is missing.
    """

    code: str
    name: str
    points: int | None
    spend_minor: int | None
    purchases: int | None
    activity: int | None
    match: Literal["all", "any"]
    nearest: Literal["points", "spend_minor", "purchases", "activity"] | None


class KeepOut(msgspec.Struct, frozen=True, kw_only=True):
    """What is still missing for keeping the tier; to be read as that which is missing for the next one.

    Where nothing is missing, `nearest` is null.
    """

    points: int | None
    spend_minor: int | None
    purchases: int | None
    activity: int | None
    match: Literal["all", "any"]
    nearest: Literal["points", "spend_minor", "purchases", "activity"] | None


class StandingOut(msgspec.Struct, frozen=True, kw_only=True):
    """The member's tier. The first tier has no term, and the last has nothing above it.

    The tier is judged at `until`: at the end of its term, and if the programme gives a grace to who falls short then,
    at the end of that. `missing_to_keep` is what is still missing before `until` for keeping the tier, and `to_keep`
    are the qualifying points of that (null where the tiers ask for none).
    """

    code: str
    name: str
    since: str | None
    until: str | None
    to_next: NextTierOut | None
    to_keep: int | None
    missing_to_keep: KeepOut | None


class LifetimeOut(msgspec.Struct, frozen=True, kw_only=True):
    """All points that ever came or went, by cause; what came first, with corrections and mergers either way."""

    earned: int
    restored: int
    adjusted: int
    merged: int
    redeemed: int
    expired: int
    clawed: int


class AccountOut(msgspec.Struct, frozen=True, kw_only=True):
    """A member's points at `as_of`. `available` is below zero while more is owed than there is."""

    member_id: str
    available: int
    owed: int
    lots: tuple[LotOut, ...]
    pending: tuple[PendingOut, ...]
    tier: StandingOut
    lifetime: LifetimeOut
    as_of: str


class EntryOut(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the statement.

    `expired` are the points that lapsed since the line before, and `available` is the balance after this one.
    """

    seq: int
    kind: str
    reason: str
    title: str
    points: int
    expired: int
    available: int
    tier: str
    record: str
    actor: Literal["member", "staff", "system"]
    amount_minor: int | None
    currency: str | None
    occurred_at: str
    posted_at: str


class StatementOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the statement, newest first; without `next_cursor` it is the last."""

    entries: tuple[EntryOut, ...]
    next_cursor: str | None


class LinkOut(msgspec.Struct, frozen=True, kw_only=True):
    """One link of the chain, complete.

    `effect` and `state` are the packed bytes that `hash` covers, `prev` the hash of the link before; all in base 64.
    """

    member_id: str
    seq: int
    kind: str
    record: str
    reason: str
    actor: str
    program: int
    occurred_at: int
    posted_at: int
    points: int
    expired: int
    amount_minor: int
    currency: str
    tier: str
    effect: bytes
    state: bytes
    prev: bytes
    hash: bytes


class ProofOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the chain, oldest first; without `next_cursor` it is the last."""

    entries: tuple[LinkOut, ...]
    next_cursor: str | None
