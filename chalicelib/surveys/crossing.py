"""The night's tables: all answers of a month that has changed, counted by whatever is known of them.

A message asks for the night, or for one leg of one month. A leg reads page by page until its time is up, lays down what
it found and hands on. A month belongs to one run at a time, and every step of it is made on condition of the one
before, so a message that comes twice, or a leg that dies, changes nothing: the tables are put in place by one write,
once they are whole. What a run that was given up has left lying about is removed by the next one that is finished.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from chalicelib.base import clock, ids, queues
from chalicelib.base.dynamo import client
from chalicelib.program import service as programs
from chalicelib.surveys import defining, tallies
from chalicelib.surveys.document import Answers
from chalicelib.surveys.result_table import (
    ChunkItem,
    CrossedItem,
    chunks_key,
    crossed_key,
    put_crossed,
    read_all_crossed,
    read_crossed,
)
from chalicelib.surveys.rules.context import Context
from chalicelib.surveys.rules.crossing import ALL, Tables, pack, packed, unpacked
from chalicelib.surveys.table import NAME, SHARDS, answers_key

logger = logging.getLogger(__name__)

LEASE_S: Final = 600
"""So long a month belongs to a run after each of its steps: longer than a function runs, shorter than a retry waits."""

_LATE_DAYS: Final = 366
_SURVEYS_AT_ONCE: Final = 25
_ANSWERS = msgspec.json.Decoder(Answers)
_CONTEXTS = msgspec.json.Decoder(Context)


class Night(msgspec.Struct, frozen=True, tag="night", tag_field="cross"):
    """Asks for every month of every survey that has changed; `after` is the place in the list of surveys to go on."""

    after: str = ""


class Month(msgspec.Struct, frozen=True, tag="month", tag_field="cross"):
    """Asks for one leg of one month; without a `run` it begins one, if there is anything new, or `anew`."""

    survey_id: str
    month: str
    run: str = ""
    leg: int = 1
    anew: bool = False


Asked = Night | Month
MESSAGES = msgspec.json.Decoder(Asked)


def take(asked: Asked, *, queue_url: str, goes_on: Callable[[], bool], now: int) -> None:
    """Do what a message asks for, as far as there is time, and hand on the rest. Raises what the database does."""
    if isinstance(asked, Night):
        _take_night(asked, queue_url, goes_on, now)
    else:
        take_month(asked, queue_url=queue_url, goes_on=goes_on, now=now)


def months_back(now: int) -> list[str]:
    """The months whose answers may still become more: as far back as an answer may be late, the newest last."""
    program = programs.in_force(now, now=now).program
    late_s = max(program.late_days, _LATE_DAYS) * clock.DAY_S
    # A day more on either side, since the programme's zone may be another one by now.
    first, last = (clock.month_of(at, program.zone) for at in (now - late_s - clock.DAY_S, now + clock.DAY_S))
    return [clock.month_text(month) for month in range(first, last + 1)]


def changed_months(survey_id: str, now: int) -> Iterator[str]:
    """The months of a survey that have other answers than are in their tables."""
    months = months_back(now)
    known = {str(item.part): item.marker for item in read_all_crossed(survey_id, months[0], months[-1])}
    # A moment behind is good enough: what comes in meanwhile is for the next night.
    for month, answers in tallies.answers_of(survey_id, months, consistent=False).items():
        if answers != (known.get(month) or 0):
            yield month


def take_month(asked: Month, *, queue_url: str, goes_on: Callable[[], bool], now: int) -> None:
    """Do one leg of a month."""
    item = read_crossed(asked.survey_id, asked.month)
    if not asked.run:
        item = _begun(asked, item, now)
    elif item is None or item.doing != asked.run or item.leg >= asked.leg:
        if item is not None and item.doing == asked.run and item.leg == asked.leg:
            # The leg was done by a copy of this message that may have died before it handed on.
            queues.send(queue_url, _next(asked, item))
            return
        item = None
    if item is None:
        logger.info("%s of %s: nothing to do, or another run is ahead", asked.month, asked.survey_id)
        return
    tables = _laid_down(item) if item.copy else Tables()
    is_done = _read_on(asked, item, tables, goes_on)
    item.copy = ids.drawn("leg", os.urandom)
    if is_done:
        _finish(asked, item, tables, now)
        return
    _lay_down(asked, item.copy, tables, with_all=True)
    item.leg, item.until = item.leg + 1, now + LEASE_S
    if put_crossed(item):
        queues.send(queue_url, _next(asked, item))
        logger.info("%s of %s: %s answers so far", asked.month, asked.survey_id, tables.answers)


def _take_night(asked: Night, queue_url: str, goes_on: Callable[[], bool], now: int) -> None:
    after: str | None = asked.after or None
    while surveys := defining.listed(after=after, limit=_SURVEYS_AT_ONCE):
        for place, survey in surveys:
            if not goes_on():
                queues.send(queue_url, Night(after or ""))
                return
            if survey.status != "draft":
                for month in changed_months(survey.survey_id, now):
                    queues.send(queue_url, Month(survey.survey_id, month))
            after = place


def _begun(asked: Month, item: CrossedItem | None, now: int) -> CrossedItem | None:
    """The month, now belonging to a run of our own; None where it is another's, or has nothing new."""
    if item is not None and item.doing and item.until > now:
        return None
    # Read before the answers: what comes in meanwhile is looked for again in the next night.
    marker = tallies.answers_of(asked.survey_id, [asked.month])[asked.month]
    if not asked.anew and marker == (item.marker if item is not None and item.run else 0):
        return None
    item = item or CrossedItem(crossed_key(asked.survey_id), asked.month)
    item.doing, item.leg, item.copy = ids.drawn("run", os.urandom), 0, None
    item.shard, item.after, item.pending, item.until = 0, None, marker, now + LEASE_S
    return item if put_crossed(item) else None


