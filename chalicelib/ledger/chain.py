"""Ledger entries and the chain of hashes that ties each to the one before: pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

import msgspec

from chalicelib.ledger.effects import Effect, apply, fold, pack_effect, unpack_effect
from chalicelib.ledger.state import State, pack, unpack


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What an area decided to post.

    `record` is the id of the business record committed with the entry, `reason` the code under which the programme
    titles it, `tier` the member's tier code after it. `amount_minor` and `currency` are money that the fact is about.
    """

    kind: str
    record: str
    reason: str
    actor: str
    program: int
    occurred_at: int
    effect: Effect
    tier: str
    amount_minor: int = 0
    currency: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One link of a member's chain: a fact, its effect, and the account's state after it.

    `points` is the net movement, `expired` what lapsed by date since the entry before, `prev` the hash of that entry.
    Effect and state are kept as they were packed, for it is these bytes that are hashed: a later release, whose structs
    have grown, would pack the same state differently.
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
    packed_effect: bytes
    packed_state: bytes
    prev: bytes

    def __post_init__(self) -> None:
        """Read effect and state at once, so that an entry that cannot be read is never made. Raises MsgspecError."""
        _ = self.effect, self.state

    @cached_property
    def effect(self) -> Effect:
        """What the entry changed."""
        return unpack_effect(self.packed_effect)

    @cached_property
    def state(self) -> State:
        """The account's state after it."""
        return unpack(self.packed_state)


class BrokenChain(Exception):
    """An entry does not follow from the one before it."""

    def __init__(self, member_id: str, seq: int, fault: str) -> None:
        super().__init__(f"entry {seq} of {member_id}: {fault}")
        self.seq = seq


def genesis(member_id: str) -> bytes:
    """What stands for the hash of the entry before the first; it binds the chain to its member."""
    return hashlib.sha256(b"huike ledger of " + member_id.encode()).digest()


def entry_hash(entry: Entry) -> bytes:
    """SHA-256 over the entry's packed fields, `prev` included."""
    fields = (
        entry.member_id,
        entry.seq,
        entry.kind,
        entry.record,
        entry.reason,
        entry.actor,
        entry.program,
        entry.occurred_at,
        entry.posted_at,
        entry.points,
        entry.expired,
        entry.amount_minor,
        entry.currency,
        entry.tier,
        entry.packed_effect,
        entry.packed_state,
        entry.prev,
    )
    return hashlib.sha256(msgspec.msgpack.encode(fields)).digest()


def link(member_id: str, tail: Entry | None, decision: Decision, posted_at: int) -> Entry:
    """The entry that `decision` appends after `tail` (None before the first) at `posted_at`."""
    before = tail.state if tail else State()
    after = apply(fold(before, posted_at).state, decision.effect, posted_at)
    return Entry(
        member_id=member_id,
        seq=tail.seq + 1 if tail else 1,
        kind=decision.kind,
        record=decision.record,
        reason=decision.reason,
        actor=decision.actor,
        program=decision.program,
        occurred_at=decision.occurred_at,
        posted_at=posted_at,
        points=decision.effect.net,
        expired=after.lifetime.expired - before.lifetime.expired,
        amount_minor=decision.amount_minor,
        currency=decision.currency,
        tier=decision.tier,
        packed_effect=pack_effect(decision.effect),
        packed_state=pack(after),
        prev=entry_hash(tail) if tail else genesis(member_id),
    )


def verify(entries: Sequence[Entry]) -> None:
    """Check a whole chain, from entry 1 on: gapless, hashed, and each state following from the one before.

    Raises BrokenChain at the first entry that is wrong. No programme is needed.
    """
    tail: Entry | None = None
    for entry in entries:
        verify_next(tail, entry)
        tail = entry


def verify_next(tail: Entry | None, entry: Entry) -> None:
    """Check one entry against the one before it. Raises BrokenChain."""
    expected_seq = tail.seq + 1 if tail else 1
    if entry.seq != expected_seq:
        raise BrokenChain(entry.member_id, entry.seq, f"expected entry {expected_seq}")
    if tail and entry.posted_at < tail.posted_at:
        raise BrokenChain(entry.member_id, entry.seq, "posted before the entry that it follows")
    if entry.prev != (entry_hash(tail) if tail else genesis(entry.member_id)):
        raise BrokenChain(entry.member_id, entry.seq, "the hash of the entry before does not match")
    before = tail.state if tail else State()
    if entry.state != apply(fold(before, entry.posted_at).state, entry.effect, entry.posted_at):
        raise BrokenChain(entry.member_id, entry.seq, "the state does not follow from the entry's effect")
    if entry.points != entry.effect.net or entry.expired != entry.state.lifetime.expired - before.lifetime.expired:
        raise BrokenChain(entry.member_id, entry.seq, "the points do not match the entry's effect")
