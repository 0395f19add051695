"""The engine's tables on moto, as the template declares them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import boto3
from moto import mock_aws

from chalicelib.base.settings import settings
from chalicelib.members import service as members
from chalicelib.program import service as programs
from chalicelib.vouchers import batches

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEYS: dict[str, tuple[tuple[str, Literal["S", "N"]], ...]] = {
    "ledger": (("member_id", "S"), ("seq", "N")),
    "accounts": (("member_id", "S"),),
    "members": (("key", "S"),),
    "orders": (("order_id", "S"), ("step", "S")),
    "redemptions": (("redemption_id", "S"), ("step", "S")),
    "engagement": (("key", "S"), ("part", "S")),
    "vouchers": (("key", "S"), ("step", "S")),
    "referrals": (("key", "S"), ("part", "S")),
    "cases": (("key", "S"), ("part", "S")),
    "surveys": (("key", "S"), ("part", "S")),
    "programs": (("name", "S"), ("version", "N")),
    "counters": (("name", "S"), ("shard", "N")),
    "nights": (("night", "S"), ("part", "S")),
}
"""Each table's keys, hash first; a template test holds them against the deployed template."""


@contextmanager
def empty_tables() -> Iterator[None]:
    """Run with every table of the engine on moto, empty, and nothing remembered of other tables."""
    members.forget_all()
    programs.reset_cache()
    batches.forget_all()
    with mock_aws():
        create_tables(boto3.client("dynamodb"))
        yield


def create_tables(dynamodb: DynamoDBClient) -> None:
    """Create every table of the engine, without streams."""
    for name, keys in KEYS.items():
        dynamodb.create_table(
            TableName=settings().table(name),
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": "RANGE" if index else "HASH"}
                for index, (key, _kind) in enumerate(keys)
            ],
        )
