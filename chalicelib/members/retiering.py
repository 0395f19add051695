"""Re-tiering after a change of the programme: who would move, who moves, and the walk over all accounts for it.

Everybody's tier is judged by the programme in force whether this has run or not. It writes the new tiers down, so that
statement, stream and view learn of them, and so that a tier reached by lower thresholds is kept for its term.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from chalicelib.base import clock, facts, queues
from chalicelib.base.errors import NotFound
from chalicelib.base.settings import settings
from chalicelib.ledger import nights, sweep
from chalicelib.ledger.chain import Decision, Entry
from chalicelib.ledger.effects import Effect, fold
from chalicelib.ledger.state import unpack
from chalicelib.ledger.table import AccountItem
from chalicelib.ledger.walk import Leg
from chalicelib.program import service as programs
from chalicelib.program.rules import tiers
from chalicelib.program.service import Versioned

RETIER: Final = "retier"
PREVIEW: Final = "retier_preview"
_EXAMPLES = 3


class RunNotFound(NotFound):
    """No re-tiering goes by this name."""

    code = "run_not_found"


class Move(msgspec.Struct):
    """How many members move from one tier to another, and a few of them."""

    members: int = 0
    examples: list[str] = []


class Moves(msgspec.Struct):
    """Moves by the codes of the tiers, `silver > gold`. `by` sets a run off; `version` is what a preview goes by."""

    moved: int = 0
    moves: dict[str, Move] = {}
    by: str = ""
    version: int | None = None

    def add(self, before: str, after: str, members: int, examples: list[str]) -> None:
        """Count members who move."""
        move = self.moves.setdefault(f"{before} > {after}", Move())
        self.moved += members
        move.members += members
        move.examples = [*move.examples, *examples][:_EXAMPLES]


class Run(msgspec.Struct, frozen=True):
    """A walk that was begun: its name, by which its progress is asked for, and how many messages it was sent."""

    run: str
    messages: int


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run is: accounts seen, those that failed, and who moves. Only once it is done is it about everybody."""

    run: str
    is_done: bool
    seen: int
    failed: int
    moved: int
    moves: dict[str, Move]


class Retierer:
    """The visitor that re-tiers, or in a preview counts. It writes where a tier is not what the last entry says."""

    def __init__(self, leg: Leg, carried: Mapping[str, Any]) -> None:
        self._is_preview = leg.walk == PREVIEW
        self._found = msgspec.convert(dict(carried), Moves)

    def visit(self, account: AccountItem) -> None:
        """Look at one account. Raises Unavailable."""
        # Other areas may have put something on the item before the first entry was projected.
        state = unpack(account.state) if account.state else None
        if state is None or state.closed_into:
            return
        now = clock.now()
        judged_by = programs.in_force(now, now=now)
        if self._found.version is not None:
            judged_by = programs.version(self._found.version)
        at = max(now, judged_by.starts_at)
        code = tiers.standing(judged_by.program, state, at).code
        if code == account.tier:
            return
        if not self._is_preview:
            entry = retier_member(account.member_id, actor=f"admin:{self._found.by}", now=now)
            if entry is None:
                return
            code = entry.tier
        self._found.add(account.tier, code, 1, [account.member_id])

    def carry(self) -> dict[str, Any]:
        """The moves so far."""
        found: dict[str, Any] = msgspec.to_builtins(self._found)
        return found


def retier_member(member_id: str, *, actor: str, now: int) -> Entry | None:
    """Post the entry that says a member's tier by the programme in force; None where the last entry says it already.

    The tier records are judged anew with it, as by any purchase. Raises Unavailable.
    """
    current = programs.in_force(now, now=now)
    return sweep.append(member_id, lambda tail, at: _decision(tail, at, actor, current), now=now)


def _decision(tail: Entry, at: int, actor: str, current: Versioned) -> Decision | None:
    state = fold(tail.state, at).state
    tier = tiers.standing(current.program, state, at).code
    if state.closed_into or tier == tail.tier:
        return None
    records = tiers.judge(current.program, state, at)
    return sweep.decision(
        tail,
        at,
        kind=facts.RETIERED,
        actor=actor,
        program=current.version,
        tier=tier,
        effect=Effect(tiers=records if records != state.tiers else None),
    )


def start(*, by: str, now: int, per_leg: int = 0) -> Run:
    """Begin to re-tier everybody; by whom is kept on every entry. `per_leg` bounds the accounts of a leg."""
    return _start(RETIER, Moves(by=by), now=now, per_leg=per_leg)


def start_preview(*, version: int | None, now: int, per_leg: int = 0) -> Run:
    """Begin to count who would move by the programme in force, or by a `version` once it starts.

    Raises VersionNotFound.
    """
    if version is not None:
        programs.version(version)
    return _start(PREVIEW, Moves(version=version), now=now, per_leg=per_leg)


def _start(walk: str, carried: Moves, *, now: int, per_leg: int) -> Run:
    run = f"{walk}@{clock.text(now)}" + ("" if carried.version is None else f"@{carried.version}")
    # Begun twice in a second it is one run; where a try died half-way, all messages are sent again, which is harmless.
    if not nights.begin(run, now=now):
        return Run(run, 0)
    segments = settings().nightly_segments
    for segment in range(segments):
        leg = Leg(
            walk=walk,
            night=run,
            cut=now,
            segment=segment,
            segments=segments,
            per_leg=per_leg,
            carried={RETIER: msgspec.to_builtins(carried)},
        )
        queues.send(settings().nightly_queue_url, leg)
    nights.sent(run, now=now)
    return Run(run, segments)


def progress(run: str) -> Progress:
    """How far a run is. Raises RunNotFound."""
    if not nights.is_begun(run):
        raise RunNotFound("No re-tiering goes by this name.", field="run")
    parts = nights.progress_of(run, run.partition("@")[0])
    total = Moves()
    for part in parts:
        for name, move in msgspec.convert(part.carried[RETIER], Moves).moves.items():
            before, _to, after = name.partition(" > ")
            total.add(before, after, move.members, move.examples)
    return Progress(
        run=run,
        is_done=len(parts) == settings().nightly_segments and all(part.is_done for part in parts),
        seen=sum(part.seen for part in parts),
        failed=sum(part.failed for part in parts),
        moved=total.moved,
        moves=dict(sorted(total.moves.items())),
    )
