"""What the ledger's stream sets off."""

from __future__ import annotations

import logging
from typing import Any

from chalice.app import Blueprint, DynamoDBEvent

from chalicelib.ledger import projector, router, stream

logger = logging.getLogger(__name__)
blueprint = Blueprint(__name__)

# The template puts the ledger's stream in place of this name.
_STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/ledger/stream/latest"


@blueprint.on_dynamodb_record(
    stream_arn=_STREAM, batch_size=100, starting_position="TRIM_HORIZON", name="project_accounts"
)
def project_accounts(event: DynamoDBEvent) -> dict[str, Any]:
    """Keep the accounts view; answers which records must be sent again."""
    arrivals = stream.arrivals(event.to_dict())
    newest = projector.latest(arrival.entry for arrival in arrivals)
    return stream.deliver(arrivals, lambda arrival: arrival.entry is newest[arrival.entry.member_id], projector.project)


@blueprint.on_dynamodb_record(stream_arn=_STREAM, batch_size=100, starting_position="TRIM_HORIZON", name="route_facts")
def route_facts(event: DynamoDBEvent) -> dict[str, Any]:
    """Tell the areas of the facts that they asked for; answers which records must be sent again."""
    arrivals = stream.arrivals(event.to_dict())
    return stream.deliver(arrivals, lambda arrival: bool(router.queues_for(arrival.entry.kind)), router.route)
