"""Scores on the deployed package: a night by hand from the console, a read over HTTP without numpy, and an export."""

from __future__ import annotations

import json
from typing import Any

import httpx

from infra.local.aws import client
from infra.local.deploy import Stack
from tests.stack.conftest import eventually
from tests.stack.functions import physical_name
from tests.stack.shop import enrol, order
from tests.stack.test_night import scored, view


def ask(stack: Stack, action: str, **fields: Any) -> Any:
    """Invoke the console's function."""
    payload = json.dumps({"action": action, **fields}).encode()
    name = physical_name(stack, "AdministerScoring")
    answer = client("lambda", stack.endpoint).invoke(FunctionName=name, Payload=payload)
    return json.loads(answer["Payload"].read())


def test_a_night_by_hand_a_read_and_an_export(stack: Stack, shop: httpx.Client, dynamodb: Any) -> None:
    buyer = enrol(shop)
    assert shop.post("/v1/orders", json=order(buyer)).status_code == 201
    eventually(lambda: view(stack, dynamodb, buyer).get("seq") == {"N": "2"})

    begun = ask(stack, "run", anyway=True)
    assert begun["messages"] > 0, begun
    eventually(lambda: ask(stack, "progress")["nights"][-1]["is_basis_in_use"])
    scored(stack, dynamodb, begun["night"])
    eventually(lambda: "score_told" in view(stack, dynamodb, buyer))

    answer = shop.get(f"/v1/members/{buyer}/score", headers={"Accept-Language": "zh-Hans"})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["member_id"], found["purchases"]) == (buyer, 1)
    assert found["behaviour"] == {"code": "new", "name": "新会员"}

    assert "满分 100" in ask(stack, "explain", member_id=buyer, locale="zh-Hans")["text"]
    assert ask(stack, "rebuild", member_id=buyer)["is_same"]
    assert ask(stack, "basis")["members"] >= 1
    # The night is that of yesterday, when the order was still to come.
    sheet = ask(stack, "export", behaviour=["none", "new"])
    read = httpx.get(sheet["link"])
    assert read.status_code == 200, sheet
    assert buyer in read.content.decode("utf-8-sig")
