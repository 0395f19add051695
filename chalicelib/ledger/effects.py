"""An entry's effect: what it changes in the state, complete enough to be applied again without the programme."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chalicelib.ledger.limits import added_limits
from chalicelib.ledger.state import (
    EXPIRED_MAX,
    MONTHS_MAX,
    Hold,
    Lifetime,
    Limit,
    Lot,
    Month,
    Pending,
    Purchases,
    State,
    TierRecord,
)


class Effect(msgspec.Struct, array_like=True, frozen=True):
    """A change of state; every amount is positive and its field says the direction.

    `absorbed` is what a clawback took from points that had lapsed before; it costs the member nothing. `tiers` holds
    the tier records after the entry, or None where they stay. A hold moves points from lots (`debits`) to `held` and
    back. `extended_to` is the date to which an activity puts off the expiry of all lots (0 where it does not), of those
    too that only arrive later: when pending points mature, a hold lapses or a redemption is put back. `closed_into` is
    the account that this one was merged into, and `lapsed` what the account that came with a merge had lost to expiry,
    to be remembered here. `limits` says how much more (or less) of each is used up, and `enrolled_at` since when there
    is the member (0 where the entry does not say so; of several the earliest counts). `redeemed` is the record of a
    redemption, which takes the place of the one before it.
    """

    credits: tuple[Lot, ...] = ()
    debits: tuple[Lot, ...] = ()
    pended: tuple[Pending, ...] = ()
    unpended: tuple[Pending, ...] = ()
    absorbed: tuple[Lot, ...] = ()
    repaid: int = 0
    borrowed: int = 0
    months: tuple[Month, ...] = ()
    tiers: tuple[TierRecord, ...] | None = None
    purchases: Purchases = Purchases()
    lifetime: Lifetime = Lifetime()
    held: tuple[Hold, ...] = ()
    unheld: tuple[Hold, ...] = ()
    extended_to: int = 0
    closed_into: str = ""
    lapsed: tuple[Lot, ...] = ()
    limits: tuple[Limit, ...] = ()
    enrolled_at: int = 0
    redeemed: tuple[str, ...] = ()

    @property
    def net(self) -> int:
        """By how much the entry moves the account's points, pending and held ones included."""
        gained = _points(self.credits) + _sum(self.pended) + _sum(self.held) + self.repaid
        lost = _points(self.debits) + _sum(self.unpended) + _sum(self.unheld) + self.borrowed
        return gained - lost


_SUMMED = (
    *("credits", "debits", "pended", "unpended", "absorbed", "lapsed", "held", "unheld", "months", "limits"),
    *("repaid", "borrowed"),
)


_DECODER = msgspec.msgpack.Decoder(Effect)


def pack_effect(effect: Effect) -> bytes:
    """The stored form of an effect."""
    return msgspec.msgpack.encode(effect)


def unpack_effect(packed: bytes) -> Effect:
    """The inverse of `pack_effect`, for this and every earlier version."""
    return _DECODER.decode(packed)


class Unbalanced(AssertionError):
    """An effect takes what the state does not hold, or says another net than its lifetime figures do."""


class Folded(msgspec.Struct, frozen=True):
    """A state brought up to an instant, and what time alone did to it."""

    state: State
    matured_points: int
    expired_points: int


