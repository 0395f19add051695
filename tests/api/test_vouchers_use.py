"""Using vouchers: once, on one order, and back again, exactly."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from chalicelib.base import clock
from tests.api import shop
from tests.api import voucher_shop as vouchers
from tests.api.client import client, member
from tests.api.voucher_shop import counts, lock, redeem, roll_back, told, validate


def later(seconds: int) -> Any:
    """Let time pass."""
    return at(clock.now() + seconds)


def at(now: int) -> Any:
    """Let it be this instant."""
    return mock.patch("chalicelib.base.clock.now", return_value=now)


class TestSingle:
    def test_a_voucher_is_worth_what_its_batch_says(self) -> None:
        answer = validate(vouchers.single(), total_minor=12_345)
        assert answer.status == 200
        assert answer.json["worth"]["discount_minor"] == 1_234

    def test_a_voucher_is_used_once(self) -> None:
        code = vouchers.single()
        assert redeem(code, "1").status == 201
        assert told(redeem(code, "2", key="other")) == (409, "voucher_used_up")
        assert told(validate(code)) == (409, "voucher_used_up")
        assert told(lock(code)) == (409, "voucher_used_up")

    def test_a_replay_is_answered_the_same_and_a_changed_body_is_refused(self) -> None:
        code = vouchers.single()
        first = redeem(code)
        again = redeem(code)
        assert (first.status, again.status) == (201, 200)
        assert again.json == first.json
        assert told(redeem(code, total_minor=9_999)) == (409, "key_reused")

    def test_the_same_order_under_another_key_does_not_use_it_twice(self) -> None:
        code = vouchers.single()
        redeem(code)
        assert redeem(code, key="other").status == 409

    def test_a_rollback_gives_it_back_once(self) -> None:
        batch_id = vouchers.make()
        vouchers.imported(batch_id, "GIFT-77")
        redeem("GIFT-77")
        first, again = roll_back("GIFT-77"), roll_back("GIFT-77")
        assert (first.status, again.status) == (201, 200)
        assert again.json == first.json
        assert first.json["redemption"]["status"] == "rolled_back"
        assert counts(batch_id)["rolled_back"] == 1
        assert validate("GIFT-77").status == 200

    def test_after_a_rollback_it_may_be_used_again_by_the_same_order_or_another(self) -> None:
        code = vouchers.single()
        old = redeem(code, "1").json["redemption"]["id"]
        roll_back(code, "1")
        assert redeem(code, "1", key="second").status == 201
        late = redeem(code, "1")
        assert (late.status, late.json["redemption"]["id"]) == (200, old)
        assert late.json["redemption"]["status"] == "rolled_back"
        assert roll_back(code, "1", redemption_id=old).status == 200, "a late rollback of the first use takes nothing"
        assert told(validate(code)) == (409, "voucher_used_up")
        roll_back(code, "1")
        assert redeem(code, "2").status == 201

    def test_a_use_that_never_was_cannot_be_rolled_back(self) -> None:
        code, other = vouchers.single(), vouchers.single()
        redeem(code, "1")
        assert told(roll_back(code, "2")) == (404, "voucher_use_not_found")
        assert told(roll_back(other, "1")) == (404, "voucher_use_not_found")
        assert told(roll_back("NO-SUCH-CODE", "1")) == (404, "voucher_use_not_found")

    @pytest.mark.parametrize("spelling", ["gift-0il-z", "GIFT%20O1L2", "%20giftoiiz%20", "ＧＩＦＴ－０１１２"])
    def test_case_blanks_hyphens_and_look_alikes_do_not_matter(self, spelling: str) -> None:
        vouchers.imported(vouchers.make(), "GIFT-0112")
        assert validate(spelling).status == 200


class TestDates:
    def test_a_voucher_expires_to_the_second(self) -> None:
        now = clock.now()
        code = vouchers.single(validity={"ends_at": clock.text(now + 100)})
        with at(now + 99):
            assert validate(code).status == 200
        with at(now + 100):
            assert told(validate(code)) == (409, "voucher_expired")
            assert told(redeem(code)) == (409, "voucher_expired")

    def test_what_was_redeemed_in_time_is_answered_the_same_afterwards(self) -> None:
        code = vouchers.single(validity={"ends_at": vouchers.in_days(1)})
        first = redeem(code)
        with later(2 * clock.DAY_S):
            assert redeem(code).json == first.json
            assert roll_back(code).status == 201
            assert told(redeem(code, key="other")) == (409, "voucher_expired")

    def test_a_voucher_is_refused_before_it_begins_and_while_it_is_paused(self) -> None:
        assert told(validate(vouchers.single(validity={"starts_at": vouchers.in_days(1)}))) == (
            409,
            "voucher_not_started",
        )
        batch_id = vouchers.make()
        vouchers.imported(batch_id, "GIFT-99")
        path = f"/v1/voucher-batches/{batch_id}/state"
        for state, status in (("paused", 409), ("paused", 409), ("active", 200)):
            assert client.post(path, json={"state": state}, caller=vouchers.OFFICE).json["state"] == state
            assert validate("GIFT-99").status == status


class TestPoints:
    def test_a_voucher_for_points_credits_them_once_and_a_rollback_takes_them_back(self) -> None:
        someone = shop.enrol()
        code = vouchers.given(vouchers.make(vouchers.POINTS, owner="member"), someone)
        before = shop.available(someone)
        first = redeem(code, member_id=someone)
        assert first.json["entry"]["kind"] == "voucher_redeemed"
        assert redeem(code, member_id=someone).json == first.json
        assert shop.available(someone) == before + 500
        back = roll_back(code)
        assert back.json["entry"]["points"] == -500
        assert roll_back(code).json == back.json
        assert shop.available(someone) == before

    def test_points_that_are_spent_by_then_are_owed(self) -> None:
        someone = shop.enrol()
        code = vouchers.given(vouchers.make(vouchers.POINTS), someone)
        redeem(code, member_id=someone)
        shop.redeem(someone, 600)
        assert roll_back(code).json["account"]["owed"] == 500

    def test_the_statement_has_a_title_for_both(self) -> None:
        someone = shop.enrol()
        code = vouchers.given(vouchers.make(vouchers.POINTS), someone)
        redeem(code, member_id=someone)
        roll_back(code)
        lines = client.get(f"/v1/members/{someone}/entries", caller=shop.SHOP).json["entries"]
        assert [line["title"] for line in lines[:2]] == ["Voucher taken back", "Voucher redeemed"]

    def test_points_need_somebody(self) -> None:
        assert told(validate(vouchers.single(effect=vouchers.POINTS))) == (409, "voucher_needs_member")


class TestMembers:
    def test_a_bound_voucher_is_its_member_s_only(self) -> None:
        owner, other = shop.enrol(), shop.enrol("other", phone="+8613900139000")
        code = vouchers.given(vouchers.make(owner="member"), owner)
        assert told(validate(code)) == (409, "voucher_needs_member")
        assert told(validate(code, member_id=other)) == (409, "voucher_of_another")
        assert told(redeem(code, member_id=other)) == (409, "voucher_of_another")
        assert redeem(code, member_id=owner).status == 201

    def test_a_member_asks_for_itself_and_another_s_voucher_looks_like_none(self) -> None:
        owner, other = shop.enrol(), shop.enrol("other", phone="+8613900139000")
        code = vouchers.given(vouchers.make(owner="member"), owner)
        me, them = (self.signed_in(phone) for phone in (shop.PHONE, "+8613900139000"))
        path = f"/v1/vouchers/{code}/validate"
        assert client.post(path, json=vouchers.sketch(), caller=me).status == 200
        foreign = client.post(path, json=vouchers.sketch(), caller=them)
        unknown = client.post("/v1/vouchers/AAAA-BBBB-CCCC-DDDE/validate", json=vouchers.sketch(), caller=them)
        assert foreign.status == unknown.status == 404
        ours, theirs = ({**answer.json, "request_id": ""} for answer in (foreign, unknown))
        assert ours == theirs
        named = client.post(path, json=vouchers.sketch(member_id=other), caller=me)
        assert told(named) == (403, "not_your_account")

    def signed_in(self, phone: str) -> Any:
        caller = member(f"person-{phone}", phone=phone)
        assert client.post("/v1/members", json={"phone": phone}, caller=caller).status == 200
        return caller

    def test_a_voucher_of_a_member_who_was_merged_is_the_survivor_s(self) -> None:
        owner, survivor = shop.enrol(), shop.enrol("other", phone="+8613900139000")
        code = vouchers.given(vouchers.make(owner="member"), owner)
        merge = client.post(f"/v1/members/{owner}/merge", json={"into": survivor}, caller=shop.SHOP)
        assert merge.status == 201
        assert validate(code, member_id=survivor).status == 200

    def test_a_tier_may_be_asked_for(self) -> None:
        someone = shop.enrol()
        assert validate(vouchers.single(tiers=["member"]), member_id=someone).status == 200
        gold = vouchers.single(tiers=["gold"])
        assert told(validate(gold, member_id=someone)) == (409, "voucher_not_for_tier")
        assert told(validate(gold)) == (409, "voucher_needs_member")

    def test_a_limit_per_member_spans_the_batch_and_comes_back_with_a_rollback(self) -> None:
        someone, other = shop.enrol(), shop.enrol("other", phone="+8613900139000")
        vouchers.imported(vouchers.make(limits={"per_member": 1}), "GIFT-A1", "GIFT-A2")
        assert redeem("GIFT-A1", "1", member_id=someone).status == 201
        assert told(redeem("GIFT-A2", "2", member_id=someone)) == (409, "voucher_member_limit")
        assert told(validate("GIFT-A2")) == (409, "voucher_needs_member")
        assert validate("GIFT-A2", member_id=other).status == 200
        roll_back("GIFT-A1", "1")
        assert redeem("GIFT-A2", "2", member_id=someone).status == 201


class TestOrders:
    def test_a_voucher_that_stands_alone_goes_with_no_other(self) -> None:
        alone, first, second = vouchers.single(stacking="alone"), vouchers.single(), vouchers.single()
        assert redeem(first, "1", key="a").status == 201
        assert redeem(second, "1", key="b").status == 201
        assert told(redeem(alone, "1", key="c")) == (409, "voucher_not_combinable")
        assert redeem(alone, "2").status == 201
        assert told(redeem(vouchers.single(), "2", key="d")) == (409, "voucher_not_combinable")
        roll_back(alone, "2")
        assert redeem(vouchers.single(), "2", key="e").status == 201

    def test_it_can_be_asked_beforehand_whether_vouchers_go_together(self) -> None:
        alone, first, second = vouchers.single(stacking="alone"), vouchers.single(), vouchers.single()
        assert validate(first, other_codes=[second, first, "NO-SUCH-ONE"]).status == 200
        assert told(validate(first, other_codes=[second, alone])) == (409, "voucher_not_combinable")
        assert told(validate(alone, other_codes=[first])) == (409, "voucher_not_combinable")

    def test_vouchers_together_take_off_no_more_than_the_order_costs(self) -> None:
        effect = {"type": "amount", "amount_minor": {"CNY": 6_000}}
        first, second, third = (vouchers.single(effect=effect) for _ in range(3))
        assert redeem(first, key="a").json["redemption"]["worth"]["discount_minor"] == 6_000
        assert redeem(second, key="b").json["redemption"]["worth"]["discount_minor"] == 4_000
        assert told(redeem(third, key="c")) == (409, "no_eligible_items")

    def test_a_shared_code_is_used_once_on_an_order(self) -> None:
        vouchers.shared()
        assert redeem("SUMMER26", "1").status == 201
        assert told(redeem("SUMMER26", "1", key="other")) == (409, "voucher_on_order")
        assert redeem("SUMMER26", "2").status == 201
