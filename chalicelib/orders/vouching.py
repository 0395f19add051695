"""Vouchers that were redeemed for an order: named when it is posted, given back when all of it has gone back."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.base.errors import Invalid
from chalicelib.orders.schema import OrderIn, OrderVoucher
from chalicelib.vouchers import undoing, uses
from chalicelib.vouchers.undoing import VoucherUseNotFound
from chalicelib.vouchers.uses import OrderName


def check(order: OrderIn, named: Sequence[OrderVoucher]) -> None:
    """Raises VoucherUseNotFound unless each was redeemed for this very order, and Invalid for one named twice.

    One that has been rolled back since was redeemed all the same: the order tells what it was, and is not refused.
    """
    if len({voucher.redemption_id for voucher in named}) < len(named):
        raise Invalid("An order names a voucher once.", field="vouchers", code="voucher_repeated")
    steps, _live = uses.uses_of(_name(order))
    known = {step.record_id for step in steps if not step.undoes}
    for index, voucher in enumerate(named):
        if voucher.redemption_id not in known:
            raise VoucherUseNotFound(
                "No voucher was redeemed for this order under this id.", field=f"vouchers[{index}].redemption_id"
            )


def give_back(order: OrderIn, returned_at: str, *, actor: str, now: int) -> None:
    """Roll back what the order still used at the instant (RFC 3339) at which it went back; repeated, nothing changes.

    Whatever was redeemed for it afterwards stays, so that a late repetition takes nothing else. What the order names
    was redeemed before, whatever the clock said of whoever redeemed it. Raises Unavailable.
    """
    named = [voucher.redemption_id for voucher in order.vouchers or ()]
    undoing.roll_back_all(_name(order), until=returned_at, named=named, actor=actor, now=now)


def _name(order: OrderIn) -> OrderName:
    return OrderName(order.source, order.order_id)