def _next(asked: Month, item: CrossedItem) -> Month:
    return Month(asked.survey_id, asked.month, run=item.doing or "", leg=int(item.leg or 0) + 1)


def _read_on(asked: Month, item: CrossedItem, tables: Tables, goes_on: Callable[[], bool]) -> bool:
    """Count answers from where the item says, page by page; whether these were the last ones."""
    while item.shard < SHARDS:
        shard = int(item.shard)
        answers, after = _page(answers_key(asked.survey_id, asked.month, shard), item.after)
        for raw in answers:
            _count(asked.survey_id, raw, shard, tables)
        item.shard, item.after = (shard, after) if after else (shard + 1, None)
        if item.shard < SHARDS and not goes_on():
            return False
    return True


def _count(survey_id: str, raw: dict[str, Any], shard: int, tables: Tables) -> None:
    definition = defining.version(survey_id, int(raw["definition"]["N"]))
    tables.add(definition, _ANSWERS.decode(raw["answers"]["S"]), _CONTEXTS.decode(raw["context"]["S"]), shard)


def _page(key: str, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """A megabyte of answers, raw since they are many, and the last one's part where there may be more."""
    dynamodb: Any = client()
    query = {
        "TableName": NAME,
        "KeyConditionExpression": "#key = :key",
        "ExpressionAttributeNames": {"#key": "key"},
        "ExpressionAttributeValues": {":key": {"S": key}},
        # What the totals know must be here too, or it would be missing until the month changes again.
        "ConsistentRead": True,
        "ReturnConsumedCapacity": "TOTAL",
    }
    if after:
        query["ExclusiveStartKey"] = {"key": {"S": key}, "part": {"S": after}}
    answer = dynamodb.query(**query)
    last = answer.get("LastEvaluatedKey")
    return answer["Items"], last["part"]["S"] if last else None


def _finish(asked: Month, item: CrossedItem, tables: Tables, now: int) -> None:
    """Put the tables in place of those that were there."""
    copy, before = str(item.copy), str(item.run)
    _lay_down(asked, copy, tables, with_all=False)
    left = [chunk for chunk in _chunks(asked) if not chunk.part.startswith((f"{copy}#", f"{before}#"))]
    item.run, item.answers, item.marker, item.crossed_at = copy, tables.answers, item.pending, clock.text(now)
    item.all = pack(tables.cells.get(ALL, {}))
    item.doing = item.leg = item.copy = item.shard = item.after = item.pending = item.until = None
    if not put_crossed(item):
        logger.info("%s of %s: another run was faster", asked.month, asked.survey_id)
        return
    # Those that were there until now stay for another night, for somebody may be reading them.
    for chunk in left:
        chunk.delete()
    logger.info("%s of %s: %s answers crossed", asked.month, asked.survey_id, tables.answers)


def _chunks(asked: Month) -> list[ChunkItem]:
    """All chunks that lie about for a month, by their keys alone."""
    key = chunks_key(asked.survey_id, asked.month)
    return list(ChunkItem.query(key, attributes_to_get=["key", "part"], consistent_read=True))


def _lay_down(asked: Month, copy: str, tables: Tables, *, with_all: bool) -> None:
    for grouping, cells in tables.cells.items():
        if grouping != ALL or with_all:
            for number, chunk in enumerate(packed(cells)):
                ChunkItem(
                    chunks_key(asked.survey_id, asked.month), f"{copy}#{grouping}#{number:03d}", cells=chunk
                ).save()


def _laid_down(item: CrossedItem) -> Tables:
    """What the legs before this one have found."""
    tables = Tables()
    survey_id = str(item.key).partition("#")[2]
    for chunk in ChunkItem.query(
        chunks_key(survey_id, str(item.part)), ChunkItem.part.startswith(f"{item.copy}#"), consistent_read=True
    ):
        tables.merge(chunk.part.split("#")[1], unpacked(chunk.cells))
    return tables
