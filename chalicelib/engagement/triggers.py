"""What queues set off in the engagement's room."""

from __future__ import annotations

import logging
from typing import Any, Final

import msgspec
from chalice.app import Blueprint, SQSEvent

from chalicelib.base import clock
from chalicelib.engagement import reacting
from chalicelib.ledger.router import Notice

logger = logging.getLogger(__name__)
blueprint = Blueprint(__name__)

_NOTICES: Final = msgspec.json.Decoder(Notice)


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
