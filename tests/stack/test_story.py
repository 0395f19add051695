"""One member's life over the deployed API and queue, under the roles that the template gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from infra.local.deploy import Stack
from tests.stack.conftest import eventually
from tests.stack.shop import available, kinds, order, refund, send

Post = Callable[..., dict[str, Any]]
_PHONE = "+8613700137001"


@pytest.fixture(scope="module")
def post(shop: httpx.Client) -> Post:
    """Post a body under a key of its own, expect success, and give the answer."""

    def send_it(path: str, **body: Any) -> dict[str, Any]:
        key = {"Idempotency-Key": f"story-{path}-{sorted(body.items())}"[:255]}
        answer = shop.post(path, json=body, headers=key)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    return send_it


@pytest.fixture(scope="module")
def member(post: Post) -> str:
    """A member with a phone, a mail and an id in the shop."""
    external = [{"source": "till", "id": "card-1"}]
    return str(post("/v1/members", phone=_PHONE, mail="story@example.com", external=external)["member"]["id"])


def test_the_profile_changes(shop: httpx.Client, member: str) -> None:
    before = shop.get(f"/v1/members/{member}")

    answer = shop.patch(
        f"/v1/members/{member}",
        json={"phone": "+8613900139000", "names": {"given": "Mei"}},
        headers={"If-Match": before.headers["etag"], "Idempotency-Key": "story-patch"},
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["phone"] == "+8613900139000"


def test_points_are_earned_spent_and_given_back(shop: httpx.Client, post: Post, member: str) -> None:
    start = available(shop, member)

    assert post("/v1/quotes", **_without_name(order(member)))["points"] == 100
    posted = post("/v1/orders", **order(member))
    assert shop.get(f"/v1/orders/{posted['order']['id']}").json()["earned_points"] == 100
    post(f"/v1/members/{member}/adjustments", points=500, reason="goodwill")
    spent = post(f"/v1/members/{member}/redemptions", points=200, currency="CNY")["redemption"]
    assert available(shop, member) == start + 400
    assert shop.get(f"/v1/redemptions/{spent['id']}").json()["status"] == "issued"
    post(f"/v1/redemptions/{spent['id']}/cancel")
    post(f"/v1/orders/{posted['order']['id']}/cancel", occurred_at=order(member)["occurred_at"])

    assert available(shop, member) == start + 500
    expected = ["order", "adjusted", "redeemed", "redemption_cancelled", "order_cancelled"]
    assert kinds(shop, member)[-5:] == expected


def test_the_chain_can_be_fetched(shop: httpx.Client, member: str) -> None:
    proof = shop.get(f"/v1/members/{member}/proof")

    assert proof.status_code == 200
    assert len(proof.json()["entries"]) == len(kinds(shop, member))


def test_a_redemption_pays_for_an_order_on_the_queue_and_comes_back(
    stack: Stack, shop: httpx.Client, post: Post, sqs: Any, member: str
) -> None:
    spent = post(f"/v1/members/{member}/redemptions", points=100, currency="CNY", note="for the queue")["redemption"]
    payments = [
        {"type": "points", "amount_minor": spent["amount_minor"], "redemption_id": spent["id"]},
        {"type": "card", "amount_minor": 10_000 - spent["amount_minor"]},
    ]
    paid = order(member, payments=payments)

    send(sqs, stack, {"type": "order", "order": paid}, refund(paid, "all", 10_000), group=member)

    eventually(lambda: kinds(shop, member)[-2:] == ["order", "refund"])
    assert shop.get(f"/v1/redemptions/{spent['id']}").json()["returned_points"] == 100


@pytest.mark.parametrize("identity", [{"mail": "story@example.com"}, {"external": {"source": "till", "id": "card-1"}}])
def test_the_queue_finds_a_member_by_identity(
    stack: Stack, shop: httpx.Client, sqs: Any, member: str, identity: dict[str, Any]
) -> None:
    sent = order("", identity=identity)
    del sent["member_id"]
    orders = kinds(shop, member).count("order")

    send(sqs, stack, {"type": "order", "order": sent}, group="story")

    eventually(lambda: kinds(shop, member).count("order") == orders + 1)


def test_the_queue_keeps_what_nobody_has_claimed(stack: Stack, shop: httpx.Client, sqs: Any) -> None:
    sent = order("", identity={"phone": "+8613700137000"})
    del sent["member_id"]

    send(sqs, stack, {"type": "order", "order": sent}, group="stranger")

    asked = {"source": sent["source"], "order_id": sent["order_id"]}
    found = eventually(lambda: _found(shop.get("/v1/orders", params=asked)))
    assert found["status"] == "unclaimed"


def _found(answer: httpx.Response) -> dict[str, Any] | None:
    return answer.json() if answer.is_success else None


def _without_name(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in {"source", "order_id"}}
