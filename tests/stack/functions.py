"""Invoking the deployed functions with batches made by hand, as queue and stream bring them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

from infra.local.aws import client
from infra.local.deploy import STACK, Stack


def physical_name(stack: Stack, logical_id: str) -> str:
    """The deployed name of a resource of the template."""
    cloudformation = client("cloudformation", stack.endpoint)
    found = cloudformation.describe_stack_resource(StackName=STACK, LogicalResourceId=logical_id)
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def invoke(stack: Stack, logical_id: str, event: dict[str, Any]) -> list[str]:
    """Invoke a function; gives the records that it wants to see again."""
    answer = client("lambda", stack.endpoint).invoke(
        FunctionName=physical_name(stack, logical_id), Payload=json.dumps(event).encode()
    )
    said = answer["Payload"].read().decode()
    assert "FunctionError" not in answer, said
    return [failure["itemIdentifier"] for failure in json.loads(said)["batchItemFailures"]]


def queued(*messages: dict[str, Any] | str, groups: Iterable[str] | None = None) -> dict[str, Any]:
    """A batch from a queue: messages m0, m1 …, each of a group of its own unless told otherwise."""
    names = list(groups or [f"group-{number}" for number in range(len(messages))])
    records = [
        {
            "messageId": f"m{number}",
            "receiptHandle": f"r{number}",
            "body": message if isinstance(message, str) else json.dumps(message),
            "attributes": {"MessageGroupId": group, "ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:by-hand",
            "awsRegion": "us-east-1",
        }
        for number, (message, group) in enumerate(zip(messages, names, strict=True))
    ]
    return {"Records": records}


def streamed(*images: dict[str, Any], event: str = "INSERT") -> dict[str, Any]:
    """A batch from the ledger's stream: raw items as DynamoDB's client gives them, called 100, 101 … in their order."""
    records = [
        {
            "eventID": f"event-{number}",
            "eventName": event,
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "Keys": {name: image[name] for name in ("member_id", "seq") if name in image},
                "NewImage": {name: _as_json(value) for name, value in image.items()},
                "SequenceNumber": str(100 + number),
                "StreamViewType": "NEW_IMAGE",
            },
            "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/ledger/stream/by-hand",
        }
        for number, image in enumerate(images)
    ]
    return {"Records": records}


def entries(dynamodb: Any, stack: Stack, member_id: str) -> list[dict[str, Any]]:
    """A member's entries as they lie in the ledger, oldest first."""
    answer = dynamodb.query(
        TableName=stack.outputs["LedgerTableName"],
        KeyConditionExpression="member_id = :member",
        ExpressionAttributeValues={":member": {"S": member_id}},
        ConsistentRead=True,
    )
    return list(answer["Items"])


def noticed(dynamodb: Any, stack: Stack, member_id: str, kind: str) -> list[dict[str, Any]]:
    """The notices of a member's entries of one kind, as the router sends them; there is one at least."""
    found = [
        {
            "member_id": member_id,
            "seq": int(item["seq"]["N"]),
            "kind": item["kind"]["S"],
            "record": item["record"]["S"],
        }
        for item in entries(dynamodb, stack, member_id)
    ]
    wanted = [notice for notice in found if notice["kind"] == kind]
    assert wanted, f"{member_id} has no entry of kind {kind}"
    return wanted


def _as_json(value: dict[str, Any]) -> dict[str, Any]:
    return {"B": base64.b64encode(bytes(value["B"])).decode()} if "B" in value else value
