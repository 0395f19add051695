"""Referrals that are rewarded with vouchers: one for each, once, and gone again with the purchase that brought them."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from tests.api import shop
from tests.api import voucher_shop as vouchers
from tests.api.client import client
from tests.api.friends import buy, claim, code_of, enrol, kinds, publish, react, statuses
from tests.api.voucher_shop import TILL


def held_by(member_id: str) -> list[Any]:
    answer = client.get(f"/v1/members/{member_id}/vouchers", caller=TILL)
    assert answer.status == 200, answer.text
    return list(answer.json["vouchers"])


def open_of(member_id: str) -> list[str]:
    return [str(held["code"]) for held in held_by(member_id) if held["status"] == "open"]


@pytest.fixture
def pair() -> tuple[str, str]:
    """Anna, who has brought Ben; both are to get a voucher of a tenth off."""
    batch = vouchers.make(owner="member")
    publish(referrer=[{"voucher_batch": batch}], friend={"voucher_batch": batch})
    anna, ben = enrol("anna"), enrol("ben")
    claim(ben, code_of(anna))
    return anna, ben


def test_both_get_one_voucher_however_often_the_purchase_is_heard_of(pair: tuple[str, str]) -> None:
    anna, ben = pair
    buy(ben)
    for _again in range(3):
        react(ben)
    assert (len(open_of(anna)), len(open_of(ben))) == (1, 1)
    assert set(open_of(anna)) != set(open_of(ben))
    assert vouchers.redeem(open_of(anna)[0], member_id=anna).status == 201


def test_a_refund_takes_the_vouchers_out_of_use(pair: tuple[str, str]) -> None:
    anna, ben = pair
    order = buy(ben)
    react(ben)
    codes = open_of(anna)
    shop.refund(order, amount_minor=100_00, occurred_at=clock.text(clock.now()))
    react(ben)
    assert (open_of(anna), open_of(ben), statuses(anna)) == ([], [], ["joined"])
    assert kinds(anna) == kinds(ben) == ["referral_paid", "referral_taken_back"]
    assert vouchers.redeem(codes[0], member_id=anna).status == 409


def test_a_voucher_that_was_used_stays_used_though_the_referral_goes_back(pair: tuple[str, str]) -> None:
    anna, ben = pair
    order = buy(ben)
    react(ben)
    (code,) = open_of(anna)
    assert vouchers.redeem(code, member_id=anna).status == 201
    shop.refund(order, amount_minor=100_00, occurred_at=clock.text(clock.now()))
    react(ben)
    assert [held["status"] for held in held_by(anna)] == ["used"]
    assert (open_of(ben), kinds(anna)) == ([], ["referral_paid", "referral_taken_back"])
