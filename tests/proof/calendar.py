"""Months and days of the model, by its own arithmetic: the programme's zone is China's, eight hours ahead for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

DAY_S = 86_400
NEVER = 0xFFFF_FFFF
_AHEAD_S = 8 * 3600


def month_of(instant: int) -> int:
    """Months since the year 0."""
    local = datetime.fromtimestamp(instant + _AHEAD_S, UTC)
    return local.year * 12 + local.month - 1


def month_start(month: int) -> int:
    """The instant at which a month begins."""
    return int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) - _AHEAD_S


def midnight(instant: int, days: int) -> int:
    """The beginning of the day so many days after the one in which an instant falls."""
    return (instant + _AHEAD_S) // DAY_S * DAY_S - _AHEAD_S + int(timedelta(days=days).total_seconds())
