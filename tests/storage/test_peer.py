"""The peer of the request's benchmark does the work that it is measured for."""

from __future__ import annotations

import importlib
import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from chalicelib.ledger.table import EntryItem
from tests.api import shop
from tests.api.client import client
from tests.api.shop import SHOP


@pytest.fixture
def peer() -> Any:
    boto3.client("dynamodb").create_table(
        TableName="huike-test-idempotency",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    # It makes its clients when it is imported, and these tables are new.
    return importlib.reload(importlib.import_module("benchmarks.peer"))


def post(peer: Any, body: dict[str, Any]) -> dict[str, Any]:
    context = SimpleNamespace(
        aws_request_id="test",
        function_name="orders",
        memory_limit_in_mb=1024,
        invoked_function_arn="arn",
        get_remaining_time_in_millis=lambda: 29_000,
    )
    event = client.event("POST", "/v1/orders", json.dumps(body), {"Content-Type": "application/json"}, caller=SHOP)
    answer: dict[str, Any] = peer.handler(event, context)
    return answer


def entries(member_id: str) -> list[tuple[int, int, int]]:
    """What the ledger says: number, points, and what is available after them."""
    return [(entry.seq, entry.points, entry.available) for entry in EntryItem.query(member_id)]


def test_an_order_sent_twice_to_the_peer_earns_once_as_with_the_engine(peer: Any) -> None:
    by_engine, by_peer = shop.enrol("a", phone="+8613800138001"), shop.enrol("b", phone="+8613800138002")
    for _time in range(2):
        shop.post_order("1", member_id=by_engine)
    found = [post(peer, shop.order("2", member_id=by_peer)) for _time in range(2)]

    assert [answer["statusCode"] for answer in found] == [201, 201]
    assert found[0]["body"] == found[1]["body"]
    assert entries(by_peer) == entries(by_engine) == [(1, 100, 100), (2, 100, 200)]


@pytest.mark.parametrize("wrong", [{"total_minor": -1}, {"currency": "yuan"}, {"unknown": 1}, {"occurred_at": "today"}])
def test_the_peer_takes_no_order_that_the_engine_refuses(peer: Any, wrong: dict[str, Any]) -> None:
    member_id = shop.enrol()

    assert shop.post_order(member_id=member_id, **wrong).status == 400
    with pytest.raises(ValueError, match="validation error"):
        post(peer, {**shop.order(member_id=member_id), **wrong})
    assert len(entries(member_id)) == 1
