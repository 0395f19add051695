"""Reading the ledger's stream as it reaches a function."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.ledger.chain import Entry
from chalicelib.ledger.table import EntryItem, to_entry

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arrival:
    """An entry as the stream brought it, with the number by which the stream can be told to bring it again."""

    sequence_number: str
    entry: Entry


@dataclass(frozen=True)
class Batch:
    """The entries of a Lambda stream event, up to the first record that cannot be read (`unreadable`), if any."""

    arrivals: Sequence[Arrival]
    unreadable: str | None = None


def read(event: dict[str, Any]) -> Batch:
    """The new entries in a Lambda stream event, in its order.

    Entries are only ever inserted; a later change of an item (a test's clean-up, say) is no fact. One that cannot be
    read ends the batch: what came before it must not wait until the stream gives up on it.
    """
    arrivals = []
    for record in event["Records"]:
        if record["eventName"] != "INSERT":
            continue
        number = record["dynamodb"]["SequenceNumber"]
        try:
            arrivals.append(Arrival(number, _entry(record["dynamodb"]["NewImage"])))
        except Exception:
            logger.exception("record %s cannot be read as an entry", number)
            return Batch(arrivals, number)
    return Batch(arrivals)


def deliver(batch: Batch, wanted: Callable[[Arrival], bool], handle: Callable[[Entry], object]) -> dict[str, Any]:
    """Handle the wanted entries; on the first failure ask for everything from there on again.

    A stream is retried from its lowest failed record, so going on after a failure would only do work twice.
    """
    for arrival in batch.arrivals:
        if not wanted(arrival):
            continue
        try:
            handle(arrival.entry)
        except Exception:
            logger.exception("entry %s of %s could not be handled", arrival.entry.seq, arrival.entry.member_id)
            return _again(arrival.sequence_number)
    logger.info("%s entries handled", len(batch.arrivals))
    return _again(batch.unreadable)


def _again(sequence_number: str | None) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": sequence_number}] if sequence_number else []}


def _entry(image: dict[str, dict[str, Any]]) -> Entry:
    raw = {name: {"B": base64.b64decode(value["B"])} if "B" in value else value for name, value in image.items()}
    item = EntryItem()
    item.deserialize(raw)
    return to_entry(item)
