"""What referrals make of the ledger's facts, and of the day on which a return window is over.

A notice may come twice, late, or before an earlier one. So it only says where to look: a purchase is read from its
record as that is now, and what follows is decided on the referral's one item.
"""

from __future__ import annotations

import logging
from typing import Final

from chalicelib.base import clock, facts
from chalicelib.ledger.router import Notice
from chalicelib.members.table import read_merge
from chalicelib.orders.reacting import order_id_of
from chalicelib.referrals import changing, hearing, settling, uniting
from chalicelib.referrals.rules import Referral
from chalicelib.referrals.table import SHARDS, LeadItem, read_state, referrals_of, sharded

logger = logging.getLogger(__name__)

AT_ONCE: Final = 25
"""How many due referrals of each shard one message settles."""


def react(notice: Notice, *, now: int) -> None:
    """Count what a notice is about, and settle what follows. Doing it again changes nothing. Raises Unavailable."""
    if notice.kind == facts.MERGED_IN:
        merge = read_merge(notice.record)
        touched = uniting.unite(merge.closed_id, now=now) if merge is not None else []
        for referral_id in touched:
            settling.settle(changing.read(referral_id), now=now)
        return
    found = referrals_of(notice.member_id)
    if not found:
        return
    orders = [hearing.order_at(order_id_of(notice))]
    for referral_id in found:

        def step(referral: Referral) -> Referral:
            return hearing.told(referral, orders)

        settling.settle(changing.change(referral_id, step), now=now)


def settle_due(*, now: int) -> bool:
    """Settle what has come due by now; whether there may be more."""
    is_more = False
    for shard in range(SHARDS):
        due = LeadItem.query(
            sharded("due", shard), LeadItem.part < clock.text(now + 1), limit=AT_ONCE, consistent_read=True
        )
        leads = list(due)
        for lead in leads:
            _settle_lead(lead, now)
        is_more = is_more or len(leads) == AT_ONCE
    return is_more


def _settle_lead(lead: LeadItem, now: int) -> None:
    """Settle what has come due. What cannot be settled is tried again a day later, and holds up nothing meanwhile."""
    stored = read_state(lead.referral_id)
    try:
        if stored is not None:
            settling.settle(stored, now=now)
    except Exception:
        logger.exception("%s could not be settled", lead.referral_id)
        LeadItem(lead.key, f"{clock.text(now + clock.DAY_S)}#{lead.referral_id}").save()
    # Where the date has moved meanwhile, the referral is on the list once more.
    lead.delete()
