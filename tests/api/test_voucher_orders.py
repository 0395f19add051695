"""An order paid with points, a voucher and money: when all of it goes back, each goes back where it came from, once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest

from chalicelib.base import clock
from chalicelib.base.errors import Unavailable
from chalicelib.orders import intake, schema
from chalicelib.vouchers import undoing
from tests import faults
from tests.api import shop
from tests.api import voucher_shop as vouchers
from tests.api.client import Response, client
from tests.api.shop import SHOP
from tests.api.test_vouchers_use import later
from tests.api.voucher_shop import redeem, roll_back, told, validate

FAULTS = [faults.lost_on_the_way, faults.committed_then_timed_out, faults.conflicting, faults.throttled, faults.failing]


@pytest.fixture
def member_id() -> str:
    """A member with 300 points."""
    found = shop.enrol()
    shop.post_order("earned", member_id=found, total_minor=200_00)
    return found


def used(code: str, number: str = "1", **fields: Any) -> dict[str, str]:
    """A voucher redeemed for an order, as the order names it."""
    answer = redeem(code, number, key=f"{code}-{number}", **fields)
    assert answer.status == 201, answer.text
    return {"redemption_id": str(answer.json["redemption"]["id"])}


def paid(member_id: str, *codes: str, number: str = "1", **fields: Any) -> str:
    """An order of 100 yuan that vouchers made cheaper, paid with 200 points and a card; gives its id."""
    redemption = shop.redeem(member_id, 200).json["redemption"]
    payments = [
        {"type": "points", "amount_minor": redemption["amount_minor"], "redemption_id": redemption["id"]},
        {"type": "card", "amount_minor": 100_00 - redemption["amount_minor"]},
    ]
    named = [used(code, number) for code in codes]
    answer = shop.post_order(number, member_id=member_id, payments=payments, vouchers=named, **fields)
    assert answer.status == 201, answer.text
    assert answer.json["order"]["vouchers"] == named
    return str(answer.json["order"]["id"])


def is_free(code: str) -> bool:
    """Whether a single voucher may be used again."""
    answer = validate(code)
    assert answer.status == 200 or told(answer) == (409, "voucher_used_up")
    return answer.status == 200


class TestCancelled:
    def test_points_vouchers_and_what_was_earned_all_go_back(self, member_id: str) -> None:
        one, other = vouchers.single(), vouchers.single()
        order_id = paid(member_id, one, other)
        assert (shop.available(member_id), is_free(one), is_free(other)) == (198, False, False)
        assert shop.cancel(order_id).json["refund"]["returned_points"] == 200
        assert (shop.available(member_id), is_free(one), is_free(other)) == (300, True, True)

    def test_a_repetition_changes_nothing_and_answers_the_same(self, member_id: str) -> None:
        batch_id = vouchers.make()
        vouchers.imported(batch_id, "GIFT-77")
        order_id = paid(member_id, "GIFT-77")
        first, again = shop.cancel(order_id), shop.cancel(order_id)
        assert (first.status, again.status) == (201, 200)
        assert again.json == first.json
        assert vouchers.counts(batch_id)["rolled_back"] == 1
        assert shop.available(member_id) == 300

    def test_a_late_repetition_takes_no_later_use(self, member_id: str) -> None:
        code = vouchers.single()
        order_id = paid(member_id, code)
        shop.cancel(order_id)
        with later(60):
            used(code, "2")
            again = vouchers.single()
            used(again, "1")
            shop.cancel(order_id)
        assert not is_free(code)
        assert not is_free(again)

    def test_a_voucher_for_points_takes_them_back(self, member_id: str) -> None:
        code = vouchers.given(vouchers.make(vouchers.POINTS, owner="member"), member_id)
        named = used(code, member_id=member_id)
        order_id = shop.post_order(member_id=member_id, vouchers=[named]).json["order"]["id"]
        assert shop.available(member_id) == 300 + 500 + 100
        for _time in range(2):
            shop.cancel(order_id)
            assert shop.available(member_id) == 300
        wallet = client.get(f"/v1/members/{member_id}/vouchers", caller=vouchers.TILL).json["vouchers"]
        assert [each["status"] for each in wallet] == ["open"]

    def test_what_was_rolled_back_by_hand_before_stays_so(self, member_id: str) -> None:
        one, other = vouchers.single(), vouchers.single()
        order_id = paid(member_id, one, other)
        roll_back(one)
        used(one, "2")
        assert shop.cancel(order_id).status == 201
        assert (is_free(one), is_free(other)) == (False, True)

    def test_a_use_that_was_made_anew_goes_back_too(self, member_id: str) -> None:
        code = vouchers.single()
        order_id = paid(member_id, code)
        roll_back(code)
        assert redeem(code, key="anew").status == 201
        shop.cancel(order_id)
        assert is_free(code)

    def test_while_nobody_has_claimed_the_order(self) -> None:
        code = vouchers.single()
        answer = shop.post_order(identity={"phone": "+8613900139000"}, vouchers=[used(code)])
        assert answer.status == 202
        shop.cancel(answer.json["order"]["id"])
        assert is_free(code)

    def test_an_order_that_names_no_vouchers_leaves_them(self, member_id: str) -> None:
        code = vouchers.single()
        used(code)
        shop.cancel(shop.post_order(member_id=member_id).json["order"]["id"])
        assert not is_free(code)

    def test_through_the_queue(self, member_id: str) -> None:
        code = vouchers.single()
        paid(member_id, code)
        cancel = schema.CancelIn(occurred_at=datetime.now(UTC))
        intake.take(schema.CancelMessage(source="shop", order_id="1", cancel=cancel), now=clock.now())
        assert is_free(code)


class TestRefunded:
    def test_a_part_leaves_the_vouchers_and_the_rest_gives_them_back(self, member_id: str) -> None:
        code = vouchers.single()
        order_id = paid(member_id, code)
        shop.refund(order_id, "r1", amount_minor=99_99)
        assert not is_free(code)
        shop.refund(order_id, "r2", amount_minor=1)
        assert (shop.available(member_id), is_free(code)) == (300, True)
        used(code, "2")
        for answer in (shop.refund(order_id, "r1", amount_minor=99_99), shop.refund(order_id, "r2", amount_minor=1)):
            assert answer.status == 200
        assert not is_free(code)

    def test_a_part_and_then_a_cancellation(self, member_id: str) -> None:
        code = vouchers.single()
        order_id = paid(member_id, code)
        shop.refund(order_id, amount_minor=1_00)
        assert not is_free(code)
        shop.cancel(order_id)
        assert is_free(code)

    def test_by_lines_with_the_last_of_them(self, member_id: str) -> None:
        code = vouchers.single()
        lines = [{"sku": "tea", "amount_minor": 60_00, "quantity": 2}, {"sku": "cup", "amount_minor": 40_00}]
        order_id = paid(member_id, code, lines=lines)
        shop.refund(order_id, "r1", lines=[{"line": 0}])
        assert not is_free(code)
        shop.refund(order_id, "r2", lines=[{"line": 1}])
        assert is_free(code)

    def test_points_that_are_withdrawn_while_pending_leave_the_vouchers(self, member_id: str) -> None:
        code = vouchers.single()
        order_id = paid(member_id, code)
        client.post(f"/v1/orders/{order_id}/pending/cancel", caller=SHOP)
        assert not is_free(code)


class TestDied:
    def test_after_the_refund_a_repetition_completes_it(self, member_id: str) -> None:
        code = vouchers.single()
        order_id = paid(member_id, code)
        with mock.patch("chalicelib.vouchers.undoing.roll_back_all", side_effect=Unavailable("gone", code="busy")):
            assert told(shop.cancel(order_id)) == (503, "busy")
        assert (shop.available(member_id), is_free(code)) == (300, False)
        assert shop.cancel(order_id).status == 200
        assert (shop.available(member_id), is_free(code)) == (300, True)

    def test_a_till_that_rolls_back_at_the_same_moment_is_no_second_time(self, member_id: str) -> None:
        batch_id = vouchers.make()
        vouchers.imported(batch_id, "GIFT-A1", "GIFT-A2")
        order_id = paid(member_id, "GIFT-A1", "GIFT-A2")
        real, racing = undoing._undo, ["GIFT-A1", "GIFT-A2"]

        def raced(*arguments: Any) -> Any:
            if racing:
                assert roll_back(racing.pop()).status in {200, 201}
            return real(*arguments)

        with mock.patch.object(undoing, "_undo", raced):
            assert shop.cancel(order_id).status == 201
        assert vouchers.counts(batch_id)["rolled_back"] == 2
        assert (shop.available(member_id), is_free("GIFT-A1"), is_free("GIFT-A2")) == (300, True, True)

    @pytest.mark.parametrize("fault", FAULTS)
    def test_whatever_fails_on_the_way_each_goes_back_once(self, member_id: str, fault: faults.Fault) -> None:
        batch_id = vouchers.make()
        vouchers.imported(batch_id, "GIFT-A1", "GIFT-A2")
        order_id = paid(member_id, "GIFT-A1", "GIFT-A2")
        self._answered(order_id, fault)
        assert shop.cancel(order_id).status == 200
        assert vouchers.counts(batch_id)["rolled_back"] == 2
        assert (shop.available(member_id), is_free("GIFT-A1"), is_free("GIFT-A2")) == (300, True, True)

    def _answered(self, order_id: str, fault: faults.Fault) -> Response:
        with faults.calls(fault):
            answer = shop.cancel(order_id)
        return answer if answer.status < 500 else shop.cancel(order_id)


class TestNamed:
    def test_a_voucher_must_have_been_redeemed_for_this_very_order(self, member_id: str) -> None:
        named = used(vouchers.single(), "other")
        refused = shop.post_order(member_id=member_id, vouchers=[named])
        assert told(refused) == (404, "voucher_use_not_found")
        assert refused.json["field"] == "vouchers[0].redemption_id"
        assert shop.post_order(member_id=member_id).status == 201, "nothing was kept of the refusal"

    def test_a_voucher_is_named_once(self, member_id: str) -> None:
        named = used(vouchers.single())
        refused = shop.post_order(member_id=member_id, vouchers=[named, named])
        assert (refused.code, refused.json["field"]) == ("voucher_repeated", "vouchers")

    def test_one_that_was_rolled_back_before_the_order_came_does_not_keep_the_order_out(self, member_id: str) -> None:
        code = vouchers.single()
        named = used(code)
        roll_back(code)
        assert shop.post_order(member_id=member_id, vouchers=[named]).status == 201

    def test_an_order_names_its_vouchers_for_ever(self, member_id: str) -> None:
        named = used(vouchers.single())
        first = shop.post_order(member_id=member_id, vouchers=[named])
        assert shop.post_order(member_id=member_id, vouchers=[named]).json == first.json
        assert told(shop.post_order(member_id=member_id)) == (409, "key_reused")