def fold(state: State, at: int) -> Folded:
    """Let time pass up to `at`: pending points mature, holds lapse, lots expire.

    Dates judge, so this gives the same whether or not any job ran before, and the same in one step or in many: each
    arrival is judged at its own date, in their order. What arrives repays what is owed first, as every inflow does,
    unless it has expired on the way. Nothing that arrives expires before the member's activity lets it.
    """
    if _is_still(state, at):
        return Folded(state, 0, 0)
    due = [pending for pending in state.pending if pending.available_at <= at]
    lapsed = [hold for hold in state.holds if hold.until <= at]
    arrivals = [(pending.available_at, Lot(pending.expires_at, pending.points)) for pending in due]
    arrivals += [(hold.until, lot) for hold in lapsed for lot in hold.lots]
    owed, alive = state.owed, []
    for arrived_at, lot in sorted(arrivals, key=lambda arrival: (arrival[0], arrival[1].expires_at)):
        expires_at = max(lot.expires_at, state.active_until)
        repayment = min(owed, lot.points) if expires_at > arrived_at else 0
        owed -= repayment
        alive.append(Lot(expires_at, lot.points - repayment))
    lots = added(state.lots, alive)
    dead = [lot for lot in lots if lot.expires_at <= at]
    expired_points = _points(dead)
    folded = msgspec.structs.replace(
        state,
        lots=tuple(lot for lot in lots if lot.expires_at > at),
        pending=tuple(pending for pending in state.pending if pending.available_at > at),
        expired=added(state.expired, dead)[-EXPIRED_MAX:],
        holds=tuple(hold for hold in state.holds if hold.until > at),
        owed=owed,
        lifetime=msgspec.structs.replace(state.lifetime, expired=state.lifetime.expired + expired_points),
    )
    return Folded(folded, _sum(due), expired_points)


def apply(folded: State, effect: Effect, at: int) -> State:
    """The state after an entry posted at `at`, from the state folded to `at`.

    It is folded once more, since an order that comes very late may bring points that have matured or expired already.
    Raises Unbalanced when the effect does not fit, which only a fault of this code can bring about.
    """
    if effect.net != effect.lifetime.net:
        raise Unbalanced(f"effect moves {effect.net} points but accounts for {effect.lifetime.net}")
    owed = folded.owed + effect.borrowed - effect.repaid
    if owed < 0:
        raise Unbalanced(f"repays {effect.repaid} of {folded.owed} owed points")
    active_until = max(folded.active_until, effect.extended_to)
    after = msgspec.structs.replace(
        folded,
        lots=_extended(added(taken(folded.lots, effect.debits), effect.credits), active_until),
        holds=_holds(folded.holds, effect),
        pending=_unpended(_pended(folded.pending, effect.pended), effect.unpended),
        expired=added(taken(folded.expired, effect.absorbed), effect.lapsed),
        owed=owed,
        months=added_months(folded.months, effect.months),
        tiers=folded.tiers if effect.tiers is None else effect.tiers,
        purchases=_purchases(folded.purchases, effect.purchases),
        lifetime=_lifetime(folded.lifetime, effect.lifetime),
        closed_into=effect.closed_into or folded.closed_into,
        active_until=active_until,
        limits=added_limits(folded.limits, effect.limits, at),
        enrolled_at=_earliest(folded.enrolled_at, effect.enrolled_at),
        redeemed=effect.redeemed or folded.redeemed,
    )
    return fold(after, at).state


def combined(first: Effect, second: Effect) -> Effect:
    """Two effects as one, the second reckoned on the state after the first. The tier records are the second's."""
    fields = {name: getattr(first, name) + getattr(second, name) for name in _SUMMED}
    return Effect(
        **fields,
        tiers=second.tiers,
        purchases=_purchases(first.purchases, second.purchases),
        lifetime=_lifetime(first.lifetime, second.lifetime),
        extended_to=max(first.extended_to, second.extended_to),
        closed_into=second.closed_into,
        enrolled_at=_earliest(first.enrolled_at, second.enrolled_at),
        redeemed=second.redeemed or first.redeemed,
    )


def added(lots: tuple[Lot, ...], more: list[Lot] | tuple[Lot, ...]) -> tuple[Lot, ...]:
    """Lots with others put in, one lot an expiry, sorted by it."""
    points = {lot.expires_at: lot.points for lot in lots}
    for lot in more:
        points[lot.expires_at] = points.get(lot.expires_at, 0) + lot.points
    return tuple(Lot(expires_at, points[expires_at]) for expires_at in sorted(points) if points[expires_at])


