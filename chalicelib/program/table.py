"""How published versions of the programme lie in DynamoDB: one item each, put once and never changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.models import Model

from chalicelib.base.dynamo import IntAttribute, is_refused
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.base.settings import settings
from chalicelib.ledger.posting import Outcome, Write, commit

_NAME = "program"


class VersionItem(Model):
    """One version. All share one partition, in which their numbers run 1, 2, 3 … without a gap."""

    class Meta:
        table_name = settings().table("programs")

    name = UnicodeAttribute(hash_key=True)
    version = IntAttribute(range_key=True)
    document = UnicodeAttribute()
    starts_at = UnicodeAttribute()
    published_at = UnicodeAttribute()
    published_by = UnicodeAttribute()
    note = UnicodeAttribute()
    copy_of = IntAttribute(null=True)


def put_if_absent(item: VersionItem, writes: Sequence[Write] = ()) -> bool:
    """Store a version, and `writes` with it in one transaction; False where its number is taken.

    Raises Lost where a condition of `writes` fails, and Unavailable.
    """
    item.name = _NAME
    if writes:
        return _committed(item, writes)
    try:
        item.save(condition=VersionItem.name.does_not_exist())
    except PutError as error:
        if not is_refused(error):
            raise
        return False
    return True


def _committed(item: VersionItem, writes: Sequence[Write]) -> bool:
    for _attempt in attempts():
        outcome, _found = commit([], item, writes)
        if outcome is not Outcome.AGAIN:
            return outcome is Outcome.COMMITTED
    raise Unavailable("The budgets are being taken from by many at once. Publish the same again.", code="busy")


def read_newest(*, above: int) -> VersionItem | None:
    """The version with the highest number, or None where there is none above `above`.

    Consistent, because a version must be seen by all before it starts.
    """
    items = VersionItem.query(
        _NAME, VersionItem.version > above, scan_index_forward=False, limit=1, page_size=1, consistent_read=True
    )
    return next(iter(items), None)


def read_version(version: int) -> VersionItem | None:
    """One version, or None where it is unknown."""
    try:
        return VersionItem.get(_NAME, version, consistent_read=True)
    except VersionItem.DoesNotExist:
        return None


def read_headers() -> Iterator[VersionItem]:
    """All versions, newest first, without their documents."""
    attributes = ["version", "starts_at", "published_at", "published_by", "note", "copy_of"]
    return iter(VersionItem.query(_NAME, scan_index_forward=False, attributes_to_get=attributes, consistent_read=True))
