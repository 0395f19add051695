"""Putting the next step of an order, after all that were put before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from chalicelib.base import clock
from chalicelib.base.errors import Conflict, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.posting import Account, Lost, Plan, Posted, Write, post, put_once, replay
from chalicelib.orders import history
from chalicelib.orders.history import History
from chalicelib.orders.rules import Refunded
from chalicelib.orders.table import OrderStep


class Next(msgspec.Struct, frozen=True):
    """What a step records, how its entry is decided on, and what else is written with it."""

    figures: Refunded
    decide: Callable[[Account], Decision]
    writes: Sequence[Write] = ()


def append(step: OrderStep, advance: Callable[[History], Next], *, now: int) -> tuple[Posted[OrderStep], History]:
    """Put `step` after all the order's steps, reading them again whenever another one came in between.

    Gives what was posted and the history that it was decided on, or that of now where it was posted before.

    Raises OrderNotFound, KeyReused, Unavailable and whatever `advance` refuses, but that only on a consistent read.
    """
    consistent = False
    for _attempt in attempts():
        past = history.read(step.order_id, consistent=consistent)
        known = past.find(step.record_id)
        if known:
            return replay(step, known.serialize()), past
        try:
            following = advance(past)
        except Conflict:
            if consistent:
                raise
            consistent = True
            continue
        step.step = past.next_step
        step.figures = msgspec.json.encode(following.figures).decode()
        step.posted_at = clock.text(now)
        try:
            return _commit(step, past, following, now=now), past
        except Lost:
            consistent = True
    raise Unavailable("The order is being changed by many at once. Send the same request again.", code="busy")


def _commit(step: OrderStep, past: History, following: Next, *, now: int) -> Posted[OrderStep]:
    if past.member_id is None:
        return put_once(step, ())
    return post(
        past.member_id,
        lambda account: Plan(following.decide(account), step, lambda _entry: following.writes),
        now=lambda: now,
    )
