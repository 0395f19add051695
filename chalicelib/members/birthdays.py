"""Who has a birthday on a day: an index of the members table that holds those alone who have told theirs.

A profile carries `born`, made from its birthday, as an attribute of its own; the index has nothing else. Profiles that
were stored before there was an index get theirs by a walk over all accounts, once in an installation's life.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pynamodb.exceptions import UpdateError

from chalicelib.base import queues
from chalicelib.base.dynamo import is_refused
from chalicelib.base.settings import settings
from chalicelib.ledger import nights
from chalicelib.ledger.table import AccountItem
from chalicelib.ledger.walk import Leg
from chalicelib.members.rules import BORN_SHARDS, born, born_on
from chalicelib.members.table import ProfileItem, peek_profile

__all__ = ["BORN_SHARDS", "WALK", "Indexer", "begin_index", "is_indexed", "who_was_born"]

WALK: Final = "born"
_PAGE: Final = 100


def who_was_born(month_day: str, shard: int, *, after: str = "", page_size: int = _PAGE) -> Iterator[str]:
    """The members of a shard who were born on a day such as "05-17", by their ids, those `after` an id alone.

    The index may be a moment behind, so whoever acts on it looks at the profile.
    """
    condition = ProfileItem.key > after if after else None
    for item in ProfileItem.by_birthday.query(born_on(month_day, shard), condition, page_size=page_size):
        yield str(item.key)


class Indexer:
    """The visitor that puts `born` on profiles which lack it. A second visit changes nothing."""

    def __init__(self, _leg: Leg, carried: Mapping[str, Any]) -> None:
        self._indexed: int = carried.get("indexed", 0)

    def visit(self, account: AccountItem) -> None:
        """Look at one member's profile."""
        item = peek_profile(account.member_id)
        if item is None or item.merged_into or item.born == born(item.key, item.person):
            return
        wanted = born(item.key, item.person)
        action = ProfileItem.born.set(wanted) if wanted else ProfileItem.born.remove()
        try:
            ProfileItem(item.key).update(actions=[action], condition=ProfileItem.version == item.version)
        except UpdateError as error:
            # It has changed since it was read, and whatever changes it writes this as well.
            if not is_refused(error):
                raise
            return
        self._indexed += 1

    def carry(self) -> dict[str, Any]:
        """How many profiles were indexed so far."""
        return {"indexed": self._indexed}


def is_indexed() -> bool:
    """Whether the walk has come by every profile that there was when it began."""
    parts = nights.progress_of(WALK, WALK)
    return len(parts) == settings().nightly_segments and all(part.is_done for part in parts)


def begin_index(*, now: int) -> bool:
    """Begin the walk; False where it was begun before. A try that died half-way is made good by the next one."""
    if not nights.begin(WALK, now=now):
        return False
    segments = settings().nightly_segments
    for segment in range(segments):
        leg = Leg(walk=WALK, night=WALK, cut=now, segment=segment, segments=segments)
        queues.send(settings().nightly_queue_url, leg)
    nights.sent(WALK, now=now)
    return True
