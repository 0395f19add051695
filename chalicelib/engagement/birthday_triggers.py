"""What the schedule of birthdays sets off, and the queue on which they are worked off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from chalice.app import Blueprint, SQSEvent

from chalicelib.base import clock, messages, queues
from chalicelib.base.settings import settings
from chalicelib.engagement import birthdays
from chalicelib.engagement.birthdays import Leg

blueprint = Blueprint(__name__)

# Enough for one more member, the mark and the hand-over.
_RESERVE_MS: Final = 30_000


class GiftsDue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks for the birthdays that are due; the schedule sends it every hour."""

    birthdays_due: bool


_DUE: Final = msgspec.json.Decoder(GiftsDue)
_LEGS: Final = msgspec.json.Decoder(Leg)


@blueprint.on_sqs_message(queue="birthdays", batch_size=1, name="give_birthday_gifts")
def give_birthday_gifts(event: SQSEvent) -> dict[str, Any]:
    """See to the birthdays that are due, or walk one leg of them; answers which messages must come again."""
    context: Any = event.context
    return messages.each(event.to_dict(), lambda body: _see_to(body, context.get_remaining_time_in_millis))


def _see_to(body: str, left_ms: Callable[[], int]) -> None:
    if '"birthdays_due"' in body:
        _DUE.decode(body)
        legs = birthdays.due(now=clock.now())
    else:
        rest = birthdays.take(_LEGS.decode(body), goes_on=lambda: left_ms() > _RESERVE_MS)
        legs = [rest] if rest else []
    for leg in legs:
        queues.send(settings().birthdays_queue_url, leg)
