"""What queues set off in the orders' room."""

from __future__ import annotations

import logging
from typing import Any, Final

import msgspec
from chalice.app import Blueprint, SQSEvent

from chalicelib.base import clock
from chalicelib.ledger.router import Notice
from chalicelib.orders import intake, reacting

logger = logging.getLogger(__name__)
blueprint = Blueprint(__name__)

_NOTICES: Final = msgspec.json.Decoder(Notice)


@blueprint.on_sqs_message(queue="intake.fifo", batch_size=10, name="intake_orders")
def intake_orders(event: SQSEvent) -> dict[str, Any]:
    """Post what shop systems put on the intake queue."""
    return intake.take_batch(event.to_dict(), now=clock.now())


@blueprint.on_sqs_message(queue="claims", batch_size=10, name="claim_orders")
def claim_orders(event: SQSEvent) -> dict[str, Any]:
    """Give members who enrolled the orders that waited for them, and members whose orders went back their vouchers."""
    failed = []
    for record in event.to_dict()["Records"]:
        try:
            # Read inside, so that a message that is no notice holds back no member's.
            reacting.react(_NOTICES.decode(record["body"]), now=clock.now())
        except Exception:
            logger.exception("message %s: nothing could be made of it", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
