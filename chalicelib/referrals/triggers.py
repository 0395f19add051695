"""What the queue sets off in the referrals' room: facts of the ledger, and every hour, what has come due."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from chalice.app import Blueprint, SQSEvent

from chalicelib.base import clock, messages, queues
from chalicelib.base.settings import settings
from chalicelib.ledger.router import Notice
from chalicelib.referrals import reacting

blueprint = Blueprint(__name__)


class Due(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks to settle what has come due; the schedule sends it, and so does a run that has left something."""

    settle_due: bool


_NOTICES: Final = msgspec.json.Decoder(Notice)
_DUE: Final = msgspec.json.Decoder(Due)


@blueprint.on_sqs_message(queue="referrals", batch_size=10, name="advance_referrals")
def advance_referrals(event: SQSEvent) -> dict[str, Any]:
    """Qualify, pay and take back referrals; answers which messages must come again."""
    return messages.each(event.to_dict(), _take)


def _take(body: str) -> None:
    if '"settle_due"' not in body:
        reacting.react(_NOTICES.decode(body), now=clock.now())
        return
    asked = _DUE.decode(body)
    if reacting.settle_due(now=clock.now()):
        queues.send(settings().referrals_queue_url, asked)
