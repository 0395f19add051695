"""A discount on the whole order (满减): the lines share it, so refunds by line and what is earned add up."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import ids
from chalicelib.base.errors import Invalid
from chalicelib.orders.amounts import net_amounts
from chalicelib.orders.schema import OrderIn
from tests.api import shop
from tests.api.shop import PHONE

LINES = [
    {"sku": "tea", "amount_minor": 60_00},
    {"sku": "cup", "amount_minor": 40_00},
    {"sku": "pin", "amount_minor": 1},
]


@pytest.fixture
def member_id() -> str:
    return shop.enrol(phone=PHONE)


def post(member_id: str, **fields: Any) -> Any:
    return shop.post_order(member_id=member_id, lines=LINES, **fields)


def test_the_lines_less_the_discount_earn(member_id: str) -> None:
    answer = post(member_id, total_minor=70_01, discount_minor=30_00)
    assert (answer.status, answer.json["entry"]["points"]) == (201, 70)
    assert answer.json["order"]["line_points"] == [42, 28, 0]


def test_it_may_be_larger_than_a_line_and_as_large_as_all(member_id: str) -> None:
    assert post(member_id, total_minor=1, discount_minor=100_00).status == 201
    free = shop.post_order("2", member_id=member_id, lines=LINES, total_minor=0, discount_minor=100_01)
    assert (free.status, free.json["entry"]["points"]) == (201, 0)


def test_a_line_goes_back_net_of_its_share(member_id: str) -> None:
    order_id = post(member_id, total_minor=70_01, discount_minor=30_00).json["order"]["id"]
    refunds = [shop.refund(order_id, f"r{line}", lines=[{"line": line}]).json["refund"] for line in range(3)]
    assert [refund["amount_minor"] for refund in refunds] == [42_00, 28_00, 1]
    assert sum(refund["clawed_points"] for refund in refunds) == 70


def test_tax_and_shipping_are_as_without_it(member_id: str) -> None:
    lines = [{"sku": "tea", "amount_minor": 100_00}]
    inside = {"lines": lines, "total_minor": 88_00, "shipping_minor": 8_00, "tax_minor": 5_00, "discount_minor": 20_00}
    assert shop.post_order("in", member_id=member_id, **inside).status == 201
    assert shop.post_order("on top", member_id=member_id, **{**inside, "total_minor": 93_00}).status == 201
    assert shop.post_order("neither", member_id=member_id, **{**inside, "total_minor": 90_00}).status == 400


@pytest.mark.parametrize(("total_minor", "discount_minor"), [(70_00, 30_00), (100_01, 1), (0, 100_02)])
def test_what_does_not_add_up_is_refused(member_id: str, total_minor: int, discount_minor: int) -> None:
    answer = post(member_id, total_minor=total_minor, discount_minor=discount_minor)
    assert (answer.status, answer.code) == (400, "amounts_do_not_add_up")
    assert shop.available(member_id) == 100


def test_an_order_of_before_there_were_discounts_is_still_recognised() -> None:
    order = shop.order() | {"occurred_at": "2026-11-20T18:30:00Z"}
    assert ids.request_hash(msgspec.convert(order, OrderIn)) == "pmu5nbw5cumo3mh3kz6lvmruox"


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=8), st.data())
def test_the_shares_add_up_and_no_line_falls_below_nothing(amounts: list[int], data: st.DataObject) -> None:
    discount_minor = data.draw(st.integers(0, sum(amounts)))
    net = net_amounts(amounts, discount_minor)
    assert sum(net) == sum(amounts) - discount_minor
    assert all(0 <= rest <= amount for rest, amount in zip(net, amounts, strict=True))


def test_more_than_the_lines_is_no_discount() -> None:
    with pytest.raises(Invalid):
        net_amounts([5, 5], 11)
