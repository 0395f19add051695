"""Which purchases referrals are told of: one that a notice leads to, or all of accounts that have become one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from chalicelib.base import clock, facts
from chalicelib.ledger.router import Notice
from chalicelib.ledger.table import EntryItem
from chalicelib.orders import history
from chalicelib.orders.reacting import order_id_of
from chalicelib.referrals import rules, terms
from chalicelib.referrals.rules import Order, Referral

ENTRIES_MAX: Final = 200
"""So many entries of each account are looked through when accounts have become one, the latest."""

_PAGE: Final = 25
_PURCHASES: Final = (facts.ORDER, facts.REFUND, facts.ORDER_CANCELLED)


def told(referral: Referral, orders: Iterable[Order]) -> Referral:
    """The referral after some purchases were heard of."""
    policy = terms.policy_of(referral)
    for order in orders:
        referral = rules.heard(referral, policy, order)
    return referral


def order_at(order_id: str) -> Order:
    """A purchase as it counts for a referral by now: what its refunds have left of it."""
    past = history.read(order_id, consistent=True)
    total_minor, earnings = past.order.total_minor, past.earnings
    left_minor = 0 if past.refunded.cancelled else total_minor - past.refunded.total_minor
    spend_minor = earnings.spend_minor * left_minor // total_minor if total_minor else 0
    return Order(past.order_id, clock.seconds(past.order.occurred_at), left_minor, spend_minor)


def orders_since(member_ids: Sequence[str], since: int) -> list[Order]:
    """The purchases that some accounts have made or sent back since an instant, as they are now."""
    notices = (notice for member_id in member_ids for notice in _notices(member_id, since))
    return [order_at(order_id) for order_id in dict.fromkeys(map(order_id_of, notices))]


def _notices(member_id: str, since: int) -> Iterator[Notice]:
    """What was told of an account's purchases since an instant, the latest first."""
    # A purchase may lie in the future by what clocks differ, so it may have been posted before it occurred.
    first = clock.text(since - clock.DAY_S)
    entries = EntryItem.query(
        member_id, scan_index_forward=False, limit=ENTRIES_MAX, page_size=_PAGE, consistent_read=True
    )
    for entry in entries:
        if entry.posted_at < first:
            return
        if entry.kind in _PURCHASES:
            yield Notice(member_id, entry.seq, entry.kind, entry.record)
