"""The nightly sweep: what time has done to the accounts of those who stay away is written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.base import clock
from chalicelib.ledger import sweep
from chalicelib.ledger.state import State, unpack
from chalicelib.ledger.table import AccountItem
from chalicelib.ledger.walk import Leg
from chalicelib.program import service as programs
from chalicelib.program.rules import tiers


class Sweeper:
    """The visitor that sweeps. It writes only where something has matured, expired or run out."""

    def __init__(self, _leg: Leg, carried: Mapping[str, Any]) -> None:
        self._swept: int = carried.get("swept", 0)

    def visit(self, account: AccountItem) -> None:
        """Sweep one account if the view says that something is due. Raises Unavailable."""
        now = clock.now()
        if account.state and sweep.is_due(unpack(account.state), now) and sweep_member(account.member_id, now=now):
            self._swept += 1

    def carry(self) -> dict[str, Any]:
        """How many accounts were swept so far."""
        return {"swept": self._swept}


def sweep_member(member_id: str, *, now: int) -> bool:
    """Fold one member's account to `now` by an entry; False where nothing is due. Raises Unavailable."""
    current = programs.in_force(now, now=now)

    def standing(state: State, at: int) -> tuple[str, int]:
        return tiers.standing(current.program, state, at).code, current.version

    return sweep.sweep(member_id, standing, now=now) is not None
