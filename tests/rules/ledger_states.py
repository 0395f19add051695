"""Small accounts for the tests of the ledger."""

from __future__ import annotations

from chalicelib.ledger.state import Lifetime, Lot, Pending, State

NOW = 1_000_000


def state_with(*lots: tuple[int, int], owed: int = 0, pending: tuple[Pending, ...] = ()) -> State:
    """An account that earned all it has."""
    earned = sum(amount for _expiry, amount in lots) + sum(item.points for item in pending)
    lots_held = tuple(Lot(expiry, amount) for expiry, amount in sorted(lots))
    return State(lots=lots_held, pending=pending, owed=owed, lifetime=Lifetime(earned=earned, clawed=owed))
