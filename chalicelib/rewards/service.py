"""Spending points, as a discount or for a reward, at once or after a hold, and taking that back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import Invalid, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.counters import holding
from chalicelib.counters import service as counters
from chalicelib.counters.table import ShardItem
from chalicelib.ledger import holds, points
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.holds import HoldOver
from chalicelib.ledger.posting import Account, Act, Lost, Plan, Posted, Write, once, post, replay
from chalicelib.ledger.state import Limit, Lot
from chalicelib.program import service as programs
from chalicelib.program.rules import expiry, redeeming
from chalicelib.program.service import Versioned
from chalicelib.rewards import taking
from chalicelib.rewards.deciding import Fact, decision, issued
from chalicelib.rewards.history import RETURNED, USED, Redemption, RedemptionNotOpen, read
from chalicelib.rewards.schema import RedemptionIn
from chalicelib.rewards.table import RedemptionStep, limits_of, read_steps, touches_of


def redeem(
    member_id: str, request: RedemptionIn, *, key: str, actor: str, now: int, owner: str = "", by_member: bool = False
) -> Posted[RedemptionStep]:
    """Spend points as a discount or for a reward, or hold them, once for the Idempotency-Key `key` of `owner`.

    Without an `owner` the key is the member's; a person owns keys by the sign-in, which outlasts a merge. `by_member`
    says that it is a person who asks, who cannot vouch for money paid.

    Raises Invalid (below the minimum, between steps, no rate for the currency), InsufficientPoints, TooManyHolds,
    MemberNotFound, KeyReused and Unavailable, and what `taking.take` raises.
    """
    redemption_id = ids.derived("red", owner or member_id, key)
    asked = RedemptionStep(redemption_id, "000", record_id=redemption_id, request_hash=ids.request_hash(request))
    asked.note, asked.actor = request.note or None, actor
    act = _discount if request.reward_id is msgspec.UNSET else taking.take
    return once(
        asked,
        lambda: next(iter(read_steps(redemption_id, consistent=True)), None),
        lambda: act(member_id, request, asked, actor=actor, now=now, by_member=by_member),
    )


def _discount(
    member_id: str, request: RedemptionIn, asked: RedemptionStep, *, actor: str, now: int, by_member: bool
) -> Posted[RedemptionStep]:
    del by_member  # a discount asks for no money
    current = programs.in_force(now, now=now)
    spent_points, currency = _terms(request)

    def plan(account: Account) -> Plan[RedemptionStep]:
        amount_minor = redeeming.discount(current.program, spent_points, currency)
        until = None if request.hold_seconds is msgspec.UNSET else account.posted_at + request.hold_seconds
        if until:
            effect = holds.reserve(account.state, spent_points, hold_id=asked.redemption_id, until=until)
        else:
            effect = points.spend(account.state, spent_points)
        step = issued(asked, account, effect, until)
        step.spent_points, step.amount_minor, step.currency = spent_points, amount_minor, currency
        kind = facts.HELD if until else facts.REDEEMED
        return Plan(decision(Fact(kind, step.redemption_id, actor), step, effect, account, current), step)

    return post(member_id, plan, now=lambda: now)


def _terms(request: RedemptionIn) -> tuple[int, str]:
    if request.points is msgspec.UNSET:
        raise Invalid("Name the points to spend, or a reward_id.", field="points")
    if request.currency is msgspec.UNSET:
        raise Invalid("Name the currency of the discount.", field="currency")
    if request.quantity is not msgspec.UNSET or request.cash_minor is not msgspec.UNSET:
        raise Invalid("Only a reward has a quantity, and money beside the points.", field="reward_id")
    return request.points, request.currency


def commit(redemption: Redemption, *, actor: str, now: int, by_member: bool = False) -> Posted[RedemptionStep]:
    """Spend what a redemption holds.

    Raises RedemptionNotOpen (never held, lapsed, released), BatchNotFound, BatchNotFitting, Forbidden where money must
    be paid and a person asks, and Unavailable.
    """
    if by_member and redemption.issue.cash_minor:
        raise taking.cash_unconfirmed()
    return _append(redemption, facts.REDEEMED, _commit_hold, {"held"}, actor=actor, now=now)


def release(redemption: Redemption, *, actor: str, now: int) -> Posted[RedemptionStep]:
    """Give back what a redemption holds, before its time is up. Raises as `commit` does."""
    return _append(redemption, facts.HOLD_RELEASED, _release_hold, {"held"}, actor=actor, now=now)


def cancel(redemption: Redemption, *, actor: str, even_used: bool, now: int) -> Posted[RedemptionStep]:
    """Put back exactly the lots that a redemption (as it was read) took; repeated, it answers the same.

    One that was shipped or used is cancelled only with `even_used`, and of the points only what refunds of the order
    have left. Stock and limits go back as they were taken, unless refunds have given them back. Raises
    RedemptionNotOpen and Unavailable.
    """
    allowed = {"issued", "shipped", "used"} if even_used else {"issued"}
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
        except Lost as lost:
            if isinstance(lost.model, ShardItem):
                # By another clock the hold had lapsed, and what it held of the stock was taken by somebody else.
                raise HoldOver("The hold has run out.") from lost
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
    writes = [*_counter_writes(redemption, kind), *_voucher_writes(redemption, kind, now)]

    def plan(account: Account) -> Plan[RedemptionStep]:
        effect = reckon(redemption, account, current)
        # A step of this kind has no body: whoever repeats it, asks for the same.
        step = RedemptionStep(redemption.redemption_id, redemption.next_step, request_hash=record_id, actor=actor)
        made = decision(Fact(kind, record_id, actor), redemption.issue, effect, account, current)
        return Plan(made, step, lambda _entry: writes)

    return post(redemption.member_id, plan, now=lambda: now)


def _commit_hold(redemption: Redemption, account: Account, _current: Versioned) -> Effect:
    return holds.commit(account.state, redemption.redemption_id)


def _release_hold(redemption: Redemption, account: Account, _current: Versioned) -> Effect:
    return holds.release(account.state, redemption.redemption_id)


def _put_back(redemption: Redemption, account: Account, current: Versioned) -> Effect:
    effect = points.restore(account.state, alive(redemption.spent_lots, current, account.posted_at))
    return msgspec.structs.replace(effect, limits=limits_back(redemption))


def limits_back(redemption: Redemption) -> tuple[Limit, ...]:
    """What a redemption has used up of the member's limits, as deltas that give it back; nothing once it is back."""
    used = () if redemption.is_returned else limits_of(redemption.issue)
    return tuple(Limit(limit.limit_id, limit.until, -limit.count, -limit.points) for limit in used)


