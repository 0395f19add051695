"""Beginning a night: the messages from which its walks go on by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.base import clock, queues
from chalicelib.base.settings import settings
from chalicelib.ledger import nights
from chalicelib.ledger.walk import Leg
from chalicelib.program import service as programs


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
    day = datetime.fromtimestamp(cut, zone).date().isoformat()
    if not nights.begin(day, now=now):
        return Night(day, 0)
    segments = settings().nightly_segments
    for walk, queue_url in (("sweep", settings().nightly_queue_url), ("audit", settings().audit_queue_url)):
        for segment in range(segments):
            leg = Leg(
                walk=walk,
                night=day,
                cut=cut,
                segment=segment,
                segments=segments,
                per_leg=per_leg,
            )
            queues.send(queue_url, leg)
    nights.sent(day, now=now)
    return Night(day, 2 * segments)
