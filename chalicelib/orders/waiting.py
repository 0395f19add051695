"""Whether orders wait for somebody who is about to enrol."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.base import clock
from chalicelib.orders import history, rules
from chalicelib.orders.service import pointer_key
from chalicelib.orders.table import read_pointers
from chalicelib.program import service as programs

_LOOKED_AT = 20
"""So many orders are looked at for each identity; nobody sends back as many without having kept one."""


def has_waiting(identity_keys: Iterable[str], *, now: int) -> bool:
    """Whether an order that nobody has claimed, and that has not gone back whole, waits for one of these identities."""
    since = clock.text(now - programs.in_force(now, now=now).program.late_days * clock.DAY_S)
    for key in identity_keys:
        for pointer in read_pointers(pointer_key(key), since=since, limit=_LOOKED_AT):
            past = history.read(pointer.waiting)
            if past.member_id is None and not rules.is_whole(past.earnings, past.refunded):
                return True
    return False
