"""Spending points as a discount, at once or after a hold, and taking that back."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger import holds, points
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.holds import HoldOver
from chalicelib.ledger.posting import Account, Act, Lost, Plan, Posted, Write, once, post, replay
from chalicelib.ledger.state import Lot
from chalicelib.program import service as programs
from chalicelib.program.rules import expiry, redeeming, tiers
from chalicelib.program.service import Versioned
from chalicelib.rewards.history import RETURNED, USED, Redemption, RedemptionNotOpen, read
from chalicelib.rewards.schema import RedemptionIn
from chalicelib.rewards.table import RedemptionStep, read_steps


def redeem(
    member_id: str, request: RedemptionIn, *, key: str, actor: str, now: int, owner: str = ""
) -> Posted[RedemptionStep]:
    """Spend points as a discount, or hold them for one, once for the Idempotency-Key `key` of `owner`.

    Without an `owner` the key is the member's; a person owns keys by the sign-in, which outlasts a merge.

    Raises Invalid (below the minimum, between steps, no rate for the currency), InsufficientPoints, TooManyHolds,
    MemberNotFound, KeyReused and Unavailable.
    """
    redemption_id = ids.derived("red", owner or member_id, key)
    asked = RedemptionStep(redemption_id, "000", record_id=redemption_id, request_hash=ids.request_hash(request))
    return once(
        asked,
        lambda: next(iter(read_steps(redemption_id, consistent=True)), None),
        lambda: _redeem(member_id, request, redemption_id, actor=actor, now=now),
    )


def _redeem(
    member_id: str, request: RedemptionIn, redemption_id: str, *, actor: str, now: int
) -> Posted[RedemptionStep]:
    current = programs.in_force(now, now=now)
    hold_s = None if request.hold_seconds is msgspec.UNSET else request.hold_seconds

    def plan(account: Account) -> Plan[RedemptionStep]:
        amount_minor = redeeming.discount(current.program, request.points, request.currency)
        until = account.posted_at + hold_s if hold_s else None
        if until:
            effect = holds.reserve(account.state, request.points, hold_id=redemption_id, until=until)
        else:
            effect = points.spend(account.state, request.points)
        step = RedemptionStep(
            redemption_id,
            "000",
            request_hash=ids.request_hash(request),
            spent_points=request.points,
            amount_minor=amount_minor,
            currency=request.currency,
            note=request.note or None,
            taken=msgspec.msgpack.encode(effect.debits),
            held_until=clock.text(until) if until else None,
        )
        kind = facts.HELD if until else facts.REDEEMED
        return Plan(_decision(_Fact(kind, redemption_id, actor), step, effect, account, current), step)

    return post(member_id, plan, now=lambda: now)


def commit(redemption: Redemption, *, actor: str, now: int) -> Posted[RedemptionStep]:
    """Spend what a redemption holds. Raises RedemptionNotOpen (never held, lapsed, released) and Unavailable."""
    return _append(redemption, facts.REDEEMED, _commit_hold, {"held"}, actor=actor, now=now)


def release(redemption: Redemption, *, actor: str, now: int) -> Posted[RedemptionStep]:
    """Give back what a redemption holds, before its time is up. Raises as `commit` does."""
    return _append(redemption, facts.HOLD_RELEASED, _release_hold, {"held"}, actor=actor, now=now)


def cancel(redemption: Redemption, *, actor: str, even_used: bool, now: int) -> Posted[RedemptionStep]:
    """Put back exactly the lots that a redemption (as it was read) took; repeated, it answers the same.

    One that an order used is cancelled only with `even_used`, and only what refunds of the order have left of it.
    Raises RedemptionNotOpen and Unavailable.
    """
    allowed = {"issued", "used"} if even_used else {"issued"}
    return _append(redemption, facts.REDEMPTION_CANCELLED, _put_back, allowed, actor=actor, now=now)


Reckon = Callable[[Redemption, Account, Versioned], Effect]


def _append(
    redemption: Redemption, kind: str, reckon: Reckon, allowed: set[str], *, actor: str, now: int
) -> Posted[RedemptionStep]:
    """Put the step `kind` after all others, reading them again whenever another one came in between."""
    for _attempt in attempts():
        done = redemption.find(kind)
        if done and done is not redemption.issue:
            return replay(done, done.serialize())
        try:
            _check_status(redemption, allowed, now)
            return _post_step(redemption, kind, reckon, actor=actor, now=now)
        except Lost:
            redemption = read(redemption.redemption_id, consistent=True)
        except (RedemptionNotOpen, HoldOver):
            # Perhaps this very request, sent twice at once, has ended the hold since the redemption was read.
            current = read(redemption.redemption_id, consistent=True)
            if len(current.steps) == len(redemption.steps):
                raise
            redemption = current
    raise Unavailable("The redemption is being changed by many at once. Send the same request again.", code="busy")


def _check_status(redemption: Redemption, allowed: set[str], now: int) -> None:
    status = redemption.status(now)
    if status not in allowed:
        raise RedemptionNotOpen(f"The redemption is {status}.")


def _post_step(redemption: Redemption, kind: str, reckon: Reckon, *, actor: str, now: int) -> Posted[RedemptionStep]:
    current = programs.in_force(now, now=now)
    record_id = ids.derived("rst", redemption.redemption_id, kind)

    def plan(account: Account) -> Plan[RedemptionStep]:
        effect = reckon(redemption, account, current)
        # A step of this kind has no body: whoever repeats it, asks for the same.
        step = RedemptionStep(redemption.redemption_id, redemption.next_step, request_hash=record_id)
        return Plan(_decision(_Fact(kind, record_id, actor), redemption.issue, effect, account, current), step)

    return post(redemption.member_id, plan, now=lambda: now)


def _commit_hold(redemption: Redemption, account: Account, _current: Versioned) -> Effect:
    return holds.commit(account.state, redemption.redemption_id)


def _release_hold(redemption: Redemption, account: Account, _current: Versioned) -> Effect:
    return holds.release(account.state, redemption.redemption_id)


def _put_back(redemption: Redemption, account: Account, current: Versioned) -> Effect:
    return points.restore(account.state, alive(redemption.spent_lots, current, account.posted_at))


def use_write(redemption: Redemption, order_id: str, at: int) -> Write:
    """The write by which an order's transaction uses a redemption up; it fails if anything else has happened to it."""
    return _note(redemption, USED, order_id, at)


