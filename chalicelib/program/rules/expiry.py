"""When points become available and when they lapse: by calendar days and months in the programme's zone."""

from __future__ import annotations

from chalicelib.base import clock
from chalicelib.ledger.state import NEVER
from chalicelib.program.document import CalendarYear, Inactivity, Program, RollingMonths


def expires_at(program: Program, occurred_at: int) -> int:
    """When points for a fact of this instant lapse, NEVER where they do not; under inactivity, unless it is put off.

    All points of one month lapse together at the start of a month, so an account has few lots and a member one date to
    remember.
    """
    month = clock.month_of(occurred_at, program.zone)
    match program.expiry:
        case RollingMonths(months=months) | Inactivity(months=months):
            last = month + months
        case CalendarYear(years=years, month=year_end):
            last = month + (year_end - 1 - month) % 12 + 12 * years
        case _:
            return NEVER
    return clock.month_start(last + 1, program.zone)


def extended_to(program: Program, occurred_at: int) -> int:
    """The date to which a purchase or redemption of this instant puts off the expiry of all points, 0 for not at all.

    Late activity brings no points back that have lapsed, and puts off what is left no further than it would have then.
    """
    return expires_at(program, occurred_at) if isinstance(program.expiry, Inactivity) else 0


def available_at(program: Program, occurred_at: int) -> int | None:
    """When points for a fact of this instant may be spent: at the start of a day, or None for at once."""
    if not program.pending_days:
        return None
    return clock.day_start(occurred_at, program.pending_days, program.zone)


def graced(program: Program, expires_at: int, at: int) -> int:
    """The expiry with which points come back at `at`: the one they had, or the programme's grace where that has passed.

    Rounded up to the start of a month, so that points coming back again and again make no lots of their own. Without a
    grace, what has passed stays passed.
    """
    if expires_at > at or not program.grace_days:
        return expires_at
    zone = program.zone
    earliest = clock.day_start(at, program.grace_days + 1, zone)
    return clock.month_start(clock.month_of(earliest - 1, zone) + 1, zone)


def refundable_until(program: Program, occurred_at: int) -> int:
    """When the refund window of an order of this instant is over: after the last of its days, whatever the hour."""
    return clock.day_start(occurred_at, program.refund_window_days + 1, program.zone)


def too_late(program: Program, occurred_at: int, now: int) -> bool:
    """Whether a fact happened longer ago than the programme takes in: before the day that was `late_days` ago."""
    return occurred_at < clock.day_start(now, -program.late_days, program.zone)
