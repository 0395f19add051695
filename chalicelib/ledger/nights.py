"""Table `nights`: how far each night's walks have come, and the digests of the days."""

from __future__ import annotations

from typing import Final

import msgspec
from pynamodb.attributes import BinaryAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from chalicelib.base import clock
from chalicelib.base.dynamo import IntAttribute, absent, is_refused
from chalicelib.base.settings import settings
from chalicelib.ledger.digest import Heads

_DIGESTS: Final = "digest"
_NAME = settings().table("nights")


class StartItem(Model):
    """That a night was begun: `part` is `start`. `sent_at` is there once all its messages are."""

    class Meta:
        table_name = _NAME

    night = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    began_at = UnicodeAttribute()
    sent_at = UnicodeAttribute(null=True)


class ProgressItem(Model):
    """How far a segment of a walk has come: `part` is `{walk}#{segment}`, `carried` what its visitors found (JSON)."""

    class Meta:
        table_name = _NAME

    night = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    leg = IntAttribute()
    seen = IntAttribute()
    failed = IntAttribute()
    after = UnicodeAttribute(null=True)
    is_done = IntAttribute()
    carried = UnicodeAttribute()
    updated_at = UnicodeAttribute()


class DigestItem(Model):
    """The digest of one day: `night` is `digest`, `part` the day. Put once, never changed."""

    class Meta:
        table_name = _NAME

    night = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    cut = IntAttribute()
    members = IntAttribute()
    total = BinaryAttribute(legacy_encoding=False)
    previous = BinaryAttribute(legacy_encoding=False)
    digest = BinaryAttribute(legacy_encoding=False)
    put_at = UnicodeAttribute()

    @property
    def heads(self) -> Heads:
        """The sum that the digest was made from."""
        return Heads(self.members, self.total)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one segment after a leg. `carried` is what the visitors found, by their names."""

    leg: int
    seen: int
    failed: int
    after: str
    is_done: bool
    carried: dict[str, dict[str, object]]


def begin(night: str, *, now: int) -> bool:
    """Begin a night; False if it was begun before and all its messages were sent."""
    if _put_once(StartItem(night, "start", began_at=clock.text(now))):
        return True
    return StartItem.get(night, "start", consistent_read=True).sent_at is None


def is_begun(night: str) -> bool:
    """Whether a night was begun."""
    return bool(list(StartItem.query(night, StartItem.part == "start", consistent_read=True)))


def sent(night: str, *, now: int) -> None:
    """Note that all messages of a night are on their queues."""
    StartItem(night, "start").update(actions=[StartItem.sent_at.set(clock.text(now))])


def note(night: str, part: str, progress: Progress, *, now: int) -> bool:
    """Write down how far a segment is; False if another copy of its message has come further."""
    item = ProgressItem(
        night,
        part,
        leg=progress.leg,
        seen=progress.seen,
        failed=progress.failed,
        after=progress.after or None,
        is_done=int(progress.is_done),
        carried=msgspec.json.encode(progress.carried).decode(),
        updated_at=clock.text(now),
    )
    return _put(item, ProgressItem.leg.does_not_exist() | (ProgressItem.leg <= progress.leg))


def progress_of(night: str, walk: str) -> list[Progress]:
    """How far the segments of a walk have come, as it is now; those that have not noted anything yet are missing."""
    items = ProgressItem.query(night, ProgressItem.part.startswith(f"{walk}#"), consistent_read=True)
    return [
        Progress(
            leg=item.leg,
            seen=item.seen,
            failed=item.failed,
            after=item.after or "",
            is_done=bool(item.is_done),
            carried=msgspec.json.decode(item.carried),
        )
        for item in items
    ]


def parts_of(night: str) -> list[ProgressItem]:
    """What is noted of every segment of a night's walks, as it is now."""
    return [item for item in ProgressItem.query(night, consistent_read=True) if "#" in item.part]


def put_digest(item: DigestItem) -> DigestItem:
    """Store a day's digest unless the day has one; returns the one that is stored."""
    item.night = _DIGESTS
    if _put_once(item):
        return item
    return DigestItem.get(_DIGESTS, item.part, consistent_read=True)


def digest_before(day: str) -> DigestItem | None:
    """The latest digest of a day before `day`, or None for the first."""
    items = DigestItem.query(
        _DIGESTS, DigestItem.part < day, scan_index_forward=False, limit=1, page_size=1, consistent_read=True
    )
    return next(iter(items), None)


def _put_once(item: Model) -> bool:
    return _put(item, absent(type(item)))


def _put(item: Model, condition: Condition) -> bool:
    try:
        item.save(condition=condition)
    except PutError as error:
        if not is_refused(error):
            raise
        return False
    return True
