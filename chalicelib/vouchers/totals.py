"""The batch's total: each use takes one from it, and so does a lock, which keeps it for its session.

A lock that has lapsed is not given back by any job. Its share goes with the slot to whoever gets that next, and where a
batch seems used up, lapsed locks are looked for before anybody is told so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from chalicelib.base import clock
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.counters import service as counters
from chalicelib.counters.service import Claim, Counter, SoldOut
from chalicelib.ledger.posting import Act, Lost, Write
from chalicelib.vouchers.looking import Found, used_up
from chalicelib.vouchers.store import read_all, replacing, write_together
from chalicelib.vouchers.table import SLOT, DueItem, SlotItem

T = TypeVar("T")

_AT_ONCE = 25


def taking(found: Found, operation_id: str, act: Callable[[int | None, Sequence[Write]], T], *, now: int) -> T:
    """Do `act` with the shard that one was taken from (None without a total) and the writes that go with it.

    `act` may be called several times and must make its own writes anew each time. Raises whatever it does, and
    VoucherRefused where the total is used up.
    """
    counter, held = found.known.total, found.slot.held
    if counter is None:
        return act(None, ())
    if held is not None:
        return act(held, [Write(due_of(found.slot), Act.DELETE)])
    for _attempt in attempts():
        try:
            return counters.probing(Claim(counter, 1, operation_id), lambda shard, write: act(shard, [write]))
        except SoldOut as refusal:
            # Somebody else may have given lapsed ones back since the counter was looked at.
            if not give_back_lapsed(found.known.batch_id, counter, now=now) and not counters.read(counter.name).left:
                raise used_up() from refusal
    raise Unavailable("Many are asking for the last ones. Send the same request again.", code="busy")


def due_of(slot: SlotItem) -> DueItem:
    """What leads to a slot that holds a share, by the end of its lock."""
    return DueItem(_due_key(slot.batch_id, slot.shard), f"{slot.until}#{slot.key}")


def give_back_lapsed(batch_id: str, counter: Counter, *, now: int) -> int:
    """Give back what some lapsed locks hold; answers how many there are in the first shard that has any."""
    for shard in range(counter.shards):
        before = clock.text(now + 1)
        found = DueItem.query(_due_key(batch_id, shard), DueItem.step < before, limit=_AT_ONCE, consistent_read=True)
        lapsed = [due for due in found if _give_back(due, shard, counter.name)]
        if lapsed:
            return len(lapsed)
    return 0


def has_left(batch_id: str, counter: Counter, *, now: int) -> bool:
    """Whether one could be taken, be it from a lapsed lock; nothing is given back for that."""
    if counters.read(counter.name).left:
        return True
    before = clock.text(now + 1)
    return any(
        next(iter(DueItem.query(_due_key(batch_id, shard), DueItem.step < before, limit=1, consistent_read=True)), None)
        for shard in range(counter.shards)
    )


def _give_back(due: DueItem, shard: int, counter_name: str) -> bool:
    """Give back what a lapsed lock holds; False where the slot has gone on since and this leads nowhere."""
    until, _, slot_key = due.step.partition("#")
    (slot,) = read_all([(SlotItem, slot_key, SLOT)])
    if slot is None or (slot.until, slot.held) != (until, shard):
        return False
    cleared = SlotItem(slot.key, SLOT, version=slot.version, batch_id=slot.batch_id)
    # Where somebody was faster, or nothing is known, it is tried for once more.
    with contextlib.suppress(Lost):
        write_together([replacing(cleared), Write(due, Act.DELETE), counters.give_back(counter_name, shard, 1)])
    return True


def _due_key(batch_id: str, shard: int) -> str:
    return f"due#{batch_id}#{shard}"
