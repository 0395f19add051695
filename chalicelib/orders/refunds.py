"""Refunds and cancellations: each takes back its share of what the order earned, once."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import Invalid, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger.posting import Account, Lost, Plan, Posted, post, put_once, replay
from chalicelib.orders import decisions, history, rules
from chalicelib.orders.decisions import Fact
from chalicelib.orders.history import History
from chalicelib.orders.rules import Refunded, RefundPart
from chalicelib.orders.schema import CancelIn, RefundIn
from chalicelib.orders.service import rulebook
from chalicelib.orders.table import OrderStep


def refund(order_id: str, request: RefundIn, *, actor: str, now: int) -> Posted[OrderStep]:
    """Refund a part of an order, by lines or by an amount.

    Raises OrderNotFound, Invalid, RefundExceedsOrder, KeyReused (this refund_id had another body) and Unavailable.
    """
    amount_minor = None if request.amount_minor is msgspec.UNSET else request.amount_minor
    if bool(request.lines) == (amount_minor is not None):
        raise Invalid("Say what goes back either by lines or by amount_minor.", field="amount_minor")
    parts = [
        RefundPart(
            line=line.line,
            quantity=None if line.quantity is msgspec.UNSET else line.quantity,
            amount_minor=None if line.amount_minor is msgspec.UNSET else line.amount_minor,
        )
        for line in request.lines
    ]
    step = _step(order_id, ids.derived("ref", order_id, request.refund_id), facts.REFUND, request)
    return _append(
        step, lambda past: rules.add_refund(past.earnings, past.refunded, parts, amount_minor), actor=actor, now=now
    )


def cancel(order_id: str, request: CancelIn, *, actor: str, now: int) -> Posted[OrderStep]:
    """Cancel an order: all that was not refunded goes back. Raises as `refund` does."""
    step = _step(order_id, ids.derived("can", order_id), facts.ORDER_CANCELLED, request)
    return _append(step, lambda past: rules.cancel(past.earnings, past.refunded), actor=actor, now=now)


def _append(step: OrderStep, advance: Callable[[History], Refunded], *, actor: str, now: int) -> Posted[OrderStep]:
    """Put `step` after all the order's steps, reading them again whenever another step came in between."""
    consistent = False
    for _attempt in attempts():
        past = history.read(step.order_id, consistent=consistent)
        known = past.find(step.record_id)
        if known:
            return replay(step, known.serialize())
        try:
            after = advance(past)
        except rules.RefundExceedsOrder:
            if consistent:
                raise
            consistent = True
            continue
        step.step = past.next_step
        step.figures = msgspec.json.encode(after).decode()
        step.posted_at = clock.text(now)
        try:
            return _commit(step, past, after, actor=actor, now=now)
        except Lost:
            consistent = True
    raise Unavailable("The order is being changed by many at once. Send the same request again.", code="busy")


def _commit(step: OrderStep, past: History, after: Refunded, *, actor: str, now: int) -> Posted[OrderStep]:
    if past.member_id is None:
        return put_once(step, ())
    occurred_at = clock.parse(step.occurred_at)
    book = rulebook(occurred_at, now)
    decisions.check_time(book.then.program, occurred_at, now)
    fact = Fact(step.record_id, actor, occurred_at, after.last_minor, past.order.currency)

    def plan(account: Account) -> Plan[OrderStep]:
        decision = decisions.refund_decision(account, past, after, book, fact)
        return Plan(decision, step)

    return post(past.member_id, plan, now=lambda: now)


def _step(order_id: str, record_id: str, kind: str, request: RefundIn | CancelIn) -> OrderStep:
    return OrderStep(
        order_id,
        "",
        record_id=record_id,
        kind=kind,
        request_hash=ids.request_hash(request),
        occurred_at=clock.text(clock.seconds(request.occurred_at)),
        body=msgspec.json.encode(request).decode(),
    )
