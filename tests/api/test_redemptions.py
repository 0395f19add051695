"""Points spent as a discount, and taken back."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from tests.api import shop
from tests.api.client import Response, client, member, system
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


class TestAHold:
    def hold(self, member_id: str, points: int = 200) -> Any:
        answer = shop.redeem(member_id, points, hold_seconds=600)
        assert answer.status == 201, answer.text
        return answer.json["redemption"]

    def act(self, redemption: Any, verb: str) -> Response:
        return client.post(f"/v1/redemptions/{redemption['id']}/{verb}", caller=SHOP)

    def test_keeps_points_apart_until_it_is_committed(self, member_id: str) -> None:
        held = self.hold(member_id)
        assert (held["status"], shop.available(member_id)) == ("held", 100)
        assert shop.redeem(member_id, 200).code == "insufficient_points"
        first, again = self.act(held, "commit"), self.act(held, "commit")
        assert (first.status, first.json["redemption"]["status"], again.json) == (200, "issued", first.json)
        assert shop.account(member_id)["lifetime"]["redeemed"] == 200

    def test_is_released_once(self, member_id: str) -> None:
        held = self.hold(member_id)
        assert self.act(held, "release").json["account"]["available"] == 300
        assert self.act(held, "release").status == 200
        assert self.act(held, "commit").code == "redemption_not_open"
        assert shop.available(member_id) == 300

    def test_lapses_by_its_date(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        held = self.hold(member_id)
        later = clock.now() + 600
        monkeypatch.setattr(clock, "now", lambda: later)
        assert shop.available(member_id) == 300
        refused = self.act(held, "commit")
        assert (refused.status, refused.code) == (409, "redemption_not_open")
        read = client.get(f"/v1/redemptions/{held['id']}", caller=SHOP).json
        assert read["status"] == "lapsed"

    def test_pays_an_order_only_after_it_is_committed(self, member_id: str) -> None:
        held = self.hold(member_id)
        assert shop.post_order(member_id=member_id, payments=payment(held)).code == "redemption_not_open"
        self.act(held, "commit")
        assert shop.post_order(member_id=member_id, payments=payment(held)).status == 201

    def test_is_cancelled_after_the_commit_into_the_very_lots(self, member_id: str) -> None:
        before = shop.account(member_id)["lots"]
        held = self.hold(member_id)
        assert self.act(held, "cancel").code == "redemption_not_open"
        self.act(held, "commit")
        assert self.act(held, "cancel").status == 200
        assert shop.account(member_id)["lots"] == before

    def test_there_are_twenty_at_the_most(self, member_id: str) -> None:
        shop.post_order("more", member_id=member_id, total_minor=3000_00)
        for _number in range(20):
            self.hold(member_id, 100)
        answer = shop.redeem(member_id, 100, hold_seconds=600)
        assert (answer.status, answer.code) == (409, "too_many_holds")


class TestARefundOfAnOrderPaidWithPoints:
    def paid(self, member_id: str) -> tuple[str, str]:
        """A 100 yuan order of which 200 points pay 2 yuan: its id and the redemption's. 198 points are left."""
        redemption = shop.redeem(member_id, 200).json["redemption"]
        order = shop.post_order(member_id=member_id, payments=payment(redemption)).json["order"]
        assert shop.available(member_id) == 198
        return str(order["id"]), str(redemption["id"])

    def test_gives_back_the_same_part_of_them(self, member_id: str) -> None:
        order_id, redemption_id = self.paid(member_id)
        answer = shop.refund(order_id, amount_minor=50_00)
        assert (answer.json["refund"]["clawed_points"], answer.json["refund"]["returned_points"]) == (49, 100)
        assert shop.available(member_id) == 249
        read = client.get(f"/v1/redemptions/{redemption_id}", caller=SHOP).json
        assert (read["status"], read["returned_points"]) == ("used", 100)

    def test_in_parts_gives_back_exactly_what_was_spent(self, member_id: str) -> None:
        lots = shop.account(member_id)["lots"]
        order_id, _redemption_id = self.paid(member_id)
        for number in range(3):
            shop.refund(order_id, f"r{number}", amount_minor=33_33)
        shop.cancel(order_id)
        assert shop.account(member_id)["lots"] == lots

    def test_leaves_the_rest_for_the_shop_to_put_back(self, member_id: str) -> None:
        order_id, redemption_id = self.paid(member_id)
        shop.refund(order_id, amount_minor=50_00)
        assert client.post(f"/v1/redemptions/{redemption_id}/cancel", caller=SHOP).json["entry"]["points"] == 100
        shop.cancel(order_id)
        account = shop.account(member_id)
        assert (account["available"], account["lifetime"]["restored"]) == (300, 200)

    def test_repays_what_it_leaves_owed(self, member_id: str) -> None:
        order_id, _redemption_id = self.paid(member_id)
        shop.redeem(member_id, 100)
        shop.cancel(order_id)
        account = shop.account(member_id)
        assert (account["owed"], account["available"]) == (0, 200)
