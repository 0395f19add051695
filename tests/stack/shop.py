"""What a shop system sends to the deployed stack."""

from __future__ import annotations

import itertools
import json
from typing import Any

import httpx

from chalicelib.base import clock
from infra.local.deploy import Stack

_numbers = itertools.count(1)


def enrol(shop: httpx.Client, **profile: Any) -> str:
    """Enrol a new member and give the id."""
    number = next(_numbers)
    answer = shop.post(
        "/v1/members",
        json={"mail": f"somebody-{number}@example.com", **profile},
        headers={"Idempotency-Key": f"enrol-{number}"},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["member"]["id"])


def order(member_id: str, **fields: Any) -> dict[str, Any]:
    """A paid order of 100 yuan."""
    body = {
        "source": "stack",
        "order_id": f"order-{next(_numbers)}",
        "member_id": member_id,
        "occurred_at": clock.text(clock.now() - 3600),
        "currency": "CNY",
        "total_minor": 10_000,
    }
    return {**body, **fields}


def refund(sent: dict[str, Any], refund_id: str, amount_minor: int) -> dict[str, Any]:
    """A message that refunds a part of an order."""
    body = {"refund_id": refund_id, "occurred_at": clock.text(clock.now()), "amount_minor": amount_minor}
    return {"type": "refund", "source": sent["source"], "order_id": sent["order_id"], "refund": body}


def send(sqs: Any, stack: Stack, *messages: dict[str, Any] | str, group: str) -> None:
    """Put messages on the intake queue."""
    for message in messages:
        text = message if isinstance(message, str) else json.dumps(message)
        sqs.send_message(QueueUrl=stack.outputs["IntakeQueueUrl"], MessageBody=text, MessageGroupId=group)


def available(shop: httpx.Client, member_id: str) -> int:
    """A member's points."""
    return int(shop.get(f"/v1/members/{member_id}/account").json()["available"])


def kinds(shop: httpx.Client, member_id: str) -> list[str]:
    """What a member's statement lists, oldest first."""
    return [entry["kind"] for entry in shop.get(f"/v1/members/{member_id}/entries").json()["entries"]][::-1]
