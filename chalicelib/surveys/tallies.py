"""Live totals: how often what was answered in a month, counted in the very transaction of each answer.

A month's counts of a survey lie in 16 items, and an answer adds to one of them, found from its id. Flagged answers have
16 of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from pynamodb.expressions.operand import Path

from chalicelib.base.dynamo import client
from chalicelib.ledger.posting import Act, Write
from chalicelib.surveys.document import Answers, Definition
from chalicelib.surveys.result_table import TotalItem
from chalicelib.surveys.rules import counting as rules
from chalicelib.surveys.rules.context import Context
from chalicelib.surveys.table import NAME, shard_of, totals_key

_FLAGGED: Final = "!"
_KEYS: Final = frozenset({"key", "part"})


class Totals(msgspec.Struct, frozen=True):
    """The counts of a month by the names of `rules.counting`: of the answers that count, and of the flagged ones."""

    sound: Counter[str]
    flagged: Counter[str]


def counting(  # noqa: PLR0917 -- an answer and where it counts
    survey_id: str, month: str, response_id: str, definition: Definition, answers: Answers, context: Context
) -> Write:
    """The write that counts an answer, for its own transaction; `month` is such as `2026-11`, in the programme's zone.

    It has no condition: that an answer counts once is seen to by its record.
    """
    live = rules.live(definition)
    known = {code: answer for code, answer in answers.items() if code in live}
    part = f"{shard_of(response_id):02d}{_FLAGGED if context.flags else ''}"
    actions = [Path([name]).add(1) for name in rules.added(definition, known, context)]
    return Write(TotalItem(totals_key(survey_id, month), part), Act.UPDATE, None, actions)


def read(survey_id: str, months: Iterable[str]) -> dict[str, Totals]:
    """The counts of each month as they are now: every answer that was accepted is in them."""
    return {month: _read(totals_key(survey_id, month)) for month in months}


def has_any(survey_id: str, month: str) -> bool:
    """Whether a month has answers."""
    return any(True for _item in _items(totals_key(survey_id, month)))


def _read(key: str) -> Totals:
    totals = Totals(Counter(), Counter())
    for item in _items(key):
        counts = totals.flagged if item["part"]["S"].endswith(_FLAGGED) else totals.sound
        counts.update({name: int(value["N"]) for name, value in item.items() if name not in _KEYS})
    return totals


def _items(key: str) -> Iterator[dict[str, Any]]:
    # The counters have no model, so their items are read as they are.
    dynamodb: Any = client()
    query = {
        "TableName": NAME,
        "KeyConditionExpression": "#key = :key",
        "ExpressionAttributeNames": {"#key": "key"},
        "ExpressionAttributeValues": {":key": {"S": key}},
        "ConsistentRead": True,
        "ReturnConsumedCapacity": "TOTAL",
    }
    while True:
        answer = dynamodb.query(**query)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
