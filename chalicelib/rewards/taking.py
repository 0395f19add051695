"""Taking a reward: points, limits, record and stock in one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import msgspec

from chalicelib.base import facts
from chalicelib.base.errors import Forbidden, Invalid, KeyReused
from chalicelib.counters import holding
from chalicelib.counters import service as counters
from chalicelib.counters.service import Claim, Counter, CounterNotFound, SoldOut
from chalicelib.ledger import holds, points
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.posting import Account, Plan, Posted, Write, post
from chalicelib.members import facts as known_facts
from chalicelib.members.facts import ProfileFacts
from chalicelib.program import service as programs
from chalicelib.program.document.rewards import Reward, Stock
from chalicelib.program.rules import rewarding, windows
from chalicelib.program.rules.inputs import Member
from chalicelib.program.service import Versioned
from chalicelib.program.stocking import stock_counter
from chalicelib.rewards.deciding import Fact, decision, issued
from chalicelib.rewards.schema import RedemptionIn
from chalicelib.rewards.table import RedemptionStep, Touch


class SoldOutToday(SoldOut):
    """As many pieces were taken today as are given out in a day."""

    code = "sold_out_today"


class Order(msgspec.Struct, frozen=True):
    """A request for a reward, with all that it depends on."""

    request: RedemptionIn
    asked: RedemptionStep
    reward: Reward
    current: Versioned
    profile: ProfileFacts
    actor: str
    lapses_at: int | None

    @property
    def quantity(self) -> int:
        """How many pieces are asked for, 1 unless said otherwise."""
        return 1 if self.request.quantity is msgspec.UNSET else self.request.quantity

    @property
    def currency(self) -> str | None:
        """The currency of the money, and of what a discount is worth."""
        return None if self.request.currency is msgspec.UNSET else self.request.currency

    @property
    def cash_minor(self) -> int | None:
        """The money paid beside the points, for all pieces."""
        return None if self.request.cash_minor is msgspec.UNSET else self.request.cash_minor


def daily_counter(reward: Reward, daily: Stock, day_end: int) -> Counter:
    """The counter of what is given out in the day that ends at `day_end`."""
    return Counter(f"daily#{reward.code}#{day_end}", daily.shards)


def cash_unconfirmed() -> Forbidden:
    """Whoever pays cannot say that they have."""
    return Forbidden(
        "Money beside the points is confirmed by the shop: hold the reward, and the shop commits it.",
        field="cash_minor",
        code="cash_unconfirmed",
    )


def take(
    member_id: str, request: RedemptionIn, asked: RedemptionStep, *, actor: str, now: int, by_member: bool
) -> Posted[RedemptionStep]:
    """Take a reward, or hold it with `hold_seconds`.

    Raises Invalid, RewardNotFound, NotOffered (and its kinds), PriceNotOffered, InsufficientPoints, TooManyHolds,
    SoldOut, SoldOutToday, BatchNotFound, BatchNotFitting, Forbidden (`cash_unconfirmed`), MemberNotFound, KeyReused and
    Unavailable.
    """
    if request.points is not msgspec.UNSET:
        raise Invalid("The catalogue says what a reward costs; leave the points out.", field="points")
    is_held = request.hold_seconds is not msgspec.UNSET
    if by_member and not is_held and request.cash_minor:
        raise cash_unconfirmed()
    current = programs.in_force(now, now=now)
    reward = rewarding.find(current.program, str(request.reward_id))
    audience = reward.audience
    order = Order(
        request=request,
        asked=asked,
        reward=reward,
        current=current,
        profile=known_facts.profile_facts(member_id, current.program, asked=bool(audience.segments or audience.tags)),
        actor=actor,
        lapses_at=holding.lapses_at(now + request.hold_seconds, now) if request.hold_seconds else None,
    )
    voucher = _voucher(order, member_id, now) if reward.voucher_batch_id else ()

    def commit(touched: Sequence[Touch], writes: Sequence[Write]) -> Posted[RedemptionStep]:
        return post(member_id, lambda account: _plan(order, account, touched, [*writes, *voucher]), now=lambda: now)

    return _from_stock(order, now, commit)


def _voucher(order: Order, member_id: str, now: int) -> Sequence[Write]:
    """The writes that issue the voucher that a reward is; a hold leaves that to its commit."""
    if order.quantity > 1:
        raise Invalid("Vouchers are taken one by one.", field="quantity", code="quantity_not_offered")
    if order.lapses_at:
        return ()
    # Few redemptions are vouchers, and only they need that area.
    from chalicelib.rewards import vouching  # noqa: PLC0415

    return vouching.issuing(order.reward.voucher_batch_id, member_id, order.asked.redemption_id, now=now)


Commit = Callable[[Sequence[Touch], Sequence[Write]], Posted[RedemptionStep]]


def _from_stock(order: Order, now: int, commit: Commit) -> Posted[RedemptionStep]:
    """Commit with a shard of the stock, if it is counted."""
    counter = stock_counter(order.reward)
    if counter is None:
        return _from_day(order, now, commit)
    claim = Claim(counter, order.quantity, order.asked.redemption_id)

    def act(shard: int, write: Write) -> Posted[RedemptionStep]:
        touch = Touch(claim.counter.name, shard, claim.amount)
        return _from_day(order, now, lambda touched, writes: commit([touch, *touched], [write, *writes]))

    return counters.probing(claim, act, lapses_at=order.lapses_at, now=now)


def _from_day(order: Order, now: int, commit: Commit) -> Posted[RedemptionStep]:
    """Commit with a shard of what is given out in the day, if that is bounded. The day's first makes its counter."""
    daily = order.reward.daily
    if daily is None:
        return commit([], [])
    day_end = windows.period_end("day", now, order.current.program.zone)
    counter = daily_counter(order.reward, daily, day_end)
    claim = Claim(counter, order.quantity, order.asked.redemption_id)

    def act(shard: int, write: Write) -> Posted[RedemptionStep]:
        return commit([Touch(counter.name, shard, claim.amount)], [write])

    try:
        try:
            return counters.probing(claim, act, lapses_at=order.lapses_at, now=now)
        except CounterNotFound:
            # What the day began with stays for the day, should another version say otherwise.
            with contextlib.suppress(KeyReused):
                counters.create(counter, daily.total, now=now)
            return counters.probing(claim, act, lapses_at=order.lapses_at, now=now)
    except SoldOut as error:
        raise SoldOutToday(counter) from error


