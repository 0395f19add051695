"""What a voucher takes off an order: exact, floored once, never more than there is."""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import clock
from chalicelib.base.errors import Invalid
from chalicelib.vouchers import document, rules
from chalicelib.vouchers.document import Batch
from chalicelib.vouchers.rules import Item, Sketch, VoucherRefused, Worth

TEXTS = {"en": "a", "zh-Hans": "b", "zh-Hant": "c"}
ZONE = ZoneInfo("Asia/Shanghai")


def batch(effect: dict[str, Any], **fields: Any) -> Batch:
    return document.read({"title": TEXTS, "kind": "single", "effect": effect, **fields})


def percentage(percent: str, **fields: Any) -> dict[str, Any]:
    return {"type": "percentage", "percent": percent, **fields}


def amount(**by_currency: int) -> dict[str, Any]:
    return {"type": "amount", "amount_minor": by_currency}


def sketch(total: int, *items: tuple[str, str, int], **fields: Any) -> Sketch:
    return Sketch(
        currency=fields.pop("currency", "CNY"), total_minor=total, items=tuple(Item(*i) for i in items), **fields
    )


def refusal(voucher: Batch, order: Sketch) -> str:
    with pytest.raises(VoucherRefused) as caught:
        rules.worth(voucher, order)
    return caught.value.reason_code


class TestMoney:
    @given(st.integers(1, 10**12), st.integers(1, 10_000))
    def test_a_percentage_is_floored_once_and_exact(self, total: int, hundredths: int) -> None:
        percent = f"{hundredths // 100}.{hundredths % 100:02d}"
        expected = (total * Fraction(hundredths, 10_000)).__floor__()
        if expected:
            assert rules.worth(batch(percentage(percent)), sketch(total)) == Worth(discount_minor=expected)
        else:
            assert refusal(batch(percentage(percent)), sketch(total)) == "no_eligible_items"

    def test_a_rate_that_a_float_would_get_wrong(self) -> None:
        # 0.29 * 100 is 28.999999999999996 in floats.
        assert rules.worth(batch(percentage("29")), sketch(100)).discount_minor == 29

    def test_a_percentage_stops_at_its_maximum_in_the_order_s_currency(self) -> None:
        voucher = batch(percentage("50", max_minor={"CNY": 3_000}))
        assert rules.worth(voucher, sketch(10_000)).discount_minor == 3_000
        assert rules.worth(voucher, sketch(10_000, currency="USD")).discount_minor == 5_000

    def test_an_amount_is_never_more_than_the_goods_cost(self) -> None:
        voucher = batch(amount(CNY=5_000))
        assert rules.worth(voucher, sketch(12_000)).discount_minor == 5_000
        assert rules.worth(voucher, sketch(3_800, shipping_minor=800)).discount_minor == 3_000

    def test_a_yen_has_no_smaller_unit(self) -> None:
        assert rules.worth(batch(percentage("15")), sketch(333, currency="JPY")).discount_minor == 49

    def test_an_amount_is_good_in_its_own_currencies_only(self) -> None:
        assert refusal(batch(amount(CNY=500)), sketch(1000, currency="JPY")) == "voucher_currency"

    def test_other_vouchers_leave_less_to_take_off(self) -> None:
        voucher = batch(amount(CNY=5_000))
        assert rules.worth(voucher, sketch(6_000, taken_minor=2_000)).discount_minor == 4_000
        assert refusal(voucher, sketch(6_000, taken_minor=6_000)) == "no_eligible_items"

    @given(
        st.lists(st.integers(0, 10**9), min_size=1, max_size=30),
        st.integers(1, 10**10),
        st.integers(0, 10**9),
    )
    def test_lines_share_the_discount_and_none_takes_more_than_it_costs(
        self, amounts: list[int], value: int, shipping: int
    ) -> None:
        goods = sum(amounts)
        items = [(f"sku-{n}", "drinks", cost) for n, cost in enumerate(amounts)]
        order = sketch(goods + shipping, *items, shipping_minor=shipping)
        if not goods:
            assert refusal(batch(amount(CNY=value)), order) == "no_eligible_items"
            return
        found = rules.worth(batch(amount(CNY=value)), order)
        assert found.discount_minor == min(value, goods) == sum(found.item_discounts_minor)
        assert all(0 <= part <= cost for part, cost in zip(found.item_discounts_minor, amounts, strict=True))


class TestItems:
    ITEMS = (("tea", "drinks", 6_000), ("cup", "home", 4_000), ("rum", "alcohol", 5_000))

    def worth(self, **items: Any) -> Worth:
        return rules.worth(batch(percentage("10"), items=items), sketch(15_000, *self.ITEMS))

    def test_only_the_lines_that_are_meant_count(self) -> None:
        assert self.worth(categories=["drinks"]).item_discounts_minor == (600, 0, 0)
        assert self.worth(skus=["cup"], categories=["drinks"]).discount_minor == 1_000
        assert self.worth(excluded_categories=["alcohol"]).item_discounts_minor == (600, 400, 0)
        assert self.worth(categories=["drinks", "home"], excluded_skus=["cup"]).discount_minor == 600

    def test_nothing_that_counts_is_refused(self) -> None:
        voucher = batch(percentage("10"), items={"skus": ["coffee"]})
        assert refusal(voucher, sketch(15_000, *self.ITEMS)) == "no_eligible_items"
        assert refusal(voucher, sketch(15_000)) == "no_eligible_items"

    def test_a_gift_needs_something_that_counts_too(self) -> None:
        voucher = batch({"type": "gift", "sku": "spoon", "quantity": 2}, items={"skus": ["tea"]})
        assert rules.worth(voucher, sketch(6_000, ("tea", "", 6_000))) == Worth(gift=("spoon", 2))
        assert refusal(voucher, sketch(6_000, ("cup", "", 6_000))) == "no_eligible_items"


