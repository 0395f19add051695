"""An order as its steps tell it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.base import facts
from chalicelib.base.errors import NotFound
from chalicelib.ledger.records import step_name
from chalicelib.orders.rules import Earnings, Refunded, nothing_refunded, reckoned
from chalicelib.orders.schema import OrderIn
from chalicelib.orders.table import OrderStep, read_steps

TAKING_BACK = (facts.REFUND, facts.ORDER_CANCELLED, facts.PENDING_CANCELLED)
"""The kinds of steps that carry running totals of what went back."""

UNCLAIMED = "unclaimed"
"""The kind of an order's first step while no member is known."""

_EARNINGS = msgspec.json.Decoder(Earnings)
_REFUNDED = msgspec.json.Decoder(Refunded)
_ORDER = msgspec.json.Decoder(OrderIn)


class OrderNotFound(NotFound):
    """No order has this id."""

    code = "order_not_found"


class History(msgspec.Struct, frozen=True):
    """An order and all that happened to it. `member_id` is None while nobody has claimed it."""

    steps: tuple[OrderStep, ...]
    order: OrderIn
    earnings: Earnings
    refunded: Refunded
    member_id: str | None

    @property
    def order_id(self) -> str:
        """The engine's id of the order."""
        return str(self.steps[0].order_id)

    @property
    def next_step(self) -> str:
        """The name of the step that comes next."""
        return step_name(len(self.steps))

    def find(self, record_id: str) -> OrderStep | None:
        """The step that stands for `record_id`, if it has been taken."""
        return next((step for step in self.steps if step.record_id == record_id), None)


def told(steps: Sequence[OrderStep]) -> History:
    """The history that `steps` (one at least, in their sequence) tell.

    The earnings are those of the step that found the member: the order itself, or the claim.
    """
    owner = next((step for step in steps if step.member_id), None)
    earning = next((step for step in reversed(steps) if step.kind in (facts.ORDER, UNCLAIMED)), steps[0])
    earnings = _EARNINGS.decode(earning.figures)
    if any(step.kind == facts.PENDING_RELEASED for step in steps):
        # Its points wait no longer; what else waits for the same day is another order's.
        earnings = msgspec.structs.replace(earnings, available_at=None)
    refunds = [step for step in steps if step.kind in TAKING_BACK]
    return History(
        steps=tuple(steps),
        order=_ORDER.decode(steps[0].body),
        earnings=earnings,
        refunded=reckoned(earnings, _REFUNDED.decode(refunds[-1].figures)) if refunds else nothing_refunded(earnings),
        member_id=owner.member_id if owner else None,
    )


def read(order_id: str, *, consistent: bool = False) -> History:
    """An order's history. Raises OrderNotFound, which only a consistent read may say."""
    steps = read_steps(order_id, consistent=consistent)
    if not steps and not consistent:
        steps = read_steps(order_id, consistent=True)
    if not steps:
        raise OrderNotFound("No order has this id.", field="order_id")
    return told(steps)


def refund_figures(step: OrderStep) -> Refunded:
    """The running totals that a refund's step recorded."""
    return _REFUNDED.decode(step.figures)
