"""Taking rewards: points, stock, limits and record go together, and come back together."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from tests.api import shop
from tests.api.client import Response, client, member
from tests.api.shop import PHONE, SHOP
from tests.rewards import act, offer, publish, reward, stock, take

PRICES = [
    {"points": 500},
    {"points": 200, "cash_minor": {"CNY": 30_00}},
    {"points": 0, "cash_minor": {"CNY": 50_00}},
]
STOCKED: dict[str, Any] = {"stock": {"total": 3, "shards": 2}}


@pytest.fixture
def member_id() -> str:
    """A member with 600 points."""
    found = shop.enrol()
    shop.post_order("earned", member_id=found, total_minor=500_00)
    return found


def redeemed(answer: Response) -> Any:
    assert answer.status == 201, answer.text
    return answer.json["redemption"]


def set_clock(monkeypatch: pytest.MonkeyPatch, ahead_s: int) -> None:
    later = clock.now() + ahead_s
    monkeypatch.setattr(clock, "now", lambda: later)


class TestAReward:
    def test_takes_points_and_a_piece_of_the_stock_together(self, member_id: str) -> None:
        publish(reward(**STOCKED))
        taken = redeemed(take(member_id, quantity=1))
        assert (taken["status"], taken["points"], taken["reward"]["quantity"]) == ("issued", 100, 1)
        assert (taken["amount_minor"], taken["currency"]) == (0, None)
        assert (shop.available(member_id), stock()) == (500, (3, 1, 2))

    def test_is_taken_once_for_its_key_though_sold_out_since(self, member_id: str) -> None:
        publish(reward(stock={"total": 1}))
        first, again = take(member_id, key="k"), take(member_id, key="k")
        assert (first.status, again.status, again.json) == (201, 200, first.json)
        changed = take(member_id, key="k", quantity=2)
        assert (changed.status, changed.code) == (409, "key_reused")
        assert (shop.available(member_id), stock()) == (500, (1, 1, 0))

    def test_is_sold_out_only_when_no_shard_covers_it(self, member_id: str) -> None:
        publish(reward(points=10, **STOCKED))
        for _piece in range(3):
            redeemed(take(member_id))
        refused = take(member_id)
        assert (refused.status, refused.code) == (409, "sold_out")
        assert (shop.available(member_id), stock()) == (570, (3, 3, 0))

    def test_without_enough_points_leaves_the_stock_alone(self, member_id: str) -> None:
        publish(reward(points=601, **STOCKED))
        assert take(member_id).code == "insufficient_points"
        assert stock() == (3, 0, 3)

    def test_that_nobody_offers_is_not_found(self, member_id: str) -> None:
        publish(reward())
        answer = take(member_id, "unknown")
        assert (answer.status, answer.code) == (404, "reward_not_found")

    def test_is_priced_by_the_catalogue_and_not_by_who_asks(self, member_id: str) -> None:
        publish(reward())
        answer = take(member_id, points=1)
        assert (answer.status, answer.json["field"]) == (400, "points")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "points"),
            ({"points": 100}, "currency"),
            ({"points": 100, "currency": "CNY", "quantity": 2}, "reward_id"),
            ({"reward_id": "mug", "quantity": 0}, "quantity"),
            ({"reward_id": "mug", "quantity": 1.5}, "quantity"),
        ],
    )
    def test_or_a_discount_is_asked_for_in_full(self, member_id: str, body: dict[str, Any], field: str) -> None:
        publish(reward())
        answer = client.post(f"/v1/members/{member_id}/redemptions", json=body, caller=SHOP, key="a")
        assert (answer.status, answer.json["field"]) == (400, field)
        assert shop.available(member_id) == 600

    def test_that_is_worth_money_pays_an_order(self, member_id: str) -> None:
        publish(reward("card", 500, kind="gift_card", worth_minor={"CNY": 20_00}))
        card = redeemed(take(member_id, "card"))
        assert (card["amount_minor"], card["currency"]) == (20_00, "CNY")
        paid = [
            {"type": "points", "amount_minor": 20_00, "redemption_id": card["id"]},
            {"type": "card", "amount_minor": 80_00},
        ]
        assert shop.post_order("paid", member_id=member_id, payments=paid).status == 201
        assert client.get(f"/v1/redemptions/{card['id']}", caller=SHOP).json["status"] == "used"

    def test_that_is_worth_no_money_pays_none(self, member_id: str) -> None:
        publish(reward())
        mug = redeemed(take(member_id))
        paid = [{"type": "points", "amount_minor": 100_00, "redemption_id": mug["id"]}]
        assert shop.post_order("paid", member_id=member_id, payments=paid).code == "redemption_not_fitting"

    def test_is_free_for_a_tier(self) -> None:
        publish(reward(free_for=["member"], **STOCKED))
        newcomer = shop.enrol()
        assert redeemed(take(newcomer))["points"] == 0
        assert shop.available(newcomer) == 100

    def test_in_several_pieces_is_taken_from_one_shard(self, member_id: str) -> None:
        publish(reward(points=10, stock={"total": 4, "shards": 2}))
        assert take(member_id, quantity=3).code == "sold_out"
        redeemed(take(member_id, quantity=2))
        redeemed(take(member_id, quantity=2))
        assert (shop.available(member_id), stock()) == (560, (4, 4, 0))


class TestPointsAndCash:
    def test_the_money_chooses_the_price(self, member_id: str) -> None:
        publish(reward(prices=PRICES))
        assert redeemed(take(member_id, cash_minor=60_00, currency="CNY", quantity=2))["points"] == 400
        assert redeemed(take(member_id, cash_minor=50_00, currency="CNY"))["points"] == 0
        for wrong in (
            {"cash_minor": 1, "currency": "CNY"},
            {"cash_minor": 30_00},
            {"cash_minor": 3, "currency": "USD"},
        ):
            answer = take(member_id, **wrong)
            assert (answer.status, answer.code) == (409, "price_not_offered")
        assert shop.available(member_id) == 200

    def test_a_person_reserves_and_only_the_shop_says_that_it_was_paid(self, member_id: str) -> None:
        publish(reward(prices=PRICES))
        person = member(phone=PHONE)
        client.post("/v1/members", json={}, caller=person)
        at_once = take("me", cash_minor=30_00, currency="CNY", caller=person)
        assert (at_once.status, at_once.code) == (403, "cash_unconfirmed")
        held = redeemed(take("me", cash_minor=30_00, currency="CNY", hold_seconds=600, caller=person))
        assert act(held["id"], "commit", caller=person).code == "cash_unconfirmed"
        done = act(held["id"], "commit").json["redemption"]
        assert (done["status"], done["reward"]["cash_minor"]) == ("issued", 30_00)
        assert shop.available(member_id) == 400


class TestALimit:
    def test_is_counted_in_pieces_in_each_period(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        publish(reward(points=10, limits=[{"per": "day", "pieces": 2}, {"per": "ever", "pieces": 3}]))
        redeemed(take(member_id, quantity=2))
        refused = take(member_id)
        assert (refused.status, refused.code) == (409, "limit_reached")
        set_clock(monkeypatch, clock.DAY_S)
        redeemed(take(member_id))
        set_clock(monkeypatch, clock.DAY_S)
        assert take(member_id).code == "limit_reached"

    def test_is_given_back_by_a_cancellation_once(self, member_id: str) -> None:
        publish(reward(limits=[{"per": "ever", "pieces": 1}]))
        first = redeemed(take(member_id))
        assert take(member_id).code == "limit_reached"
        assert [act(first["id"], "cancel").status for _twice in range(2)] == [200, 200]
        redeemed(take(member_id))
        assert take(member_id).code == "limit_reached"

    def test_is_used_by_a_hold_while_it_lasts(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        publish(reward(limits=[{"per": "ever", "pieces": 1}]))
        redeemed(take(member_id, hold_seconds=600))
        assert take(member_id).code == "limit_reached"
        set_clock(monkeypatch, 600)
        held = redeemed(take(member_id, hold_seconds=600))
        act(held["id"], "commit")
        set_clock(monkeypatch, 1200)
        assert take(member_id).code == "limit_reached"

    def test_of_a_released_hold_is_free_again(self, member_id: str) -> None:
        publish(reward(limits=[{"per": "ever", "pieces": 1}]))
        held = redeemed(take(member_id, hold_seconds=600))
        act(held["id"], "release")
        redeemed(take(member_id))

    def test_of_all_members_a_day_is_exact(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        publish(reward(points=10, daily={"total": 2}, stock={"total": 10}))
        other = shop.enrol("other", phone="+8613900139000")
        first = redeemed(take(member_id))
        redeemed(take(other))
        refused = take(member_id)
        assert (refused.status, refused.code) == (409, "sold_out_today")
        assert offer(member_id)["reason"] == "sold_out_today"
        act(first["id"], "cancel")
        redeemed(take(member_id))
        assert take(other).code == "sold_out_today"
        set_clock(monkeypatch, clock.DAY_S)
        redeemed(take(other))
        assert stock() == (10, 3, 7)


class TestAHoldOfAReward:
    def test_keeps_its_piece_until_it_is_committed(self, member_id: str) -> None:
        publish(reward(stock={"total": 1}))
        held = redeemed(take(member_id, hold_seconds=600))
        assert (held["status"], stock(), take(member_id).code) == ("held", (1, 1, 0), "sold_out")
        first, again = act(held["id"], "commit"), act(held["id"], "commit")
        assert (first.status, first.json["redemption"]["status"], again.json) == (200, "issued", first.json)
        assert (shop.available(member_id), stock(), take(member_id).code) == (500, (1, 1, 0), "sold_out")

    def test_gives_its_piece_back_when_it_is_released(self, member_id: str) -> None:
        publish(reward(stock={"total": 1}))
        held = redeemed(take(member_id, hold_seconds=600))
        assert [act(held["id"], "release").status for _twice in range(2)] == [200, 200]
        assert (shop.available(member_id), stock()) == (600, (1, 0, 1))
        assert act(held["id"], "commit").code == "redemption_not_open"
        redeemed(take(member_id))

    def test_that_lapsed_is_on_sale_again_and_sold_once(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        publish(reward(stock={"total": 1}))
        held = redeemed(take(member_id, hold_seconds=60))
        assert offer(member_id)["reason"] == "sold_out"
        set_clock(monkeypatch, 120)
        assert offer(member_id)["available"]
        assert client.get("/v1/rewards/mug", caller=SHOP).json["left"] == 1
        assert act(held["id"], "commit").code == "redemption_not_open"
        redeemed(take(member_id))
        assert (take(member_id).code, act(held["id"], "release").code) == ("sold_out", "redemption_not_open")
        assert (shop.available(member_id), stock()) == (500, (1, 1, 0))

    def test_committed_by_a_clock_that_is_late_does_not_oversell(
        self, member_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish(reward(stock={"total": 1}))
        other = shop.enrol("other", phone="+8613900139000")
        began = clock.now()
        held = redeemed(take(member_id, hold_seconds=60))
        monkeypatch.setattr(clock, "now", lambda: began + 120)
        redeemed(take(other, key="other"))
        monkeypatch.setattr(clock, "now", lambda: began + 1)
        refused = act(held["id"], "commit")
        assert (refused.status, refused.code) == (409, "hold_over")
        assert (stock(), shop.available(other)) == ((1, 1, 0), 0)

    def test_is_cancelled_after_the_commit_with_its_piece(self, member_id: str) -> None:
        publish(reward(stock={"total": 1}))
        held = redeemed(take(member_id, hold_seconds=600))
        act(held["id"], "commit")
        assert act(held["id"], "cancel").status == 200
        assert (shop.available(member_id), stock()) == (600, (1, 0, 1))


class TestACancellation:
    def test_puts_back_lots_and_stock_once(self, member_id: str) -> None:
        publish(reward(**STOCKED))
        before = shop.account(member_id)["lots"]
        taken = redeemed(take(member_id))
        first, again = act(taken["id"], "cancel"), act(taken["id"], "cancel")
        assert (first.status, again.json) == (200, first.json)
        assert (shop.account(member_id)["lots"], stock()) == (before, (3, 0, 3))

    def test_works_when_reward_and_stock_have_left_the_catalogue(
        self, member_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish(reward(**STOCKED), reward("other"))
        taken = redeemed(take(member_id))
        publish(reward("other"))
        set_clock(monkeypatch, 700)
        assert take(member_id).code == "reward_not_found"
        read = client.get(f"/v1/redemptions/{taken['id']}", caller=SHOP).json
        assert read["reward"]["title"] == "mug"
        assert act(taken["id"], "cancel").json["redemption"]["status"] == "cancelled"
        assert (shop.available(member_id), stock()) == (600, (3, 0, 3))

    def test_works_when_the_stock_was_raised(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        publish(reward(**STOCKED))
        taken = redeemed(take(member_id))
        publish(reward(stock={"total": 5, "shards": 2}))
        set_clock(monkeypatch, 700)
        act(taken["id"], "cancel")
        assert stock() == (5, 0, 5)


class TestFulfilment:
    def test_goes_from_issued_over_shipped_to_used(self, member_id: str) -> None:
        publish(reward(fulfilment="ship"))
        taken = redeemed(take(member_id))
        shipped = act(taken["id"], "ship", tracking="SF123")
        assert (shipped.status, shipped.json["redemption"]["status"]) == (200, "shipped")
        assert act(taken["id"], "ship", tracking="SF123").json == shipped.json
        assert act(taken["id"], "ship", tracking="other").code == "redemption_not_open"
        used = act(taken["id"], "use", store="shanghai-1").json["redemption"]
        assert [(step["kind"], step["tracking"], step["store"], step["by"]) for step in used["history"]] == [
            ("redeemed", None, None, "system"),
            ("shipped", "SF123", None, "system"),
            ("used", None, "shanghai-1", "system"),
        ]
        assert act(taken["id"], "ship").code == "redemption_not_open"

    def test_is_used_once_whichever_till_asks(self, member_id: str) -> None:
        publish(reward())
        taken = redeemed(take(member_id))
        first, again = act(taken["id"], "use", store="a"), act(taken["id"], "use", store="a")
        assert (first.status, again.status, again.json) == (200, 200, first.json)
        elsewhere = act(taken["id"], "use", store="b")
        assert (elsewhere.status, elsewhere.code) == (409, "redemption_not_open")

    def test_is_no_affair_of_the_member(self, member_id: str) -> None:
        publish(reward(fulfilment="ship"))
        person = member(phone=PHONE)
        client.post("/v1/members", json={}, caller=person)
        taken = redeemed(take("me", caller=person))
        for verb in ("ship", "use"):
            answer = act(taken["id"], verb, caller=person)
            assert (answer.status, answer.code) == (403, "caller_not_allowed")
        act(taken["id"], "ship")
        assert act(taken["id"], "cancel", caller=person).code == "redemption_not_open"
        assert act(taken["id"], "cancel").status == 200
        assert shop.available(member_id) == 600

    def test_is_only_of_the_kind_that_the_reward_has(self, member_id: str) -> None:
        publish(reward(), reward("gift", kind="charity", fulfilment="none"))
        mug, gift = redeemed(take(member_id)), redeemed(take(member_id, "gift"))
        assert act(mug["id"], "ship").code == "not_fulfilled_so"
        assert act(gift["id"], "use").code == "not_fulfilled_so"

    def test_of_what_is_cancelled_or_only_held_is_refused(self, member_id: str) -> None:
        publish(reward())
        held, taken = redeemed(take(member_id, hold_seconds=600)), redeemed(take(member_id))
        act(taken["id"], "cancel")
        for redemption in (held, taken):
            assert act(redemption["id"], "use").code == "redemption_not_open"

    def test_used_at_a_till_pays_no_order(self, member_id: str) -> None:
        redemption = shop.redeem(member_id, 100).json["redemption"]
        assert act(redemption["id"], "use", store="a").status == 200
        paid = [{"type": "points", "amount_minor": 1_00, "redemption_id": redemption["id"]}]
        paid.append({"type": "card", "amount_minor": 99_00})
        assert shop.post_order("paid", member_id=member_id, payments=paid).code == "redemption_not_open"