def _plan(order: Order, account: Account, touched: Sequence[Touch], writes: Sequence[Write]) -> Plan[RedemptionStep]:
    reward, program, at = order.reward, order.current.program, account.posted_at
    member = member_facts(account, order.current, order.profile)
    refused = rewarding.refusal(program, reward, member, order.quantity)
    if refused:
        raise refused
    spent_points = rewarding.points_for(
        rewarding.prices(program, reward, member.tier), order.quantity, order.cash_minor, order.currency
    )
    worth = rewarding.worth(reward, order.quantity, order.currency)
    limits = rewarding.uses(program, reward, order.quantity, at)
    until = None
    if order.lapses_at and order.request.hold_seconds:
        # Never longer than the stock is held, though the account's own clock were ahead.
        until = min(at + order.request.hold_seconds, order.lapses_at)
        effect = holds.reserve(
            account.state, spent_points, hold_id=order.asked.redemption_id, until=until, limits=limits
        )
    else:
        effect = msgspec.structs.replace(points.spend(account.state, spent_points), limits=limits)
    step = _step(order, account, effect, until)
    step.spent_points, step.amount_minor, step.currency = spent_points, worth.amount_minor, worth.currency or None
    step.touched = msgspec.msgpack.encode(tuple(touched)) if touched else None
    step.limits = msgspec.msgpack.encode(limits) if limits else None
    fact = Fact(facts.HELD if until else facts.REDEEMED, step.redemption_id, order.actor)
    return Plan(decision(fact, step, effect, account, order.current), step, lambda _entry: writes)


def member_facts(account: Account, current: Versioned, profile: ProfileFacts) -> Member:
    """What the rules are told of a member: what holds reserve counts towards the limits."""
    member = known_facts.known(account, current.program, profile, at=account.posted_at)
    return msgspec.structs.replace(member, limits=holds.limits_with_holds(account.state, account.posted_at))


def _step(order: Order, account: Account, effect: Effect, until: int | None) -> RedemptionStep:
    step = issued(order.asked, account, effect, until)
    step.program = order.current.version
    step.reward_id, step.quantity, step.fulfilment = order.reward.code, order.quantity, order.reward.fulfilment
    step.cash_minor, step.cash_currency = order.cash_minor or None, order.currency if order.cash_minor else None
    step.lapses_at = order.lapses_at
    step.voucher_batch_id = order.reward.voucher_batch_id or None
    return step
