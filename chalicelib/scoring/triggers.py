"""What ends a night of scoring."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from chalice.app import Blueprint, SQSEvent

from chalicelib.base import clock, messages, queues
from chalicelib.base.settings import settings
from chalicelib.ledger.walk import Leg
from chalicelib.scoring.finishing import Reduction

blueprint = Blueprint(__name__)

AGAIN: Final = "score"
"""The walk that follows the very first night, when there is something to score with."""

_REDUCTIONS: Final = msgspec.json.Decoder(Reduction)


@blueprint.on_sqs_message(queue="scoring", batch_size=1, name="reduce_night")
def reduce_night(event: SQSEvent) -> dict[str, Any]:
    """Make the basis and the report of a night; answers which messages must come again."""
    return messages.each(event.to_dict(), lambda body: _reduce(_REDUCTIONS.decode(body)))


def _reduce(asked: Reduction) -> None:
    # numpy is loaded when there is something to reckon: to be declared, a function need not have it.
    from chalicelib.scoring import reducing  # noqa: PLC0415

    reduced = reducing.reduce(asked.night, asked.cut, now=clock.now())
    if not reduced.is_first:
        return
    segments = settings().nightly_segments
    for segment in range(segments):
        leg = Leg(walk=AGAIN, night=asked.night, cut=asked.cut, segment=segment, segments=segments)
        queues.send(settings().nightly_queue_url, leg)
