"""Points spent as a discount, and taken back."""

from __future__ import annotations

import pytest

from tests.api import shop
from tests.api.client import client, member, system
from tests.api.shop import PHONE, SHOP


@pytest.fixture
def member_id() -> str:
    """A member with 300 points."""
    member_id = shop.enrol()
    shop.post_order("opening", member_id=member_id, total_minor=200_00)
    return member_id


def payment(redemption: dict[str, object]) -> list[dict[str, object]]:
    """Payments of a 100 yuan order of which a redemption pays its part."""
    amount = int(str(redemption["amount_minor"]))
    return [
        {"type": "points", "amount_minor": amount, "redemption_id": redemption["id"]},
        {"type": "card", "amount_minor": 100_00 - amount},
    ]


def test_points_become_a_discount_at_the_programmes_rate(member_id: str) -> None:
    answer = shop.redeem(member_id, 200)
    assert answer.status == 201
    redemption = answer.json["redemption"]
    assert (redemption["points"], redemption["amount_minor"], redemption["status"]) == (200, 200, "issued")
    assert shop.available(member_id) == 100


def test_a_replay_is_answered_alike_though_the_points_are_gone(member_id: str) -> None:
    first = shop.redeem(member_id, 300, "key")
    again = shop.redeem(member_id, 300, "key")
    assert (first.status, again.status, again.json) == (201, 200, first.json)
    changed = shop.redeem(member_id, 200, "key")
    assert (changed.status, changed.code) == (409, "key_reused")


def test_more_than_there_is_cannot_be_spent(member_id: str) -> None:
    answer = shop.redeem(member_id, 400)
    assert (answer.status, answer.code) == (409, "insufficient_points")
    assert shop.available(member_id) == 300


def test_a_refused_redemption_may_succeed_later_under_its_key(member_id: str) -> None:
    assert shop.redeem(member_id, 400, "key").status == 409
    shop.post_order("more", member_id=member_id)
    assert shop.redeem(member_id, 400, "key").status == 201


def test_a_redemption_needs_its_key(member_id: str) -> None:
    path = f"/v1/members/{member_id}/redemptions"
    answer = client.post(path, json={"points": 100, "currency": "CNY"}, caller=SHOP)
    assert (answer.status, answer.code) == (400, "idempotency_key_missing")


def test_cancelling_puts_the_points_back_where_they_were(member_id: str) -> None:
    before = shop.account(member_id)["lots"]
    redemption_id = shop.redeem(member_id, 200).json["redemption"]["id"]
    first = client.post(f"/v1/redemptions/{redemption_id}/cancel", caller=SHOP)
    again = client.post(f"/v1/redemptions/{redemption_id}/cancel", caller=SHOP)
    assert (first.status, again.status, again.json) == (200, 200, first.json)
    assert shop.account(member_id)["lots"] == before
    assert client.get(f"/v1/redemptions/{redemption_id}", caller=SHOP).json["status"] == "cancelled"


class TestAnOrderPaidWithPoints:
    def test_uses_the_redemption_up_and_earns_on_the_rest(self, member_id: str) -> None:
        redemption = shop.redeem(member_id, 200).json["redemption"]
        answer = shop.post_order(member_id=member_id, payments=payment(redemption))
        assert (answer.status, answer.json["entry"]["points"]) == (201, 98)
        used = client.get(f"/v1/redemptions/{redemption['id']}", caller=SHOP).json
        assert (used["status"], used["order_id"]) == ("used", answer.json["order"]["id"])
        again = shop.post_order(member_id=member_id, payments=payment(redemption))
        assert (again.status, again.json) == (200, answer.json)

    def test_cannot_use_what_was_used_or_cancelled(self, member_id: str) -> None:
        used = shop.redeem(member_id, 100).json["redemption"]
        shop.post_order(member_id=member_id, payments=payment(used))
        cancelled = shop.redeem(member_id, 100).json["redemption"]
        client.post(f"/v1/redemptions/{cancelled['id']}/cancel", caller=SHOP)
        balance = shop.available(member_id)
        for number, redemption in enumerate((used, cancelled)):
            answer = shop.post_order(f"again-{number}", member_id=member_id, payments=payment(redemption))
            assert (answer.status, answer.code) == (409, "redemption_not_open")
        assert shop.available(member_id) == balance

    def test_cannot_use_another_members_or_another_amount(self, member_id: str) -> None:
        redemption = shop.redeem(member_id, 100).json["redemption"]
        other = shop.enrol("other", phone="+8613900139000")
        for payer, payments in (
            (other, payment(redemption)),
            (member_id, payment({**redemption, "amount_minor": 50})),
        ):
            answer = shop.post_order(member_id=payer, payments=payments)
            assert (answer.status, answer.code) == (400, "redemption_not_fitting")

    def test_can_be_undone_by_the_shop_but_not_by_the_member(self, member_id: str) -> None:
        someone = member(phone=PHONE)
        client.post("/v1/members", json={}, caller=someone)
        redemption = shop.redeem(member_id, 200).json["redemption"]
        shop.post_order(member_id=member_id, payments=payment(redemption))
        path = f"/v1/redemptions/{redemption['id']}/cancel"
        assert client.post(path, caller=someone).code == "redemption_not_open"
        assert client.post(path, caller=SHOP).status == 200


def test_a_member_spends_only_their_own_points(member_id: str) -> None:
    someone = member(phone=PHONE)
    client.post("/v1/members", json={}, caller=someone)
    body = {"points": 100, "currency": "CNY"}
    assert client.post("/v1/members/me/redemptions", json=body, caller=someone, key="a").status == 201
    other = shop.enrol("other", phone="+8613900139000")
    refused = client.post(f"/v1/members/{other}/redemptions", json=body, caller=someone, key="b")
    assert (refused.status, refused.code) == (403, "not_your_account")
    theirs = shop.redeem(other, 100).json["redemption"]["id"]
    hidden = client.get(f"/v1/redemptions/{theirs}", caller=someone)
    assert (hidden.status, hidden.code) == (404, "redemption_not_found")
    assert member_id != other


def test_a_system_needs_the_scope(member_id: str) -> None:
    body = {"points": 100, "currency": "CNY"}
    path = f"/v1/members/{member_id}/redemptions"
    answer = client.post(path, json=body, caller=system("orders.write"), key="a")
    assert (answer.status, answer.code) == (403, "scope_missing")


@pytest.mark.parametrize("points", [0, -5, 1.5, "100", True, 10**12])
def test_points_are_whole_and_bounded(member_id: str, points: object) -> None:
    body = {"points": points, "currency": "CNY"}
    answer = client.post(f"/v1/members/{member_id}/redemptions", json=body, caller=SHOP, key="a")
    assert (answer.status, answer.json["field"]) == (400, "points")
