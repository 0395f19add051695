"""The care calendar of one member: what the coming days hold for them, from the account's state. Pure.

Days count from the epoch in the programme's zone. What ends at an instant has the day before it as its last one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from chalicelib.base import clock
from chalicelib.ledger.state import NEVER, State
from chalicelib.program.document import Program
from chalicelib.program.rules import tiers
from chalicelib.scoring.state import NO_DAY

KINDS: Final = ("anniversary", "tier_ending")
"""What a member is told once, as a fact of its own kind."""

CATCH_UP_DAYS: Final = 3
"""For so many days after an anniversary it is still told, where no night has come by before."""

AHEAD_DAYS: Final = 14
"""So many days the calendar has, that of the night's morning included."""

_EPOCH: Final = date(1970, 1, 1)
_LEAP_DAY: Final = (2, 29)


class Ahead(msgspec.Struct, frozen=True):
    """What comes next for a member, each with its day: NO_DAY for nothing.

    `anniversary` may lie up to three days back. `expiring` is the last day on which `expiring_points` may be used,
    `tier_ending` the last day of a tier that is lost by what stands today.
    """

    anniversary: int = NO_DAY
    expiring: int = NO_DAY
    expiring_points: int = 0
    tier_ending: int = NO_DAY


def ahead(program: Program, state: State, at: int) -> Ahead:
    """What the days hold that begin with the one that begins at `at`; of what the programme does not keep, nothing."""
    policy, today = program.scoring, clock.day_of(at, program.zone)
    expiring, points = next_expiry(program, state, at)
    looks_days = max(policy.tier_ending_days, AHEAD_DAYS - 1) if policy.tier_ending_days else -1
    return Ahead(
        anniversary=anniversary(program, state.enrolled_at, today - CATCH_UP_DAYS) if policy.anniversaries else NO_DAY,
        expiring=expiring,
        expiring_points=points,
        tier_ending=tier_ending(program, state, at, looks_days),
    )


def since(found: Ahead, program: Program) -> tuple[int, ...]:
    """By KINDS, from the night of which day on a member is told of it, NO_DAY for never.

    A night scores the day that ends with it, so an anniversary is told in the night of the day before.
    """
    return (
        max(found.anniversary - 1, NO_DAY),
        max(found.tier_ending - program.scoring.tier_ending_days - 1, NO_DAY),
    )


def anniversary(program: Program, enrolled_at: int, from_day: int) -> int:
    """The first day from `from_day` on that is so many whole years after an enrolment, from the first year on.

    Who enrolled on 29 February has it on the 28th in years without. NO_DAY where the enrolment is not known.
    """
    if not enrolled_at:
        return NO_DAY
    enrolled = datetime.fromtimestamp(enrolled_at, program.zone).date()
    first = _EPOCH + timedelta(days=from_day)
    year = max(first.year, enrolled.year + 1)
    found = _in_year(enrolled, year)
    return ((found if found >= first else _in_year(enrolled, year + 1)) - _EPOCH).days


def next_expiry(program: Program, state: State, at: int) -> tuple[int, int]:
    """The next last day of points, and how many they are; NO_DAY and 0 where none expire."""
    found = NO_DAY, 0
    for lot in state.lots:
        if at < lot.expires_at < NEVER and lot.points:
            last_day = clock.day_of(lot.expires_at - 1, program.zone)
            if found[0] not in {NO_DAY, last_day}:
                break
            found = last_day, found[1] + lot.points
    return found


def points_least(program: Program) -> int:
    """So many points must expire for it to matter: what the programme says, or else what something can be had for."""
    redemption = program.redemption
    return program.scoring.expiring_points_min or (redemption.minimum_points if redemption else 1)


def tier_ending(program: Program, state: State, at: int, within_days: int) -> int:
    """The last day of a member's tier, if it is at most so many days off and a lower tier follows by what stands.

    Who keeps the tier for another term, or for its grace, does not lose it.
    """
    until = clock.day_start(at, within_days + 1, program.zone)
    # No term is judged before a record of it ends, and to look for that costs next to nothing.
    if within_days < 0 or not any(record.until <= until for record in state.tiers):
        return NO_DAY
    ladder = [tier.code for tier in program.tiers]
    now = then = tiers.standing(program, state, at)
    # Where the end of a term begins a grace, the tier may be lost at the end of that.
    while then.until is not None and then.until <= until:
        judged_at = then.until
        then = tiers.standing(program, state, judged_at)
        if ladder.index(then.code) < ladder.index(now.code):
            return clock.day_of(judged_at - 1, program.zone)
    return NO_DAY


def days_from(day: int) -> Iterator[date]:
    """The dates of the calendar that begins with a day."""
    return (_EPOCH + timedelta(days=day + place) for place in range(AHEAD_DAYS))


def _in_year(day: date, year: int) -> date:
    is_common = (day.month, day.day) == _LEAP_DAY and not _is_leap(year)
    return date(year, 2, 28) if is_common else day.replace(year=year)


def _is_leap(year: int) -> bool:
    return (date(year, 3, 1) - timedelta(days=1)).day == _LEAP_DAY[1]
