"""Which shard of a counter an operation touches: pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from chalicelib.base.money import share

SHARDS_MAX: Final = 80
"""All shards of a counter are made in one transaction, which takes 100 items."""


def probe_order(operation_id: str, shards: int) -> tuple[int, ...]:
    """The shards in the order in which an operation tries them: always the same for its id, spread evenly over all."""
    return tuple(sorted(range(shards), key=lambda shard: _rank(operation_id, shard)))


def covering(operation_id: str, left: Mapping[int, int], amount: int) -> int | None:
    """Of the shards with what is `left` in each, the first in probe order that holds `amount`; None if none does."""
    able = [shard for shard, rest in left.items() if rest >= amount]
    return min(able, key=lambda shard: _rank(operation_id, shard), default=None)


def gathering(operation_id: str, left: Mapping[int, int], amount: int) -> tuple[int, dict[int, int]] | None:
    """The shard to take `amount` from, and how much must first be moved there out of which others.

    Nothing is moved where a shard covers it. Else it is the fullest that takes in what is missing, from as few as may
    be; None where all together hold less.
    """
    shard = covering(operation_id, left, amount)
    if shard is not None:
        return shard, {}
    if sum(left.values()) < amount:
        return None
    shard, *others = sorted(left, key=lambda shard: (-left[shard], _rank(operation_id, shard)))
    missing, moved = amount - left[shard], {}
    for other in others:
        if not missing:
            break
        moved[other] = min(left[other], missing)
        missing -= moved[other]
    return shard, moved


def spread(operation_id: str, amount: int, shards: int) -> dict[int, int]:
    """`amount` (>= 0) shared out evenly; what does not divide goes one by one to the first shards in probe order."""
    return dict(zip(probe_order(operation_id, shards), share(amount, [1] * shards), strict=True))


def _rank(operation_id: str, shard: int) -> bytes:
    return hashlib.sha256(f"{shard}#{operation_id}".encode()).digest()
