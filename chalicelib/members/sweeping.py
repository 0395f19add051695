"""The nightly sweep: what time has done to the accounts of those who stay away is written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.base import clock, facts
from chalicelib.ledger import sweep
from chalicelib.ledger.chain import Decision, Entry
from chalicelib.ledger.effects import Effect, fold
from chalicelib.ledger.state import State, unpack
from chalicelib.ledger.table import AccountItem
from chalicelib.ledger.walk import Leg
from chalicelib.program import service as programs
from chalicelib.program.document import Program
from chalicelib.program.rules import tiers


class Sweeper:
    """The visitor that sweeps. It writes only where something has matured, expired or run out, a tier included."""

    def __init__(self, _leg: Leg, carried: Mapping[str, Any]) -> None:
        self._swept: int = carried.get("swept", 0)

    def visit(self, account: AccountItem) -> None:
        """Sweep one account if the view says that something is due. Raises Unavailable."""
        now = clock.now()
        if account.state and _may_be_due(account, unpack(account.state), now):
            self._swept += sweep_member(account.member_id, now=now)

    def carry(self) -> dict[str, Any]:
        """How many accounts were swept so far."""
        return {"swept": self._swept}


def sweep_member(member_id: str, *, now: int) -> bool:
    """Write down what time has done to one member's account by `now`; False where nothing is due. Raises Unavailable.

    A tier that has ended by date alone leaves its records as they are: only the entry says the new one. So whoever asks
    gets the same answer whether or not the sweep has run, and a late purchase still finds the term that it counts for.
    """
    current = programs.in_force(now, now=now)

    def decide(tail: Entry, at: int) -> Decision | None:
        state = fold(tail.state, at).state
        if sweep.is_due(tail.state, at):
            kind = facts.SWEPT
        elif _tier_has_moved(current.program, tail.state, tail.tier, (tail.posted_at, at)):
            kind = facts.RETIERED
        else:
            return None
        return sweep.decision(
            tail,
            at,
            kind=kind,
            actor="system:nightly",
            program=current.version,
            tier=tiers.standing(current.program, state, at).code,
            effect=Effect(),
        )

    return sweep.append(member_id, decide, now=now) is not None


def _may_be_due(account: AccountItem, state: State, now: int) -> bool:
    if sweep.is_due(state, now):
        return True
    program = programs.in_force(now, now=now).program
    return _tier_has_moved(program, state, account.tier, (clock.parse(account.updated_at), now))


def _tier_has_moved(program: Program, state: State, told: str, between: tuple[int, int]) -> bool:
    """Whether time alone has moved a tier since the last entry, which said `told`, and nobody has said so yet.

    What a new version of the programme has moved is left to the re-tiering that an admin sets off.
    """
    return tiers.moved_by_time(program, state, *between) and tiers.standing(program, state, between[1]).code != told
