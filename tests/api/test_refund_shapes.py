"""Refunds that come early, late, in parts, or when everything around the order has changed."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.ledger import chain
from chalicelib.ledger.table import read_page
from chalicelib.program import service as programs
from tests.api import shop
from tests.api.client import client
from tests.api.shop import SHOP
from tests.programs import document, ladder

LINES = [
    {"sku": "tea", "category": "drinks", "quantity": 2, "amount_minor": 60_00},
    {"sku": "cup", "category": "home", "amount_minor": 40_00},
]


@pytest.fixture
def member_id() -> str:
    return shop.enrol()


def publish(**changes: Any) -> None:
    """A version that starts now: as if it had been published when it had to be."""
    programs.publish(document(**changes), by="tests", now=clock.now() - programs.LEAD_S)


class Days:
    """The passing of time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def pass_(self, days: float) -> None:
        at = clock.now() + int(days * clock.DAY_S)
        self._monkeypatch.setattr(clock, "now", lambda: at)


@pytest.fixture
def days(monkeypatch: pytest.MonkeyPatch) -> Days:
    return Days(monkeypatch)


def now_text() -> str:
    return clock.text(clock.now())


def balance(member_id: str) -> tuple[int, int]:
    """What can be spent and what is owed, of a chain that verifies."""
    chain.verify(read_page(member_id, after_seq=None, newest_first=False, limit=100))
    account = shop.account(member_id)
    return account["available"], account["owed"]


def posted(number: str = "1", **fields: Any) -> str:
    answer = shop.post_order(number, **fields)
    assert answer.status == 201, answer.text
    return str(answer.json["order"]["id"])


def test_a_refund_dated_before_its_order_counts_like_any_other(member_id: str) -> None:
    """Tills and web shops do not agree about the time."""
    order_id = posted(member_id=member_id)
    answer = shop.refund(order_id, amount_minor=40_00, occurred_at=shop.moment(1.5))
    assert (answer.status, answer.json["entry"]["points"]) == (201, -40)
    assert balance(member_id) == (160, 0)


class TestAfterThePointsHaveLapsed:
    @pytest.fixture
    def member_id(self) -> str:
        """A member whose welcome points outlive what is earned from now on."""
        member_id = shop.enrol()
        publish(expiry={"kind": "rolling_months", "months": 1}, refund_window_days=90, late_days=365)
        return member_id

    def test_a_refund_within_the_window_costs_the_member_nothing(self, member_id: str, days: Days) -> None:
        order_id = posted(member_id=member_id, occurred_at=now_text())
        days.pass_(70)
        posted("2", member_id=member_id, occurred_at=now_text())
        answer = shop.cancel(order_id, occurred_at=now_text())
        assert (answer.json["refund"]["clawed_points"], answer.json["entry"]["points"]) == (100, 0)
        assert balance(member_id) == (200, 0), "the welcome points and the second order"

    def test_a_refund_after_the_window_is_taken_from_other_points_and_then_owed(
        self, member_id: str, days: Days
    ) -> None:
        order_id = posted(member_id=member_id, occurred_at=now_text())
        days.pass_(92)
        posted("2", member_id=member_id, total_minor=60_00, occurred_at=now_text())
        shop.redeem(member_id, 100)
        shop.cancel(order_id, occurred_at=now_text())
        assert balance(member_id) == (-40, 40)

    def test_the_window_is_that_of_the_orders_version_and_the_refunds_own_time(
        self, member_id: str, days: Days
    ) -> None:
        """It arrives late, and the programme has a shorter window by then: both change nothing."""
        order_id = posted(member_id=member_id, occurred_at=now_text())
        days.pass_(85)
        refunded_at = now_text()
        days.pass_(10)
        publish(refund_window_days=7, late_days=365)
        shop.cancel(order_id, occurred_at=refunded_at)
        assert balance(member_id) == (100, 0)


