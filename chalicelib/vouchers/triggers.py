"""What the vouchers' queue sets off, and the function with which an admin looks after vouchers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint, SQSEvent

from chalicelib.base import clock, console
from chalicelib.base.settings import settings
from chalicelib.vouchers import administering, jobs

blueprint = Blueprint(__name__)


@blueprint.on_sqs_message(queue="vouchers", batch_size=1, name="make_vouchers")
def make_vouchers(event: SQSEvent) -> dict[str, Any]:
    """Make the codes of one leg of a bulk job; answers which messages must come again."""
    return jobs.take_batch(event.to_dict(), queue_url=settings().vouchers_queue_url, now=clock.now())


@blueprint.lambda_function(name="administer_vouchers")
def administer_vouchers(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Do what `event["action"]` says and answer readable JSON; `{"action": "help"}` lists what can be said."""
    return console.answer(
        "administer_vouchers", event, administering.Requests, lambda request: administering.done(request, clock.now())
    )
