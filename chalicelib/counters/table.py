"""Table `counters`: the shards of each counter, and a record of everything that was put in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pynamodb.attributes import MapAttribute, UnicodeAttribute
from pynamodb.models import Model

from chalicelib.base.dynamo import IntAttribute
from chalicelib.base.settings import settings
from chalicelib.ledger.records import Record

_NAME = settings().table("counters")


class ShardItem(Model):
    """One shard of a counter. `put_in` is always `taken` and `left` together, and none is ever negative.

    `held` says how much of `taken` is only reserved, by the instant (seconds, as text) at which that lapses: from then
    on it counts as left, whether or not anybody has written so yet.
    """

    class Meta:
        table_name = _NAME

    name = UnicodeAttribute(hash_key=True)
    shard = IntAttribute(range_key=True)
    put_in = IntAttribute()
    taken = IntAttribute()
    left = IntAttribute()
    held: MapAttribute[Any, Any] = MapAttribute(null=True)  # type: ignore[no-untyped-call]

    def holds(self) -> dict[int, int]:
        """What is reserved, by the instant at which it lapses."""
        found = self.attribute_values.get("held")
        return {int(until): amount for until, amount in found.as_dict().items() if amount} if found else {}

    def left_at(self, at: int) -> int:
        """What can be taken at an instant."""
        return int(self.left) + sum(amount for until, amount in self.holds().items() if until <= at)


class FillItem(Record):
    """What was put into a counter at one time, so that it happens once. It lies under its own id, as shard 0."""

    class Meta:
        table_name = _NAME

    name = UnicodeAttribute(hash_key=True)
    shard = IntAttribute(range_key=True)
    counter = UnicodeAttribute()
    amount = IntAttribute()


def read_shards(name: str) -> list[ShardItem]:
    """All shards of a counter as they are now; empty where there is no such counter."""
    return list(ShardItem.query(name, consistent_read=True))


def read_many(keys: Iterable[tuple[str, int]]) -> dict[str, list[ShardItem]]:
    """Shards (100 at the most in one request) by the name of their counter, as they were a moment ago.

    Those that there are not are left out.
    """
    found: dict[str, list[ShardItem]] = {}
    for item in ShardItem.batch_get(list(keys), consistent_read=False):
        found.setdefault(item.name, []).append(item)
    return found
