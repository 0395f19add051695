"""Orders, refunds and cancellations from the intake queue."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.base.errors import Refusal
from chalicelib.orders import refunds, service
from chalicelib.orders.schema import CancelMessage, Message, OrderMessage, RefundMessage

logger = logging.getLogger(__name__)

ACTOR = "system:intake"
_MESSAGES = msgspec.json.Decoder(Message)


def take_batch(event: Mapping[str, Any], *, now: int) -> dict[str, Any]:
    """Handle a batch from the FIFO queue and name the messages that must come again.

    After a failure the later messages of the same group (the same member) are left for the next time as well, so that
    a refund never overtakes its order.
    """
    failed: list[str] = []
    stopped_groups: set[str] = set()
    for record in event["Records"]:
        group = record["attributes"].get("MessageGroupId", "")
        if group in stopped_groups or not _take(record, now=now):
            failed.append(record["messageId"])
            stopped_groups.add(group)
    logger.info("took %s of %s messages", len(event["Records"]) - len(failed), len(event["Records"]))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def take(message: Message, *, now: int) -> None:
    """Post one message. Raises as the operation that it asks for."""
    match message:
        case OrderMessage():
            service.post_order(message.order, actor=ACTOR, now=now)
        case RefundMessage():
            name = service.order_id_of(message.source, message.order_id)
            refunds.refund(name, message.refund, actor=ACTOR, now=now)
        case CancelMessage():
            name = service.order_id_of(message.source, message.order_id)
            refunds.cancel(name, message.cancel, actor=ACTOR, now=now)


def _take(record: Mapping[str, Any], *, now: int) -> bool:
    """Whether one message is done with. The log says why not, without the message's text."""
    message_id = record["messageId"]
    try:
        take(_MESSAGES.decode(record["body"]), now=now)
    except (msgspec.MsgspecError, UnicodeError) as error:
        # The error itself quotes the message; the message lies in the dead letters for whoever may read it.
        logger.warning("message %s is malformed (%s)", message_id, type(error).__name__)
    except Refusal as refusal:
        logger.warning("message %s is refused: %s at %s", message_id, refusal.reason_code, refusal.field)
    except Exception:
        logger.exception("message %s failed", message_id)
    else:
        return True
    return False
