"""Who is drawn: by a keyed hash, so that a draw comes out alike however often it is made, and nobody can foresee it."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.base import clock
from chalicelib.base.settings import settings

_BITS: Final = 64
_MONTHS: Final = 3


class Quarter(msgspec.Struct, frozen=True):
    """A quarter of the calendar (`2026-Q4`), how many days it has, and the place of a day in it, from 0 on."""

    name: str
    days: int
    day: int


def is_drawn(percent: int, *key: str) -> bool:
    """Whether what `key` names is among the `percent` of all such things."""
    return _below("drawn", key, 100) < percent


def day_of(days: int, *key: str) -> int:
    """The day, from 0 on, on which what `key` names has its turn: each of `days` as likely as the others."""
    return _below("day", key, days)


def quarter_of(instant: int, zone: ZoneInfo) -> Quarter:
    """The quarter in which an instant falls, on the programme's clocks."""
    today = datetime.fromtimestamp(instant, zone).date()
    place = (today.month - 1) // _MONTHS
    first = date(today.year, place * _MONTHS + 1, 1)
    following = date(today.year + (place == _MONTHS), (place + 1) % 4 * _MONTHS + 1, 1)
    return Quarter(f"{today.year}-Q{place + 1}", (following - first).days, (today - first).days)


def begins_at(quarter: Quarter, day: int, zone: ZoneInfo) -> int:
    """The instant at which a day of a quarter begins."""
    year, _, place = quarter.name.partition("-Q")
    first = date(int(year), (int(place) - 1) * _MONTHS + 1, 1) + timedelta(days=day)
    return clock.seconds(datetime(first.year, first.month, first.day, tzinfo=zone).astimezone(UTC))


def _below(purpose: str, key: tuple[str, ...], bound: int) -> int:
    """A number below `bound` that the key leads to, each as likely as the others (to one part in 2^57)."""
    digest = hmac.digest(settings().id_secret, msgspec.json.encode(("survey sample", purpose, *key)), hashlib.sha256)
    return int.from_bytes(digest[: _BITS // 8]) * bound >> _BITS
