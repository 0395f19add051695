"""An order that earns points, as AWS's samples would write it: Powertools, pydantic, boto3, one transaction.

It does what the engine's `POST /v1/orders` does on its way to DynamoDB: routes the event, validates the body, does the
order once however often it is sent, reads the end of the member's ledger, and writes the order and the next entry in
one transaction, with one structured line in the log. Its rules are one flat rate: no programme, tiers, lots or chain of
hashes.
"""

from __future__ import annotations

import datetime as dt
import os
from typing import Annotated, Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.serialization.pydantic import PydanticSerializer
from aws_lambda_powertools.utilities.typing import LambdaContext
from boto3.dynamodb.conditions import Key
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

PREFIX = os.environ["HUIKE_TABLE_PREFIX"]
MINOR_PER_POINT = 100

logger = Logger(service="orders", level="INFO")
app = APIGatewayRestResolver()
dynamodb = boto3.resource("dynamodb")
ledger = dynamodb.Table(f"{PREFIX}ledger")
config = IdempotencyConfig(event_key_jmespath="[source, order_id]", raise_on_no_idempotency_key=True)
store = DynamoDBPersistenceLayer(table_name=f"{PREFIX}idempotency")

Name = Annotated[str, Field(min_length=1, max_length=100)]
Minor = Annotated[int, Field(ge=0, le=1_000_000_000_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Body):
    """One line of an order."""

    sku: Name
    quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    amount_minor: Minor


class Payment(_Body):
    """How a part of the total was paid."""

    type: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
    amount_minor: Minor


class Order(_Body):
    """What a shop sends."""

    source: Name
    order_id: Name
    occurred_at: AwareDatetime
    member_id: Annotated[str, Field(pattern=r"^mem_[a-z0-9_]{1,36}$")]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    total_minor: Minor
    tax_minor: Minor = 0
    shipping_minor: Minor = 0
    lines: Annotated[tuple[Line, ...], Field(max_length=200)] = ()
    payments: Annotated[tuple[Payment, ...], Field(max_length=20)] = ()


class Posted(_Body):
    """What the shop is answered."""

    order_id: str
    seq: int
    points: int
    available: int


@app.post("/v1/orders")
def post_order() -> Response[str]:
    """Earn for an order."""
    order = Order.model_validate_json(app.current_event.body or "")
    posted = earn(order=order)
    logger.info("order posted", extra={"points": posted.points, "seq": posted.seq})
    return Response(status_code=201, content_type="application/json", body=posted.model_dump_json())


@idempotent_function(  # type: ignore[untyped-decorator]
    data_keyword_argument="order",
    persistence_store=store,
    config=config,
    output_serializer=PydanticSerializer(Posted),
)
def earn(order: Order) -> Posted:
    """Write the order and the ledger's next entry. Raises botocore's errors."""
    newest = ledger.query(KeyConditionExpression=Key("member_id").eq(order.member_id), ScanIndexForward=False, Limit=1)
    tail: dict[str, Any] = newest["Items"][0]
    points = order.total_minor // MINOR_PER_POINT
    posted = Posted(
        order_id=f"{order.source}#{order.order_id}",
        seq=int(tail["seq"]) + 1,
        points=points,
        available=int(tail["available"]) + points,
    )
    client: Any = dynamodb.meta.client
    client.transact_write_items(
        TransactItems=[
            _put("orders", _stored(order, posted), "order_id"),
            _put("ledger", _entry(order, posted), "member_id"),
        ]
    )
    return posted


def _stored(order: Order, posted: Posted) -> dict[str, Any]:
    return {**order.model_dump(mode="json"), **posted.model_dump(), "step": "000", "kind": "order"}


def _entry(order: Order, posted: Posted) -> dict[str, Any]:
    return {
        "member_id": order.member_id,
        "seq": posted.seq,
        "kind": "order",
        "record": posted.order_id,
        "points": posted.points,
        "available": posted.available,
        "occurred_at": order.occurred_at.isoformat(),
        "posted_at": dt.datetime.now(dt.UTC).isoformat(),
    }


def _put(table: str, item: dict[str, Any], key: str) -> dict[str, Any]:
    return {"Put": {"TableName": PREFIX + table, "Item": item, "ConditionExpression": f"attribute_not_exists({key})"}}


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What Lambda runs."""
    config.register_lambda_context(context)
    return app.resolve(event, context)
