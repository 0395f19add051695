"""What challenges make of the ledger's facts: each purchase and event is kept once, and what is done is paid once.

A notice may come twice, late, or before an earlier one. So it only says where to look: what a purchase counts for is
read from its record as that is now, and where it stands among the others follows from the time at which it occurred.

A member's progress is one item with a version. Whatever changes it (a fact, a payment, a merge) is committed on
condition of the version that was read, so a payment is made for exactly the facts that were counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.base import facts
from chalicelib.base.dynamo import connection, unchanged
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.engagement import hearing, settling
from chalicelib.engagement.hearing import Heard
from chalicelib.engagement.rules.progress import Fact, advanced, lessened, united_payments, walked
from chalicelib.engagement.table import (
    FactItem,
    Progress,
    ProgressItem,
    Stored,
    fact_item,
    progress_item,
    read_fact,
    read_facts,
    read_progress,
)
from chalicelib.engagement.terms import find
from chalicelib.ledger.router import Notice
from chalicelib.members.table import read_merge

_TOGETHER_MAX: Final = 90
"""How many facts a merge moves in the transaction of its progress, which takes 100 items; more go ahead of it."""


def react(notice: Notice, *, now: int) -> None:
    """Count what a notice is about, and settle what follows. Doing it again changes nothing. Raises Unavailable."""
    if notice.kind == facts.MERGED_IN:
        merge = read_merge(notice.record)
        if merge is not None:
            settling.settle(*unite(notice.member_id, merge.closed_id), now=now)
        return
    heard = hearing.heard(notice, now=now)
    if heard is not None:
        settling.settle(*count(notice.member_id, heard), now=now)


def count(member_id: str, heard: Heard) -> tuple[str, Stored]:
    """Keep a fact, or what is left of it, and walk on; gives the member under whose id it lies, and the progress."""
    for _attempt in attempts():
        home, stored = locate(member_id)
        known = read_fact(home, (heard.occurred_at, heard.fact_id))
        changed = heard.fact() if known is None else lessened(known, heard.left)
        if changed == known or (known is None and not _must_be_kept(changed, heard, home)):
            return home, stored
        progress = _walked_on(home, stored.progress, changed, is_new=known is None)
        if _commit([_moved_on(home, stored, progress), (fact_item(home, changed), None)]):
            return home, Stored(stored.version + 1, progress)
    raise Unavailable("The member's challenges are being changed by many at once.", code="busy")


def unite(member_id: str, closed_id: str) -> tuple[str, Stored]:
    """Move what a member who was merged did in challenges to the one who took over; gives the latter and its progress.

    One person has one card: all facts are walked together, and what both were paid counts together.
    """
    for _attempt in attempts():
        home, stored = locate(member_id)
        closed = read_progress(closed_id)
        if closed.moved_into:
            return home, stored
        own = {fact.place: fact for fact in read_facts(home)}
        moved = [_together(own.get(fact.place), fact) for fact in read_facts(closed_id)]
        united = {**own, **{fact.place: fact for fact in moved}}
        progress = Progress(
            walked(united.values(), find),
            united_payments(stored.progress.paid, closed.progress.paid),
            max(united, default=(0, "")),
            stored.progress.turns,
        )
        # Those that lie here already come last, for only the transaction may change them.
        changed = sorted(
            (fact for fact in moved if own.get(fact.place) != fact), key=lambda fact: (fact.place in own, fact.place)
        )
        items = [fact_item(home, fact) for fact in changed]
        if not _put_ahead(items[:-_TOGETHER_MAX]):
            continue
        emptied = progress_item(closed_id, closed.version + 1, Progress(), moved_into=home)
        writes = [
            _moved_on(home, stored, progress),
            (emptied, unchanged(ProgressItem, closed.version)),
            *((item, None) for item in items[-_TOGETHER_MAX:]),
        ]
        if _commit(writes):
            return home, Stored(stored.version + 1, progress)
    raise Unavailable("The members' challenges are being changed by many at once.", code="busy")


def locate(member_id: str) -> tuple[str, Stored]:
    """The member under whose id a member's challenges lie, which is another one after a merge, and how far they are."""
    stored = read_progress(member_id)
    while stored.moved_into:
        member_id = stored.moved_into
        stored = read_progress(member_id)
    return member_id, stored


def _must_be_kept(fact: Fact, heard: Heard, home: str) -> bool:
    """Whether a new fact is kept; one that counts for nothing is, where it might seem to count for more tomorrow.

    That is so where the profile may change, and where a merge that is yet to be heard of brings what it was before.
    """
    return fact.weighs or heard.asks_profile or heard.owner != home


def _walked_on(home: str, progress: Progress, fact: Fact, *, is_new: bool) -> Progress:
    """The progress with a fact that is new, or of which less is left."""
    if is_new and fact.place > progress.last:
        return msgspec.structs.replace(progress, walks=advanced(progress.walks, fact, find), last=fact.place)
    known = {other.place: other for other in read_facts(home)} | {fact.place: fact}
    return msgspec.structs.replace(progress, walks=walked(known.values(), find), last=max(known))


def _together(own: Fact | None, other: Fact) -> Fact:
    return other if own is None else lessened(own, other.marks)


def _put_ahead(items: Sequence[FactItem]) -> bool:
    """Whether facts that are new under their member's id were put; they count when the progress says so."""
    return all(_commit([(item, FactItem.key.does_not_exist())]) for item in items)


def _moved_on(home: str, stored: Stored, progress: Progress) -> tuple[Model, Condition]:
    return progress_item(home, stored.version + 1, progress), unchanged(ProgressItem, stored.version)


def _commit(writes: Sequence[tuple[Model, Condition | None]]) -> bool:
    """Whether all was written; if not (or if nobody knows), it is to be decided on anew."""
    try:
        with TransactWrite(connection=connection()) as transaction:
            for item, condition in writes:
                transaction.save(item, condition=condition)
    except (PynamoDBException, BotoCoreError):
        return False
    return True
