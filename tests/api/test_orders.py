"""Orders over the API: posted once, refunded in proportion, found again whatever happens to their member."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.ledger import chain
from chalicelib.ledger.table import read_page
from tests.api import shop
from tests.api.client import client, member, system
from tests.api.shop import PHONE, SHOP

LINES = [
    {"sku": "tea", "category": "drinks", "quantity": 2, "amount_minor": 60_00},
    {"sku": "cup", "category": "home", "amount_minor": 40_00},
]


@pytest.fixture
def member_id() -> str:
    return shop.enrol()


def entry_count(member_id: str) -> int:
    entries = read_page(member_id, after_seq=None, newest_first=False, limit=100)
    chain.verify(entries)
    return len(entries)


def test_an_order_earns_a_point_a_whole_yuan(member_id: str) -> None:
    answer = shop.post_order(member_id=member_id, total_minor=123_99)
    assert answer.status == 201
    assert answer.json["entry"]["points"] == 123
    assert answer.json["account"]["available"] == 223  # with the welcome points
    assert shop.available(member_id) == 223


def test_a_replayed_order_earns_once_and_is_answered_alike(member_id: str) -> None:
    first = shop.post_order(member_id=member_id)
    shop.post_order("2", member_id=member_id)
    again = shop.post_order(member_id=member_id)
    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json
    assert entry_count(member_id) == 3


def test_the_order_of_json_keys_makes_no_other_body(member_id: str) -> None:
    body = shop.order(member_id=member_id)
    client.post("/v1/orders", json=body, caller=SHOP)
    again = client.post("/v1/orders", json=dict(reversed(body.items())), caller=SHOP)
    assert again.status == 200


def test_an_order_number_with_another_body_is_refused(member_id: str) -> None:
    shop.post_order(member_id=member_id)
    answer = shop.post_order(member_id=member_id, total_minor=200_00)
    assert (answer.status, answer.code) == (409, "key_reused")
    assert shop.available(member_id) == 200


def test_two_shops_may_use_the_same_number(member_id: str) -> None:
    assert shop.post_order(member_id=member_id).status == 201
    assert shop.post_order(member_id=member_id, source="other").status == 201


def test_an_order_finds_its_member_by_any_spelling_of_the_phone(member_id: str) -> None:
    answer = shop.post_order(identity={"phone": "+86 138-0013-8000"})
    assert answer.json["account"]["member_id"] == member_id


def test_a_replay_finds_its_member_though_the_phone_has_moved(member_id: str) -> None:
    first = shop.post_order(identity={"phone": PHONE})
    path = f"/v1/members/{member_id}"
    etag = client.get(path, caller=SHOP).headers["etag"]
    moved = client.patch(path, json={"phone": "+8613900139000"}, caller=SHOP, headers={"If-Match": etag})
    assert moved.status == 200, moved.text
    other = shop.enrol("enrol-2", phone=PHONE)
    again = shop.post_order(identity={"phone": PHONE})
    assert again.status == 200
    assert again.json == first.json
    assert shop.available(other) == 100


def test_a_replay_is_answered_long_after_it_would_be_too_late(member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = shop.order(member_id=member_id)
    first = client.post("/v1/orders", json=body, caller=SHOP)
    later = clock.now() + 400 * clock.DAY_S
    monkeypatch.setattr(clock, "now", lambda: later)
    again = client.post("/v1/orders", json=body, caller=SHOP)
    assert (again.status, again.json) == (200, first.json)
    late = client.post("/v1/orders", json={**body, "order_id": "new"}, caller=SHOP)
    assert (late.status, late.code) == (400, "occurred_too_long_ago")


def test_an_order_of_nobody_known_waits_without_an_account() -> None:
    answer = shop.post_order(identity={"phone": PHONE})
    assert answer.status == 202
    assert (answer.json["order"]["status"], answer.json["account"]) == ("unclaimed", None)
    assert shop.post_order(identity={"phone": PHONE}).status == 202
    changed = shop.post_order(identity={"phone": PHONE}, total_minor=1)
    assert (changed.status, changed.code) == (409, "key_reused")


def test_an_unknown_member_id_is_refused() -> None:
    answer = shop.post_order(member_id="mem_nobody")
    assert (answer.status, answer.code) == (404, "member_not_found")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"total_minor": -1}, "invalid_request", "total_minor"),
        ({"total_minor": 1.5}, "invalid_request", "total_minor"),
        ({"total_minor": "100"}, "invalid_request", "total_minor"),
        ({"total_minor": True}, "invalid_request", "total_minor"),
        ({"total_minor": 2**53 + 1}, "invalid_request", "total_minor"),
        ({"total_minor": 10**39}, "invalid_request", "total_minor"),
        ({"currency": "USD"}, "currency_not_accepted", "currency"),
        ({"currency": "cny"}, "invalid_request", "currency"),
        ({"occurred_at": "2100-01-01T00:00:00Z"}, "occurred_in_future", "occurred_at"),
        ({"occurred_at": "1970-01-01T00:00:00Z"}, "occurred_too_long_ago", "occurred_at"),
        ({"occurred_at": "2026-11-01T00:00:00"}, "invalid_request", "occurred_at"),
        ({"order_id": ""}, "invalid_request", "order_id"),
        ({"order_id": "x" * 256}, "invalid_request", "order_id"),
        ({"order_id": "a\u0000b"}, "invalid_request", "order_id"),
        ({"discount": 5}, "invalid_request", None),
        ({"lines": [{"sku": "a", "amount_minor": 1}]}, "amounts_do_not_add_up", "lines"),
        ({"lines": [{"sku": "a", "amount_minor": 100_00, "quantity": 0}]}, "invalid_request", "lines[0].quantity"),
        ({"payments": [{"type": "card", "amount_minor": 1}]}, "amounts_do_not_add_up", "payments"),
        ({"tax_minor": 200_00}, "amounts_do_not_add_up", "total_minor"),
        ({"identity": {"phone": PHONE}}, "invalid_request", "member_id"),
        ({"member_id": "mem_a", "identity": {}}, "invalid_request", "member_id"),
        ({"member_id": ""}, "invalid_request", "member_id"),
        ({"member_id": "phone#+8613800138000"}, "invalid_request", "member_id"),
    ],
)
def test_a_bad_order_is_refused_with_its_fault_and_changes_nothing(
    member_id: str, change: dict[str, Any], code: str, field: str | None
) -> None:
    answer = shop.post_order(**{"member_id": member_id, **change})
    assert (answer.status, answer.code) == (400, code), answer.text
    if field:
        assert answer.json["field"] == field
    assert entry_count(member_id) == 1


def test_keys_cannot_be_made_to_collide(member_id: str) -> None:
    shop.post_order("a#b", source="shop", member_id=member_id)
    assert shop.post_order("b", source="shop#a", member_id=member_id).status == 201
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    shop.post_order(composed, member_id=member_id)
    assert shop.post_order(decomposed, member_id=member_id).status in {200, 409}, "one order in two spellings"


class TestARefund:
    def test_takes_back_its_share_of_the_points(self, member_id: str) -> None:
        order_id = shop.post_order(member_id=member_id, lines=LINES).json["order"]["id"]
        answer = shop.refund(order_id, lines=[{"line": 0, "quantity": 1}])
        assert answer.status == 201
        assert answer.json["refund"]["amount_minor"] == 30_00
        assert answer.json["entry"]["points"] == -30
        assert shop.available(member_id) == 170

    def test_is_posted_once(self, member_id: str) -> None:
        order_id = shop.post_order(member_id=member_id).json["order"]["id"]
        body = {"refund_id": "r1", "occurred_at": shop.moment(0.5), "amount_minor": 50_00}
        path = f"/v1/orders/{order_id}/refunds"
        first = client.post(path, json=body, caller=SHOP)
        shop.refund(order_id, "r2", amount_minor=1)
        again = client.post(path, json=body, caller=SHOP)
        assert (first.status, again.status, again.json) == (201, 200, first.json)
        changed = client.post(path, json={**body, "amount_minor": 60_00}, caller=SHOP)
        assert (changed.status, changed.code) == (409, "key_reused")

    def test_in_parts_takes_exactly_what_the_order_earned(self, member_id: str) -> None:
        order_id = shop.post_order(member_id=member_id).json["order"]["id"]
        for number in range(33):
            assert shop.refund(order_id, f"r{number}", amount_minor=3_00).status == 201
        assert shop.refund(order_id, "last", amount_minor=1_01).status == 409
        assert shop.refund(order_id, "last", amount_minor=1_00).status == 201
        assert shop.available(member_id) == 100
        read = client.get(f"/v1/orders/{order_id}", caller=SHOP).json
        assert (read["status"], read["clawed_points"], len(read["refunds"])) == ("refunded", 100, 34)

    def test_of_spent_points_leaves_a_debt_that_the_next_order_pays(self, member_id: str) -> None:
        order_id = shop.post_order(member_id=member_id).json["order"]["id"]
        assert shop.redeem(member_id, 200).status == 201
        shop.cancel(order_id)
        assert shop.account(member_id)["owed"] == 100
        shop.post_order("2", member_id=member_id, total_minor=150_00)
        account = shop.account(member_id)
        assert (account["owed"], account["available"]) == (0, 50)

    @pytest.mark.parametrize("body", [{}, {"lines": [{"line": 0}], "amount_minor": 1}, {"amount_minor": 0}])
    def test_says_what_goes_back_in_one_way(self, member_id: str, body: dict[str, Any]) -> None:
        order_id = shop.post_order(member_id=member_id, lines=LINES).json["order"]["id"]
        answer = shop.refund(order_id, **body)
        assert (answer.status, answer.json["field"]) == (400, "amount_minor")

    def test_of_an_unknown_order_is_not_found(self) -> None:
        answer = shop.refund("ord_" + "a" * 26, amount_minor=1)
        assert (answer.status, answer.code) == (404, "order_not_found")

    def test_of_an_unclaimed_order_is_kept_with_it(self) -> None:
        order_id = shop.post_order(identity={"phone": PHONE}).json["order"]["id"]
        answer = shop.refund(order_id, amount_minor=10_00)
        assert (answer.status, answer.json["entry"]) == (201, None)
        assert client.get(f"/v1/orders/{order_id}", caller=SHOP).json["refunded_minor"] == 10_00


def test_cancelling_takes_back_what_refunds_have_left(member_id: str) -> None:
    order_id = shop.post_order(member_id=member_id).json["order"]["id"]
    shop.refund(order_id, amount_minor=33_33)
    body = {"occurred_at": shop.moment(0.1)}
    first = client.post(f"/v1/orders/{order_id}/cancel", json=body, caller=SHOP)
    again = client.post(f"/v1/orders/{order_id}/cancel", json=body, caller=SHOP)
    assert (first.status, again.status, again.json) == (201, 200, first.json)
    assert shop.available(member_id) == 100
    assert shop.refund(order_id, "late", amount_minor=1).code == "refund_exceeds_order"


def test_a_tier_is_reached_at_once_and_goes_back_with_the_refund(member_id: str) -> None:
    order_id = shop.post_order(member_id=member_id, total_minor=2500_00).json["order"]["id"]
    assert shop.account(member_id)["tier"]["code"] == "silver"
    assert shop.post_order("2", member_id=member_id).json["entry"]["points"] == 120
    shop.cancel(order_id)
    assert shop.account(member_id)["tier"]["code"] == "member"
    assert shop.post_order("3", member_id=member_id).json["entry"]["points"] == 100


def test_a_shop_finds_an_order_by_its_own_number(member_id: str) -> None:
    posted = shop.post_order(member_id=member_id).json["order"]
    found = client.get("/v1/orders?source=shop&order_id=1", caller=SHOP)
    assert (found.status, found.json) == (200, posted)
    assert client.get("/v1/orders?source=shop&order_id=2", caller=SHOP).status == 404
    assert client.get("/v1/orders?source=shop", caller=SHOP).status == 400


class TestAQuote:
    def test_says_what_the_order_will_earn_and_writes_nothing(self, member_id: str) -> None:
        quote = client.post(
            "/v1/quotes", json={"currency": "CNY", "total_minor": 99_99, "member_id": member_id}, caller=SHOP
        )
        assert (quote.status, quote.json["points"], quote.json["tier"]) == (200, 99, "member")
        assert quote.json["explanations"][0]["fired"] is True
        assert entry_count(member_id) == 1
        assert shop.post_order(member_id=member_id, total_minor=99_99).json["entry"]["points"] == quote.json["points"]

    def test_is_for_members_about_themselves_only(self, member_id: str) -> None:
        someone = member(phone=PHONE)
        client.post("/v1/members", json={}, caller=someone)
        body = {"currency": "CNY", "total_minor": 99_99}
        assert client.post("/v1/quotes", json=body, caller=someone).status == 200
        other = shop.enrol("other", phone="+8613900139000")
        refused = client.post("/v1/quotes", json={**body, "member_id": other}, caller=someone)
        assert (refused.status, refused.code) == (403, "not_your_account")
        assert client.post("/v1/quotes", json={**body, "member_id": member_id}, caller=someone).status == 200


@pytest.mark.parametrize("caller", [member(), system("members.write"), None])
def test_only_systems_with_the_scope_post_orders(caller: Any) -> None:
    answer = client.post("/v1/orders", json=shop.order(member_id="mem_x"), caller=caller)
    assert answer.status == (401 if caller is None else 403)
