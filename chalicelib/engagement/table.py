"""Table `engagement`: events, uses of benefits, how far members have come in challenges, and birthday gifts.

All share two keys. Under `evt_…` and `use_…` lies a short chain of steps, as of an order: `000` is the event or use as
it was accepted, `001` its cancellation. Under a member's id lie `progress`, the one item on which the member's
challenges are decided; `fact#{time}#{id}` for every purchase and event that may count in one; and `round#{turn}`, the
records of rounds that were paid or taken back; and `birthday#{year}`, the birthday gifts. Under `birthdays` lie marks,
`{day}#{shard}`: how far the birthdays of a day are worked off.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from pynamodb.attributes import BinaryAttribute, UnicodeAttribute
from pynamodb.models import Model

from chalicelib.base import clock
from chalicelib.base.dynamo import IntAttribute
from chalicelib.base.settings import settings
from chalicelib.engagement.rules.progress import Fact, Paid, Walk, Weights
from chalicelib.ledger.records import Record

_NAME = settings().table("engagement")

PROGRESS: Final = "progress"
MARKS: Final = "birthdays"


class EventStep(Record):
    """One step of an event. `body` is the accepted event (JSON), `figures` what it brought (JSON)."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    body = UnicodeAttribute()
    figures = UnicodeAttribute()


class UseStep(Record):
    """One step of the use of a benefit. `period_until` ends the period (in seconds) in which it was used."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    benefit = UnicodeAttribute()
    uses_left = IntAttribute()
    period_until = IntAttribute()
    actor = UnicodeAttribute()
    note = UnicodeAttribute(null=True)


class RoundStep(Record):
    """A round of a challenge that was paid, or taken back."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    challenge = UnicodeAttribute()


class GiftStep(Record):
    """A member's birthday gift of one year, by its code."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    gift = UnicodeAttribute()
    voucher_batch_id = UnicodeAttribute(null=True)


class BirthdayMark(Model):
    """How far one shard of a day's birthdays is worked off. Who has had a gift is known by its record alone."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True, default=MARKS)
    part = UnicodeAttribute(range_key=True)
    after = UnicodeAttribute(null=True)
    is_done = IntAttribute()
    given = IntAttribute()
    failed = IntAttribute()
    updated_at = UnicodeAttribute()


class FactItem(Model):
    """A purchase or event that may count in a challenge. `marks` is its weight in each (JSON)."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    program = IntAttribute()
    marks = UnicodeAttribute()


class ProgressItem(Model):
    """How far a member has come. `version` counts its changes, and each is made on condition of the one before.

    `progress` is a packed Progress. A member that was merged into another keeps the other's id, in `moved_into`.
    """

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    version = IntAttribute()
    progress = BinaryAttribute(legacy_encoding=False)
    moved_into = UnicodeAttribute(null=True)


class Progress(msgspec.Struct, array_like=True, frozen=True):
    """All challenges of a member: how far, what was paid, and the last fact that was walked.

    `turns` counts the payments, so that each has a record of its own. Stored as an array: fields are only added at the
    end, with a default.
    """

    walks: dict[str, Walk] = {}
    paid: dict[str, tuple[Paid, ...]] = {}
    last: tuple[int, str] = (0, "")
    turns: int = 0


class Stored(msgspec.Struct, frozen=True):
    """A member's progress as it lies in the table, with its version (0 where there is none)."""

    version: int
    progress: Progress
    moved_into: str | None = None


_MARKS = msgspec.json.Decoder(dict[str, Weights])
_PROGRESS = msgspec.msgpack.Decoder(Progress)


def read_events(event_id: str, *, consistent: bool) -> list[EventStep]:
    """The steps of an event; empty where there is none (or none seen yet)."""
    return list(EventStep.query(event_id, consistent_read=consistent))


def read_uses(use_id: str, *, consistent: bool) -> list[UseStep]:
    """The steps of a use of a benefit; empty where there is none (or none seen yet)."""
    return list(UseStep.query(use_id, consistent_read=consistent))


def read_gifts(member_ids: Iterable[str], year: int) -> list[GiftStep]:
    """The birthday gifts that these members have had for a year, as it is now."""
    return list(GiftStep.batch_get([(name, f"birthday#{year}") for name in member_ids], consistent_read=True))


def read_marks(first_day: str) -> list[BirthdayMark]:
    """The marks of birthdays on a day and later."""
    return list(BirthdayMark.query(MARKS, BirthdayMark.part >= first_day))


def put_mark(mark: BirthdayMark) -> None:
    """Note how far a shard is."""
    mark.save()


def read_progress(member_id: str) -> Stored:
    """A member's progress as it is now."""
    item = next(iter(ProgressItem.query(member_id, ProgressItem.part == PROGRESS, consistent_read=True)), None)
    if item is None:
        return Stored(0, Progress())
    return Stored(item.version, _PROGRESS.decode(item.progress), item.moved_into)


def read_fact(member_id: str, place: tuple[int, str]) -> Fact | None:
    """One fact of a member as it is now."""
    items = FactItem.query(member_id, FactItem.part == fact_part(place), consistent_read=True)
    return next(map(to_fact, items), None)


def read_facts(member_id: str) -> list[Fact]:
    """All facts of a member as they are now, in their order."""
    items = FactItem.query(member_id, FactItem.part.startswith("fact#"), consistent_read=True)
    return [to_fact(item) for item in items]


def fact_part(place: tuple[int, str]) -> str:
    """The range key of a fact, sorted as the facts are."""
    occurred_at, fact_id = place
    return f"fact#{clock.text(occurred_at)}#{fact_id}"


def to_fact(item: FactItem) -> Fact:
    """A fact from its item."""
    _name, occurred_at, fact_id = str(item.part).split("#")
    return Fact(
        fact_id=fact_id,
        occurred_at=clock.parse(occurred_at),
        program=item.program,
        marks=_MARKS.decode(item.marks),
    )


def fact_item(member_id: str, fact: Fact) -> FactItem:
    """The item of a fact."""
    marks = msgspec.json.encode(fact.marks, order="sorted").decode()
    return FactItem(member_id, fact_part(fact.place), program=fact.program, marks=marks)


def progress_item(member_id: str, version: int, progress: Progress, moved_into: str | None = None) -> ProgressItem:
    """The item of a progress in its next `version`."""
    packed = msgspec.msgpack.encode(progress)
    return ProgressItem(member_id, PROGRESS, version=version, progress=packed, moved_into=moved_into)
