"""The member and the programme of the benchmarks: the requests that reach the API, and what DynamoDB answers it."""

from __future__ import annotations

import json
from typing import Any

import tests.conftest  # noqa: F401 -- sets the environment that the engine reads when it is imported
from chalicelib.base import clock
from chalicelib.ledger import chain, points
from chalicelib.ledger.chain import Decision, Entry
from chalicelib.ledger.effects import fold
from chalicelib.ledger.state import State
from chalicelib.ledger.table import EntryItem, to_item
from chalicelib.web.caller import Caller
from tests.api import shop
from tests.api.client import client, system

MEMBER_ID = "mem_bench"
API_HANDLER = "chalicelib.api.serve"
PLAIN_HANDLER = "app.app"
"""What Chalice itself would have the API's function run."""
_ENTRIES = 12

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "HUIKE_TABLE_PREFIX": "huike-test-",
    "HUIKE_ID_SECRET": "a secret of the benchmarks",
}
TABLE = EntryItem.Meta.table_name
SHOP: Caller = system("members.read", "orders.write")


def account_event() -> dict[str, Any]:
    """The event of a shop that reads the member's account."""
    return client.event("GET", f"/v1/members/{MEMBER_ID}/account", caller=SHOP)


def order_event() -> dict[str, Any]:
    """The event of a shop that sends an order of the member."""
    body = json.dumps(shop.order(member_id=MEMBER_ID))
    return client.event("POST", "/v1/orders", body, {"Content-Type": "application/json"}, caller=SHOP)


def answers() -> dict[str, dict[str, Any]]:
    """DynamoDB's answers by operation and table: the tail of the member's chain, and no published programme."""
    return {f"Query {TABLE}": {"Items": [to_item(tail()).serialize()], "Count": 1, "ScannedCount": 1}}


def tail() -> Entry:
    """The last of a year of entries, one a month."""
    found: Entry | None = None
    begun = clock.now() - _ENTRIES * 30 * clock.DAY_S
    for number in range(_ENTRIES):
        at = begun + number * 30 * clock.DAY_S
        found = chain.link(MEMBER_ID, found, _decision(found, number, at), at)
    assert found
    return found


def _decision(before: Entry | None, number: int, at: int) -> Decision:
    state = fold(before.state if before else State(), at).state
    return Decision(
        kind="order",
        record=f"ord_{number}",
        reason="order",
        actor="system:bench",
        program=0,
        occurred_at=at,
        effect=points.earn(state, 100 + number, expires_at=at + 720 * clock.DAY_S),
        tier="member",
    )
