"""The router: sends each area that asked for a kind of fact a message about every such entry."""

from __future__ import annotations

from typing import Final

import msgspec

from chalicelib.base import facts, queues
from chalicelib.base.settings import settings
from chalicelib.ledger.chain import Entry
from chalicelib.ledger.state import Month

_OF_CHALLENGES: Final = (
    facts.ORDER,
    facts.REFUND,
    facts.ORDER_CANCELLED,
    facts.EVENT,
    facts.EVENT_CANCELLED,
    facts.MERGED_IN,
)

_OF_REFERRALS: Final = (facts.ORDER, facts.REFUND, facts.ORDER_CANCELLED, facts.MERGED_IN)

_OF_SURVEYS: Final = (facts.ORDER, facts.RETIERED, facts.SWEPT, facts.CASE_RESOLVED, facts.ALERT, facts.CARE)


class Notice(msgspec.Struct, frozen=True):
    """What a queue carries about an entry; the member and sequence name it for ever, so a second one is recognised."""

    member_id: str
    seq: int
    kind: str
    record: str


def queues_for(entry: Entry) -> tuple[str, ...]:
    """The addresses of the queues of all areas that asked for such an entry."""
    asked = (
        (_of_claims(entry), settings().claims_queue_url),
        (_OF_CHALLENGES, settings().challenges_queue_url),
        (_OF_REFERRALS, settings().referrals_queue_url),
        (_of_surveys(entry), settings().surveys_queue_url),
    )
    return tuple(queue_url for kinds, queue_url in asked if entry.kind in kinds)


def route(entry: Entry) -> None:
    """Send a notice of `entry` to whoever asked for its kind; it may arrive more than once."""
    notice = Notice(entry.member_id, entry.seq, entry.kind, entry.record)
    for queue_url in queues_for(entry):
        queues.send(queue_url, notice)


def _of_claims(entry: Entry) -> tuple[str, ...]:
    """Orders hear of who enrols, and of the step by which all of a purchase went back, for its vouchers go with it."""
    is_last = entry.effect.purchases.count < 0
    return (facts.ENROLLED, facts.REFUND, facts.ORDER_CANCELLED) if is_last else (facts.ENROLLED,)


def _of_surveys(entry: Entry) -> tuple[str, ...]:
    """Surveys hear of what they ask members about, and of whatever may have moved a tier.

    A tier is reached by a record of it. It is lost where time ends it, which the night writes down, or where that is
    taken back which it was reached with.
    """
    taken_back = any(
        min(month.points, month.spend_minor, month.purchases, month.activity) < 0 for month in _lost(entry)
    )
    return (*_OF_SURVEYS, entry.kind) if entry.effect.tiers is not None or taken_back else _OF_SURVEYS


def _lost(entry: Entry) -> tuple[Month, ...]:
    """The months that an entry changes, of a member who has a tier to lose."""
    return entry.effect.months if entry.state.tiers else ()