class TestUnderInactivity:
    @pytest.fixture(autouse=True)
    def inactivity(self) -> None:
        publish(expiry={"kind": "inactivity", "months": 2}, refund_window_days=365, pending_days=0)

    def test_every_purchase_and_redemption_puts_off_the_expiry_of_all_points(self, days: Days) -> None:
        member_id = shop.enrol()
        posted(member_id=member_id, occurred_at=now_text())
        for number in range(3):
            days.pass_(50)
            posted(f"more-{number}", member_id=member_id, occurred_at=now_text())
        assert len(shop.account(member_id)["lots"]) == 1
        days.pass_(50)
        shop.redeem(member_id, 100)
        days.pass_(50)
        assert balance(member_id) == (400, 0)
        days.pass_(50)
        assert balance(member_id) == (0, 0)

    def test_a_refund_finds_its_points_where_activity_has_moved_them(self, days: Days) -> None:
        member_id = shop.enrol()
        order_id = posted(member_id=member_id, occurred_at=now_text())
        days.pass_(50)
        posted("2", member_id=member_id, occurred_at=now_text())
        days.pass_(50)
        assert shop.cancel(order_id, occurred_at=now_text()).json["entry"]["points"] == -100
        assert balance(member_id) == (200, 0)

    def test_a_refund_after_they_have_lapsed_leaves_no_debt(self, days: Days) -> None:
        member_id = shop.enrol()
        order_id = posted(member_id=member_id, occurred_at=now_text())
        days.pass_(50)
        posted("2", member_id=member_id, occurred_at=now_text())
        days.pass_(100)
        posted("3", member_id=member_id, occurred_at=now_text())
        assert balance(member_id) == (100, 0)
        assert shop.cancel(order_id, occurred_at=now_text()).json["refund"]["clawed_points"] == 100
        assert balance(member_id) == (100, 0)

    def test_committing_a_hold_is_activity_and_letting_it_lapse_is_not(self, days: Days) -> None:
        active, idle = shop.enrol("a"), shop.enrol("b", mail="idle@example.com")
        held = {}
        for member_id in (active, idle):
            posted(f"of {member_id}", member_id=member_id, occurred_at=now_text())
        days.pass_(50)
        for member_id in (active, idle):
            held[member_id] = shop.redeem(member_id, 100, hold_seconds=600).json["redemption"]["id"]
        assert client.post(f"/v1/redemptions/{held[active]}/commit", caller=SHOP).status == 200
        days.pass_(50)
        assert (balance(active), balance(idle)) == ((100, 0), (0, 0))


def test_a_free_order_is_cancelled_once_and_counts_as_a_purchase_no_more(member_id: str) -> None:
    order_id = posted(member_id=member_id, total_minor=0)
    first, again = shop.cancel(order_id), shop.cancel(order_id)
    assert (first.status, first.json["refund"]["amount_minor"], again.json) == (201, 0, first.json)
    entries = read_page(member_id, after_seq=None, newest_first=True, limit=1)
    assert entries[0].state.purchases.count == 0
    assert shop.refund(order_id, amount_minor=1).code == "refund_exceeds_order"
    assert balance(member_id) == (100, 0)


def test_refunds_by_line_by_amount_and_the_cancellation_add_up(member_id: str) -> None:
    order_id = posted(member_id=member_id, lines=LINES)
    clawed = [
        shop.refund(order_id, "line", lines=[{"line": 0, "quantity": 1}]).json["refund"]["clawed_points"],
        shop.refund(order_id, "amount", amount_minor=33_33).json["refund"]["clawed_points"],
        shop.cancel(order_id).json["refund"]["clawed_points"],
    ]
    assert clawed == [30, 33, 37]
    read = client.get(f"/v1/orders/{order_id}", caller=SHOP).json
    assert (read["status"], read["refunded_minor"], read["clawed_points"]) == ("cancelled", 100_00, 100)
    assert balance(member_id) == (100, 0)


def test_a_refund_takes_back_what_was_earned_though_the_tier_has_fallen(member_id: str) -> None:
    big = posted("big", member_id=member_id, total_minor=2_500_00)
    order_id = posted(member_id=member_id)
    assert shop.account(member_id)["tier"]["code"] == "silver"
    shop.cancel(big)
    assert shop.account(member_id)["tier"]["code"] == "member"
    assert shop.cancel(order_id).json["refund"]["clawed_points"] == 120
    assert balance(member_id) == (100, 0)


def test_a_refund_takes_back_what_was_recorded_two_versions_ago(member_id: str, days: Days) -> None:
    publish(currencies={"CNY": {"points": 3, "per_minor": 100}})
    order_id = posted(member_id=member_id, occurred_at=now_text())
    for points, code in ((1, "basic"), (7, "other")):
        days.pass_(1)
        tiers = ladder(**{code: 0, "silver": 10, "gold": 20})
        tiers[0]["replaces"] = ["member", "basic"][: 1 if code == "basic" else 2]
        tiers[2]["replaces"] = ["diamond"]
        publish(currencies={"CNY": {"points": points, "per_minor": 100}}, tiers=tiers, expiry={"kind": "never"})
    days.pass_(1)
    assert shop.post_order("2", member_id=member_id, occurred_at=now_text()).json["order"]["earned_points"] == 700
    shop.refund(order_id, amount_minor=50_00, occurred_at=now_text())
    assert balance(member_id) == (100 + 300 + 700 - 150, 0)
    shop.cancel(order_id, occurred_at=now_text())
    read = client.get(f"/v1/orders/{order_id}", caller=SHOP).json
    assert (read["earned_points"], read["clawed_points"]) == (300, 300)
    assert balance(member_id) == (100 + 700, 0)