class TestOther:
    def test_free_shipping_takes_the_shipping_and_no_more(self) -> None:
        assert rules.worth(batch({"type": "free_shipping"}), sketch(5_800, shipping_minor=800)).discount_minor == 800
        capped = batch({"type": "free_shipping", "max_minor": {"CNY": 500}})
        assert rules.worth(capped, sketch(5_800, shipping_minor=800)).discount_minor == 500
        assert refusal(batch({"type": "free_shipping"}), sketch(5_000)) == "no_eligible_items"

    def test_points_need_no_amount(self) -> None:
        assert rules.worth(batch({"type": "points", "points": 300}), sketch(0)) == Worth(points=300)

    def test_the_minimum_is_of_the_goods_without_shipping(self) -> None:
        voucher = batch(percentage("10"), minimum_minor={"CNY": 10_000})
        assert rules.worth(voucher, sketch(10_800, shipping_minor=800)).discount_minor == 1_000
        assert refusal(voucher, sketch(10_799, shipping_minor=800)) == "below_minimum"
        assert refusal(voucher, sketch(99_999, currency="USD")) == "voucher_currency"

    @pytest.mark.parametrize(
        "order",
        [sketch(100, ("a", "", 101)), sketch(100, shipping_minor=101), sketch(100, ("a", "", 60), shipping_minor=41)],
    )
    def test_parts_that_exceed_the_whole_are_refused(self, order: Sketch) -> None:
        with pytest.raises(Invalid) as caught:
            rules.worth(batch(percentage("10")), order)
        assert caught.value.reason_code == "amounts_do_not_add_up"


class TestDates:
    def test_a_window_is_judged_to_the_second(self) -> None:
        voucher = batch(
            percentage("10"),
            validity={"starts_at": "2026-12-01T00:00:00+08:00", "ends_at": "2026-12-24T00:00:00+08:00"},
        )
        start, end = clock.parse("2026-11-30T16:00:00Z"), clock.parse("2026-12-23T16:00:00Z")
        rules.check_dates(voucher, voucher.ends_at(start, ZONE), start)
        rules.check_dates(voucher, voucher.ends_at(start, ZONE), end - 1)
        for now, code in ((start - 1, "voucher_not_started"), (end, "voucher_expired")):
            with pytest.raises(VoucherRefused) as caught:
                rules.check_dates(voucher, voucher.ends_at(start, ZONE), now)
            assert caught.value.reason_code == code

    def test_days_after_issue_end_with_the_day_in_the_batch_s_zone(self) -> None:
        voucher = batch(percentage("10"), validity={"days_after_issue": 7})
        issued = clock.parse("2026-11-21T15:30:00Z")  # 23:30 in Shanghai
        assert clock.text(voucher.ends_at(issued, ZONE) or 0) == "2026-11-28T16:00:00Z"
        assert clock.text(voucher.ends_at(issued, ZoneInfo("UTC")) or 0) == "2026-11-29T00:00:00Z"

    def test_of_two_ends_the_earlier_counts(self) -> None:
        voucher = batch(percentage("10"), validity={"days_after_issue": 7, "ends_at": "2026-11-25T00:00:00Z"})
        assert clock.text(voucher.ends_at(clock.parse("2026-11-21T00:00:00Z"), ZONE) or 0) == "2026-11-25T00:00:00Z"

    def test_without_an_end_it_lasts(self) -> None:
        assert batch(percentage("10")).ends_at(0, ZONE) is None


class TestDocument:
    @pytest.mark.parametrize(
        "fields",
        [
            {"effect": percentage("0")},
            {"effect": percentage("100.1")},
            {"effect": percentage("ten")},
            {"effect": amount()},
            {"effect": amount(CNY=0)},
            {"effect": {"type": "points", "points": 0}},
            {"effect": {"type": "free_beer"}},
            {"code": "SUMMER"},
            {"kind": "shared", "owner": "member"},
            {"validity": {"starts_at": "2026-12-02T00:00:00Z", "ends_at": "2026-12-02T00:00:00Z"}},
            {"validity": {"time_zone": "Mars/Olympus"}},
            {"limits": {"total": 0}},
            {"colour": "red"},
        ],
    )
    def test_a_batch_that_contradicts_itself_is_refused(self, fields: dict[str, Any]) -> None:
        with pytest.raises(Invalid) as caught:
            document.read({"title": TEXTS, "kind": "single", "effect": percentage("10"), **fields})
        assert caught.value.reason_code == "batch_invalid"

    def test_a_stored_batch_is_read_as_it_was_meant(self) -> None:
        found = batch(
            percentage("12.5"), items={"skus": ["tea"]}, limits={"total": 5}, validity={"days_after_issue": 3}
        )
        assert document.decode(document.encode(found)) == found
