"""Counts of cases by month, exact to the case: changed in the very transaction that changes the case.

A month's counts lie in 16 items with keys of their own, and a case adds to one of them, found from its id, so that a
burst heats none. A case keeps the month of its opening. What members say of cases lies in items beside these: an answer
that rates one case may open another, and a transaction may not write to one item twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.operand import Path
from pynamodb.models import Model

from chalicelib.base import clock
from chalicelib.base.dynamo import client
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.base.settings import settings
from chalicelib.cases.rules import counting as rules
from chalicelib.cases.rules.case import Case
from chalicelib.ledger.posting import Act, Write

SHARDS: Final = 16

_NAME: Final = settings().table("cases")
_COUNTS: Final = "counts"
_RATINGS: Final = "ratings"
_RATING_SHARDS: Final = 4
"""Fewer, for a case is rated once, some time after it was resolved."""

_KEYS: Final = frozenset({"key", "part"})
_AT_ONCE: Final = 100


_PARTS: Final = ((_COUNTS, SHARDS), (_RATINGS, _RATING_SHARDS))


class TallyItem(Model):
    """One shard of a month's counts or ratings, which are attributes beside these, named by `rules.counting`."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)


def counting(before: Case | None, after: Case) -> Sequence[Write]:
    """The writes that keep the counts in step with a case, for the transaction that changes it; none if all stay."""
    changes = rules.changes(before, after)
    writes = []
    for part, shards in _PARTS:
        actions = [Path([name]).add(number) for name, number in changes.items() if _part(name) == part]
        if actions:
            item = TallyItem(_key(_month(after), _shard(after.case_id, shards)), part)
            writes.append(Write(item, Act.UPDATE, None, actions))
    return writes


def read(months: Sequence[str]) -> dict[str, Counter[str]]:
    """The counts of each month (`2026-11`), as they were a moment ago. Raises Unavailable."""
    found: dict[str, Counter[str]] = {month: Counter() for month in months}
    month_of = {_key(month, shard): month for month in months for shard in range(SHARDS)}
    keys = [(_key(month, shard), part) for month in months for part, shards in _PARTS for shard in range(shards)]
    for begin in range(0, len(keys), _AT_ONCE):
        wanted = [{"key": {"S": key}, "part": {"S": part}} for key, part in keys[begin : begin + _AT_ONCE]]
        for item in _items(wanted):
            counts = {name: int(value["N"]) for name, value in item.items() if name not in _KEYS}
            found[month_of[item["key"]["S"]]].update(counts)
    return found


def _month(case: Case) -> str:
    return case.month or clock.text(case.opened_at)[:7]


def _key(month: str, shard: int) -> str:
    return f"tally:{month}:{shard:02d}"


def _shard(case_id: str, shards: int) -> int:
    return sum(case_id.encode()) % shards


def _part(name: str) -> str:
    return _RATINGS if rules.is_rating(name) else _COUNTS


def _items(keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    # The counts have names that no model knows, so their items are read as they are.
    dynamodb: Any = client()
    wanted: Any = {_NAME: {"Keys": keys}}
    for _attempt in attempts():
        answer = dynamodb.batch_get_item(RequestItems=wanted, ReturnConsumedCapacity="TOTAL")
        yield from answer["Responses"].get(_NAME, [])
        wanted = answer.get("UnprocessedKeys")
        if not wanted:
            return
    raise Unavailable("The counts cannot be read just now. Send the same request again.", code="busy")
