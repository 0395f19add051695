"""How often one member has used a batch, the locks of its open sessions included: pure, on the stored item."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from chalicelib.base import clock, ids
from chalicelib.vouchers.store import Key
from chalicelib.vouchers.table import LIMIT, LimitItem

Leases: TypeAlias = list[tuple[str, str]]
_LEASES = msgspec.json.Decoder(list[tuple[str, str]])


def key_of(batch_id: str, member_id: str) -> Key:
    """Where a member's uses of a batch are counted."""
    return LimitItem, ids.derived("vlm", batch_id, member_id), LIMIT


def fresh(batch_id: str, member_id: str) -> LimitItem:
    """The count of a member who has none yet."""
    _model, key, step = key_of(batch_id, member_id)
    return LimitItem(key, step, version=0, used=0, leases="[]")


def taken(item: LimitItem | None, now: int, *, but: str | None) -> int:
    """What is used, and what is locked at this instant but for the lease `but`."""
    if item is None:
        return 0
    return int(item.used) + sum(name != but for name, _until in _live(item, now))


def has_lease(item: LimitItem, name: str | None, now: int) -> bool:
    """Whether a lock of this name counts at this instant."""
    return any(lease[0] == name for lease in _live(item, now))


def used(item: LimitItem, by: int, now: int, *, lease: str | None = None) -> LimitItem:
    """The item after `by` more uses (or fewer); the lock `lease`, if any, has become one of them."""
    leases = [each for each in _live(item, now) if each[0] != lease]
    return _changed(item, int(item.used) + by, leases)


def leased(item: LimitItem, name: str, until: str, now: int) -> LimitItem:
    """The item after a lock; an earlier one of this name gives way to it."""
    leases = [each for each in _live(item, now) if each[0] != name]
    return _changed(item, int(item.used), [*leases, (name, until)])


def _live(item: LimitItem, now: int) -> Leases:
    return [lease for lease in _LEASES.decode(item.leases) if now < clock.parse(lease[1])]


def _changed(item: LimitItem, count: int, leases: Leases) -> LimitItem:
    return LimitItem(item.key, item.step, version=item.version, used=count, leases=msgspec.json.encode(leases).decode())
