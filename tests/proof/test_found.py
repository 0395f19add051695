"""Histories that the proof found going wrong once, each as an example of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from chalicelib.base import clock, ids
from chalicelib.ledger import records
from chalicelib.ledger.posting import peek
from chalicelib.program import service as programs
from chalicelib.referrals import claiming
from chalicelib.vouchers import totals
from chalicelib.vouchers.rules import VoucherRefused
from tests import faults
from tests.api import shop
from tests.api.client import client
from tests.api.shop import SHOP
from tests.proof import scenario, scenario_referrals, scenario_vouchers
from tests.proof.rules_model import Rules
from tests.proof.store import in_memory
from tests.proof.voucher_log import TTL_S


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    with in_memory():
        yield


@pytest.fixture
def member_id() -> str:
    """A member with 300 points."""
    member_id = shop.enrol()
    shop.post_order("opening", member_id=member_id, total_minor=200_00)
    return member_id


def payment(redemption: dict[str, Any]) -> list[dict[str, Any]]:
    amount = redemption["amount_minor"]
    return [
        {"type": "points", "amount_minor": amount, "redemption_id": redemption["id"]},
        {"type": "card", "amount_minor": 100_00 - amount},
    ]


def missing_the_last_step(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Reads that are not consistent lag behind by one write."""
    if parameters.get("ConsistentRead"):
        return real(name, parameters)
    items = real(name, parameters)["Items"][:-1]
    return {"Items": items, "Count": len(items), "ScannedCount": len(items)}


def test_a_refund_after_a_cancelled_redemption_takes_none_of_its_points_away_again(member_id: str) -> None:
    redemption = shop.redeem(member_id, 200).json["redemption"]
    order_id = shop.post_order(member_id=member_id, payments=payment(redemption)).json["order"]["id"]
    assert shop.refund(order_id, "half", amount_minor=50_00).json["refund"]["returned_points"] == 100
    assert client.post(f"/v1/redemptions/{redemption['id']}/cancel", caller=SHOP).json["entry"]["points"] == 100
    assert shop.refund(order_id, "quarter", amount_minor=25_00).json["refund"]["returned_points"] == 0
    account = shop.account(member_id)
    assert (account["owed"], account["lifetime"]["restored"]) == (0, 200)


def test_a_hold_committed_a_moment_ago_pays_though_a_read_lags_behind(member_id: str) -> None:
    redemption = shop.redeem(member_id, 200, hold_seconds=600).json["redemption"]
    client.post(f"/v1/redemptions/{redemption['id']}/commit", caller=SHOP)
    with faults.calls(missing_the_last_step, missing_the_last_step, operation="Query"):
        assert shop.post_order(member_id=member_id, payments=payment(redemption)).status == 201


def test_steps_sort_as_they_were_taken_however_many() -> None:
    names = [records.step_name(number) for number in (*range(3000), 10**5, 10**8)]
    assert names == sorted(names)
    assert names[7] == "007"


def test_after_a_thousand_refunds_the_next_one_still_knows_all_before_it(
    member_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The names grow longer sooner here: reading a thousand steps a thousand times takes a minute.
    monkeypatch.setattr(records, "_SHORT_STEPS", 5)
    order_id = shop.post_order(member_id=member_id, total_minor=15).json["order"]["id"]
    answers = [shop.refund(order_id, str(number), amount_minor=1).status for number in range(20)]
    assert answers == [201] * 15 + [409] * 5


def test_the_last_use_is_had_though_another_process_has_just_given_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    scenario_vouchers.make("single", "GIFT-AAAA", "GIFT-BBBB").send(now)
    scenario_vouchers.lock("GIFT-AAAA", "at the till").send(now)
    give_back = totals.give_back_lapsed

    def overtaken(*args: Any, **kwargs: Any) -> int:
        give_back(*args, **kwargs)
        return give_back(*args, **kwargs)

    monkeypatch.setattr(totals, "give_back_lapsed", overtaken)
    lapsed = now + TTL_S
    assert scenario_vouchers.redeem("GIFT-BBBB", "1").send(lapsed) is not None
    with pytest.raises(VoucherRefused):
        scenario_vouchers.redeem("GIFT-AAAA", "2").send(lapsed)


def test_a_voucher_goes_back_with_its_order_though_whoever_used_it_was_ahead_of_the_time(member_id: str) -> None:
    now, rules = scenario.STARTED, Rules()
    scenario_vouchers.make("good", "GOOD-AAAA").send(now)
    scenario_vouchers.redeem("GOOD-AAAA", "1", member=member_id).send(now + 2)
    scenario_vouchers.bought("1", rules, member_id, "key").send(now)
    scenario.cancel_order("1", now, rules).send(now)
    scenario_vouchers.redeem("GOOD-AAAA", "2", member=member_id).send(now + 3)


def opened_with_two() -> tuple[int, str, str]:
    """A shop whose members bring friends, with two who came one after the other."""
    now = scenario.STARTED
    programs.publish(Rules().document(), starts_at=now, by="tests", now=now)
    for number, name in enumerate(("shop-a", "shop-b")):
        scenario.enrol(name, f"+861390013900{number}").send(now + number)
    return now, ids.derived("mem", "shop-a", "enrol"), ids.derived("mem", "shop-b", "enrol")


def test_a_referral_code_made_a_moment_ago_is_somebodys_though_a_read_lags_behind() -> None:
    now, referrer, friend = opened_with_two()
    scenario_referrals.make_code(referrer).send(now)
    with faults.calls(*[missing_the_last_step] * 7, operation="Query"):
        scenario_referrals.claim(friend, referrer).send(now + 2)


def test_of_one_claim_sent_twice_at_once_both_are_answered_though_the_friend_has_bought_since() -> None:
    now, referrer, friend = opened_with_two()
    claim = scenario_referrals.claim(friend, referrer)

    def look(member_id: str, **given: Any) -> Any:
        with mock.patch.object(claiming, "peek", peek):
            claim.send(now + 2)
            scenario.order("1", Rules(), member=friend).send(now + 3)
        return peek(member_id, **given)

    with mock.patch.object(claiming, "peek", look):
        claim.send(now + 2)