def stock_back(redemptions: Sequence[Redemption]) -> list[Write]:
    """The writes that give back what redemptions took of counters, one for each shard; none for what is back."""
    amounts: Counter[tuple[str, int]] = Counter()
    for redemption in redemptions:
        for touch in () if redemption.is_returned else touches_of(redemption.issue):
            amounts[touch.counter, touch.shard] += touch.amount
    return [counters.give_back(counter, shard, amount) for (counter, shard), amount in amounts.items()]


def _voucher_writes(redemption: Redemption, kind: str, now: int) -> Sequence[Write]:
    """What a step does to the voucher that the reward is: it comes with the commit and goes with the cancellation."""
    issue = redemption.issue
    if not issue.voucher_batch_id or kind == facts.HOLD_RELEASED:
        return ()
    # Few redemptions are vouchers, and only they need that area.
    from chalicelib.rewards import vouching  # noqa: PLC0415

    if kind == facts.REDEMPTION_CANCELLED:
        return vouching.voiding(redemption, now)
    return vouching.issuing(issue.voucher_batch_id, redemption.member_id, redemption.redemption_id, now=now)


def _counter_writes(redemption: Redemption, kind: str) -> list[Write]:
    """What a step does to the counters that the redemption took from: by the record alone, whatever is on sale now."""
    touched, lapses_at = touches_of(redemption.issue), int(redemption.issue.lapses_at or 0)
    match kind:
        case facts.REDEEMED:
            return [holding.keep(touch.counter, touch.shard, touch.amount, lapses_at) for touch in touched]
        case facts.HOLD_RELEASED:
            return [holding.free(touch.counter, touch.shard, touch.amount, lapses_at) for touch in touched]
        case _:
            return stock_back([redemption])


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
