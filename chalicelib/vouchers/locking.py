"""Keeping a voucher for a checkout, until it is redeemed or the time is up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.base import clock
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.counters import service as counters
from chalicelib.ledger.posting import Act, Lost, Write
from chalicelib.vouchers import batches, limits, looking, tallies, totals
from chalicelib.vouchers.guessing import Guesser
from chalicelib.vouchers.looking import Ask, Found
from chalicelib.vouchers.rules import Sketch, Worth
from chalicelib.vouchers.store import read_all, replacing, write_together
from chalicelib.vouchers.table import LIMIT, SLOT, LimitItem, SlotItem

_KEPT_S: Final = 30 * clock.DAY_S


class Locked(msgspec.Struct, frozen=True):
    """What a voucher is worth, and until when the session has it; `is_new` unless it had it before."""

    found: Found
    worth: Worth
    until: str
    is_new: bool


def validate(ask: Ask, *, now: int) -> tuple[Found, Worth]:
    """What a voucher is worth for an order; nothing is written but failed attempts.

    Raises VoucherNotFound, VoucherRefused, Slowed and Invalid.
    """
    found = looking.find(ask, now)
    worth = looking.check(found, ask, now)
    looking.check_others(found, ask.others)
    counter = found.known.total
    if counter and found.slot.held is None and not totals.has_left(found.known.batch_id, counter, now=now):
        raise looking.used_up()
    return found, worth


def lock(ask: Ask, ttl_s: int, *, now: int) -> Locked:
    """Keep a voucher for the session for `ttl_s` seconds; asked again meanwhile, the session is answered the same.

    Raises as `validate` does, and Unavailable.
    """
    for _attempt in attempts():
        found = looking.find(ask, now)
        worth = looking.check(found, ask, now)
        looking.check_others(found, ask.others)
        if looking.is_locked_by(found, ask.session_key, now):
            return Locked(found, worth, found.slot.until, is_new=False)
        until = clock.text(now + ttl_s)
        try:
            if _locked(found, ask, until, now):
                return Locked(found, worth, until, is_new=True)
        except Lost:
            continue
    raise _busy()


def unlock(code: str, session: str, guesser: Guesser, *, now: int) -> Found:
    """End the session's lock on a voucher early and give back what it kept; where it has none, nothing is to be done.

    Raises VoucherNotFound, Slowed and Unavailable.
    """
    ask = Ask(code=code, sketch=Sketch(currency="", total_minor=0), guesser=guesser, session=session)
    for _attempt in attempts():
        found = looking.find(ask, now)
        if found.slot.session != ask.session_key:
            return found
        try:
            if write_together(_unlocking(found, ask, now)):
                return found
        except Lost:
            continue
    raise _busy()


def _unlocking(found: Found, ask: Ask, now: int) -> list[Write]:
    """The writes that empty a session's slot: its share of the total goes back, and the member's count forgets it."""
    slot, batch_id = found.slot, found.known.batch_id
    gone_at = None if found.is_single else now + _KEPT_S
    writes = [replacing(SlotItem(slot.key, SLOT, version=slot.version, batch_id=batch_id, gone_at=gone_at))]
    if slot.held is not None:
        writes.append(Write(totals.due_of(slot), Act.DELETE))
        writes.append(counters.give_back(batches.counter_name(batch_id), slot.held, 1))
    (limit,) = read_all([(LimitItem, slot.limit_key, LIMIT)]) if slot.limit_key else (None,)
    if limit is not None:
        writes.append(replacing(limits.used(limit, 0, now, lease=looking.lease_of(found, ask))))
    return writes


def _locked(found: Found, ask: Ask, until: str, now: int) -> bool:
    slot, session = found.slot, ask.session_key or ""
    batch_id = found.known.batch_id

    def act(shard: int | None, share: Sequence[Write]) -> bool:
        # The slot of a session on a shared code is of no use to anybody else; one that holds a share must stay.
        is_passing = not found.is_single and shard is None
        mine = SlotItem(
            slot.key,
            SLOT,
            version=slot.version,
            batch_id=batch_id,
            session=session,
            until=until,
            shard=shard,
            limit_key=found.limit.key if found.limit else None,
            gone_at=clock.parse(until) + _KEPT_S if is_passing else None,
        )
        writes = [replacing(mine), *share, tallies.counting(batch_id, "locked", f"{slot.key}#{session}")]
        if shard is not None:
            writes.append(Write(totals.due_of(mine), Act.PUT))
        if found.limit:
            writes.append(replacing(limits.leased(found.limit, looking.lease_of(found, ask) or "", until, now)))
        return write_together(writes)

    return totals.taking(found, f"{slot.key}#{session}", act, now=now)


def _busy() -> Unavailable:
    return Unavailable("The voucher is being asked for by many at once. Send the same request again.", code="busy")
