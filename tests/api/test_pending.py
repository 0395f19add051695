"""Points that wait before they can be spent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.base import clock
from chalicelib.orders import claims
from chalicelib.program import document
from chalicelib.program import service as programs
from tests import faults
from tests.api import shop
from tests.api.client import Response, client
from tests.api.shop import SHOP


@pytest.fixture(autouse=True)
def programme() -> None:
    """A programme whose points wait 14 days."""
    waiting = msgspec.structs.replace(document.default(), pending_days=14)
    programs.publish(document.encode(waiting), by="tests", note="", now=clock.now() - 900)


@pytest.fixture
def member_id() -> str:
    return shop.enrol()


def act(order_id: str, verb: str) -> Response:
    return client.post(f"/v1/orders/{order_id}/pending/{verb}", caller=SHOP)


def later(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    at = clock.now() + days * clock.DAY_S
    monkeypatch.setattr(clock, "now", lambda: at)


def test_pending_points_cannot_be_spent_until_their_day(member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = shop.post_order(member_id=member_id)
    assert answer.json["account"]["pending"] == 100
    account = shop.account(member_id)
    assert (account["available"], [item["points"] for item in account["pending"]]) == (100, [100])
    later(monkeypatch, 15)
    account = shop.account(member_id)
    assert (account["available"], account["pending"]) == (200, [])


def test_pending_points_can_be_released_early_once(member_id: str) -> None:
    order_id = shop.post_order(member_id=member_id).json["order"]["id"]
    first, again = act(order_id, "release"), act(order_id, "release")
    assert (first.status, again.json) == (200, first.json)
    assert first.json["account"]["available"] == 200
    assert first.json["order"]["points_available_at"] is None


def test_a_refund_after_an_early_release_spares_other_orders_of_the_day(member_id: str) -> None:
    order_id = shop.post_order("1", member_id=member_id).json["order"]["id"]
    shop.post_order("2", member_id=member_id)
    act(order_id, "release")
    shop.cancel(order_id)
    account = shop.account(member_id)
    assert (account["available"], account["pending"][0]["points"]) == (100, 100)


def test_a_release_after_a_refund_releases_what_is_left(member_id: str) -> None:
    order_id = shop.post_order(member_id=member_id).json["order"]["id"]
    shop.refund(order_id, amount_minor=40_00)
    assert act(order_id, "release").json["entry"]["points"] == 0
    assert shop.available(member_id) == 160


def test_pending_points_can_be_withdrawn_though_the_order_stands(member_id: str) -> None:
    order_id = shop.post_order(member_id=member_id).json["order"]["id"]
    first, again = act(order_id, "cancel"), act(order_id, "cancel")
    assert (first.status, again.json, first.json["refund"]["clawed_points"]) == (200, first.json, 100)
    shop.cancel(order_id)
    account = shop.account(member_id)
    assert (account["available"], account["owed"], account["pending"]) == (100, 0, [])


@pytest.mark.parametrize("verb", ["release", "cancel"])
def test_there_is_nothing_to_change_once_they_have_matured(
    member_id: str, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = shop.post_order(member_id=member_id).json["order"]["id"]
    later(monkeypatch, 15)
    answer = act(order_id, verb)
    assert (answer.status, answer.code) == (409, "nothing_pending")


def test_a_release_right_after_the_claim_is_not_refused_on_a_read_that_lags(member_id: str) -> None:
    order_id = shop.post_order(identity={"phone": "+8613900139000"}).json["order"]["id"]
    newcomer = shop.enrol("newcomer", phone="+8613900139000")
    assert claims.claim(order_id, newcomer, now=clock.now())

    def before_the_claim(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        found = real(name, parameters)
        return {**found, "Items": found["Items"][:1], "Count": 1}

    with faults.calls(before_the_claim, operation="Query"):
        assert act(order_id, "release").status == 200
    assert (shop.available(newcomer), shop.available(member_id)) == (200, 100)
