"""Points reserved for a while: pure arithmetic on a state that was folded to now."""

from __future__ import annotations

import msgspec

from chalicelib.ledger.effects import Effect
from chalicelib.ledger.limits import added_limits
from chalicelib.ledger.points import InsufficientPoints, StateRefusal, repaid_first, soonest
from chalicelib.ledger.state import HOLDS_MAX, Hold, Lifetime, Limit, State


class TooManyHolds(StateRefusal):
    """The account has as many holds as it may."""

    code = "too_many_holds"


class HoldOver(StateRefusal):
    """The hold has lapsed, or was committed or released."""

    code = "hold_over"


def reserve(state: State, points: int, *, hold_id: str, until: int, limits: tuple[Limit, ...] = ()) -> Effect:
    """Set `points` (>= 0) apart until an instant, soonest-expiring lots first.

    Held points cannot expire, for their lots go into the hold. `limits` count as used for as long as it lasts. Raises
    InsufficientPoints and TooManyHolds.
    """
    if points > max(state.available, 0):
        raise InsufficientPoints(points, state.available)
    if len(state.holds) >= HOLDS_MAX:
        raise TooManyHolds(f"The account has {HOLDS_MAX} holds; commit or release one first.")
    debits = soonest(state.lots, points)
    return Effect(debits=debits, held=(Hold(hold_id, until, debits, limits),))


def commit(state: State, hold_id: str) -> Effect:
    """Spend what a hold reserves. Raises HoldOver where there is no such hold (any more)."""
    hold = _find(state, hold_id)
    return Effect(unheld=(hold,), lifetime=Lifetime(redeemed=hold.points), limits=hold.limits)


def release(state: State, hold_id: str) -> Effect:
    """Give back what a hold reserves, what is owed coming first. Raises HoldOver as `commit` does."""
    hold = _find(state, hold_id)
    return msgspec.structs.replace(repaid_first(state, hold.lots), unheld=(hold,))


def limits_with_holds(state: State, at: int) -> tuple[Limit, ...]:
    """How far limits are used up, by what was committed and by what the holds of a state (folded to `at`) reserve."""
    held = tuple(limit for hold in state.holds for limit in hold.limits)
    return added_limits(state.limits, held, at)


def _find(state: State, hold_id: str) -> Hold:
    for hold in state.holds:
        if hold.hold_id == hold_id:
            return hold
    raise HoldOver("The hold has run out, or was committed or released before.")
