"""Business records: the item whose creation makes an operation happen once.

Each area keeps its records in a table of its own; what they have in common, so that the ledger can tell a replay and
answer it from the record alone, is here.
"""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from chalicelib.base import clock
from chalicelib.base.dynamo import IntAttribute
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
