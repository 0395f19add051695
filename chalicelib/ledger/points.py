"""How points come and go: pure arithmetic on a state that was folded to now. Each function gives an effect."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from chalicelib.base.errors import Conflict
from chalicelib.base.money import floor
from chalicelib.ledger.effects import Effect, added
from chalicelib.ledger.state import Lifetime, Lot, Pending, State


class StateRefusal(Conflict):
    """Refused for a reason that lies in the account's state, so a stale state may be to blame."""


class InsufficientPoints(StateRefusal):
    """The account has fewer points available than are needed."""

    code = "insufficient_points"

    def __init__(self, needed_points: int, available_points: int) -> None:
        super().__init__(f"{needed_points} points are needed and {max(available_points, 0)} are available.")


class Refundable(msgspec.Struct, frozen=True):
    """What a refund of one order reckons with, as recorded when the order was posted.

    `line_amounts_minor` and `line_points` run in parallel; they may be empty for an order without lines. `total_minor`
    is what can be refunded at most.
    """

    total_minor: int
    points: int
    line_amounts_minor: tuple[int, ...] = ()
    line_points: tuple[int, ...] = ()


def earn(state: State, points: int, *, expires_at: int, available_at: int | None = None) -> Effect:
    """`points` (>= 0) earned: what is owed is repaid first, the rest becomes a lot.

    Points that only become available at `available_at` wait as pending; they repay when they mature.
    """
    lifetime = Lifetime(earned=points)
    if available_at is not None:
        pended = (Pending(available_at, expires_at, points),) if points else ()
        return Effect(pended=pended, lifetime=lifetime)
    return msgspec.structs.replace(repaid_first(state, _lots(points, expires_at)), lifetime=lifetime)


def spend(state: State, points: int) -> Effect:
    """Redeem `points` (>= 0), soonest-expiring lots first. Raises InsufficientPoints."""
    if points > max(state.available, 0):
        raise InsufficientPoints(points, state.available)
    return Effect(debits=soonest(state.lots, points), lifetime=Lifetime(redeemed=points))


def restore(state: State, debits: tuple[Lot, ...]) -> Effect:
    """Put back exactly the lots that a redemption took, what is owed by now coming first."""
    lifetime = Lifetime(restored=sum(lot.points for lot in debits))
    return msgspec.structs.replace(repaid_first(state, debits), lifetime=lifetime)


def repaid_first(state: State, lots: tuple[Lot, ...]) -> Effect:
    """Lots coming in, without a cause yet: what is owed is repaid first, the rest is credited as it is.

    The lots that expire soonest repay, so that the member keeps the longest-lived points.
    """
    repaid = min(state.owed, sum(lot.points for lot in lots))
    # Lots that had lapsed may come back with one date.
    united = added((), lots)
    kept = {lot.expires_at: lot.points for lot in united}
    for lot in soonest(united, repaid):
        kept[lot.expires_at] -= lot.points
    credited = tuple(Lot(expires_at, rest) for expires_at, rest in sorted(kept.items()) if rest)
    return Effect(credits=credited, repaid=repaid)


def release(state: State, points: int, *, available_at: int, expires_at: int) -> Effect:
    """Make up to `points` of an order's pending points available now; fewer where refunds have left fewer."""
    released = min(points, pending_points(state, available_at, expires_at))
    if not released:
        return Effect()
    inflow = repaid_first(state, (Lot(expires_at, released),))
    return msgspec.structs.replace(inflow, unpended=(Pending(available_at, expires_at, released),))


