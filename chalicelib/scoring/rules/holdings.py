"""The points of all members together: what ever came and went, and what is there. Whole numbers, pure."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.ledger.effects import fold
from chalicelib.ledger.state import State


class Totals(msgspec.Struct, array_like=True, frozen=True):
    """The lifetime points of `members` accounts by cause, as in the ledger's `Lifetime`, and what they hold.

    `available` may be spent; pending and held points are in no lot yet, or in none any more. What is owed is in none of
    these. Accounts that were closed by a merge count with what they ever had, so that `merged` comes to nothing.
    """

    members: int = 0
    earned: int = 0
    restored: int = 0
    adjusted: int = 0
    redeemed: int = 0
    expired: int = 0
    clawed: int = 0
    merged: int = 0
    available: int = 0
    pending: int = 0
    held: int = 0
    owed: int = 0

    def plus(self, other: Totals) -> Totals:
        """Both together."""
        # A night does it for every member there is, so it goes without a loop.
        return Totals(
            self.members + other.members,
            self.earned + other.earned,
            self.restored + other.restored,
            self.adjusted + other.adjusted,
            self.redeemed + other.redeemed,
            self.expired + other.expired,
            self.clawed + other.clawed,
            self.merged + other.merged,
            self.available + other.available,
            self.pending + other.pending,
            self.held + other.held,
            self.owed + other.owed,
        )

    @property
    def issued(self) -> int:
        """What members were given, less what was taken back."""
        return self.earned + self.adjusted + self.merged - self.clawed

    @property
    def used(self) -> int:
        """What was redeemed, less what was put back."""
        return self.redeemed - self.restored

    @property
    def outstanding(self) -> int:
        """What members hold: available, pending and held."""
        return self.available + self.pending + self.held

    @property
    def net(self) -> int:
        """What they hold less what they owe: always `issued` less `used` and `expired`."""
        return self.outstanding - self.owed


def of(state: State, at: int) -> Totals:
    """One account as of an instant: what has matured or expired until then counts so, whether or not it was swept."""
    now = fold(state, at).state
    had = now.lifetime
    return Totals(
        int(not now.closed_into),
        *(had.earned, had.restored, had.adjusted, had.redeemed, had.expired, had.clawed, had.merged),
        sum(lot.points for lot in now.lots),
        sum(pending.points for pending in now.pending),
        now.held,
        now.owed,
    )


def carried(totals: Totals) -> dict[str, int]:
    """As a visitor of the night carries it."""
    return msgspec.structs.asdict(totals)


def read(found: Any) -> Totals | None:
    """The inverse of `carried`; None where there is nothing, as after a night of an earlier version."""
    return Totals(**found) if isinstance(found, dict) and found else None
