"""What the ledger's stream and the audit's queue set off."""

from __future__ import annotations

import logging
from typing import Any

from chalice.app import Blueprint, DynamoDBEvent, SQSEvent

from chalicelib.base.settings import settings
from chalicelib.ledger import audit_walk, projector, router, stream, walk

logger = logging.getLogger(__name__)
blueprint = Blueprint(__name__)

# The template puts the ledger's stream in place of this name.
_STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/ledger/stream/latest"


@blueprint.on_dynamodb_record(
    stream_arn=_STREAM, batch_size=100, starting_position="TRIM_HORIZON", name="project_accounts"
)
def project_accounts(event: DynamoDBEvent) -> dict[str, Any]:
    """Keep the accounts view; answers which records must be sent again."""
    batch = stream.read(event.to_dict())
    newest = projector.latest(arrival.entry for arrival in batch.arrivals)
    return stream.deliver(batch, lambda arrival: arrival.entry is newest[arrival.entry.member_id], projector.project)


@blueprint.on_dynamodb_record(stream_arn=_STREAM, batch_size=100, starting_position="TRIM_HORIZON", name="route_facts")
def route_facts(event: DynamoDBEvent) -> dict[str, Any]:
    """Tell the areas of the facts that they asked for; answers which records must be sent again."""
    batch = stream.read(event.to_dict())
    return stream.deliver(batch, lambda arrival: bool(router.queues_for(arrival.entry)), router.route)


@blueprint.on_sqs_message(queue="audit", batch_size=1, name="audit_accounts")
def audit_accounts(event: SQSEvent) -> dict[str, Any]:
    """Audit one leg of the accounts; answers which messages must come again."""
    context: Any = event.context
    return walk.take_batch(
        event.to_dict(),
        lambda _leg: {"audit": audit_walk.Auditor},
        queue_url=settings().audit_queue_url,
        left_ms=context.get_remaining_time_in_millis,
        finish=audit_walk.finish,
    )
