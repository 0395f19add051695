"""What a token's scopes open."""

from __future__ import annotations

import pytest

from tests.api import shop
from tests.api.client import client, system


@pytest.mark.parametrize(("scope", "status"), [("orders.read", 200), ("orders.write", 200), ("members.read", 403)])
def test_who_may_write_orders_may_read_them(scope: str, status: int) -> None:
    order_id = shop.post_order(member_id=shop.enrol()).json["order"]["id"]
    assert client.get(f"/v1/orders/{order_id}", caller=system(scope)).status == status


def test_who_may_read_orders_may_not_write_them() -> None:
    answer = client.post("/v1/orders", json=shop.order(member_id=shop.enrol()), caller=system("orders.read"))
    assert (answer.status, answer.code) == (403, "scope_missing")
