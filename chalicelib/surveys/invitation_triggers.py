"""What the queue sets off for invitations: facts of the ledger, the night's sample, and what has come due."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from chalice.app import Blueprint, SQSEvent

from chalicelib.base import clock, messages, queues
from chalicelib.base.settings import settings
from chalicelib.ledger.router import Notice
from chalicelib.surveys import reacting
from chalicelib.surveys.sampler import Drawn

blueprint = Blueprint(__name__)


class Due(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks to send what has come due; the schedule sends it, and so does a run that has left something."""

    send_due: bool


_NOTICES: Final = msgspec.json.Decoder(Notice)
_DUE: Final = msgspec.json.Decoder(Due)
_DRAWN: Final = msgspec.json.Decoder(Drawn)


@blueprint.on_sqs_message(queue="surveys", batch_size=10, name="advance_surveys")
def advance_surveys(event: SQSEvent) -> dict[str, Any]:
    """Invite members to surveys; answers which messages must come again."""
    return messages.each(event.to_dict(), _take)


def _take(body: str) -> None:
    now = clock.now()
    if '"quarter"' in body:
        reacting.drawn(_DRAWN.decode(body), now=now)
    elif '"send_due"' not in body:
        reacting.react(_NOTICES.decode(body), now=now)
    elif reacting.work_due(now=now):
        queues.send(settings().surveys_queue_url, Due(send_due=_DUE.decode(body).send_due))
