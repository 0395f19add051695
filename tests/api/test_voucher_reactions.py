"""Vouchers of an order that went back are given back though whoever took the order back has died: the stream tells."""

from __future__ import annotations

import json
import random
from typing import Any
from unittest import mock

import pytest

from app import app
from chalicelib.base import clock
from chalicelib.base.errors import Unavailable
from chalicelib.ledger import router
from chalicelib.ledger.table import read_chain, to_entry
from chalicelib.orders import claims
from tests.api import shop
from tests.api import voucher_shop as vouchers
from tests.api.test_voucher_orders import is_free, paid, used
from tests.api.test_vouchers_use import later
from tests.api.voucher_shop import told


@pytest.fixture
def member_id() -> str:
    """A member with 300 points."""
    found = shop.enrol()
    shop.post_order("earned", member_id=found, total_minor=200_00)
    return found


def died() -> Any:
    """Whoever takes an order back dies before its vouchers are rolled back."""
    return mock.patch("chalicelib.vouchers.undoing.roll_back_all", side_effect=Unavailable("gone", code="busy"))


def notices(member_id: str) -> list[dict[str, Any]]:
    """What the queue of orders is told of a member's whole chain, oldest first."""
    entries = [to_entry(item) for item in read_chain(member_id, consistent=True)]
    wanted = [entry for entry in entries if any("claims" in url for url in router.queues_for(entry))]
    return [{name: getattr(entry, name) for name in ("member_id", "seq", "kind", "record")} for entry in wanted]


def hear(*bodies: Any) -> list[str]:
    """Let the queue's function hear messages; gives those that must come again."""
    records = [{"messageId": f"m{place}", "body": json.dumps(body)} for place, body in enumerate(bodies)]
    answer = app.handler_map["claim_orders"]({"Records": records}, None)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_what_was_left_undone_is_done(member_id: str) -> None:
    one, other = vouchers.single(), vouchers.single()
    order_id = paid(member_id, one, other)
    with died():
        assert told(shop.cancel(order_id)) == (503, "busy")
    assert (is_free(one), is_free(other)) == (False, False)
    assert hear(*notices(member_id)) == []
    assert (is_free(one), is_free(other), shop.available(member_id)) == (True, True, 300)


def test_ten_times_and_in_any_order_each_voucher_goes_back_once(member_id: str) -> None:
    batch_id = vouchers.make()
    vouchers.imported(batch_id, "GIFT-A1", "GIFT-A2")
    order_id = paid(member_id, "GIFT-A1", "GIFT-A2")
    shop.refund(order_id, "r1", amount_minor=50_00)
    with died():
        shop.refund(order_id, "r2", amount_minor=50_00)
    told_of = notices(member_id) * 10
    random.Random(6).shuffle(told_of)  # noqa: S311 -- any order will do
    assert hear(*told_of) == []
    assert vouchers.counts(batch_id)["rolled_back"] == 2
    assert shop.refund(order_id, "r2", amount_minor=50_00).status == 200
    assert vouchers.counts(batch_id)["rolled_back"] == 2


def test_a_voucher_that_is_on_another_order_by_then_stays_there(member_id: str) -> None:
    code = vouchers.single()
    order_id = paid(member_id, code)
    shop.cancel(order_id)
    with later(60):
        used(code, "2")
        again = vouchers.single()
        used(again, "1")
        assert hear(*notices(member_id)) == []
    assert (is_free(code), is_free(again)) == (False, False)


def test_only_the_step_by_which_all_has_gone_back_is_told_of(member_id: str) -> None:
    order_id = paid(member_id, vouchers.single())
    shop.refund(order_id, "r1", amount_minor=50_00)
    assert [notice["kind"] for notice in notices(member_id)] == ["enrolled"]
    shop.refund(order_id, "r2", amount_minor=50_00)
    shop.cancel(order_id)
    assert [notice["kind"] for notice in notices(member_id)] == ["enrolled", "refund"]


def test_a_refund_heard_of_early_is_found_by_what_the_order_is_now(member_id: str) -> None:
    """The notice of a part that went back says only where to look: by then all has gone back."""
    code = vouchers.single()
    order_id = paid(member_id, code)
    shop.refund(order_id, "r1", amount_minor=50_00)
    part = to_entry(list(read_chain(member_id, consistent=True))[-1])
    early = {name: getattr(part, name) for name in ("member_id", "seq", "kind", "record")}
    assert hear(early) == []
    assert not is_free(code)
    with died():
        shop.cancel(order_id)
    assert hear(early) == []
    assert is_free(code)


def test_an_order_without_vouchers_is_looked_at_and_left(member_id: str) -> None:
    order_id = shop.post_order("plain", member_id=member_id).json["order"]["id"]
    shop.cancel(order_id)
    before = len(list(read_chain(member_id, consistent=True)))
    assert hear(*notices(member_id)) == []
    assert len(list(read_chain(member_id, consistent=True))) == before


def test_what_cannot_be_done_comes_again_and_holds_back_no_other(member_id: str) -> None:
    code = vouchers.single()
    order_id = paid(member_id, code)
    with died():
        shop.cancel(order_id)
        assert hear(*notices(member_id), {"member_id": member_id}) == ["m1", "m2"]
    assert hear(notices(member_id)[-1]) == []
    assert is_free(code)


def test_who_enrols_still_has_waiting_orders_claimed() -> None:
    shop.post_order("waiting", identity={"phone": shop.PHONE})
    member_id = shop.enrol()
    assert hear(*notices(member_id)) == []
    assert shop.available(member_id) == 200
    assert claims.claim_all(member_id, now=clock.now()) == 0
