"""What queues set off in the orders' room."""

from __future__ import annotations

import json
import logging
from typing import Any

from chalice.app import Blueprint, SQSEvent

from chalicelib.base import clock
from chalicelib.orders import claims, intake

logger = logging.getLogger(__name__)
blueprint = Blueprint(__name__)


@blueprint.on_sqs_message(queue="intake.fifo", batch_size=10, name="intake_orders")
def intake_orders(event: SQSEvent) -> dict[str, Any]:
    """Post what shop systems put on the intake queue."""
    return intake.take_batch(event.to_dict(), now=clock.now())


@blueprint.on_sqs_message(queue="claims", batch_size=10, name="claim_orders")
def claim_orders(event: SQSEvent) -> dict[str, Any]:
    """Give members who enrolled the orders that waited for them."""
    failed = []
    for record in event.to_dict()["Records"]:
        try:
            # Read inside, so that a message that is no notice holds back no member's.
            member_id = json.loads(record["body"])["member_id"]
            claimed = claims.claim_all(member_id, now=clock.now())
            logger.info("%s claimed %s orders", member_id, claimed)
        except Exception:
            logger.exception("message %s: no orders could be claimed", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
