"""When the last segment of a night's walk is done, somebody reduces: that is asked for here."""

from __future__ import annotations

from typing import Final

import msgspec

from chalicelib.base import queues
from chalicelib.base.settings import settings
from chalicelib.ledger import nights
from chalicelib.ledger.nights import Progress
from chalicelib.ledger.walk import Leg

WALK: Final = "sweep"


class Reduction(msgspec.Struct, frozen=True):
    """Asks to reduce a night: its day, and the instant at which it began."""

    night: str
    cut: int


def finish(leg: Leg, progress: Progress) -> None:
    """Ask for the reduction once every segment is done. Two that end together may both ask, which does no harm."""
    if leg.walk != WALK or not progress.is_done:
        return
    segments = nights.progress_of(leg.night, WALK)
    if len(segments) == leg.segments and all(segment.is_done for segment in segments):
        queues.send(settings().scoring_queue_url, Reduction(leg.night, leg.cut))
