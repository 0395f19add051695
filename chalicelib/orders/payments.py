"""Orders paid with points: the redemption behind such a payment is used up with the order, once."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from chalicelib.base.errors import Invalid
from chalicelib.ledger.chain import Entry
from chalicelib.ledger.posting import Write
from chalicelib.orders.schema import OrderIn, PaymentIn
from chalicelib.rewards import service as rewards
from chalicelib.rewards.service import Redemption, RedemptionNotOpen


@dataclass(frozen=True)
class RedemptionUse:
    """A payment by redemption."""

    redemption: Redemption
    field: str

    def write(self, entry: Entry) -> Write:
        """The write that uses the redemption up, in the order's own transaction."""
        return rewards.use_write(self.redemption, entry.record, entry.posted_at)

    def refusal(self) -> RedemptionNotOpen:
        """Why an order cannot be paid so."""
        return RedemptionNotOpen("The redemption was used or cancelled before; ask for another one.", field=self.field)


def redemption_uses(order: OrderIn, member_id: str) -> list[RedemptionUse]:
    """The redemptions that an order's payments name.

    Raises RedemptionNotFound, and Invalid for one of another member, of another amount or currency, or named twice.
    """
    named = [
        (index, payment) for index, payment in enumerate(order.payments) if payment.redemption_id is not msgspec.UNSET
    ]
    if len({payment.redemption_id for _index, payment in named}) < len(named):
        raise Invalid("A redemption pays an order once.", field="payments", code="redemption_repeated")
    return [_use(order, payment, f"payments[{index}].redemption_id", member_id) for index, payment in named]


def _use(order: OrderIn, payment: PaymentIn, field: str, member_id: str) -> RedemptionUse:
    redemption = rewards.read(str(payment.redemption_id))
    issue = redemption.issue
    if redemption.member_id != member_id:
        raise Invalid("The redemption belongs to another member.", field=field, code="redemption_not_fitting")
    if (issue.amount_minor, issue.currency) != (payment.amount_minor, order.currency):
        raise Invalid(
            f"The redemption is worth {issue.amount_minor} {issue.currency}.",
            field=field,
            code="redemption_not_fitting",
        )
    return RedemptionUse(redemption, field)
