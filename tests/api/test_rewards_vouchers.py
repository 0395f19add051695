"""A reward that is a voucher: it comes with the redemption, is used by its code, and goes with the cancellation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import shop
from tests.api import voucher_shop as vouchers
from tests.api.client import client
from tests.api.voucher_shop import TILL, told
from tests.rewards import act, publish, reward, stock, take


@pytest.fixture
def member_id() -> str:
    """A member with 600 points."""
    found = shop.enrol()
    shop.post_order("earned", member_id=found, total_minor=500_00)
    return found


@pytest.fixture
def batch_id() -> str:
    """A batch of single vouchers for a tenth off, of which each member's is the member's own."""
    return vouchers.make(owner="member")


def offered(batch_id: str, **fields: Any) -> None:
    publish(reward("tenth", 200, fulfilment="voucher", voucher_batch_id=batch_id, stock={"total": 5}, **fields))


def held_by(member_id: str) -> list[Any]:
    answer = client.get(f"/v1/members/{member_id}/vouchers", caller=TILL)
    assert answer.status == 200, answer.text
    return list(answer.json["vouchers"])


def use(code: str, member_id: str) -> Any:
    return vouchers.redeem(code, member_id=member_id)


def test_it_comes_with_the_redemption_once(member_id: str, batch_id: str) -> None:
    offered(batch_id)
    first, again = take(member_id, "tenth", key="k"), take(member_id, "tenth", key="k")
    assert (first.status, again.status, again.json) == (201, 200, first.json)
    code = first.json["redemption"]["reward"]["voucher_code"]
    assert [held["code"] for held in held_by(member_id)] == [code]
    assert use(code, member_id).status == 201
    assert (shop.available(member_id), stock("tenth")) == (400, (5, 1, 4))


def test_it_is_not_there_before_a_hold_is_committed(member_id: str, batch_id: str) -> None:
    offered(batch_id)
    held = take(member_id, "tenth", hold_seconds=600).json["redemption"]
    assert (held["reward"]["voucher_code"], held_by(member_id)) == (None, [])
    first, again = act(held["id"], "commit"), act(held["id"], "commit")
    assert (first.status, again.json) == (200, first.json)
    code = first.json["redemption"]["reward"]["voucher_code"]
    assert [held["code"] for held in held_by(member_id)] == [code]


def test_it_goes_with_the_cancellation(member_id: str, batch_id: str) -> None:
    offered(batch_id)
    taken = take(member_id, "tenth").json["redemption"]
    code = taken["reward"]["voucher_code"]
    assert [act(taken["id"], "cancel").status for _twice in range(2)] == [200, 200]
    assert use(code, member_id).status == 409
    assert held_by(member_id) == []
    assert (shop.available(member_id), stock("tenth")) == (600, (5, 0, 5))


def test_what_was_used_or_lies_in_a_checkout_is_not_cancelled(member_id: str, batch_id: str) -> None:
    offered(batch_id)
    used, locked = (take(member_id, "tenth").json["redemption"] for _twice in range(2))
    use(used["reward"]["voucher_code"], member_id)
    vouchers.lock(locked["reward"]["voucher_code"], member_id=member_id)
    for redemption in (used, locked):
        assert told(act(redemption["id"], "cancel")) == (409, "redemption_not_open")
    assert shop.available(member_id) == 200


def test_it_is_neither_shipped_nor_used_at_a_till_nor_taken_by_the_dozen(member_id: str, batch_id: str) -> None:
    offered(batch_id)
    taken = take(member_id, "tenth").json["redemption"]
    for verb in ("ship", "use"):
        assert told(act(taken["id"], verb)) == (409, "not_fulfilled_so")
    assert told(take(member_id, "tenth", quantity=2)) == (400, "quantity_not_offered")


def test_without_its_batch_nothing_is_taken(member_id: str) -> None:
    offered("vbt_" + "a" * 26)
    assert told(take(member_id, "tenth")) == (404, "voucher_batch_not_found")
    assert (shop.available(member_id), stock("tenth")) == (600, (5, 0, 5))


def test_it_is_its_members_own(member_id: str, batch_id: str) -> None:
    offered(batch_id)
    code = take(member_id, "tenth").json["redemption"]["reward"]["voucher_code"]
    other = shop.enrol("other", phone="+8613900139000")
    assert use(code, other).status in {403, 404, 409}
    assert (
        client.post(f"/v1/vouchers/{code}/validate", json=vouchers.sketch(member_id=member_id), caller=TILL).status
        == 200
    )
