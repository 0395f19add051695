"""Business records: the item whose creation makes an operation happen once.

Each area keeps its records in a table of its own; what they have in common, so that the ledger can tell a replay and
answer it from the record alone, is here.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.models import Model

from chalicelib.base import clock
from chalicelib.base.dynamo import IntAttribute
from chalicelib.base.settings import settings
from chalicelib.ledger.chain import Entry


class Record(Model):
    """What every business record carries beside its own attributes.

    `record_id` is the id under which the entry names the record. `request_hash` tells a replay from a changed body. The
    rest is the answer: the entry that the record was committed with and the account right after it, so that a replay is
    answered alike for ever.
    """

    record_id = UnicodeAttribute()
    member_id = UnicodeAttribute(null=True)
    request_hash = UnicodeAttribute()
    kind = UnicodeAttribute()
    occurred_at = UnicodeAttribute()
    posted_at = UnicodeAttribute()
    seq = IntAttribute(null=True)
    points = IntAttribute(null=True)
    available = IntAttribute(null=True)
    owed = IntAttribute(null=True)
    pending = IntAttribute(null=True)
    tier = UnicodeAttribute(null=True)

    @property
    def has_entry(self) -> bool:
        """Whether an entry was committed with it; an order that nobody has claimed yet has none."""
        return self.attribute_values.get("seq") is not None

    def commit_with(self, entry: Entry) -> None:
        """Write down the entry that this record is committed with, and the account after it."""
        self.record_id = entry.record
        self.member_id = entry.member_id
        self.kind = entry.kind
        self.occurred_at = clock.text(entry.occurred_at)
        self.posted_at = clock.text(entry.posted_at)
        self.seq = entry.seq
        self.points = entry.points
        self.available = entry.state.available
        self.owed = entry.state.owed
        self.pending = sum(pending.points for pending in entry.state.pending)
        self.tier = entry.tier


class Place(msgspec.Struct, array_like=True, frozen=True):
    """Where a record lies: the table (without the installation's prefix) and the record's key, by attribute."""

    table: str
    key: dict[str, str]


_SHORT_STEPS: Final = 1000
"""From this step on names are longer, and begin with a character that sorts behind all digits."""

_PLACES = msgspec.json.Decoder(Place)


def place_of(record: Model) -> str:
    """Where a record lies, as its entry says it."""
    key = {name: getattr(record, name) for name, part in record.get_attributes().items() if _is_key(part)}
    table = type(record).Meta.table_name.removeprefix(settings().table_prefix)
    return msgspec.json.encode(Place(table, key)).decode()


def placed(place: str) -> Place:
    """The inverse of `place_of`. Raises msgspec.DecodeError."""
    return _PLACES.decode(place)


def _is_key(attribute: Attribute[Any]) -> bool:
    return bool(attribute.is_hash_key or attribute.is_range_key)


def step_name(number: int) -> str:
    """The range key of a step in a chain of records, sorted as the steps are: `7` → `007`, `1000` → `~000001000`."""
    return f"{number:03d}" if number < _SHORT_STEPS else f"~{number:09d}"
