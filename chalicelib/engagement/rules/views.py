"""How far a member is in a challenge, as of an instant."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from chalicelib.engagement.rules import periods
from chalicelib.engagement.rules.marks import Window, window
from chalicelib.engagement.rules.progress import WHOLE, Walk, is_finished
from chalicelib.program.document import Program
from chalicelib.program.document.engagement import AnyChallenge, PunchCard, Quest, Step, Streak

Status: TypeAlias = Literal["upcoming", "open", "done", "ended"]


class Run(msgspec.Struct, frozen=True):
    """A streak as of now: periods in a row up to now, and when it breaks (None where there is none)."""

    current: int
    longest: int
    keep_by: int | None


class StepView(msgspec.Struct, frozen=True):
    """A step of a quest, how often it was done, and whether it is its turn."""

    step: Step
    done: int
    is_open: bool


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A challenge as a member has it: `done` of `needed`, of which `given` were a present and `earned` are its own."""

    challenge: AnyChallenge
    status: Status
    window: Window
    done: int
    needed: int
    given: int
    earned: int
    rounds: int
    steps: tuple[StepView, ...] = ()
    run: Run | None = None


def view(program: Program, challenge: AnyChallenge, walk: Walk, at: int) -> View:
    """A challenge, by the programme of now, after what was walked so far."""
    found = window(program, challenge.starts_at, challenge.ends_at)
    shown = View(
        challenge=challenge,
        status=_status(challenge, walk, found, at),
        window=found,
        done=0,
        needed=0,
        given=0,
        earned=0,
        rounds=walk.rounds,
    )
    match challenge:
        case PunchCard(stamps=stamps, given=given):
            own = stamps - given
            earned = own if is_finished(challenge, walk) else min(walk.counts.get(WHOLE, 0), own)
            return msgspec.structs.replace(shown, done=given + earned, needed=stamps, given=given, earned=earned)
        case Streak():
            run = _run(challenge, walk, program, at)
            earned = challenge.length if is_finished(challenge, walk) else run.current
            return msgspec.structs.replace(shown, done=earned, needed=challenge.length, earned=earned, run=run)
        case Quest():
            steps = _steps(challenge, walk)
            earned = sum(step.done >= step.step.count for step in steps)
            return msgspec.structs.replace(shown, done=earned, needed=len(steps), earned=earned, steps=steps)


def is_shown(shown: View, *, is_meant: bool) -> bool:
    """Whether a member is told of a challenge: whom it is for, until it is over; who took part, for ever."""
    took_part = bool(shown.rounds or shown.earned)
    return took_part or (is_meant and shown.status in {"upcoming", "open"})


def _status(challenge: AnyChallenge, walk: Walk, found: Window, at: int) -> Status:
    if is_finished(challenge, walk):
        return "done"
    if found.over(at):
        return "ended"
    return "open" if found.begun(at) else "upcoming"


def _run(streak: Streak, walk: Walk, program: Program, at: int) -> Run:
    zone = program.zone
    # The period that runs need not have been kept up yet; the one before it must.
    unbroken = walk.period + 1 >= periods.number(streak.period, at, zone)
    current = walk.counts.get(WHOLE, 0) if unbroken else 0
    return Run(current, walk.best, periods.end(streak.period, walk.period + 1, zone) if current else None)


def _steps(quest: Quest, walk: Walk) -> tuple[StepView, ...]:
    finished = is_finished(quest, walk)
    counts = [step.count if finished else min(walk.counts.get(step.code, 0), step.count) for step in quest.steps]
    missing = [place for place, step in enumerate(quest.steps) if counts[place] < step.count]
    turn = missing[:1] if quest.in_order else missing
    return tuple(StepView(step, counts[place], place in turn) for place, step in enumerate(quest.steps))
