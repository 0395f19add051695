"""Challenges: what members do brings them on, and what is done is paid once."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.engagement import reacting
from chalicelib.engagement.triggers import advance_challenges
from chalicelib.ledger import auditing
from chalicelib.ledger.table import read_view
from chalicelib.orders import claims
from tests.api import shop
from tests.api.client import client, member
from tests.api.community import CRM, batch, cancel_event, challenges, kinds, notices, post_event, publish, react
from tests.challenges import CLUB, card, quest, streak

TEA = {"sku": "oolong", "category": "tea", "quantity": 3, "amount_minor": 60_00}
CUP = {"sku": "cup-07", "category": "home", "amount_minor": 40_00}


def buy(member_id: str, number: int | str, days_ago: float = 1, **fields: Any) -> str:
    answer = shop.post_order(str(number), member_id=member_id, occurred_at=shop.moment(days_ago), **fields)
    assert answer.status in {200, 201}, answer.text
    return str(answer.json["order"]["id"])


def check_in(member_id: str, *days_ago: int) -> list[str]:
    posted = [post_event(f"in-{day}", member_id=member_id, occurred_at=shop.moment(day)) for day in days_ago]
    return [answer.json["event"]["id"] for answer in posted]


def rounds(member_id: str) -> list[str]:
    return [kind for kind in kinds(member_id) if kind.startswith("challenge")]


def sound(*members: str) -> bool:
    found = [auditing.audit(member_id, read_view(member_id), now=clock.now()).findings for member_id in members]
    return all(finding == () for finding in found)


class TestAPunchCard:
    @pytest.fixture
    def member_id(self) -> str:
        publish(challenges=[card(stamps=4, given=1, badge=CLUB)])
        return shop.enrol()

    def test_begins_with_its_gift(self, member_id: str) -> None:
        found = challenges(member_id)["tea_card"]
        shown = {name: found[name] for name in ("kind", "status", "done", "needed", "given", "earned", "rounds")}
        assert shown == {
            "kind": "punch_card",
            "status": "open",
            "done": 1,
            "needed": 4,
            "given": 1,
            "earned": 0,
            "rounds": 0,
        }

    def test_is_paid_once_when_it_is_full(self, member_id: str) -> None:
        for number in range(3):
            buy(member_id, number)
        before = shop.available(member_id)
        react(member_id)
        react(member_id)
        assert (shop.available(member_id), rounds(member_id)) == (before + 50, ["challenge_done"])
        found = challenges(member_id)
        assert (found["tea_card"]["status"], found["tea_card"]["done"]) == ("done", 4)
        assert [badge["code"] for badge in found["badges"]] == ["club_badge"]
        assert sound(member_id)

    def test_that_lost_a_stamp_gives_its_reward_back_until_it_is_made_up_for(self, member_id: str) -> None:
        orders = [buy(member_id, number) for number in range(3)]
        react(member_id)
        shop.cancel(orders[0])
        react(member_id)
        assert rounds(member_id) == ["challenge_done", "challenge_undone"]
        assert (challenges(member_id)["tea_card"]["earned"], challenges(member_id)["badges"]) == (2, [])
        buy(member_id, "another")
        react(member_id)
        assert rounds(member_id) == ["challenge_done", "challenge_undone", "challenge_done"]
        assert sound(member_id)

    def test_keeps_a_stamp_of_which_something_is_left(self, member_id: str) -> None:
        order_id = buy(member_id, 1)
        shop.refund(order_id, amount_minor=99_99)
        react(member_id)
        assert challenges(member_id)["tea_card"]["earned"] == 1
        shop.refund(order_id, "rest", amount_minor=1)
        react(member_id)
        assert challenges(member_id)["tea_card"]["earned"] == 0

    def test_counts_no_order_of_before_it_began(self) -> None:
        publish(challenges=[card(starts_at="2090-01-01T00:00")])
        member_id = shop.enrol()
        buy(member_id, 1)
        react(member_id)
        found = challenges(member_id)["tea_card"]
        assert (found["status"], found["earned"]) == ("upcoming", 0)

    def test_counts_pieces_where_it_says_so_and_fewer_after_a_refund(self) -> None:
        publish(challenges=[card(items={"categories": ["tea"]}, each_item=True)])
        member_id = shop.enrol()
        order_id = buy(member_id, 1, lines=[TEA, CUP])
        react(member_id)
        assert challenges(member_id)["tea_card"]["earned"] == 3
        shop.refund(order_id, lines=[{"line": 0, "quantity": 2}])
        react(member_id)
        assert challenges(member_id)["tea_card"]["earned"] == 1

    def test_counts_an_order_that_waited_for_its_member(self) -> None:
        publish(challenges=[card()])
        shop.post_order(identity={"phone": shop.PHONE})
        member_id = shop.enrol()
        claims.claim_all(member_id, now=clock.now())
        react(member_id)
        assert challenges(member_id)["tea_card"]["earned"] == 1


class TestAStreakAndAQuest:
    def test_a_streak_of_check_ins_is_paid_and_goes_with_one_of_them(self) -> None:
        publish(challenges=[streak()])
        member_id = shop.enrol()
        check_in(member_id, 1, 3)
        react(member_id)
        assert challenges(member_id)["daily"]["streak"]["current"] == 1
        (missing,) = check_in(member_id, 2)
        react(member_id)
        assert (rounds(member_id), challenges(member_id)["daily"]["status"]) == (["challenge_done"], "done")
        cancel_event(missing)
        react(member_id)
        assert rounds(member_id) == ["challenge_done", "challenge_undone"]
        assert sound(member_id)

    def test_a_quest_shows_its_steps(self) -> None:
        publish(challenges=[quest()])
        member_id = shop.enrol()
        buy(member_id, 1, lines=[TEA, CUP])
        post_event(member_id=member_id, type="share")
        react(member_id)
        found = challenges(member_id)["welcome"]
        assert [(step["code"], step["done"], step["count"]) for step in found["steps"]] == [
            ("tea", 1, 1),
            ("share", 1, 2),
        ]
        post_event("2", member_id=member_id, type="share")
        react(member_id)
        assert (challenges(member_id)["welcome"]["status"], rounds(member_id)) == ("done", ["challenge_done"])

    def test_one_that_is_rewarded_with_a_badge_alone_is_a_fact_of_no_points(self) -> None:
        publish(challenges=[card(stamps=1, given=0, points=0, badge=CLUB)])
        member_id = shop.enrol()
        buy(member_id, 1)
        before = shop.available(member_id)
        react(member_id)
        assert (shop.available(member_id), rounds(member_id)) == (before, ["challenge_done"])


def test_a_member_sees_its_own_challenges_in_its_language() -> None:
    publish(challenges=[card(title={"en": "Tea card", "zh-Hans": "集茶卡", "zh-Hant": "集茶卡"})])
    client.post("/v1/members", json={}, caller=member())
    answer = client.get("/v1/members/me/challenges", caller=member(), headers={"Accept-Language": "zh"})
    assert answer.json["challenges"][0]["title"] == "集茶卡"
    other = shop.enrol()
    assert client.get(f"/v1/members/{other}/challenges", caller=member()).code == "not_your_account"


def test_a_challenge_is_shown_to_whom_it_is_for() -> None:
    publish(challenges=[card(audience={"tiers": ["gold"]})])
    assert "tea_card" not in challenges(shop.enrol())


def test_what_counts_for_nothing_is_not_kept() -> None:
    publish(challenges=[card(audience={"tiers": ["gold"]})])
    member_id = shop.enrol()
    buy(member_id, 1)
    react(member_id)
    assert reacting.locate(member_id)[1].version == 0


def test_what_a_member_is_later_takes_no_stamp_away_and_gives_none() -> None:
    publish(challenges=[card(audience={"tags": ["friend"]})])
    member_id = shop.enrol(phone=shop.PHONE, tags=["friend"])
    order_id = buy(member_id, 1, lines=[TEA, CUP])
    react(member_id)
    retag(member_id, [])
    shop.refund(order_id, lines=[{"line": 1}])
    buy(member_id, 2)
    react(member_id)
    retag(member_id, ["friend"])
    react(member_id)
    assert challenges(member_id)["tea_card"]["earned"] == 1


def retag(member_id: str, tags: list[str]) -> None:
    path = f"/v1/members/{member_id}"
    etag = client.get(path, caller=CRM).headers["etag"]
    answer = client.patch(path, json={"tags": tags}, caller=CRM, headers={"If-Match": etag})
    assert answer.status == 200, answer.text


def test_without_challenges_nothing_is_kept() -> None:
    publish()
    member_id = shop.enrol()
    buy(member_id, 1)
    react(member_id)
    assert reacting.locate(member_id)[1].version == 0


def test_a_message_that_is_no_notice_is_handed_back_alone() -> None:
    publish(challenges=[card(stamps=1, given=0)])
    member_id = shop.enrol()
    buy(member_id, 1)
    (notice,) = notices(member_id)
    good = {"member_id": notice.member_id, "seq": notice.seq, "kind": notice.kind, "record": notice.record}
    lost = good | {"record": "ord_" + "a" * 26}
    answer = advance_challenges(batch("no JSON", good, "{}", lost), None)
    assert [item["itemIdentifier"] for item in answer["batchItemFailures"]] == ["m0", "m2", "m3"]
    assert rounds(member_id) == ["challenge_done"]


class TestMembersWhoWereMerged:
    @pytest.fixture
    def pair(self) -> tuple[str, str]:
        publish(challenges=[card(stamps=4, given=1, repeats=True)])
        return shop.enrol("a"), shop.enrol("b", phone="+8613900139000")

    def merge(self, closed: str, into: str) -> None:
        answer = client.post(f"/v1/members/{closed}/merge", json={"into": into}, caller=CRM)
        assert answer.status == 201, answer.text

    def test_have_one_card(self, pair: tuple[str, str]) -> None:
        closed, into = pair
        buy(closed, 1)
        buy(into, 2)
        buy(into, 3)
        react(closed, into)
        self.merge(closed, into)
        react(into)
        assert rounds(into) == ["challenge_done"]
        assert challenges(closed)["tea_card"]["rounds"] == 1
        assert sound(into)

    def test_keep_what_was_paid_and_lose_it_with_its_stamps(self, pair: tuple[str, str]) -> None:
        closed, into = pair
        orders = [buy(closed, number) for number in range(3)]
        react(closed)
        self.merge(closed, into)
        react(into)
        assert (challenges(into)["tea_card"]["rounds"], rounds(into)) == (1, [])
        shop.cancel(orders[0])
        react(into)
        assert rounds(into) == ["challenge_undone"]
        assert challenges(into)["tea_card"]["earned"] == 2
        assert sound(closed, into)

    def test_miss_nothing_that_is_heard_of_late(self, pair: tuple[str, str]) -> None:
        closed, into = pair
        buy(closed, 1)
        heard_late = notices(closed)
        buy(into, 2)
        order_id = buy(into, 3)
        self.merge(closed, into)
        shop.cancel(order_id)
        react(into)
        for notice in heard_late:
            reacting.react(notice, now=clock.now())
        assert challenges(into)["tea_card"]["earned"] == 2
        buy(into, 4)
        react(into)
        assert rounds(into) == ["challenge_done"]

    def test_lose_a_stamp_that_was_cancelled_before_the_merge_was_heard_of(self, pair: tuple[str, str]) -> None:
        closed, into = pair
        order_ids = [buy(closed, number) for number in range(3)]
        react(closed)
        self.merge(closed, into)
        shop.cancel(order_ids[0])
        merged, cancelled = notices(into)
        for notice in (cancelled, merged):
            reacting.react(notice, now=clock.now())
        assert challenges(into)["tea_card"]["earned"] == 2
        assert rounds(into) == ["challenge_undone"]
