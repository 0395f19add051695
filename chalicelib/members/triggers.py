"""What the night's schedule and queue set off, and the function with which an admin looks after single accounts."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from chalice.app import Blueprint, SQSEvent

from chalicelib.base import clock, console
from chalicelib.base.settings import settings
from chalicelib.ledger import walk
from chalicelib.members import administering, birthdays, night, retiering
from chalicelib.members.birthdays import Indexer
from chalicelib.members.retiering import Retierer
from chalicelib.members.sweeping import Sweeper

logger = logging.getLogger(__name__)
blueprint = Blueprint(__name__)

VISITORS: Final[dict[str, walk.Maker]] = {"sweep": Sweeper}
"""Who visits every account at night. An area above adds its visitor when its own triggers are imported."""


def _visitors(leg: walk.Leg) -> Mapping[str, walk.Maker]:
    if leg.walk == birthdays.WALK:
        return {birthdays.WALK: Indexer}
    return {retiering.RETIER: Retierer} if leg.walk in {retiering.RETIER, retiering.PREVIEW} else VISITORS


@blueprint.lambda_function(name="start_night")
def start_night(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Begin the night's walks; by hand with `{"per_leg": 100}` in legs of so many accounts."""
    begun = night.start(now=clock.now(), per_leg=int(event.get("per_leg", 0)))
    logger.info("night %s: %s messages sent", begun.day, begun.messages)
    return {"night": begun.day, "messages": begun.messages}


@blueprint.on_sqs_message(queue="nightly", batch_size=1, name="walk_accounts")
def walk_accounts(event: SQSEvent) -> dict[str, Any]:
    """Walk one leg of the accounts, at night, to re-tier or to index them; answers which messages must come again."""
    context: Any = event.context
    return walk.take_batch(
        event.to_dict(),
        _visitors,
        queue_url=settings().nightly_queue_url,
        left_ms=context.get_remaining_time_in_millis,
    )


@blueprint.lambda_function(name="administer_ledger")
def administer_ledger(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Do what `event["action"]` says and answer readable JSON; `{"action": "help"}` lists what can be said."""
    return console.answer(
        "administer_ledger", event, administering.Requests, lambda request: administering.done(request, clock.now())
    )
