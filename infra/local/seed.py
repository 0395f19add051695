"""Brings the demo in by the real paths: the programme by its function, members by the API, purchases by the queue."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from infra.errors import InfraError
from infra.local.aws import client
from infra.local.cdnow import SOURCE, Purchase
from infra.local.deploy import Stack
from infra.local.tokens import system_token

DEMO_PROGRAM = Path(__file__).with_name("demo_program.json")
_AT_ONCE = 3
_STALLED_SECONDS = 120

Advance = Callable[[int], None]
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Check:
    """What the tables hold after the purchases came in."""

    orders: int
    entries: int
    points: int
    projected: int
    failures: int


def publish(stack: Stack) -> None:
    """Publish the demo's programme through the admins' function."""
    request = {"action": "publish", "document": json.loads(DEMO_PROGRAM.read_text(encoding="utf-8")), "by": "demo"}
    administer(stack, request)


def administer(stack: Stack, request: dict[str, Any]) -> dict[str, Any]:
    """Ask the admins' function for something, as the console does; raises InfraError with what it answers."""
    answer = client("lambda", stack.endpoint).invoke(
        FunctionName=stack.outputs["AdministerProgramFunction"], Payload=json.dumps(request).encode()
    )
    found: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer or "error" in found:
        raise InfraError(f"The programme function could not {request['action']}: {json.dumps(found)}")
    return found


def enrol(stack: Stack, customers: Iterable[str], advance: Advance) -> dict[str, str]:
    """Enrol each customer through the API; returns their member ids."""
    headers = {"Authorization": f"Bearer {system_token(stack, ['members.write'])}"}
    with httpx.Client(base_url=stack.api, headers=headers, timeout=60) as http:

        def one(customer: str) -> tuple[str, str]:
            body = {
                "mail": f"customer-{customer}@example.com",
                "external": [{"source": SOURCE, "id": customer}],
            }
            answer = http.post("/v1/members", json=body, headers={"Idempotency-Key": f"{SOURCE}-{customer}"})
            if answer.is_error:
                raise InfraError(f"Customer {customer} could not be enrolled: {answer.text}")
            advance(1)
            return customer, answer.json()["member"]["id"]

        first, *others = customers
        # The first one wakes the authorizer; asked for by all at once it would start as many times.
        return dict([one(first), *_at_once(one, others)])


def send(stack: Stack, purchases: list[Purchase], members: dict[str, str], advance: Advance) -> None:
    """Put the purchases on the intake queue, in one group for each member so that each member's order is kept."""
    sqs = client("sqs", stack.endpoint)
    for begin in range(0, len(purchases), 10):
        batch = purchases[begin : begin + 10]
        entries = []
        for purchase in batch:
            member = members[purchase.customer]
            entries.append(message(order(purchase, member), member, str(purchase.line)))
        answer = sqs.send_message_batch(QueueUrl=stack.outputs["IntakeQueueUrl"], Entries=entries)
        if answer.get("Failed"):
            raise InfraError(f"The intake queue refused messages: {answer['Failed']}")
        advance(len(batch))


def drain(stack: Stack, url: str, advance: Advance, total: int) -> None:
    """Wait until the queue is empty; gives up when nothing has moved for two minutes."""
    sqs = client("sqs", stack.endpoint)
    done, moved = 0, time.monotonic()
    while done < total:
        left = waiting(sqs, url)
        if total - left > done:
            advance(total - left - done)
            done, moved = total - left, time.monotonic()
        if time.monotonic() - moved > _STALLED_SECONDS:
            raise InfraError(f"{left} messages stay on the queue {url}. The log of the local AWS says why.")
        time.sleep(0.5)


def waiting(sqs: Any, url: str) -> int:
    """How many messages are on a queue, those included that a function is working on."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def check(stack: Stack) -> Check:
    """Count what came of it, in the tables themselves."""
    sqs = client("sqs", stack.endpoint)
    orders = sum(1 for item in scan(stack, "OrdersTableName", "step") if item["step"]["S"] == "000")
    entries = [
        int(item["points"]["N"])
        for item in scan(stack, "LedgerTableName", "kind,points")
        if item["kind"]["S"] == "order"
    ]
    projected = sum(1 for _ in scan(stack, "AccountsTableName", "member_id"))
    return Check(orders, len(entries), sum(entries), projected, waiting(sqs, stack.outputs["IntakeFailuresUrl"]))


def scan(stack: Stack, table: str, attributes: str) -> Iterator[dict[str, Any]]:
    """All items of a table, named by the output that holds its name, with these attributes only."""
    names = {f"#{name}": name for name in attributes.split(",")}
    pages = (
        client("dynamodb", stack.endpoint)
        .get_paginator("scan")
        .paginate(TableName=stack.outputs[table], ProjectionExpression=",".join(names), ExpressionAttributeNames=names)
    )
    for page in pages:
        yield from page["Items"]


def order(purchase: Purchase, member_id: str) -> dict[str, Any]:
    """A purchase as the API and the queue take it."""
    return {
        "source": SOURCE,
        "order_id": str(purchase.line),
        "member_id": member_id,
        "occurred_at": purchase.occurred_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "currency": "USD",
        "total_minor": purchase.total_minor,
        "channel": "web",
        "lines": [{"sku": "cd", "category": "music", "quantity": purchase.discs, "amount_minor": purchase.total_minor}],
        "payments": [{"type": "card", "amount_minor": purchase.total_minor}],
    }


def message(body: dict[str, Any], member_id: str, name: str) -> dict[str, str]:
    """An order as one entry of a batch for the intake queue."""
    text = json.dumps({"type": "order", "order": body})
    return {"Id": name, "MessageBody": text, "MessageGroupId": member_id}


def _at_once(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        return list(pool.map(work, items))
    finally:
        # After an interrupt nothing that is still waiting may start, and nobody waits for what has.
        pool.shutdown(wait=False, cancel_futures=True)