def claw(state: State, points: int, *, expires_at: int, available_at: int | None = None, absorb: bool = True) -> Effect:
    """Take back `points` (>= 0) of an order whose points, by its record, expire at `expires_at`.

    First the order's own pending points, then its own lot (with `absorb`, what lapsed of that lot takes its share
    first, for those points are gone already), then the other lots soonest-expiring first, and what is still missing is
    owed. Points that a hold reserves are left to it. Activity may have moved the order's lot to a later date.
    """
    rest = points
    own_pending = pending_points(state, available_at, expires_at)
    unpended = min(rest, own_pending)
    rest -= unpended
    absorbed = soonest(_own_lapsed(state, expires_at), rest) if absorb else ()
    rest -= sum(lot.points for lot in absorbed)
    takeable = min(rest, sum(lot.points for lot in state.lots))
    own_expiry = max(expires_at, state.active_until)
    from_own = min(takeable, _lot_points(state.lots, own_expiry))
    others = tuple(lot for lot in state.lots if lot.expires_at != own_expiry)
    debits = _merge_own(soonest(others, takeable - from_own), own_expiry, from_own)
    return Effect(
        unpended=(Pending(available_at, expires_at, unpended),) if unpended and available_at is not None else (),
        absorbed=absorbed,
        debits=debits,
        borrowed=rest - takeable,
        lifetime=Lifetime(clawed=points - sum(lot.points for lot in absorbed)),
    )


def adjustment(state: State, points: int, expires_at: int) -> Effect:
    """A correction by hand of `points` (not 0). Raises InsufficientPoints if it would take more than is available."""
    if points > 0:
        effect = repaid_first(state, _lots(points, expires_at))
    elif -points > state.available:
        raise InsufficientPoints(-points, state.available)
    else:
        effect = Effect(debits=soonest(state.lots, -points))
    return msgspec.structs.replace(effect, lifetime=Lifetime(adjusted=points))


def clawed_in_total(order: Refundable, refunded_by_line_minor: tuple[int, ...], refunded_at_large_minor: int) -> int:
    """Of an order's points, how many its refunds so far take back altogether.

    Refunds by line take that line's share of the points; a refund by amount takes, of what the lines left, the part
    that it is of the amount the lines left. As a function of the totals alone it gives the same in whatever order
    refunds come; it never falls when a refund is added, and everything refunded takes everything. For refunds by amount
    only it is `floor(points x refunded / total)`.
    """
    by_line = Fraction(0)
    for amount, points, refunded in zip(
        order.line_amounts_minor, order.line_points, refunded_by_line_minor, strict=True
    ):
        if refunded:
            by_line += Fraction(points * refunded, amount)
    left_minor = order.total_minor - sum(refunded_by_line_minor)
    at_large = (order.points - by_line) * Fraction(refunded_at_large_minor, left_minor) if left_minor else Fraction(0)
    return floor(by_line + at_large)


def _lots(points: int, expires_at: int) -> tuple[Lot, ...]:
    return (Lot(expires_at, points),) if points else ()


def soonest(lots: tuple[Lot, ...], points: int) -> tuple[Lot, ...]:
    """What is taken of each lot (sorted by expiry) to reach `points`."""
    debits = []
    for lot in lots:
        part = min(points, lot.points)
        if part:
            debits.append(Lot(lot.expires_at, part))
        points -= part
    return tuple(debits)


def _merge_own(others: tuple[Lot, ...], expires_at: int, points: int) -> tuple[Lot, ...]:
    own = (Lot(expires_at, points),) if points else ()
    return tuple(sorted(own + others, key=lambda lot: lot.expires_at))


def _own_lapsed(state: State, expires_at: int) -> tuple[Lot, ...]:
    """Where what lapsed of an order's lot is remembered: under its recorded date, or the later ones of activity."""
    last = max(expires_at, state.active_until)
    return tuple(lot for lot in state.expired if expires_at <= lot.expires_at <= last)


def _lot_points(lots: tuple[Lot, ...], expires_at: int) -> int:
    return sum(lot.points for lot in lots if lot.expires_at == expires_at)


def pending_points(state: State, available_at: int | None, expires_at: int) -> int:
    """How many points wait for `available_at` and expire at `expires_at`."""
    if available_at is None:
        return 0
    key = (available_at, expires_at)
    return sum(item.points for item in state.pending if (item.available_at, item.expires_at) == key)
