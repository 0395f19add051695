"""What only AWS itself can show, asked of tables made for it: what is billed, who wins a race, what a token does."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib.base.settings import settings
from tests import writers, writers_audit
from tests.budgets import Cost
from tests.costs import measured
from tests.tables import KEYS, create_tables

_ROUNDS = 6
_TOKEN = "huike-verify-token-1"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was expected, what was seen, and whether that is right."""

    what: str
    expected: str
    seen: str
    is_right: bool


def make_tables() -> None:
    """Create the engine's tables under the prefix that the settings name, and its bucket, and wait for them."""
    dynamodb: Any = boto3.client("dynamodb")
    create_tables(dynamodb)
    s3: Any = boto3.client("s3")
    region = s3.meta.region_name
    # The oldest region is the one that must not be named.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=settings().bucket, **place)
    for name in KEYS:
        dynamodb.get_waiter("table_exists").wait(TableName=settings().table(name), WaiterConfig={"Delay": 1})


def drop_tables() -> None:
    """Delete those tables and the bucket, as far as they are there."""
    files: Any = boto3.resource("s3").Bucket(settings().bucket)
    if files.creation_date:
        files.objects.all().delete()
        files.delete()
    dynamodb: Any = boto3.client("dynamodb")
    there = dynamodb.get_paginator("list_tables").paginate().build_full_result()["TableNames"]
    for name in {settings().table(name) for name in KEYS} & set(there):
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        dynamodb.delete_table(TableName=name)


def race() -> Check:
    """Sixteen writers on one member, every request twice. The tables must be empty before."""
    members = writers.enrolled(1)
    run = writers.write(members, _ROUNDS)
    found = writers_audit.chains(members)
    try:
        writers_audit.check(run, found)
    except AssertionError as error:
        return Check("race of 16 writers on one member", "nothing lost or doubled", str(error)[:200], is_right=False)
    seen = (
        f"{len(run.acks)} answers, {run.replays} of them replays, {run.sent_again} sent again, "
        f"{len(found[members[0]])} entries, {run.seconds:.1f} s"
    )
    return Check("race of 16 writers on one member", "nothing lost or doubled", seen, is_right=True)


def tokens() -> Iterator[Check]:
    """A transaction's token: repeated it does nothing, with other content it is refused, another one meets the item."""
    yield _sent("a transaction", _TOKEN, 1, "done, billed as a write")
    yield _sent("the same, with the same token", _TOKEN, 1, "done, billed as a read")
    yield _sent("another, with the same token", _TOKEN, 2, "IdempotentParameterMismatchException")
    yield _sent("the same, with another token", f"{_TOKEN}0", 1, "TransactionCanceledException")


def _sent(what: str, token: str, value: int, expected: str) -> Check:
    dynamodb: Any = boto3.client("dynamodb")
    put = {
        "TableName": settings().table("counters"),
        "Item": {"name": {"S": "verify"}, "shard": {"N": "0"}, "value": {"N": str(value)}},
        "ConditionExpression": "attribute_not_exists(#key)",
        "ExpressionAttributeNames": {"#key": "name"},
    }
    try:
        answer = dynamodb.transact_write_items(
            TransactItems=[{"Put": put}], ClientRequestToken=token, ReturnConsumedCapacity="TOTAL"
        )
    except ClientError as error:
        seen = str(error.response["Error"]["Code"])
    else:
        billed = answer.get("ConsumedCapacity", [{}])[0]
        seen = f"done, billed as a {'write' if billed.get('WriteCapacityUnits') else 'read'}"
    return Check(what, expected, seen, is_right=seen == expected)


def capacity() -> list[Check]:
    """Every operation of docs/costs.md: what the meter counts, against what DynamoDB says that it has billed."""
    # The requests' log lines are of no use here.
    with contextlib.redirect_stdout(io.StringIO()):
        return [_compared(cost) for cost in measured()]


def _compared(cost: Cost) -> Check:
    counted, billed = cost.bill, cost.bill.billed
    is_within = billed.write <= counted.write_units and billed.read <= counted.read_units
    is_told = billed.write + billed.read > 0 or counted.round_trips == 0
    return Check(
        cost.budget.operation,
        f"{counted.write_units:g} WCU, {counted.read_units:g} RCU",
        f"{billed.write:g} WCU, {billed.read:g} RCU",
        is_right=is_within and is_told,
    )
