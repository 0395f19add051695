"""Table `orders`: an order is a short chain of steps, never edited.

Step `000` is the order as it was accepted, each later step a refund, the cancellation, or the claim by a member who
enrolled afterwards. A step is put if absent, so whoever writes the next step has seen all before it. Beside the orders,
pointers `unclaimed#{keyed hash of an identity}` lead from an identity to the orders that wait for it.
"""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from chalicelib.base.settings import settings
from chalicelib.ledger.records import Record


class OrderStep(Record):
    """One step. `body` is the accepted request (JSON), `figures` what was reckoned from it (JSON)."""

    class Meta:
        table_name = settings().table("orders")

    order_id = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    body = UnicodeAttribute()
    figures = UnicodeAttribute()


class UnclaimedPointer(Model):
    """Leads from an identity to one order that nobody has claimed; `step` is `{occurred_at}#{order id}`."""

    class Meta:
        table_name = settings().table("orders")

    order_id = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    waiting = UnicodeAttribute()


def read_steps(order_id: str, *, consistent: bool) -> list[OrderStep]:
    """All steps of an order in their sequence; empty where there is no such order (or none seen yet)."""
    return list(OrderStep.query(order_id, consistent_read=consistent))


def read_pointers(identity_key: str, *, since: str, limit: int) -> list[UnclaimedPointer]:
    """Up to `limit` orders waiting for an identity that occurred at `since` (RFC 3339) or later, oldest first."""
    return list(UnclaimedPointer.query(identity_key, UnclaimedPointer.step >= since, limit=limit, consistent_read=True))
