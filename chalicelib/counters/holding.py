"""A counter's part that is only reserved: taken for a while, and left again by its date unless it is kept.

A shard knows how much of what was taken lapses when. Nobody has to come by at that instant: dates judge, as they do for
points. Whoever looks counts what has lapsed as left, and the next one who takes of it after a look writes so, in the
same write. Keeping and freeing a hold need it to be there still, so of a late keeper and of one who takes what has
lapsed only one succeeds, whatever their clocks say.
"""

from __future__ import annotations

import functools
import operator
from typing import Final

from pynamodb.expressions.condition import Condition

from chalicelib.counters.table import ShardItem
from chalicelib.ledger.posting import Act, Write

_SHORT_S: Final = 3600
_SHORT_GRID_S: Final = 60
_LONG_GRID_S: Final = 900


def lapses_at(until: int, now: int) -> int:
    """The instant at which a hold that ends at `until` lapses in a counter: the next whole minute.

    For one of more than an hour it is the next quarter of an hour, so that a shard has few instants to remember.
    """
    grid_s = _SHORT_GRID_S if until - now <= _SHORT_S else _LONG_GRID_S
    return -(-until // grid_s) * grid_s


def take_from(item: ShardItem, amount: int, at: int, *, lapses_at: int | None = None) -> Write:
    """The write that takes `amount` from a shard as it was read, writing down what has lapsed by `at`.

    With `lapses_at` it is only held until then. It fails where the shard holds less by now, or somebody else was faster
    to write down what has lapsed.
    """
    lapsed = {until: held for until, held in item.holds().items() if until <= at}
    needed = amount - sum(lapsed.values())
    conditions: list[Condition] = [ShardItem.left >= needed]
    conditions += [ShardItem.held[str(until)] == held for until, held in lapsed.items()]
    actions = [ShardItem.left.add(-needed), ShardItem.taken.add(needed)]
    actions += [ShardItem.held[until].remove() for until in _over(item, at)]
    if lapses_at is not None:
        path = ShardItem.held[str(lapses_at)]
        actions.append(path.set((path | 0) + amount))
    return Write(
        ShardItem(item.name, item.shard), Act.UPDATE, functools.reduce(operator.and_, conditions), tuple(actions)
    )


def keep(name: str, shard: int, amount: int, lapses_at: int) -> Write:
    """The write that keeps for good what was held; it fails where the hold has lapsed and was written down as such."""
    path = ShardItem.held[str(lapses_at)]
    return Write(ShardItem(name, shard), Act.UPDATE, path >= amount, (path.set(path - amount),))


def free(name: str, shard: int, amount: int, lapses_at: int) -> Write:
    """The write that ends a hold before its time; it fails as `keep` does."""
    path = ShardItem.held[str(lapses_at)]
    return Write(
        ShardItem(name, shard),
        Act.UPDATE,
        path >= amount,
        (ShardItem.left.add(amount), ShardItem.taken.add(-amount), path.set(path - amount)),
    )


def _over(item: ShardItem, at: int) -> list[str]:
    """All instants up to `at` that a shard remembers, those too at which nothing lapsed in the end."""
    found = item.attribute_values.get("held")
    return [until for until in found.as_dict() if int(until) <= at] if found else []
