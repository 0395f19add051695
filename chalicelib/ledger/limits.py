"""How far the limits of the programme are used up: pure arithmetic on what an account remembers of them."""

from __future__ import annotations

import msgspec

from chalicelib.base import clock
from chalicelib.ledger.state import NEVER, Limit

MEMORY_S = 62 * clock.DAY_S
"""For so long after its end a period is remembered, if no two later ones of its limit are."""
_PERIODS_MAX = 2


class Used(msgspec.Struct, frozen=True):
    """How often a limit was used in one period, and for how many points."""

    count: int = 0
    points: int = 0


def used(limits: tuple[Limit, ...], limit_id: str, until: int, at: int) -> Used | None:
    """How far a limit is used up, at `at`, in its period that ends at `until`.

    None where the account no longer knows, since the period is long over: nobody may gain by what was forgotten.
    """
    known = [limit for limit in limits if limit.limit_id == limit_id]
    for limit in known:
        if limit.until == until:
            return Used(limit.count, limit.points)
    later = [limit for limit in known if limit.until > until]
    if len(later) >= _PERIODS_MAX or until + MEMORY_S <= at:
        return None
    return Used()


def added_limits(limits: tuple[Limit, ...], deltas: tuple[Limit, ...], at: int) -> tuple[Limit, ...]:
    """Limits with (signed) deltas added at `at`; of each the latest two periods stay, for as long as they may matter.

    What comes back of a period that is forgotten changes nothing.
    """
    if not deltas:
        return limits
    found = {(limit.limit_id, limit.until): limit for limit in limits}
    for delta in deltas:
        key = (delta.limit_id, delta.until)
        old = found.get(key, Limit(*key, 0, 0))
        found[key] = Limit(*key, max(old.count + delta.count, 0), max(old.points + delta.points, 0))
    kept: list[Limit] = []
    by_limit: dict[str, int] = {}
    for limit_id, until in sorted(found, key=lambda key: (key[0], -key[1])):
        is_live = until == NEVER or until + MEMORY_S > at
        limit = found[limit_id, until]
        if not is_live or not (limit.count or limit.points) or by_limit.get(limit_id, 0) == _PERIODS_MAX:
            continue
        by_limit[limit_id] = by_limit.get(limit_id, 0) + 1
        kept.append(limit)
    return tuple(sorted(kept, key=lambda limit: (limit.limit_id, limit.until)))
