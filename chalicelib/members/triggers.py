"""What the night's schedule and queue set off, and the function with which an admin looks after single accounts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from chalice.app import Blueprint, SQSEvent

from chalicelib.base import clock, console
from chalicelib.base.settings import settings
from chalicelib.ledger import walk
from chalicelib.ledger.nights import Progress
from chalicelib.members import administering, birthdays, night, retiering
from chalicelib.members.birthdays import Indexer
from chalicelib.members.retiering import Retierer
from chalicelib.members.sweeping import Sweeper

logger = logging.getLogger(__name__)
blueprint = Blueprint(__name__)

VISITORS: Final[Mapping[str, walk.Maker]] = {"sweep": Sweeper}
"""Who visits every account at night, of what the members' area knows; the deployed function has more."""

_BY_HAND: Final[Mapping[str, Mapping[str, walk.Maker]]] = {
    birthdays.WALK: {birthdays.WALK: Indexer},
    retiering.RETIER: {retiering.RETIER: Retierer},
    retiering.PREVIEW: {retiering.RETIER: Retierer},
}
"""Who visits the accounts where it is no night that is walked."""


def walk_legs(
    event: Mapping[str, Any],
    context: Any,
    visitors: Mapping[str, walk.Maker] = VISITORS,
    finish: Callable[[walk.Leg, Progress], None] | None = None,
) -> dict[str, Any]:
    """Walk the legs of a batch, at night with `visitors`; answers which messages must come again."""
    return walk.take_batch(
        event,
        lambda leg: _BY_HAND.get(leg.walk, visitors),
        queue_url=settings().nightly_queue_url,
        left_ms=context.get_remaining_time_in_millis,
        finish=finish,
    )


@blueprint.lambda_function(name="start_night")
def start_night(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Begin the night's walks; by hand with `{"per_leg": 100}` in legs of so many accounts."""
    begun = night.start(now=clock.now(), per_leg=int(event.get("per_leg", 0)))
    logger.info("night %s: %s messages sent", begun.day, begun.messages)
    return {"night": begun.day, "messages": begun.messages}


@blueprint.on_sqs_message(queue="nightly", batch_size=1, name="walk_accounts")
def walk_accounts(event: SQSEvent) -> dict[str, Any]:
    """Walk one leg of the accounts, at night, to re-tier or to index them; answers which messages must come again."""
    return walk_legs(event.to_dict(), event.context)


@blueprint.lambda_function(name="administer_ledger")
def administer_ledger(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Do what `event["action"]` says and answer readable JSON; `{"action": "help"}` lists what can be said."""
    return console.answer(
        "administer_ledger", event, administering.Requests, lambda request: administering.done(request, clock.now())
    )
