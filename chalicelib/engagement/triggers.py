"""What queues set off in the engagement's room."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from chalice.app import Blueprint, SQSEvent

from chalicelib.base import clock, messages
from chalicelib.engagement import reacting
from chalicelib.ledger.router import Notice

blueprint = Blueprint(__name__)

_NOTICES: Final = msgspec.json.Decoder(Notice)


@blueprint.on_sqs_message(queue="challenges", batch_size=10, name="advance_challenges")
def advance_challenges(event: SQSEvent) -> dict[str, Any]:
    """Count purchases and events in challenges; answers which messages must come again."""
    return messages.each(event.to_dict(), lambda body: reacting.react(_NOTICES.decode(body), now=clock.now()))
