"""Vouchers that campaigns and rules give: issued with the order or event, once, and gone again with it."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.orders import claims
from chalicelib.vouchers import batches
from tests.api import community, shop
from tests.api import voucher_shop as vouchers
from tests.api.client import Response, client
from tests.api.shop import SHOP
from tests.api.voucher_shop import TILL
from tests.campaigns import budget, campaign, publish
from tests.programs import document, texts

UNKNOWN = "vbt_" + "a" * 26


def gives(batch: str, code: str = "coupon", **fields: Any) -> dict[str, Any]:
    return {"kind": "voucher", "code": code, "title": texts(code), "voucher_batch_id": batch, **fields}


def held_by(member_id: str) -> list[Any]:
    answer = client.get(f"/v1/members/{member_id}/vouchers", caller=TILL)
    assert answer.status == 200, answer.text
    return [held for held in answer.json["vouchers"] if held["status"] == "open"]


def told(answer: Response, kind: str = "order", rule: str = "coupon") -> tuple[str, str | None]:
    found = next(item for item in answer.json[kind]["explanations"] if item["rule"] == rule)
    return found["reason"], found["voucher_id"] or None


@pytest.fixture
def member_id() -> str:
    return shop.enrol()


@pytest.fixture
def batch() -> str:
    """A batch, and a campaign that gives a voucher of it for every purchase, ten times in all."""
    found = vouchers.make(owner="member")
    publish(campaign(rules=[gives(found)], budget={"awards": 10, "shards": 1}))
    return found


class TestAnOrder:
    def test_brings_a_voucher_and_says_which(self, member_id: str, batch: str) -> None:
        answer = shop.post_order(member_id=member_id)
        (held,) = held_by(member_id)
        (given,) = answer.json["order"]["given_vouchers"]
        assert given == {"rule": "coupon", "voucher_batch_id": batch, "voucher_id": held["id"]}
        assert told(answer) == ("voucher", held["id"])
        assert (budget(unit="awards"), vouchers.counts(batch)["issued"]) == ((10, 1, 9), 1)
        assert vouchers.redeem(held["code"], "2", member_id=member_id).status == 201

    def test_sent_again_answers_the_same_and_issues_nothing(self, member_id: str, batch: str) -> None:
        first = shop.post_order(member_id=member_id)
        assert shop.post_order(member_id=member_id).json == first.json
        assert (len(held_by(member_id)), vouchers.counts(batch)["issued"]) == (1, 1)
        assert client.get(f"/v1/orders/{first.json['order']['id']}", caller=SHOP).json == first.json["order"]

    @pytest.mark.usefixtures("batch")
    def test_that_goes_back_takes_its_unused_voucher_along(self, member_id: str) -> None:
        order_id = shop.post_order(member_id=member_id).json["order"]["id"]
        (held,) = held_by(member_id)
        shop.refund(order_id, amount_minor=60_00)
        assert held_by(member_id) == [held]
        for _again in range(2):
            assert shop.refund(order_id, "r2", amount_minor=40_00).status in {200, 201}
        assert (held_by(member_id), budget(unit="awards")) == ([], (10, 0, 10))
        assert vouchers.redeem(held["code"], "2", member_id=member_id).status == 409
        assert vouchers.told(vouchers.validate(held["code"], member_id=member_id)) == (409, "voucher_used_up")

    @pytest.mark.usefixtures("batch")
    def test_that_is_cancelled_leaves_a_used_voucher_used(self, member_id: str) -> None:
        order_id = shop.post_order(member_id=member_id).json["order"]["id"]
        (held,) = held_by(member_id)
        assert vouchers.redeem(held["code"], "2", member_id=member_id).status == 201
        assert shop.cancel(order_id).status == 201
        assert vouchers.roll_back(held["code"], "2").status == 201
        assert [one["id"] for one in held_by(member_id)] == [held["id"]]

    def test_that_waited_for_its_member_brings_the_voucher_then(self) -> None:
        batch = vouchers.make()
        publish(campaign(rules=[gives(batch)]))
        waiting = {"phone": "+8613900139000"}
        order_id = shop.post_order("7", identity=waiting).json["order"]["id"]
        shop.post_order("8", identity=waiting)
        shop.refund(client.get("/v1/orders?source=shop&order_id=8", caller=SHOP).json["id"], amount_minor=100_00)
        member_id = shop.enrol("later", **waiting)
        for _again in range(2):
            claims.claim_all(member_id, now=clock.now())
        (held,) = held_by(member_id)
        found = client.get(f"/v1/orders/{order_id}", caller=SHOP).json
        assert [one["voucher_id"] for one in found["given_vouchers"]] == [held["id"]]

    @pytest.mark.parametrize("kind", ["unknown", "shared", "ended"])
    def test_never_fails_for_a_batch_that_cannot_be_issued_from(self, member_id: str, kind: str) -> None:
        batches.forget_all()
        made = UNKNOWN
        if kind != "unknown":
            made = vouchers.shared() if kind == "shared" else vouchers.make(validity={"ends_at": vouchers.in_days(-1)})
        publish(campaign(rules=[gives(made), gives(vouchers.make(), "other")], budget={"awards": 5, "shards": 1}))
        answer = shop.post_order(member_id=member_id)
        reason = "voucher_batch_ended" if kind == "ended" else "voucher_batch_unknown"
        assert (answer.status, told(answer)) == (201, (reason, None))
        assert told(answer, rule="other")[0] == "voucher"
        quote = client.post("/v1/quotes", json={"currency": "CNY", "total_minor": 100_00}, caller=SHOP)
        assert [item["reason"] for item in quote.json["explanations"] if item["rule"] == "coupon"] == [reason]

    def test_without_a_budget_left_brings_none(self, member_id: str) -> None:
        publish(campaign(rules=[gives(vouchers.make())], budget={"awards": 1, "shards": 1}))
        first, second = shop.post_order("1", member_id=member_id), shop.post_order("2", member_id=member_id)
        assert (told(first)[0], told(second)[0], len(held_by(member_id))) == ("voucher", "budget_exhausted", 1)

    @pytest.mark.usefixtures("batch")
    def test_of_a_merged_member_brings_it_to_the_survivor(self, member_id: str) -> None:
        other = shop.enrol("other", phone="+8613900139001")
        client.post(f"/v1/members/{other}/merge", json={"into": member_id}, caller=SHOP)
        shop.post_order(member_id=other)
        assert len(held_by(member_id)) == 1

    @pytest.mark.usefixtures("batch")
    def test_that_is_quoted_is_told_and_issues_nothing(self, member_id: str) -> None:
        body = {"currency": "CNY", "total_minor": 100_00, "member_id": member_id}
        quote = client.post("/v1/quotes", json=body, caller=SHOP)
        assert [item["fired"] for item in quote.json["explanations"] if item["rule"] == "coupon"] == [True]
        assert (held_by(member_id), budget(unit="awards")) == ([], (10, 0, 10))


class TestAnEvent:
    @pytest.fixture(autouse=True)
    def review(self) -> None:
        rule = gives(vouchers.make(owner="member"), events=["review_approved"], caps=[{"per": "day", "times": 1}])
        community.publish(earning_rules=[*document()["earning_rules"], rule], events=community.EVENTS)

    def test_brings_a_voucher_once(self, member_id: str) -> None:
        first = community.post_event(type="review_approved", member_id=member_id)
        assert community.post_event(type="review_approved", member_id=member_id).json == first.json
        (held,) = held_by(member_id)
        assert told(first, "event") == ("voucher", held["id"])
        assert [one["voucher_id"] for one in first.json["event"]["given_vouchers"]] == [held["id"]]
        second = community.post_event("2", type="review_approved", member_id=member_id)
        assert (told(second, "event"), len(held_by(member_id))) == (("capped", None), 1)

    def test_that_is_withdrawn_takes_an_unused_voucher_along(self, member_id: str) -> None:
        posted = community.post_event(type="review_approved", member_id=member_id).json["event"]
        (held,) = held_by(member_id)
        for _again in range(2):
            assert community.cancel_event(posted["id"]).status in {200, 201}
        assert held_by(member_id) == []
        assert vouchers.redeem(held["code"], member_id=member_id).status == 409
        again = community.post_event("2", type="review_approved", member_id=member_id)
        assert told(again, "event")[0] == "voucher"

    def test_that_is_withdrawn_leaves_a_voucher_in_a_checkout(self, member_id: str) -> None:
        posted = community.post_event(type="review_approved", member_id=member_id).json["event"]
        (held,) = held_by(member_id)
        assert vouchers.lock(held["code"], member_id=member_id).status in {200, 201}
        assert community.cancel_event(posted["id"]).status in {200, 201}
        assert vouchers.redeem(held["code"], session="cart-1", member_id=member_id).status == 201
