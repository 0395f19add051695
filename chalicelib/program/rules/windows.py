"""Windows and periods on the programme's clocks: when they begin and end, and whose birthday falls into them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from chalicelib.base import clock
from chalicelib.ledger.state import NEVER

_LEAP_DAY: Final = (2, 29)


def instant(local: str, zone: ZoneInfo) -> int:
    """The instant of a time such as "2026-11-11T00:00" on the clocks of `zone`.

    A time that the clocks skip is the first instant after the gap, and of one that they show twice it is the first.
    """
    return _instant(datetime.fromisoformat(local), zone)


def period_end(per: str, at: int, zone: ZoneInfo) -> int:
    """When the day, week (from Monday), month or year in which `at` falls is over; NEVER for `ever`."""
    if per == "ever":
        return NEVER
    today = datetime.fromtimestamp(at, zone).date()
    match per:
        case "day":
            following = today + timedelta(days=1)
        case "week":
            following = today + timedelta(days=7 - today.weekday())
        case "month":
            following = date(today.year + today.month // 12, today.month % 12 + 1, 1)
        case _:
            following = date(today.year + 1, 1, 1)
    return _instant(datetime(following.year, following.month, following.day), zone)  # noqa: DTZ001 -- made aware there


def is_birthday(birthday: str, today: date, period: str) -> bool:
    """Whether the `day`, `week` (from Monday) or `month` of a birthday such as "1990-05-17" is that of `today`.

    A birthday of 29 February is kept on the 28th in other years. An unknown one, "", is never.
    """
    try:
        born = date.fromisoformat(birthday)
    except ValueError:
        return False
    if period == "month":
        return today.month == born.month
    if period == "day":
        return today == _kept(born, today.year)
    monday = today - timedelta(days=today.weekday())
    # The week around New Year has days of two years.
    years = {monday.year, (monday + timedelta(days=6)).year}
    return any(monday <= _kept(born, year) < monday + timedelta(days=7) for year in years)


def _kept(born: date, year: int) -> date:
    if (born.month, born.day) == _LEAP_DAY:
        return date(year, 3, 1) - timedelta(days=1)
    return born.replace(year=year)


def _instant(local: datetime, zone: ZoneInfo) -> int:
    found = clock.seconds(local.replace(tzinfo=zone))
    after = datetime.fromtimestamp(found, zone)
    if after.replace(tzinfo=None) == local:
        return found
    # The clocks skip it. Reckoned with the offset from before the gap it lies behind the gap, with the other before it.
    low, high = clock.seconds(local.replace(tzinfo=zone, fold=1)), found
    while low < high:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == after.utcoffset():
            high = middle
        else:
            low = middle + 1
    return high
