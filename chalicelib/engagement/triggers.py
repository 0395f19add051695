"""What queues and the schedule of birthdays set off in the engagement's room."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

import msgspec
from chalice.app import Blueprint, SQSEvent

from chalicelib.base import clock, queues
from chalicelib.base.settings import settings
from chalicelib.engagement import birthdays, reacting
from chalicelib.engagement.birthdays import Leg
from chalicelib.ledger.router import Notice

logger = logging.getLogger(__name__)
blueprint = Blueprint(__name__)

# Enough for one more member, the mark and the hand-over.
_RESERVE_MS: Final = 30_000


class GiftsDue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks for the birthdays that are due; the schedule sends it every hour."""

    birthdays_due: bool


_NOTICES: Final = msgspec.json.Decoder(Notice)
_DUE: Final = msgspec.json.Decoder(GiftsDue)
_LEGS: Final = msgspec.json.Decoder(Leg)


@blueprint.on_sqs_message(queue="challenges", batch_size=10, name="advance_challenges")
def advance_challenges(event: SQSEvent) -> dict[str, Any]:
    """Count purchases and events in challenges; answers which messages must come again."""
    failed = []
    for record in event.to_dict()["Records"]:
        try:
            # Read inside, so that a message that is no notice holds back no member's.
            notice = _NOTICES.decode(record["body"])
            reacting.react(notice, now=clock.now())
        except (msgspec.MsgspecError, UnicodeError) as error:
            logger.warning("message %s is no notice (%s)", record["messageId"], type(error).__name__)
            failed.append({"itemIdentifier": record["messageId"]})
        except Exception:
            logger.exception("message %s: the challenges could not be advanced", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    logger.info("%s notices heard", len(event.to_dict()["Records"]) - len(failed))
    return {"batchItemFailures": failed}


@blueprint.on_sqs_message(queue="birthdays", batch_size=1, name="give_birthday_gifts")
def give_birthday_gifts(event: SQSEvent) -> dict[str, Any]:
    """See to the birthdays that are due, or walk one leg of them; answers which messages must come again."""
    context: Any = event.context
    failed = []
    for record in event.to_dict()["Records"]:
        try:
            _see_to(record["body"], context.get_remaining_time_in_millis)
        except Exception:
            logger.exception("message %s: no birthdays could be seen to", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _see_to(body: str, left_ms: Callable[[], int]) -> None:
    if '"birthdays_due"' in body:
        _DUE.decode(body)
        legs = birthdays.due(now=clock.now())
    else:
        rest = birthdays.take(_LEGS.decode(body), goes_on=lambda: left_ms() > _RESERVE_MS)
        legs = [rest] if rest else []
    for leg in legs:
        queues.send(settings().birthdays_queue_url, leg)
