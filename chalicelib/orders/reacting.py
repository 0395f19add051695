"""What orders make of the ledger's facts: waiting orders of who enrols are claimed, and what went back frees vouchers.

A notice may come twice, late, or after the caller's own request has done all of it: it only says where to look.
"""

from __future__ import annotations

import logging

from chalicelib.base import facts
from chalicelib.ledger.records import placed
from chalicelib.ledger.router import Notice
from chalicelib.ledger.table import EntryItem
from chalicelib.orders import claims, history, rules
from chalicelib.orders.history import TAKING_BACK, History

logger = logging.getLogger(__name__)

ACTOR = "system:orders"


def react(notice: Notice, *, now: int) -> None:
    """Do what follows from a fact. Doing it again changes nothing. Raises Unavailable."""
    if notice.kind == facts.ENROLLED:
        logger.info("%s claimed %s orders", notice.member_id, claims.claim_all(notice.member_id, now=now))
        return
    past = history.read(order_id_of(notice), consistent=True)
    returned_at = _returned_at(past)
    if past.order.vouchers and returned_at is not None:
        from chalicelib.orders import vouching  # noqa: PLC0415 -- only such orders load vouchers

        vouching.give_back(past.order, returned_at, actor=ACTOR, now=now)


def order_id_of(notice: Notice) -> str:
    """The order that a notice leads to: of a refund, the one that it is of."""
    if notice.record.startswith("ord_"):
        return notice.record
    for consistent in (False, True):
        try:
            entry = EntryItem.get(notice.member_id, notice.seq, consistent_read=consistent)
        except EntryItem.DoesNotExist:
            continue
        return placed(entry.place or "").key["order_id"]
    raise LookupError(f"{notice.member_id} has no entry {notice.seq}")


def _returned_at(past: History) -> str | None:
    """When the last of an order went back, None while something of it is left."""
    steps = (step for step in past.steps if step.kind in TAKING_BACK)
    return next(
        (str(step.posted_at) for step in steps if rules.is_whole(past.earnings, history.refund_figures(step))), None
    )
