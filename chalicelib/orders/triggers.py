"""What queues set off in the orders' room."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from chalice.app import Blueprint, SQSEvent

from chalicelib.base import clock, messages
from chalicelib.ledger.router import Notice
from chalicelib.orders import intake, reacting

blueprint = Blueprint(__name__)

_NOTICES: Final = msgspec.json.Decoder(Notice)


@blueprint.on_sqs_message(queue="intake.fifo", batch_size=10, name="intake_orders")
def intake_orders(event: SQSEvent) -> dict[str, Any]:
    """Post what shop systems put on the intake queue."""
    return intake.take_batch(event.to_dict(), now=clock.now())


@blueprint.on_sqs_message(queue="claims", batch_size=10, name="claim_orders")
def claim_orders(event: SQSEvent) -> dict[str, Any]:
    """Give members who enrolled the orders that waited for them, and members whose orders went back their vouchers."""
    return messages.each(event.to_dict(), lambda body: reacting.react(_NOTICES.decode(body), now=clock.now()))
