"""How entries, the accounts view and business records lie in DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute
from pynamodb.models import Model

from chalicelib.base import clock
from chalicelib.base.dynamo import IntAttribute
from chalicelib.base.settings import settings
from chalicelib.ledger.chain import Entry


class EntryItem(Model):
    """One ledger entry. `available` and `tier` repeat the packed state for people who read the table.

    `place` says where the record that it was committed with lies: for the audit only, and no part of the chain.
    """

    class Meta:
        table_name = settings().table("ledger")

    member_id = UnicodeAttribute(hash_key=True)
    seq = IntAttribute(range_key=True)
    kind = UnicodeAttribute()
    record = UnicodeAttribute()
    reason = UnicodeAttribute()
    actor = UnicodeAttribute()
    program = IntAttribute()
    occurred_at = UnicodeAttribute()
    posted_at = UnicodeAttribute()
    points = IntAttribute()
    expired = IntAttribute(null=True)
    amount_minor = IntAttribute(null=True)
    currency = UnicodeAttribute(null=True)
    available = IntAttribute()
    tier = UnicodeAttribute()
    effect = BinaryAttribute(legacy_encoding=False)
    state = BinaryAttribute(legacy_encoding=False)
    prev = BinaryAttribute(legacy_encoding=False)
    place = UnicodeAttribute(null=True)


class AccountItem(Model):
    """The readable view of one account, kept by the projector; nothing exact is decided on it.

    `head` is the hash of the entry that it shows. What stands under `score_` is scoring's, which the projector leaves
    alone: packed facts, what was last told of the member, and that in short for people who read the table.
    """

    class Meta:
        table_name = settings().table("accounts")

    member_id = UnicodeAttribute(hash_key=True)
    seq = IntAttribute()
    available = IntAttribute()
    owed = IntAttribute()
    pending = IntAttribute()
    tier = UnicodeAttribute()
    earned = IntAttribute()
    redeemed = IntAttribute()
    expired = IntAttribute()
    purchases = IntAttribute()
    last_purchase_at = UnicodeAttribute(null=True)
    next_expiry_at = UnicodeAttribute(null=True)
    next_expiry_points = IntAttribute(null=True)
    updated_at = UnicodeAttribute()
    state = BinaryAttribute(legacy_encoding=False)
    head = BinaryAttribute(null=True, legacy_encoding=False)
    score_facts = BinaryAttribute(null=True, legacy_encoding=False)
    score_told = BinaryAttribute(null=True, legacy_encoding=False)
    score_text = UnicodeAttribute(null=True)


def to_item(entry: Entry) -> EntryItem:
    """An entry as it is stored."""
    return EntryItem(
        entry.member_id,
        entry.seq,
        kind=entry.kind,
        record=entry.record,
        reason=entry.reason,
        actor=entry.actor,
        program=entry.program,
        occurred_at=clock.text(entry.occurred_at),
        posted_at=clock.text(entry.posted_at),
        points=entry.points,
        expired=entry.expired or None,
        amount_minor=entry.amount_minor or None,
        currency=entry.currency or None,
        available=entry.state.available,
        tier=entry.tier,
        effect=entry.packed_effect,
        state=entry.packed_state,
        prev=entry.prev,
    )


def to_entry(item: EntryItem) -> Entry:
    """The inverse of `to_item`."""
    return Entry(
        member_id=item.member_id,
        seq=item.seq,
        kind=item.kind,
        record=item.record,
        reason=item.reason,
        actor=item.actor,
        program=item.program,
        occurred_at=clock.parse(item.occurred_at),
        posted_at=clock.parse(item.posted_at),
        points=item.points,
        expired=item.expired or 0,
        amount_minor=item.amount_minor or 0,
        currency=item.currency or "",
        tier=item.tier,
        packed_effect=item.effect,
        packed_state=item.state,
        prev=item.prev,
    )


def read_tail(member_id: str, *, consistent: bool) -> Entry | None:
    """A member's latest entry, or None where there is none (or none seen yet, if not `consistent`)."""
    items = EntryItem.query(member_id, scan_index_forward=False, limit=1, consistent_read=consistent)
    item = next(iter(items), None)
    return to_entry(item) if item else None


def read_chain(member_id: str, *, consistent: bool) -> Iterator[EntryItem]:
    """All entries of a member as they are stored, oldest first, read page by page."""
    return iter(EntryItem.query(member_id, consistent_read=consistent))


def read_page(member_id: str, *, after_seq: int | None, newest_first: bool, limit: int) -> list[Entry]:
    """Up to `limit` entries beyond `after_seq` (None: from the end that comes first)."""
    condition = None
    if after_seq is not None:
        condition = EntryItem.seq < after_seq if newest_first else EntryItem.seq > after_seq
    items = EntryItem.query(
        member_id, condition, scan_index_forward=not newest_first, limit=limit, page_size=limit, consistent_read=False
    )
    return [to_entry(item) for item in items]


def read_view(member_id: str) -> AccountItem | None:
    """A member's item of the accounts view as it is now, or None where there is none."""
    try:
        return AccountItem.get(member_id, consistent_read=True)
    except AccountItem.DoesNotExist:
        return None
