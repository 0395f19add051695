"""The engine's tables on moto, as the template declares them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import boto3
from moto import mock_aws

from chalicelib.base.settings import settings
from chalicelib.members import service as members
from chalicelib.program import service as programs

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import KeySchemaElementTypeDef

Keys: TypeAlias = tuple[tuple[str, Literal["S", "N"]], ...]

KEYS: dict[str, Keys] = {
    "ledger": (("member_id", "S"), ("seq", "N")),
    "accounts": (("member_id", "S"),),
    "members": (("key", "S"),),
    "orders": (("order_id", "S"), ("step", "S")),
    "redemptions": (("redemption_id", "S"), ("step", "S")),
    "engagement": (("key", "S"), ("part", "S")),
    "programs": (("name", "S"), ("version", "N")),
    "counters": (("name", "S"), ("shard", "N")),
    "nights": (("night", "S"), ("part", "S")),
}
"""Each table's keys, hash first; a template test holds them against the deployed template."""

INDEXES: dict[str, dict[str, Keys]] = {
    "redemptions": {"by_owner": (("owner", "S"), ("listed", "S"))},
}
"""The global secondary indexes of each table, with their keys; they hold whole items."""


@contextmanager
def empty_tables() -> Iterator[None]:
    """Run with every table of the engine on moto, empty, and nothing remembered of other tables."""
    members.forget_all()
    programs.reset_cache()
    with mock_aws():
        create_tables(boto3.client("dynamodb"))
        yield


def create_tables(dynamodb: DynamoDBClient) -> None:
    """Create every table of the engine, without streams."""
    for name, keys in KEYS.items():
        indexes = INDEXES.get(name, {})
        declared = dict([*keys, *(key for index in indexes.values() for key in index)])
        further: Any = {
            "GlobalSecondaryIndexes": [
                {"IndexName": index, "KeySchema": _schema(parts), "Projection": {"ProjectionType": "ALL"}}
                for index, parts in indexes.items()
            ]
        }
        dynamodb.create_table(
            TableName=settings().table(name),
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in declared.items()],
            KeySchema=_schema(keys),
            **(further if indexes else {}),
        )


def _schema(keys: Keys) -> list[KeySchemaElementTypeDef]:
    return [{"AttributeName": key, "KeyType": "RANGE" if index else "HASH"} for index, (key, _kind) in enumerate(keys)]
