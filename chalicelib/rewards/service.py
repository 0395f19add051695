"""Spending points as a discount, and taking that back."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import Conflict, NotFound, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger import points
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.posting import Account, Act, Lost, Plan, Posted, Write, once, post, replay
from chalicelib.ledger.state import Lot
from chalicelib.program import service as programs
from chalicelib.program.rules import expiry, redeeming, tiers
from chalicelib.rewards.schema import RedemptionIn
from chalicelib.rewards.table import RedemptionStep, read_steps

USED = "used"
"""The kind of the step by which an order uses a redemption up."""

_TAKEN = msgspec.msgpack.Decoder(tuple[Lot, ...])


class RedemptionNotFound(NotFound):
    """No redemption has this id."""

    code = "redemption_not_found"


class RedemptionNotOpen(Conflict):
    """The redemption was used or cancelled before."""

    code = "redemption_not_open"


@dataclass(frozen=True)
class Redemption:
    """A redemption as its steps tell it."""

    steps: tuple[RedemptionStep, ...]

    @property
    def issue(self) -> RedemptionStep:
        """Its first step, with the terms."""
        return self.steps[0]

    @property
    def member_id(self) -> str:
        """Whose points it spent."""
        return str(self.issue.member_id)

    @property
    def use(self) -> RedemptionStep | None:
        """The step by which an order used it."""
        return next((step for step in self.steps if step.kind == USED), None)

    @property
    def cancellation(self) -> RedemptionStep | None:
        """The step by which it was cancelled."""
        return next((step for step in self.steps if step.kind == facts.REDEMPTION_CANCELLED), None)


def read(redemption_id: str, *, consistent: bool = False) -> Redemption:
    """A redemption. Raises RedemptionNotFound, which only a consistent read may say."""
    steps = read_steps(redemption_id, consistent=consistent)
    if not steps and not consistent:
        steps = read_steps(redemption_id, consistent=True)
    if not steps:
        raise RedemptionNotFound("No redemption has this id.", field="redemption_id")
    return Redemption(tuple(steps))


def redeem(member_id: str, request: RedemptionIn, *, key: str, actor: str, now: int) -> Posted[RedemptionStep]:
    """Spend points as a discount, once for the Idempotency-Key `key` of this member.

    Raises Invalid (below the minimum, between steps, no rate for the currency), InsufficientPoints, MemberNotFound,
    KeyReused and Unavailable.
    """
    redemption_id = ids.derived("red", member_id, key)
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

    def plan(account: Account) -> Plan[RedemptionStep]:
        amount_minor = redeeming.discount(current.program, request.points, request.currency)
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
        )
        decision = Decision(
            kind=facts.REDEEMED,
            record=redemption_id,
            reason=facts.REDEEMED,
            actor=actor,
            program=current.version,
            occurred_at=account.posted_at,
            effect=effect,
            tier=_tier(account, current),
            amount_minor=amount_minor,
            currency=request.currency,
        )
        return Plan(decision, step)

    return post(member_id, plan, now=lambda: now)


def cancel(redemption: Redemption, *, actor: str, even_used: bool, now: int) -> Posted[RedemptionStep]:
    """Put back exactly the lots that a redemption (as it was read) took; repeated, it answers the same.

    One that an order used is cancelled only with `even_used`. Raises RedemptionNotOpen and Unavailable.
    """
    for _attempt in attempts():
        done = redemption.cancellation
        if done:
            return replay(done, done.serialize())
        if redemption.use and not even_used:
            raise RedemptionNotOpen("The redemption was used for an order; only the shop can take that back.")
        try:
            return _put_back(redemption, actor=actor, now=now)
        except Lost:
            redemption = read(redemption.issue.redemption_id, consistent=True)
    raise Unavailable("The redemption is being changed by many at once. Send the same request again.", code="busy")


def _put_back(redemption: Redemption, *, actor: str, now: int) -> Posted[RedemptionStep]:
    current = programs.in_force(now, now=now)
    issue = redemption.issue
    taken = _TAKEN.decode(issue.taken)
    cancellation_id = ids.derived("can", issue.redemption_id)

    def plan(account: Account) -> Plan[RedemptionStep]:
        dated = tuple(_alive(lot, current, account.posted_at) for lot in taken)
        decision = Decision(
            kind=facts.REDEMPTION_CANCELLED,
            record=cancellation_id,
            reason=facts.REDEMPTION_CANCELLED,
            actor=actor,
            program=current.version,
            occurred_at=account.posted_at,
            effect=points.restore(account.state, dated),
            tier=_tier(account, current),
            amount_minor=issue.amount_minor,
            currency=issue.currency,
        )
        step = RedemptionStep(
            issue.redemption_id,
            f"{len(redemption.steps):03d}",
            record_id=cancellation_id,
            # A cancellation has no body: whoever repeats it, asks for the same.
            request_hash=cancellation_id,
        )
        return Plan(decision, step)

    return post(redemption.member_id, plan, now=lambda: now)


def use_write(redemption: Redemption, order_id: str, at: int) -> Write:
    """The write by which an order's transaction uses a redemption up; it fails if the redemption is not open."""
    step = RedemptionStep(
        redemption.issue.redemption_id,
        "001",
        record_id=order_id,
        member_id=redemption.member_id,
        request_hash=order_id,
        kind=USED,
        occurred_at=clock.text(at),
        posted_at=clock.text(at),
        order_id=order_id,
    )
    return Write(step, Act.PUT, condition=RedemptionStep.redemption_id.does_not_exist())


def _alive(lot: Lot, current: programs.Versioned, at: int) -> Lot:
    """A lot to be put back: with its own date, or with the programme's grace where that has passed."""
    if lot.expires_at > at:
        return lot
    return Lot(expiry.graced(current.program, lot.expires_at, at), lot.points)


def _tier(account: Account, current: programs.Versioned) -> str:
    state = account.state
    return tiers.standing(current.program, state.months, state.tiers, account.posted_at).code
