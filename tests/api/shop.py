"""A small shop: the requests that most API tests begin with."""

from __future__ import annotations

import itertools
from typing import Any

from chalicelib.base import clock
from tests.api.client import Response, client, system

SHOP = system("members.write", "members.read", "orders.write", "redemptions.write", "adjustments.write")
PHONE = "+8613800138000"

_keys = itertools.count(1)
# One moment for all bodies, so that a body made twice is the same though a second has passed.
_STARTED = clock.now()


def moment(days_ago: float = 1) -> str:
    """A moment some days ago, as clients write it."""
    return clock.text(_STARTED - int(days_ago * clock.DAY_S))


def enrol(key: str = "enrol-1", **profile: Any) -> str:
    """Enrol a member (by phone unless told otherwise) and give the id."""
    answer = client.post("/v1/members", json=profile or {"phone": PHONE}, caller=SHOP, key=key)
    assert answer.status in {200, 201}, answer.text
    return str(answer.json["member"]["id"])


def order(number: str = "1", **fields: Any) -> dict[str, Any]:
    """An order's body: 100 yuan without lines, a day ago, unless told otherwise."""
    body = {
        "source": "shop",
        "order_id": number,
        "occurred_at": moment(),
        "currency": "CNY",
        "total_minor": 100_00,
    }
    return {**body, **fields}


def post_order(number: str = "1", **fields: Any) -> Response:
    """Post an order."""
    return client.post("/v1/orders", json=order(number, **fields), caller=SHOP)


def refund(order_id: str, refund_id: str = "r1", **fields: Any) -> Response:
    """Refund a part of an order."""
    body = {"refund_id": refund_id, "occurred_at": moment(0.5), **fields}
    return client.post(f"/v1/orders/{order_id}/refunds", json=body, caller=SHOP)


def cancel(order_id: str, **fields: Any) -> Response:
    """Cancel an order."""
    return client.post(f"/v1/orders/{order_id}/cancel", json={"occurred_at": moment(0.5), **fields}, caller=SHOP)


def redeem(member_id: str, points: int, key: str | None = None, **fields: Any) -> Response:
    """Spend points as a discount in yuan."""
    body = {"points": points, "currency": "CNY", **fields}
    path = f"/v1/members/{member_id}/redemptions"
    return client.post(path, json=body, caller=SHOP, key=key or f"key-{next(_keys)}")


def account(member_id: str) -> Any:
    """A member's account as it is now."""
    answer = client.get(f"/v1/members/{member_id}/account", caller=SHOP)
    assert answer.status == 200, answer.text
    return answer.json


def available(member_id: str) -> int:
    """What a member can spend now."""
    return int(account(member_id)["available"])
