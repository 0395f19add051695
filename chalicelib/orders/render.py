"""How orders are shown. An answer to a posting is made from its record alone, so that a replay shows the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from chalicelib.base import clock, facts
from chalicelib.ledger.schema import account_summary, entry_summary
from chalicelib.ledger.state import NEVER
from chalicelib.orders import history, reasons
from chalicelib.orders.history import History
from chalicelib.orders.rules import Earnings
from chalicelib.orders.schema import (
    ExplanationOut,
    GivenVoucherOut,
    OrderOut,
    OrderPosted,
    QuoteOut,
    RefundOut,
    RefundPosted,
)
from chalicelib.orders.service import Quote
from chalicelib.orders.table import OrderStep
from chalicelib.program.rules.inputs import Explanation
from chalicelib.program.rules.takes import Given

_KINDS: dict[str, Literal["refund", "order_cancelled", "pending_cancelled"]] = {
    facts.REFUND: "refund",
    facts.ORDER_CANCELLED: "order_cancelled",
    facts.PENDING_CANCELLED: "pending_cancelled",
}

Status = Literal["posted", "unclaimed", "partly_refunded", "refunded", "cancelled"]


def posted_order(record: OrderStep) -> OrderPosted:
    """The answer to an order, from the step that recorded it."""
    return OrderPosted(
        order=order(history.told([record])), entry=entry_summary(record), account=account_summary(record)
    )


def stepped_order(order_id: str, record: OrderStep) -> OrderPosted:
    """The answer to a step that changed an order's points, as the order was right after it."""
    steps = [step for step in history.read(order_id, consistent=True).steps if step.step <= record.step]
    return OrderPosted(order=order(history.told(steps)), entry=entry_summary(record), account=account_summary(record))


def posted_refund(record: OrderStep) -> RefundPosted:
    """The answer to a refund or cancellation, from the step that recorded it."""
    return RefundPosted(refund=refund(record), entry=entry_summary(record), account=account_summary(record))


def order(past: History) -> OrderOut:
    """An order with all that happened to it."""
    earnings, refunded = past.earnings, past.refunded
    return OrderOut(
        id=past.order_id,
        status=_status(past),
        source=past.order.source,
        order_id=past.order.order_id,
        member_id=past.member_id,
        occurred_at=past.steps[0].occurred_at,
        posted_at=past.steps[0].posted_at,
        currency=past.order.currency,
        total_minor=earnings.total_minor,
        refunded_minor=refunded.total_minor,
        earned_points=earnings.points,
        clawed_points=refunded.clawed_points,
        line_points=earnings.line_points,
        points_available_at=instant(earnings.available_at),
        points_expire_at=instant(earnings.expires_at) if past.member_id else None,
        explanations=explained(earnings),
        vouchers=past.order.vouchers or (),
        given_vouchers=given_vouchers(earnings.vouchers),
        refunds=tuple(refund(step) for step in _refunds(past.steps)),
    )


def refund(step: OrderStep) -> RefundOut:
    """A refund or cancellation as its step recorded it."""
    figures = history.refund_figures(step)
    return RefundOut(
        id=step.record_id,
        kind=_KINDS[step.kind],
        amount_minor=figures.last_minor,
        clawed_points=figures.last_clawed_points,
        returned_points=figures.last_returned_points,
        occurred_at=step.occurred_at,
        posted_at=step.posted_at,
    )


def quoted(quote: Quote) -> QuoteOut:
    """What a purchase would earn, and why."""
    return QuoteOut(
        points=quote.earnings.points,
        qualifying_points=quote.earnings.qualifying_points,
        eligible_minor=quote.earned.eligible_minor,
        tier=quote.tier,
        line_points=quote.earnings.line_points,
        available_at=instant(quote.earnings.available_at),
        expires_at=instant(quote.earnings.expires_at),
        program_version=quote.earnings.program,
        explanations=explained(quote.earnings),
    )


def explained(earnings: Earnings) -> tuple[ExplanationOut, ...]:
    """What each rule did, as it was recorded."""
    return tuple(_explanation(reasons.unpacked(values)) for values in earnings.reasons)


def _explanation(item: Explanation) -> ExplanationOut:
    return ExplanationOut(
        rule=item.rule,
        campaign=item.campaign or None,
        fired=item.fired,
        reason=item.reason,
        points=item.points,
        cut_points=item.cut_points,
        cut_by=item.cut_by or None,
        voucher_id=item.voucher_id or None,
    )


def given_vouchers(given: Sequence[Given]) -> tuple[GivenVoucherOut, ...]:
    """The vouchers that rules gave, as they were recorded."""
    return tuple(
        GivenVoucherOut(rule=item.rule, voucher_batch_id=item.batch_id, voucher_id=item.voucher_id) for item in given
    )


def instant(at: int | None) -> str | None:
    """An instant as text; None for none, and for points that never expire."""
    return None if at is None or at == NEVER else clock.text(at)


def _refunds(steps: Sequence[OrderStep]) -> list[OrderStep]:
    return [step for step in steps if step.kind in history.TAKING_BACK]


def _status(past: History) -> Status:
    if past.refunded.cancelled:
        return "cancelled"
    if past.refunded.total_minor:
        return "refunded" if past.refunded.total_minor == past.earnings.total_minor else "partly_refunded"
    return "posted" if past.member_id else "unclaimed"
