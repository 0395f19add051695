"""The engine's tables on moto, as the template declares them."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import boto3
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from chalicelib.base import objects
from chalicelib.base.settings import settings
from chalicelib.members import service as members
from chalicelib.program import service as programs
from chalicelib.scoring import keeping
from chalicelib.surveys import defining
from chalicelib.vouchers import batches
from tests import quick_moto

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

quick_moto.make_quick()

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

INDEXES: dict[str, tuple[str, str, str]] = {"members": ("birthdays", "born", "key")}
"""The tables that have an index: its name, its hash key and its range key. It holds keys alone."""


@contextmanager
def empty_tables() -> Iterator[None]:
    """Run with every table of the engine on moto, empty, and nothing remembered of other tables."""
    members.forget_all()
    programs.reset_cache()
    batches.forget_all()
    defining.forget_all()
    keeping.forget()
    with mock_aws():
        # Creating them costs fifty times as much as copying them, and making a client more than most tests.
        _on_moto().update(copy.deepcopy(_created(settings().table(""))))
        objects.client().create_bucket(Bucket=settings().bucket)
        yield


def _on_moto() -> dict[str, Any]:
    """The tables that moto has at the moment, by their names."""
    tables: dict[str, Any] = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables
    return tables


@functools.cache
def _created(_prefix: str) -> dict[str, Any]:
    """The tables under a prefix as moto creates them, empty."""
    create_tables(boto3.client("dynamodb"))
    return copy.deepcopy(_on_moto())


def create_tables(dynamodb: DynamoDBClient) -> None:
    """Create every table of the engine, without streams."""
    for name, keys in KEYS.items():
        indexes = _indexes(name)
        extra: dict[str, Any] = {"GlobalSecondaryIndexes": indexes} if indexes else {}
        named: list[Any] = [{"AttributeName": key, "AttributeType": kind} for key, kind in keys]
        if indexes:
            named.append({"AttributeName": INDEXES[name][1], "AttributeType": "S"})
        dynamodb.create_table(
            TableName=settings().table(name),
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=named,
            **extra,
            KeySchema=[
                {"AttributeName": key, "KeyType": "RANGE" if index else "HASH"}
                for index, (key, _kind) in enumerate(keys)
            ],
        )


def _indexes(table: str) -> list[Any]:
    if table not in INDEXES:
        return []
    name, hash_key, range_key = INDEXES[table]
    return [
        {
            "IndexName": name,
            "KeySchema": [
                {"AttributeName": hash_key, "KeyType": "HASH"},
                {"AttributeName": range_key, "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ]
