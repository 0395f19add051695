"""The router: sends each area that asked for a kind of fact a message about every such entry."""

from __future__ import annotations

from typing import Final

import msgspec

from chalicelib.base import facts, queues
from chalicelib.base.settings import settings
from chalicelib.ledger.chain import Entry

_OF_CHALLENGES: Final = (
    facts.ORDER,
    facts.REFUND,
    facts.ORDER_CANCELLED,
    facts.EVENT,
    facts.EVENT_CANCELLED,
    facts.MERGED_IN,
)

_OF_REFERRALS: Final = (facts.ORDER, facts.REFUND, facts.ORDER_CANCELLED, facts.MERGED_IN)


class Notice(msgspec.Struct, frozen=True):
    """What a queue carries about an entry; the member and sequence name it for ever, so a second one is recognised."""

    member_id: str
    seq: int
    kind: str
    record: str


def queues_for(kind: str) -> tuple[str, ...]:
    """The addresses of the queues of all areas that asked for facts of this kind."""
    asked = (
        ((facts.ENROLLED,), settings().claims_queue_url),
        (_OF_CHALLENGES, settings().challenges_queue_url),
        (_OF_REFERRALS, settings().referrals_queue_url),
    )
    return tuple(queue_url for kinds, queue_url in asked if kind in kinds)


def route(entry: Entry) -> None:
    """Send a notice of `entry` to whoever asked for its kind; it may arrive more than once."""
    notice = Notice(entry.member_id, entry.seq, entry.kind, entry.record)
    for queue_url in queues_for(entry.kind):
        queues.send(queue_url, notice)
