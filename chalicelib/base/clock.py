"""Instants are whole seconds since 1970 (UTC); on the wire and in tables they are RFC 3339 text ending in Z."""

from __future__ import annotations

import functools
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAY_S = 86_400

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
_FIRST = datetime(2, 1, 1, tzinfo=UTC)
_LAST = datetime(9000, 12, 31, tzinfo=UTC)


def now() -> int:
    """The present instant in seconds. The only place that asks the machine for the time."""
    return int(time.time())


def text(instant: int) -> str:
    """`1732190400` → `2024-11-21T12:00:00Z`."""
    # Not by strftime, which writes the year 500 with three digits.
    return f"{datetime.fromtimestamp(instant, UTC).replace(tzinfo=None).isoformat()}Z"


def seconds(moment: datetime) -> int:
    """An aware datetime as an instant; fractions of a second are dropped.

    What lies beyond the years 2 to 9000 counts as their ends: in another zone, or some months later when points
    expire, the calendar might have no date for it.
    """
    return int(min(max(moment, _FIRST), _LAST).timestamp())


def parse(value: str) -> int:
    """The inverse of `text`, for values that this engine wrote itself."""
    # strptime takes ten times as long, which is felt where every account is looked at.
    return seconds(datetime.fromisoformat(value))


@functools.lru_cache(maxsize=1024)
def month_of(instant: int, zone: ZoneInfo) -> int:
    """The calendar month in which an instant falls, counted as year x 12 + month - 1."""
    local = datetime.fromtimestamp(instant, zone)
    return local.year * 12 + local.month - 1


@functools.lru_cache(maxsize=1024)
def month_start(month: int, zone: ZoneInfo) -> int:
    """The instant at which a calendar month (year x 12 + month - 1) begins in `zone`."""
    return seconds(datetime(month // 12, month % 12 + 1, 1, tzinfo=zone))


def month_text(month: int) -> str:
    """A calendar month (year x 12 + month - 1) such as `2026-11`."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


@functools.lru_cache(maxsize=1024)
def day_of(instant: int, zone: ZoneInfo) -> int:
    """The day of an instant in `zone`, counted from the epoch."""
    return datetime.fromtimestamp(instant, zone).toordinal() - _EPOCH


@functools.lru_cache(maxsize=1024)
def day_start(instant: int, days: int, zone: ZoneInfo) -> int:
    """The beginning of the day `days` after the day in which `instant` falls, in `zone`."""
    local = datetime.fromtimestamp(instant, zone) + timedelta(days=days)
    return seconds(datetime(local.year, local.month, local.day, tzinfo=zone))
