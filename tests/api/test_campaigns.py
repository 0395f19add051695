"""Campaigns in live posting: budgets are exact, every rule explains itself, and a refund gives everything back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.base import clock
from chalicelib.counters.table import read_shards
from chalicelib.ledger.table import read_tail
from chalicelib.members.table import set_segments
from chalicelib.orders import claims, intake
from chalicelib.orders.schema import Message
from chalicelib.program import service as programs
from chalicelib.program.budgets import counter_name
from tests.api import shop
from tests.api.client import Response, client
from tests.api.shop import PHONE, SHOP
from tests.campaigns import bonus, budget, campaign, publish

LIMITS = [{"per": "day", "times": 1}]


@pytest.fixture
def member_id() -> str:
    return shop.enrol()


def limits_of(member_id: str) -> list[tuple[int, int]]:
    tail = read_tail(member_id, consistent=True)
    assert tail
    return [(limit.count, limit.points) for limit in tail.state.limits]


def explained(answer: Response, rule: str) -> Any:
    return next(item for item in answer.json["order"]["explanations"] if item["rule"] == rule)


def by_name(number: str) -> Any:
    return client.get(f"/v1/orders?source=shop&order_id={number}", caller=SHOP).json


class TestAnOrder:
    def test_takes_what_a_campaign_gives_from_both_its_budgets(self, member_id: str) -> None:
        publish(campaign(budget={"points": 1000, "awards": 10, "shards": 2}))
        answer = shop.post_order(member_id=member_id)
        assert answer.json["entry"]["points"] == 150
        assert (budget(), budget(unit="awards")) == ((1000, 50, 950), (10, 1, 9))

    def test_says_of_every_rule_whether_it_fired_and_why(self, member_id: str) -> None:
        publish(campaign(), campaign("gold_only", audience={"tiers": ["gold"]}))
        answer = shop.post_order(member_id=member_id)
        told = answer.json["order"]["explanations"]
        assert sum(item["points"] for item in told) == answer.json["order"]["earned_points"] == 150
        assert explained(answer, "spring_gift") == {
            "rule": "spring_gift",
            "campaign": "spring",
            "fired": True,
            "reason": explained(answer, "spring_gift")["reason"],
            "points": 50,
            "cut_points": 0,
            "cut_by": None,
            "voucher_id": None,
        }
        assert explained(answer, "gold_only_gift")["reason"] == "not_in_audience"
        assert not explained(answer, "gold_only_gift")["fired"]
        assert client.get(f"/v1/orders/{answer.json['order']['id']}", caller=SHOP).json["explanations"] == told

    def test_without_enough_left_earns_without_the_campaign_and_says_so(self, member_id: str) -> None:
        publish(campaign(budget={"points": 90, "shards": 1}))
        first, second = shop.post_order("1", member_id=member_id), shop.post_order("2", member_id=member_id)
        assert (first.json["entry"]["points"], second.json["entry"]["points"]) == (150, 100)
        assert explained(second, "spring_gift")["reason"] == "budget_exhausted"
        assert budget() == (90, 50, 40)

    def test_finds_the_last_shard_that_covers_it(self, member_id: str) -> None:
        publish(campaign(budget={"awards": 3, "shards": 3}))
        points = [shop.post_order(str(n), member_id=member_id).json["entry"]["points"] for n in range(5)]
        assert sorted(points) == [100, 100, 150, 150, 150]
        assert budget(unit="awards") == (3, 3, 0)

    def test_may_take_from_several_campaigns_and_lose_any_of_them(self, member_id: str) -> None:
        publish(
            campaign("a", 10, budget={"points": 10, "shards": 1}),
            campaign("b", 20, budget={"awards": 2, "shards": 1}),
            campaign("c", 30, budget={"points": 100, "awards": 1, "shards": 1}),
        )
        points = [shop.post_order(str(n), member_id=member_id).json["entry"]["points"] for n in range(3)]
        assert points == [160, 120, 100]
        assert budget("a") == (10, 10, 0)
        assert budget("b", "awards") == (2, 2, 0)
        assert (budget("c"), budget("c", "awards")) == ((100, 30, 70), (1, 1, 0))

    def test_replayed_after_the_budget_is_gone_is_answered_as_at_first(self, member_id: str) -> None:
        publish(campaign(budget={"awards": 1, "shards": 1}))
        first = shop.post_order("1", member_id=member_id)
        shop.post_order("2", member_id=member_id)
        publish(campaign(status="paused", budget={"awards": 1, "shards": 1}), welcome_points=7)
        again = shop.post_order("1", member_id=member_id)
        assert (again.status, again.json) == (200, first.json)
        assert budget(unit="awards") == (1, 1, 0)

    def test_of_another_body_is_refused_and_takes_nothing(self, member_id: str) -> None:
        publish(campaign(budget={"awards": 5, "shards": 1}))
        shop.post_order("1", member_id=member_id)
        answer = shop.post_order("1", member_id=member_id, total_minor=7)
        assert answer.code == "key_reused"
        assert budget(unit="awards") == (5, 1, 4)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"currency": "XXX"},
            {"tax_minor": 200_00},
            {"payments": [{"type": "points", "amount_minor": 100_00, "redemption_id": "red_" + "a" * 26}]},
            {"member_id": "mem_" + "a" * 26},
        ],
    )
    def test_that_is_refused_takes_nothing(self, member_id: str, wrong: dict[str, Any]) -> None:
        publish(campaign(budget={"awards": 5, "shards": 1}))
        assert shop.post_order(**{"member_id": member_id, **wrong}).status in {400, 404, 422}
        assert budget(unit="awards") == (5, 0, 5)

    def test_before_the_campaign_began_takes_nothing(self, member_id: str) -> None:
        starts_at = clock.text(clock.now() - 3600)[:16]
        publish(campaign(starts_at=starts_at, budget={"awards": 5, "shards": 1}), time_zone="UTC")
        assert shop.post_order(member_id=member_id).json["entry"]["points"] == 100
        assert budget(unit="awards") == (5, 0, 5)

    def test_by_the_queue_goes_the_same_way(self, member_id: str) -> None:
        publish(campaign(budget={"points": 100, "shards": 1}))
        message = {"type": "order", "order": shop.order("q", member_id=member_id)}
        intake.take(msgspec.convert(message, Message), now=clock.now())
        assert by_name("q")["earned_points"] == 150
        assert budget() == (100, 50, 50)


class TestARefund:
    def test_gives_a_budget_its_share_and_everything_with_the_last_part(self, member_id: str) -> None:
        publish(campaign(points=25, budget={"points": 100, "awards": 4, "shards": 2}))
        order_id = shop.post_order(member_id=member_id).json["order"]["id"]
        shop.refund(order_id, "r1", amount_minor=33_33)
        assert (budget()[1], budget(unit="awards")[1]) == (17, 1)
        shop.refund(order_id, "r2", amount_minor=33_33)
        assert (budget()[1], budget(unit="awards")[1]) == (9, 1)
        shop.refund(order_id, "r3", amount_minor=33_34)
        assert (budget(), budget(unit="awards")) == ((100, 0, 100), (4, 0, 4))

    def test_sent_again_gives_back_once(self, member_id: str) -> None:
        publish(campaign(budget={"points": 100, "shards": 1}))
        order_id = shop.post_order(member_id=member_id).json["order"]["id"]
        for _time in range(2):
            shop.refund(order_id, amount_minor=50_00)
        assert budget() == (100, 25, 75)

    def test_gives_back_after_the_campaign_ended_and_its_rule_and_itself_went(self, member_id: str) -> None:
        spring = campaign(budget={"points": 100, "shards": 1})
        publish(spring, now=clock.now() - 3 * programs.LEAD_S)
        first = shop.post_order("1", member_id=member_id).json["order"]["id"]
        second = shop.post_order("2", member_id=member_id).json["order"]["id"]
        publish(spring | {"ends_at": "2020-01-02T00:00"}, now=clock.now() - 2 * programs.LEAD_S)
        programs.reset_cache()
        shop.cancel(first)
        assert budget() == (100, 50, 50)
        publish(now=clock.now() - 2 * programs.LEAD_S + 1)
        programs.reset_cache()
        assert programs.in_force(clock.now(), now=clock.now()).program.campaigns == ()
        shop.cancel(second)
        assert budget() == (100, 0, 100)
        assert shop.available(member_id) == 100

    def test_gives_back_after_the_tier_fell(self, member_id: str) -> None:
        publish(campaign(audience={"tiers": ["silver"]}, budget={"points": 1000, "shards": 1}))
        big = shop.post_order("big", member_id=member_id, total_minor=3_000_00).json["order"]["id"]
        assert shop.account(member_id)["tier"]["code"] == "silver"
        small = shop.post_order("small", member_id=member_id)
        assert explained(small, "spring_gift")["points"] == 50
        shop.cancel(big)
        assert shop.account(member_id)["tier"]["code"] != "silver"
        shop.cancel(small.json["order"]["id"])
        assert budget() == (1000, 0, 1000)
        assert shop.available(member_id) == 100

    def test_makes_room_for_another_award(self, member_id: str) -> None:
        publish(campaign(budget={"awards": 1, "shards": 1}))
        first = shop.post_order("1", member_id=member_id).json["order"]["id"]
        assert shop.post_order("2", member_id=member_id).json["entry"]["points"] == 100
        shop.cancel(first)
        assert shop.post_order("3", member_id=member_id).json["entry"]["points"] == 150

    def test_of_points_that_were_pending_gives_all_back_though_the_order_stands(self, member_id: str) -> None:
        publish(campaign(caps=LIMITS, budget={"points": 100, "awards": 2, "shards": 1}), pending_days=14)
        order_id = shop.post_order(member_id=member_id).json["order"]["id"]
        assert client.post(f"/v1/orders/{order_id}/pending/cancel", caller=SHOP).status == 200
        assert (budget()[1], budget(unit="awards")[1], limits_of(member_id)) == (0, 0, [])
        shop.cancel(order_id)
        assert (budget()[1], budget(unit="awards")[1], limits_of(member_id)) == (0, 0, [])

    def test_after_a_merge_gives_limits_and_budgets_back(self, member_id: str) -> None:
        publish(campaign(caps=LIMITS, budget={"points": 100, "shards": 1}))
        order_id = shop.post_order(member_id=member_id).json["order"]["id"]
        other = shop.enrol("other", phone="+8613900139000")
        assert client.post(f"/v1/members/{member_id}/merge", json={"into": other}, caller=SHOP).status == 201
        assert limits_of(other) == [(1, limits_of(other)[0][1])]
        shop.cancel(order_id)
        assert (budget(), limits_of(other)) == ((100, 0, 100), [])


class TestAnUnclaimedOrder:
    def test_takes_from_budgets_when_it_is_claimed_and_gives_back_when_refunded(self) -> None:
        publish(campaign(budget={"points": 100, "awards": 5, "shards": 1}))
        assert shop.post_order(identity={"phone": PHONE}).status == 202
        assert budget() == (100, 0, 100)
        member_id = claimed()
        order = by_name("1")
        assert (order["earned_points"], budget()[1], budget(unit="awards")[1]) == (150, 50, 1)
        assert [item["rule"] for item in order["explanations"] if item["fired"]][-1] == "spring_gift"
        shop.cancel(order["id"])
        assert (budget()[1], budget(unit="awards")[1], shop.available(member_id)) == (0, 0, 100)

    def test_refunded_in_part_before_takes_only_what_is_left_and_returns_exactly_that(self) -> None:
        publish(campaign(caps=LIMITS, budget={"points": 100, "awards": 5, "shards": 1}))
        shop.post_order(identity={"phone": PHONE})
        order_id = by_name("1")["id"]
        shop.refund(order_id, amount_minor=30_00)
        member_id = claimed()
        assert (budget()[1], budget(unit="awards")[1]) == (35, 1)
        shop.refund(order_id, "r2", amount_minor=70_00)
        assert (budget()[1], budget(unit="awards")[1], limits_of(member_id)) == (0, 0, [])

    def test_refunded_whole_before_takes_nothing(self) -> None:
        publish(campaign(budget={"points": 100, "awards": 5, "shards": 1}))
        shop.post_order(identity={"phone": PHONE})
        shop.refund(by_name("1")["id"], amount_minor=100_00)
        claimed()
        assert (budget()[1], budget(unit="awards")[1]) == (0, 0)


def claimed() -> str:
    """Enrol whoever the waiting orders name, and claim them."""
    member_id = shop.enrol("late")
    claims.claim_all(member_id, now=clock.now())
    return member_id


class TestAQuote:
    def quote(self, member_id: str) -> Any:
        body = {"currency": "CNY", "total_minor": 100_00, "member_id": member_id}
        return client.post("/v1/quotes", json=body, caller=SHOP).json

    def test_explains_and_takes_nothing(self, member_id: str) -> None:
        publish(campaign(budget={"points": 100, "shards": 1}))
        found = self.quote(member_id)
        assert found["points"] == sum(item["points"] for item in found["explanations"]) == 150
        assert budget() == (100, 0, 100)

    def test_says_when_a_budget_cannot_pay_any_more(self, member_id: str) -> None:
        publish(campaign(budget={"awards": 1, "shards": 1}))
        shop.post_order(member_id=member_id)
        found = self.quote(member_id)
        told = next(item for item in found["explanations"] if item["rule"] == "spring_gift")
        assert (found["points"], told["fired"], told["reason"]) == (100, False, "budget_exhausted")


class TestAMembersFacts:
    def test_tags_and_segments_open_campaigns(self) -> None:
        publish(
            campaign("for_press", audience={"tags": ["press"]}),
            campaign("for_loyal", audience={"segments": ["loyal"]}),
        )
        nobody = shop.enrol("nobody", phone="+8613900139000")
        member_id = shop.enrol(phone=PHONE, tags=["press"])
        assert set_segments(member_id, ["loyal"])
        assert shop.post_order("1", member_id=nobody).json["entry"]["points"] == 100
        assert shop.post_order("2", member_id=member_id).json["entry"]["points"] == 200

    def test_the_first_purchase_is_the_first_until_it_is_cancelled(self, member_id: str) -> None:
        publish(campaign(rules=[bonus("welcome", 500, when={"first_purchase": True})]))
        first, second = shop.post_order("1", member_id=member_id), shop.post_order("2", member_id=member_id)
        assert (first.json["entry"]["points"], second.json["entry"]["points"]) == (600, 100)

    def test_a_cap_cuts_and_says_so_and_comes_back_with_a_refund(self, member_id: str) -> None:
        publish(campaign(rules=[bonus("gift", 50, caps=[{"per": "ever", "points": 80}])]))
        first, second, third = (shop.post_order(str(number), member_id=member_id) for number in range(3))
        assert [answer.json["entry"]["points"] for answer in (first, second, third)] == [150, 130, 100]
        cut = explained(second, "gift")
        assert (cut["points"], cut["cut_points"], cut["cut_by"]) == (30, 20, "ever")
        shop.cancel(first.json["order"]["id"])
        assert limits_of(member_id) == [(1, 30)]
        assert shop.post_order("4", member_id=member_id).json["entry"]["points"] == 150


def test_a_campaign_whose_counter_is_not_there_gives_nothing(member_id: str) -> None:
    publish(campaign(budget={"awards": 1, "shards": 1}))
    for shard in read_shards(counter_name("spring", "awards")):
        shard.delete()
    answer = shop.post_order(member_id=member_id)
    assert (answer.status, explained(answer, "spring_gift")["reason"]) == (201, "budget_exhausted")
