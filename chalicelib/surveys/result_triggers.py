"""What the night sets off for surveys, and the function with which an admin reads what answers say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chalice.app import Blueprint, SQSEvent

from chalicelib.base import clock, console, messages
from chalicelib.base.settings import settings
from chalicelib.surveys import crossing, result_console

blueprint = Blueprint(__name__)

# Enough for one more page of answers, the tables and the hand-over.
_RESERVE_MS: Final = 60_000


@blueprint.on_sqs_message(queue="crossings", batch_size=1, name="cross_surveys")
def cross_surveys(event: SQSEvent) -> dict[str, Any]:
    """Make the night's tables, a leg at a time; answers which messages must come again."""
    context: Any = event.context

    def take(body: str) -> None:
        crossing.take(
            crossing.MESSAGES.decode(body),
            queue_url=settings().crossings_queue_url,
            goes_on=lambda: context.get_remaining_time_in_millis() > _RESERVE_MS,
            now=clock.now(),
        )

    return messages.each(event.to_dict(), take)


@blueprint.lambda_function(name="administer_surveys")
def administer_surveys(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Do what `event["action"]` says and answer readable JSON; `{"action": "help"}` lists what can be said."""
    return console.answer(
        "administer_surveys",
        event,
        result_console.Requests,
        lambda request: result_console.done(request, clock.now()),
    )
