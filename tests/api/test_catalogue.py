"""The catalogue says what a member may take now and, if not, why and when; the list says what was taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.base import clock
from tests.api import shop
from tests.api.client import client, member, staff, system
from tests.api.shop import PHONE, SHOP
from tests.meter import metered
from tests.programs import texts
from tests.rewards import act, offer, publish, reward, take

ZONE = ZoneInfo("Asia/Shanghai")
HOUR_S = 3600


@pytest.fixture
def member_id() -> str:
    """A member with 600 points."""
    found = shop.enrol()
    shop.post_order("earned", member_id=found, total_minor=500_00)
    return found


def local(instant: int) -> str:
    """A time on the programme's clocks, as documents write it."""
    return datetime.fromtimestamp(instant, ZONE).strftime("%Y-%m-%dT%H:%M")


def minute(ahead_s: int) -> int:
    """A whole minute so long from now."""
    return (clock.now() + ahead_s) // 60 * 60


def listed(query: str = "", caller: Any = SHOP) -> Any:
    answer = client.get(f"/v1/rewards{query}", caller=caller)
    assert answer.status == 200, answer.text
    return answer.json


def codes(query: str = "", caller: Any = SHOP) -> list[str]:
    return [entry["id"] for entry in listed(query, caller)["rewards"]]


