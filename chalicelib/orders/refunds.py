"""Refunds and cancellations: each takes back of what the order earned and gives back of what paid it, once.

The one by which all of an order has gone back gives its vouchers back as well, and the stock and limits of rewards that
paid it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import Conflict, Invalid
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.posting import Account, Posted
from chalicelib.orders import decisions, giving, history, payments, rules
from chalicelib.orders.appending import Next, append
from chalicelib.orders.decisions import Fact, Returned
from chalicelib.orders.history import History
from chalicelib.orders.rules import Refunded, RefundPart
from chalicelib.orders.schema import CancelIn, RefundIn
from chalicelib.orders.service import rulebook
from chalicelib.orders.table import OrderStep
from chalicelib.program import budgets


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
    return _take_back(
        step, lambda past: rules.add_refund(past.earnings, past.refunded, parts, amount_minor), actor=actor, now=now
    )


def cancel(order_id: str, request: CancelIn, *, actor: str, now: int) -> Posted[OrderStep]:
    """Cancel an order: all that was not refunded goes back. Raises as `refund` does."""
    step = _step(order_id, ids.derived("can", order_id), facts.ORDER_CANCELLED, request)
    return _take_back(step, lambda past: rules.cancel(past.earnings, past.refunded), actor=actor, now=now)


def withdraw_pending(order_id: str, *, actor: str, now: int) -> Posted[OrderStep]:
    """Withdraw an order's points while they are pending, though the order stands; repeated, it answers the same.

    Raises OrderNotFound, Conflict (`nothing_pending`) and Unavailable.
    """
    step = _bodyless(order_id, facts.PENDING_CANCELLED, now)

    def advance(past: History) -> Refunded:
        _check_pending(past, now)
        return rules.void(past.earnings, past.refunded)

    return _take_back(step, advance, actor=actor, now=now)


def release_pending(order_id: str, *, actor: str, now: int) -> Posted[OrderStep]:
    """Make an order's pending points available at once; repeated, it answers the same. Raises as `withdraw_pending`."""
    step = _bodyless(order_id, facts.PENDING_RELEASED, now)
    book = rulebook(now, now)

    def advance(past: History) -> Next:
        _check_pending(past, now)
        fact = Fact(facts.PENDING_RELEASED, step.record_id, actor, now, 0, past.order.currency)
        return Next(past.refunded, lambda account: decisions.release_decision(account, past, book, fact))

    return append(step, advance, now=now)[0]


def _take_back(step: OrderStep, refunded: Callable[[History], Refunded], *, actor: str, now: int) -> Posted[OrderStep]:
    occurred_at = clock.parse(step.occurred_at)
    book = rulebook(occurred_at, now)

    def advance(past: History) -> Next:
        returns = payments.returns_of(past.order)
        after = rules.returning(past.earnings, refunded(past), [paid.spent_points for paid in returns])
        decisions.check_time(book.now.program, occurred_at, now)
        fact = Fact(step.kind, step.record_id, actor, occurred_at, after.last_minor, past.order.currency)
        back = rules.gone_back(past.earnings, past.refunded, after)
        is_last = back.purchases == 1
        limits = payments.limits_back(returns) if is_last else ()

        def decide(account: Account) -> Decision:
            lots = payments.lots_back(returns, after.returned_points, book.now, account.posted_at)
            return decisions.refund_decision(account, past, after, Returned(lots, limits), book, fact=fact)

        writes = payments.return_writes(returns, after.returned_points, step.record_id, now, is_last=is_last)
        for part in back.budgets:
            writes += budgets.giving_back(part.take, part.points, part.awards)
        writes += giving.taken_back(back.vouchers, step.record_id, now=now)
        return Next(after, decide, writes)

    posted, past = append(step, advance, now=now)
    if past.order.vouchers and rules.is_whole(past.earnings, history.refund_figures(posted.record)):
        from chalicelib.orders import vouching  # noqa: PLC0415 -- only such orders load vouchers

        # After a replay as well: whoever died here is repeated.
        vouching.give_back(past.order, posted.record.posted_at, actor=actor, now=now)
    return posted


def _check_pending(past: History, now: int) -> None:
    available_at = past.earnings.available_at
    if past.member_id is None or available_at is None or available_at <= now:
        raise Conflict("The order has no pending points.", code="nothing_pending")


def _bodyless(order_id: str, kind: str, now: int) -> OrderStep:
    """A step without a body: whoever repeats it, asks for the same."""
    record_id = ids.derived("ost", order_id, kind)
    return OrderStep(
        order_id,
        "",
        record_id=record_id,
        kind=kind,
        request_hash=record_id,
        occurred_at=clock.text(now),
        body="{}",
    )


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