def return_write(redemption: Redemption, refund_id: str, returned_points: int, at: int) -> Write:
    """The write by which a refund notes what it puts back; `returned_points` is the running total."""
    return _note(redemption, RETURNED, refund_id, at, returned_points=returned_points)


def _note(redemption: Redemption, kind: str, record_id: str, at: int, *, returned_points: int | None = None) -> Write:
    step = RedemptionStep(
        redemption.redemption_id,
        redemption.next_step,
        record_id=record_id,
        member_id=redemption.member_id,
        request_hash=record_id,
        kind=kind,
        occurred_at=clock.text(at),
        posted_at=clock.text(at),
        order_id=record_id if kind == USED else None,
        returned_points=returned_points,
    )
    return Write(step, Act.PUT, condition=RedemptionStep.redemption_id.does_not_exist())


def alive(lots: tuple[Lot, ...], current: Versioned, at: int) -> tuple[Lot, ...]:
    """Lots to be put back: each with its own date, or with the programme's grace where that has passed."""
    return tuple(
        lot if lot.expires_at > at else Lot(expiry.graced(current.program, lot.expires_at, at), lot.points)
        for lot in lots
    )


class _Fact(msgspec.Struct, frozen=True):
    kind: str
    record_id: str
    actor: str


def _decision(fact: _Fact, terms: RedemptionStep, effect: Effect, account: Account, current: Versioned) -> Decision:
    state, at = account.state, account.posted_at
    if fact.kind == facts.REDEEMED:
        effect = msgspec.structs.replace(effect, extended_to=expiry.extended_to(current.program, at))
    return Decision(
        kind=fact.kind,
        record=fact.record_id,
        reason=fact.kind,
        actor=fact.actor,
        program=current.version,
        occurred_at=at,
        effect=effect,
        tier=tiers.standing(current.program, state, at).code,
        amount_minor=terms.amount_minor,
        currency=terms.currency,
    )