class TestAnOffer:
    def test_is_there_with_how_many_may_be_taken(self, member_id: str) -> None:
        publish(reward(points=100, stock={"total": 4, "shards": 2}, limits=[{"per": "day", "pieces": 5}]))
        found = offer(member_id)
        assert (found["available"], found["reason"], found["max_quantity"]) == (True, None, 2)
        assert take(member_id, quantity=found["max_quantity"]).status == 201

    def test_says_how_many_points_are_missing_for_the_cheapest_price(self, member_id: str) -> None:
        publish(reward(prices=[{"points": 900}, {"points": 650, "cash_minor": {"CNY": 5_00}}]))
        found = offer(member_id)
        assert (found["reason"], found["missing_points"]) == ("insufficient_points", 50)

    def test_says_when_it_begins_and_earlier_for_some(self, member_id: str) -> None:
        starts_at = minute(5 * HOUR_S)
        publish(
            reward("late", starts_at=local(starts_at), early_hours={"gold": 4}),
            reward("soon", starts_at=local(starts_at), early_hours={"member": 4}),
            reward("now", starts_at=local(starts_at), early_hours={"member": 6}),
        )
        late, soon = offer(member_id, "late"), offer(member_id, "soon")
        assert (late["reason"], late["changes_at"]) == ("reward_not_yet", clock.text(starts_at))
        assert (soon["reason"], soon["changes_at"]) == ("reward_not_yet", clock.text(starts_at - 4 * HOUR_S))
        assert offer(member_id, "now")["available"]
        assert [take(member_id, code).status for code in ("late", "soon", "now")] == [409, 409, 201]

    def test_is_over_to_the_second(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        ends_at = minute(HOUR_S)
        publish(reward(ends_at=local(ends_at)))
        monkeypatch.setattr(clock, "now", lambda: ends_at - 1)
        assert offer(member_id)["available"]
        monkeypatch.setattr(clock, "now", lambda: ends_at)
        assert (offer(member_id)["reason"], take(member_id).code) == ("reward_ended", "reward_ended")

    def test_is_for_the_tiers_segments_and_tags_that_it_names(self, member_id: str) -> None:
        publish(
            reward("golden", audience={"tiers": ["gold"]}),
            reward("base", audience={"tiers": ["member"]}),
            reward("tagged", audience={"tags": ["vip"]}),
        )
        assert [offer(member_id, code)["reason"] for code in ("golden", "base", "tagged")] == [
            "wrong_tier",
            None,
            "reward_not_for_you",
        ]
        assert [take(member_id, code).status for code in ("golden", "base", "tagged")] == [409, 201, 409]
        etag = client.get(f"/v1/members/{member_id}", caller=SHOP).headers["etag"]
        client.patch(f"/v1/members/{member_id}", json={"tags": ["vip"]}, caller=SHOP, headers={"If-Match": etag})
        assert offer(member_id, "tagged")["available"]
        assert take(member_id, "tagged").status == 201

    def test_says_when_a_limit_is_free_again(self, member_id: str) -> None:
        publish(reward("daily", 1, limits=[{"per": "day", "pieces": 1}]), reward(limits=[{"per": "ever", "pieces": 1}]))
        take(member_id, "daily")
        take(member_id)
        tomorrow = clock.day_start(clock.now(), 1, ZONE)
        assert offer(member_id, "daily")["changes_at"] == clock.text(tomorrow)
        assert (offer(member_id)["reason"], offer(member_id)["changes_at"]) == ("limit_reached", None)

    def test_refuses_for_the_reason_that_taking_it_has(self, member_id: str) -> None:
        publish(
            reward("gone", stock={"total": 0}), reward("dear", 10_000), reward("golden", audience={"tiers": ["gold"]})
        )
        for code in ("gone", "dear", "golden"):
            assert offer(member_id, code)["reason"] == take(member_id, code).code


class TestTheCatalogue:
    def test_comes_in_its_order_page_by_page(self, member_id: str) -> None:
        publish(*(reward(f"r{number}", order=9 - number) for number in range(5)))
        query = f"?member_id={member_id}&limit=2"
        found, page = [], listed(query)
        while True:
            found += [entry["id"] for entry in page["rewards"]]
            if page["next_cursor"] is None:
                break
            page = listed(f"{query}&cursor={page['next_cursor']}")
        assert found == ["r4", "r3", "r2", "r1", "r0"]

    def test_can_be_had_by_kind_and_tag(self) -> None:
        publish(reward("a", tags=["tea"]), reward("b", kind="charity", tags=["tea"]), reward("c", kind="charity"))
        assert codes("?kind=charity") == ["b", "c"]
        assert codes("?kind=charity&tag=tea") == ["b"]
        assert client.get("/v1/rewards?kind=none", caller=SHOP).code == "query_invalid"

    def test_shows_a_person_their_own_offers_and_a_stranger_the_goods(self, member_id: str) -> None:
        publish(reward(points=600), reward("secret", members_only=True))
        person, stranger = member(phone=PHONE), member("stranger")
        client.post("/v1/members", json={}, caller=person)
        assert [entry["offer"]["available"] for entry in listed("", person)["rewards"]] == [True, True]
        (shown,) = listed("", stranger)["rewards"]
        assert (shown["id"], shown["offer"]["reason"]) == ("mug", "not_a_member")
        assert client.get("/v1/rewards/secret", caller=stranger).code == "reward_not_found"
        assert client.get(f"/v1/rewards?member_id={member_id}", caller=stranger).code == "not_your_account"

    def test_of_a_member_is_for_who_may_redeem(self, member_id: str) -> None:
        publish(reward())
        assert codes("", system()) == ["mug"]
        refused = client.get(f"/v1/rewards?member_id={member_id}", caller=system())
        assert (refused.status, refused.code) == (403, "scope_missing")
        assert codes(f"?member_id={member_id}", staff("redemptions.write")) == ["mug"]

    def test_speaks_the_callers_language(self) -> None:
        publish(reward(title={"en": "Mug", "zh-Hans": "杯子", "zh-Hant": "杯子（繁）"}, description=texts("story")))
        (shown,) = listed("?locale=zh-Hant")["rewards"]
        assert (shown["title"], shown["description"]) == ("杯子（繁）", "story")

    def test_shows_price_worth_window_and_stock(self, member_id: str) -> None:
        ends_at = minute(HOUR_S)
        publish(
            reward(
                kind="gift_card",
                worth_minor={"CNY": 50_00},
                prices=[{"points": 1}, {"points": 0, "cash_minor": {"CNY": 9}}],
                ends_at=local(ends_at),
                stock={"total": 7},
                picture_urls=["https://shop.example/mug.jpg"],
            )
        )
        (shown,) = listed(f"?member_id={member_id}")["rewards"]
        assert shown["prices"] == [
            {"points": 1, "cash_minor": 0, "currency": None},
            {"points": 0, "cash_minor": 9, "currency": "CNY"},
        ]
        assert shown["worth"] == [{"amount_minor": 50_00, "currency": "CNY"}]
        assert (shown["left"], shown["ends_at"]) == (7, clock.text(ends_at))

    def test_reads_the_tail_and_all_stock_in_one_request_each(
        self, member_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rewards = [reward(f"r{number}", stock={"total": 9, "shards": 3}) for number in range(40)]
        publish(*rewards[:20])
        publish(*rewards)
        later = clock.now() + 700
        monkeypatch.setattr(clock, "now", lambda: later)
        listed("?limit=1")
        with metered() as bill:
            page = listed(f"?member_id={member_id}&limit=100")
        assert bill.calls == ["Query", "BatchGetItem"]
        assert len(page["rewards"]) == 33
        assert len(listed(f"?member_id={member_id}&limit=100&cursor={page['next_cursor']}")["rewards"]) == 7


class TestTheListOfAMembersRedemptions:
    def ids(self, member_id: str, query: str = "", caller: Any = SHOP) -> tuple[list[str], str | None]:
        answer = client.get(f"/v1/members/{member_id}/redemptions{query}", caller=caller)
        assert answer.status == 200, answer.text
        return [entry["id"] for entry in answer.json["redemptions"]], answer.json["next_cursor"]

    def test_is_newest_first_page_by_page_and_shows_what_became_of_each(self, member_id: str) -> None:
        publish(reward(points=10))
        taken = [take(member_id).json["redemption"]["id"] for _number in range(4)]
        taken.append(shop.redeem(member_id, 100).json["redemption"]["id"])
        act(taken[0], "use")
        shop.post_order("between", member_id=member_id)
        first, cursor = self.ids(member_id, "?limit=2")
        second, cursor = self.ids(member_id, f"?limit=2&cursor={cursor}")
        third, end = self.ids(member_id, f"?limit=2&cursor={cursor}")
        assert (first + second + third, end) == (taken[::-1], None)
        page = client.get(f"/v1/members/{member_id}/redemptions", caller=SHOP).json["redemptions"]
        assert [entry["status"] for entry in page] == ["issued"] * 4 + ["used"]

    def test_is_empty_for_who_took_nothing_and_refused_for_nobody(self, member_id: str) -> None:
        assert self.ids(member_id) == ([], None)
        assert client.get("/v1/members/mem_unknown/redemptions", caller=SHOP).code == "member_not_found"

    def test_has_lapsed_and_cancelled_ones_too(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        publish(reward(points=10))
        take(member_id, hold_seconds=60)
        act(take(member_id).json["redemption"]["id"], "cancel")
        later = clock.now() + 60
        monkeypatch.setattr(clock, "now", lambda: later)
        page = client.get(f"/v1/members/{member_id}/redemptions", caller=SHOP).json["redemptions"]
        assert [entry["status"] for entry in page] == ["cancelled", "lapsed"]

    def test_of_two_members_made_one_is_one(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        publish(reward(points=10))
        other = shop.enrol("other", phone="+8613900139000")
        began, taken = clock.now(), []
        for number, owner in enumerate((member_id, other, member_id, other)):
            monkeypatch.setattr(clock, "now", lambda number=number: began + number)
            taken.append(take(owner).json["redemption"]["id"])
        monkeypatch.setattr(clock, "now", lambda: began + 9)
        client.post(f"/v1/members/{other}/merge", json={"into": member_id}, caller=SHOP)
        taken.append(take(member_id).json["redemption"]["id"])
        for name in (member_id, other):
            first, cursor = self.ids(name, "?limit=3")
            second, end = self.ids(name, f"?limit=3&cursor={cursor}")
            assert (first + second, end) == (taken[::-1], None)

    def test_is_the_members_own(self, member_id: str) -> None:
        publish(reward(points=10))
        person = member(phone=PHONE)
        client.post("/v1/members", json={}, caller=person)
        mine = take("me", caller=person).json["redemption"]["id"]
        assert self.ids("me", caller=person) == ([mine], None)
        other = shop.enrol("other", phone="+8613900139000")
        assert client.get(f"/v1/members/{other}/redemptions", caller=person).code == "not_your_account"
        assert member_id != other
