"""Orders paid with points: the redemption behind a payment is used up with the order, and comes back with a refund."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.base import facts
from chalicelib.base.errors import Invalid
from chalicelib.ledger.chain import Entry
from chalicelib.ledger.effects import added
from chalicelib.ledger.posting import Write
from chalicelib.ledger.state import Limit, Lot
from chalicelib.members import service as members
from chalicelib.orders.schema import OrderIn, PaymentIn
from chalicelib.program.service import Versioned
from chalicelib.rewards import history
from chalicelib.rewards import service as rewards
from chalicelib.rewards.history import Redemption, RedemptionNotOpen


class RedemptionUse(msgspec.Struct, frozen=True):
    """A payment by redemption."""

    redemption: Redemption
    field: str

    def write(self, entry: Entry) -> Write:
        """The write that uses the redemption up, in the order's own transaction."""
        return rewards.use_write(self.redemption, entry.record, entry.posted_at)

    def refusal(self) -> RedemptionNotOpen:
        """Why an order cannot be paid so."""
        return RedemptionNotOpen("The redemption was used or cancelled before; ask for another one.", field=self.field)


def redemption_uses(order: OrderIn, member_id: str, *, now: int) -> list[RedemptionUse]:
    """The redemptions that an order's payments name.

    Raises RedemptionNotFound, RedemptionNotOpen, and Invalid for one of another member, of another amount or currency,
    or named twice.
    """
    named = [
        (index, payment) for index, payment in enumerate(order.payments) if payment.redemption_id is not msgspec.UNSET
    ]
    if len({payment.redemption_id for _index, payment in named}) < len(named):
        raise Invalid("A redemption pays an order once.", field="payments", code="redemption_repeated")
    return [_use(order, payment, f"payments[{index}].redemption_id", member_id, now) for index, payment in named]


def _use(order: OrderIn, payment: PaymentIn, field: str, member_id: str, now: int) -> RedemptionUse:
    redemption = history.read(str(payment.redemption_id))
    if redemption.status(now) != "issued":
        # A hold that was committed a moment ago may not be seen yet; nobody is refused on a stale read.
        redemption = history.read(redemption.redemption_id, consistent=True)
    issue = redemption.issue
    status = redemption.status(now)
    if status != "issued":
        raise RedemptionNotOpen(f"The redemption is {status}; ask for another one.", field=field)
    if not members.is_one(redemption.member_id, member_id):
        raise Invalid("The redemption belongs to another member.", field=field, code="redemption_not_fitting")
    if (issue.amount_minor, issue.currency) != (payment.amount_minor, order.currency):
        raise Invalid(
            f"The redemption is worth {issue.amount_minor} {issue.currency}.",
            field=field,
            code="redemption_not_fitting",
        )
    return RedemptionUse(redemption, field)


class Return(msgspec.Struct, frozen=True):
    """A redemption that paid an order, and the points of it that a refund may still give back.

    One that the shop has cancelled (`is_over`) gave everything back already.
    """

    redemption: Redemption
    spent_points: int
    is_over: bool


def returns_of(order: OrderIn) -> list[Return]:
    """The redemptions that paid an order."""
    named = [str(payment.redemption_id) for payment in order.payments if payment.redemption_id is not msgspec.UNSET]
    return [_return(history.read(redemption_id, consistent=True)) for redemption_id in named]


def lots_back(
    returns: Sequence[Return], returned_points: Sequence[int], current: Versioned, at: int
) -> tuple[Lot, ...]:
    """The lots that go back to members for the running totals `returned_points` of the redemptions."""
    back: tuple[Lot, ...] = ()
    for paid, points in zip(returns, returned_points, strict=True):
        more = points - paid.redemption.returned_points
        back += rewards.alive(history.returned_lots(paid.redemption.spent_lots, more), current, at)
    return added((), back)


def limits_back(returns: Sequence[Return]) -> tuple[Limit, ...]:
    """What the last of an order gives back of the member's limits for the rewards that paid it."""
    return tuple(limit for paid in returns if not paid.is_over for limit in rewards.limits_back(paid.redemption))


def return_writes(
    returns: Sequence[Return], returned_points: Sequence[int], record_id: str, at: int, *, is_last: bool
) -> list[Write]:
    """The writes that note on each redemption what a refund gives back of it.

    With the last of the order (`is_last`) the stock of a reward goes back as well, though it cost no points.
    """
    ended = [paid.redemption for paid in returns if is_last and not paid.is_over]
    noted = [
        rewards.return_write(paid.redemption, record_id, points, at)
        for paid, points in zip(returns, returned_points, strict=True)
        if paid.redemption in ended or points > paid.redemption.returned_points
    ]
    return [*noted, *rewards.stock_back(ended)]


def _return(redemption: Redemption) -> Return:
    is_cancelled = redemption.find(facts.REDEMPTION_CANCELLED) is not None
    spent_points = redemption.returned_points if is_cancelled else redemption.issue.spent_points
    return Return(redemption, spent_points, is_cancelled)
