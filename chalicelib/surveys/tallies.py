"""Live totals: how often what was answered in a month, counted in the very transaction of each answer.

A month's counts of a survey lie in 16 items in partitions of their own, and an answer adds to one of them, found from
its id. Flagged answers have 16 of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from pynamodb.expressions.operand import Path

from chalicelib.base.dynamo import client
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger.posting import Act, Write
from chalicelib.surveys.document import Answers, Definition
from chalicelib.surveys.result_table import TotalItem
from chalicelib.surveys.rules import counting as rules
from chalicelib.surveys.rules.context import Context
from chalicelib.surveys.table import NAME, SHARDS, shard_of, totals_key

_SOUND: Final = "sound"
_FLAGGED: Final = "flagged"
_KEYS: Final = frozenset({"key", "part"})
_AT_ONCE: Final = 100


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
    key = totals_key(survey_id, month, shard_of(response_id))
    actions = [Path([name]).add(1) for name in rules.added(definition, known, context)]
    return Write(TotalItem(key, _FLAGGED if context.flags else _SOUND), Act.UPDATE, None, actions)


def read(survey_id: str, months: Sequence[str], *, consistent: bool = True, flagged: bool = True) -> dict[str, Totals]:
    """The counts of each month as they are now: every answer that was accepted is in them.

    Without `consistent`, as they were a moment ago, at half the cost; without `flagged`, those of flagged answers are
    left out, which halves it as well. Raises Unavailable.
    """
    found = {month: Totals(Counter(), Counter()) for month in months}
    keys = [
        (totals_key(survey_id, month, shard), part, month)
        for month in months
        for shard in range(SHARDS)
        for part in ((_SOUND, _FLAGGED) if flagged else (_SOUND,))
    ]
    month_of = {key: month for key, _part, month in keys}
    for begin in range(0, len(keys), _AT_ONCE):
        wanted = [{"key": {"S": key}, "part": {"S": part}} for key, part, _month in keys[begin : begin + _AT_ONCE]]
        for item in _items(wanted, consistent=consistent):
            totals = found[month_of[item["key"]["S"]]]
            counts = totals.flagged if item["part"]["S"] == _FLAGGED else totals.sound
            counts.update({name: int(value["N"]) for name, value in item.items() if name not in _KEYS})
    return found


def answers_of(survey_id: str, months: Sequence[str], *, consistent: bool = True) -> dict[str, int]:
    """How many answers each month has, flagged ones too; it only grows."""
    read_now = read(survey_id, months, consistent=consistent)
    return {month: found.sound[rules.ANSWERS] + found.flagged[rules.ANSWERS] for month, found in read_now.items()}


def _items(keys: list[dict[str, Any]], *, consistent: bool) -> Iterator[dict[str, Any]]:
    # The counters have no model, so their items are read as they are.
    dynamodb: Any = client()
    wanted: Any = {NAME: {"Keys": keys, "ConsistentRead": consistent}}
    for _attempt in attempts():
        answer = dynamodb.batch_get_item(RequestItems=wanted, ReturnConsumedCapacity="TOTAL")
        yield from answer["Responses"].get(NAME, [])
        wanted = answer.get("UnprocessedKeys")
        if not wanted:
            return
    raise Unavailable("The counts cannot be read just now. Send the same request again.", code="busy")