def taken(lots: tuple[Lot, ...], debits: tuple[Lot, ...]) -> tuple[Lot, ...]:
    """Lots less others. Raises Unbalanced if a lot holds less than is taken."""
    if not debits:
        return lots
    points = {lot.expires_at: lot.points for lot in lots}
    for lot in debits:
        points[lot.expires_at] = points.get(lot.expires_at, 0) - lot.points
        if points[lot.expires_at] < 0:
            raise Unbalanced(f"takes {lot.points} points from a lot that holds fewer")
    return tuple(Lot(expires_at, points[expires_at]) for expires_at in sorted(points) if points[expires_at])


def _is_still(state: State, at: int) -> bool:
    """Whether time has done nothing to a state up to `at`: mostly so, and then nothing need be put together anew."""
    return (
        (not state.lots or state.lots[0].expires_at > at)
        and (not state.pending or state.pending[0].available_at > at)
        and (not state.holds or all(hold.until > at for hold in state.holds))
        and len(state.expired) <= EXPIRED_MAX
    )


def _points(lots: Iterable[Lot]) -> int:
    return sum(lot.points for lot in lots)


def _sum(items: Iterable[Pending | Hold]) -> int:
    return sum(item.points for item in items)


def _extended(lots: tuple[Lot, ...], to: int) -> tuple[Lot, ...]:
    """Lots that would expire before `to` expire at `to`."""
    if not to:
        return lots
    return added((), [Lot(max(lot.expires_at, to), lot.points) for lot in lots])


def _holds(holds: tuple[Hold, ...], effect: Effect) -> tuple[Hold, ...]:
    if not effect.unheld:
        return holds + effect.held
    if any(hold not in holds for hold in effect.unheld):
        raise Unbalanced("ends a hold that is not there")
    return tuple(hold for hold in holds if hold not in effect.unheld) + effect.held


def _pended(pending: tuple[Pending, ...], more: tuple[Pending, ...]) -> tuple[Pending, ...]:
    if not more:
        return pending
    points = {(item.available_at, item.expires_at): item.points for item in pending}
    for item in more:
        key = (item.available_at, item.expires_at)
        points[key] = points.get(key, 0) + item.points
    return tuple(Pending(*key, points[key]) for key in sorted(points) if points[key])


def _unpended(pending: tuple[Pending, ...], less: tuple[Pending, ...]) -> tuple[Pending, ...]:
    result = _pended(pending, tuple(Pending(item.available_at, item.expires_at, -item.points) for item in less))
    if any(item.points < 0 for item in result):
        raise Unbalanced("takes more pending points than there are")
    return result


def added_months(months: tuple[Month, ...], deltas: tuple[Month, ...]) -> tuple[Month, ...]:
    """Qualifying months with (signed) deltas added, the latest 36 of them, months with nothing left out."""
    by_month = {month.month: month for month in months}
    for delta in deltas:
        old = by_month.get(delta.month, Month(delta.month))
        by_month[delta.month] = Month(
            delta.month,
            old.points + delta.points,
            old.spend_minor + delta.spend_minor,
            old.purchases + delta.purchases,
            old.activity + delta.activity,
        )
    kept = sorted(by_month)[-MONTHS_MAX:]
    return tuple(by_month[month] for month in kept if by_month[month] != Month(month))


def _earliest(*instants: int) -> int:
    return min((instant for instant in instants if instant), default=0)


def _purchases(old: Purchases, delta: Purchases) -> Purchases:
    return Purchases(
        old.count + delta.count,
        old.spend_minor + delta.spend_minor,
        _earliest(old.first_at, delta.first_at),
        max(old.last_at, delta.last_at),
    )


def _lifetime(old: Lifetime, delta: Lifetime) -> Lifetime:
    return Lifetime(
        old.earned + delta.earned,
        old.restored + delta.restored,
        old.adjusted + delta.adjusted,
        old.redeemed + delta.redeemed,
        old.expired + delta.expired,
        old.clawed + delta.clawed,
        old.merged + delta.merged,
    )
