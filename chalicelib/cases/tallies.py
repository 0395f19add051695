"""Counts of cases by month, exact to the case: changed in the very transaction that changes the case.

A month's counts lie in 16 items with keys of their own, and a case adds to one of them, found from its id, so that a
burst heats none. Of two months of the same zone none takes from the other: a case keeps the month of its opening.
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
_PART: Final = "counts"
_KEYS: Final = frozenset({"key", "part"})
_AT_ONCE: Final = 100


class TallyItem(Model):
    """One shard of a month's counts, which are attributes beside these, named by `rules.counting`."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)


def counting(before: Case | None, after: Case) -> Sequence[Write]:
    """The write that keeps the counts in step with a case, for the transaction that changes it; none if all stay."""
    changes = rules.changes(before, after)
    if not changes:
        return ()
    actions = [Path([name]).add(number) for name, number in changes.items()]
    return (Write(TallyItem(_key(_month(after), _shard(after.case_id)), _PART), Act.UPDATE, None, actions),)


def read(months: Sequence[str]) -> dict[str, Counter[str]]:
    """The counts of each month (`2026-11`), as they were a moment ago. Raises Unavailable."""
    found: dict[str, Counter[str]] = {month: Counter() for month in months}
    month_of = {_key(month, shard): month for month in months for shard in range(SHARDS)}
    keys = list(month_of)
    for begin in range(0, len(keys), _AT_ONCE):
        for item in _items([{"key": {"S": key}, "part": {"S": _PART}} for key in keys[begin : begin + _AT_ONCE]]):
            counts = {name: int(value["N"]) for name, value in item.items() if name not in _KEYS}
            found[month_of[item["key"]["S"]]].update(counts)
    return found


def _month(case: Case) -> str:
    return case.month or clock.text(case.opened_at)[:7]


def _key(month: str, shard: int) -> str:
    return f"tally:{month}:{shard:02d}"


def _shard(case_id: str) -> int:
    return sum(case_id.encode()) % SHARDS


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
