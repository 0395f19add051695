"""Days, weeks and months on the programme's clocks, numbered so that those that follow one another are neighbours."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from chalicelib.base import clock
from chalicelib.program.rules import windows

Period: TypeAlias = Literal["day", "week", "month"]


def number(period: Period, at: int, zone: ZoneInfo) -> int:
    """The number of the day, week (from Monday on) or month in which an instant falls.

    It goes by the calendar, so a day of 23 or 25 hours is one like any other.
    """
    if period == "month":
        return clock.month_of(at, zone)
    day = datetime.fromtimestamp(at, zone).toordinal()
    # The first day of the calendar was a Monday.
    return day if period == "day" else (day - 1) // 7


def end(period: Period, index: int, zone: ZoneInfo) -> int:
    """The instant at which a numbered period is over and the next one begins."""
    if period == "month":
        following = date((index + 1) // 12, (index + 1) % 12 + 1, 1)
    else:
        following = date.fromordinal(index + 1 if period == "day" else (index + 1) * 7 + 1)
    return windows.instant(f"{following.isoformat()}T00:00", zone)
