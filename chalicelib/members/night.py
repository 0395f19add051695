"""Beginning a night: the messages from which its walks go on by themselves."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from chalicelib.base import clock, queues
from chalicelib.base.settings import settings
from chalicelib.ledger import nights
from chalicelib.ledger.walk import Leg
from chalicelib.program import service as programs

_NIGHTS_MAX: Final = 100


@dataclass(frozen=True)
class Night:
    """A night that was begun: its day in the programme's zone (`2026-11-21`), and how many messages it was sent."""

    day: str
    messages: int


def start(*, now: int, per_leg: int = 0) -> Night:
    """Send one message for each segment of the night's walks, once a day however often this is called.

    Where a try died half-way, the next one sends all messages again, which is harmless: each walk writes only what has
    changed. `per_leg` bounds how many accounts a leg visits; 0 leaves it to the time that there is.
    """
    zone = programs.in_force(now, now=now).program.zone
    cut = clock.day_start(now, 0, zone)
    day = day_of(cut, zone)
    if not nights.begin(day, now=now):
        return Night(day, 0)
    return _sent(day, cut, ("sweep", "audit"), now=now, per_leg=per_leg)


def again(*, now: int, per_leg: int = 0, number: int = 2) -> Night:
    """Walk the accounts once more for today, under a name of its own: `2026-11-21-02`, or the first free number.

    It does all that a night does but for the audit and its digest, of which a day has one.
    """
    zone = programs.in_force(now, now=now).program.zone
    cut = clock.day_start(now, 0, zone)
    while not nights.begin(name := f"{day_of(cut, zone)}-{number:02}", now=now):
        number += 1
    return _sent(name, cut, ("sweep",), now=now, per_leg=per_leg)


def names_of(day: str) -> list[str]:
    """The nights that were begun for a day, in their order."""
    names = (day, *(f"{day}-{number:02}" for number in range(2, _NIGHTS_MAX)))
    return list(itertools.takewhile(nights.is_begun, names))


def day_of(cut: int, zone: ZoneInfo) -> str:
    """The day that a night of this beginning is called after."""
    return datetime.fromtimestamp(cut, zone).date().isoformat()


def _sent(name: str, cut: int, walks: tuple[str, ...], *, now: int, per_leg: int) -> Night:
    segments = settings().nightly_segments
    urls = {"sweep": settings().nightly_queue_url, "audit": settings().audit_queue_url}
    for walk in walks:
        for segment in range(segments):
            leg = Leg(walk=walk, night=name, cut=cut, segment=segment, segments=segments, per_leg=per_leg)
            queues.send(urls[walk], leg)
    nights.sent(name, now=now)
    return Night(name, len(walks) * segments)
