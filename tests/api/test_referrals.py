"""Referrals: who brings a friend is rewarded once, and the friend as well; what goes back takes that back."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from typing import Any
from unittest import mock

import pytest

from chalicelib.base import clock
from chalicelib.ledger import auditing
from chalicelib.ledger.table import read_view
from chalicelib.referrals import reacting, settling
from tests.api import shop
from tests.api.client import client, member
from tests.api.friends import (
    APP,
    buy,
    claim,
    code_of,
    enrol,
    kinds,
    notices,
    publish,
    react,
    referrals,
    statuses,
)

DAY_S = clock.DAY_S


def later(days: float) -> Any:
    """Some days later, for all that asks for the time."""
    now = clock.now() + int(days * DAY_S)
    return mock.patch.object(clock, "now", return_value=now)


def sound(*members: str) -> bool:
    found = [auditing.audit(member_id, read_view(member_id), now=clock.now()).findings for member_id in members]
    return all(finding == () for finding in found)


def balance(member_id: str) -> int:
    """What a member has beside the points of purchases, of which each brings 100."""
    return shop.available(member_id)


class TestACode:
    def test_is_short_kept_and_shared_by_a_link_and_a_picture(self) -> None:
        publish()
        member_id = enrol("anna")
        answer = client.get(f"/v1/members/{member_id}/referral-code", caller=APP).json
        assert len(answer["code"].replace("-", "")) == 8
        assert answer["link"] == f"https://shop.example/join/{answer['code'].replace('-', '')}"
        assert ET.fromstring(answer["qr_svg"]).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 -- our own
        assert code_of(member_id) == answer["code"]
        assert referrals(member_id)["code"] == answer["code"]
        assert code_of(enrol("ben")) != answer["code"]

    def test_is_refused_where_the_programme_has_no_referrals(self) -> None:
        member_id = enrol("anna")
        answer = client.get(f"/v1/members/{member_id}/referral-code", caller=APP)
        assert (answer.status, answer.code) == (409, "referrals_not_offered")

    def test_that_another_member_drew_first_is_drawn_anew(self) -> None:
        publish()
        anna, ben = enrol("anna"), enrol("ben")
        codes = ["AAAAAAA0", "AAAAAAA0", "BBBBBBB0"]
        with mock.patch("chalicelib.referrals.owning._derived", side_effect=codes):
            assert (code_of(anna), code_of(ben)) == ("AAAA-AAA0", "BBBB-BBB0")

    def test_is_shown_to_nobody_else(self) -> None:
        publish()
        anna = enrol("anna")
        stranger = member("stranger", mail="stranger@example.com")
        client.post("/v1/members", json={}, caller=stranger)
        for path in ("referral-code", "referrals"):
            answer = client.get(f"/v1/members/{anna}/{path}", caller=stranger)
            assert (answer.status, answer.code) == (403, "not_your_account")


class TestAClaim:
    @pytest.fixture
    def pair(self) -> tuple[str, str]:
        publish()
        return enrol("anna"), enrol("ben")

    def test_is_taken_in_any_spelling_and_once(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        code = code_of(anna)
        spellings = [code, code.lower(), f" {code.replace('-', ' ')} ", code.replace("0", "o").replace("1", "l")]
        answers = [claim(ben, spelling, device=f"device {number}") for number, spelling in enumerate(spellings * 4)]
        assert [answer.status for answer in answers] == [201] + [200] * 15
        assert {answer.json["id"] for answer in answers} == {answers[0].json["id"]}
        assert statuses(anna) == ["joined"]

    def test_of_another_code_is_refused_afterwards(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        carl = enrol("carl")
        assert claim(carl, code_of(anna)).status == 201
        answer = claim(carl, code_of(ben))
        assert (answer.status, answer.code) == (409, "referral_already_claimed")

    def test_may_be_made_by_the_member_alone(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        dora = member("dora", mail="dora@example.com")
        client.post("/v1/members", json={}, caller=dora)
        assert client.post("/v1/members/me/referral", json={"code": code_of(anna)}, caller=dora).status == 201
        answer = client.post(f"/v1/members/{ben}/referral", json={"code": code_of(anna)}, caller=dora)
        assert (answer.status, answer.code) == (403, "not_your_account")

    @pytest.mark.parametrize("code", ["7KQM-2VXA-9RTC", "nonsense!", "ABCDEFGH", "----"])
    def test_of_nobodys_code_is_refused(self, pair: tuple[str, str], code: str) -> None:
        answer = claim(pair[1], code)
        assert (answer.status, answer.code) == (404, "referral_code_unknown")

    def test_of_a_mistyped_code_is_refused(self, pair: tuple[str, str]) -> None:
        code = code_of(pair[0]).replace("-", "")
        other = next(symbol for symbol in "3456789" if symbol != code[2])
        assert claim(pair[1], code[:2] + other + code[3:]).code == "referral_code_unknown"

    def test_of_ones_own_code_is_refused(self, pair: tuple[str, str]) -> None:
        answer = claim(pair[0], code_of(pair[0]))
        assert (answer.status, answer.code) == (409, "referral_own_code")

    def test_of_the_code_of_whom_one_has_brought_is_refused(self) -> None:
        publish()
        anna = enrol("anna")
        with later(1):
            ben = enrol("ben")
            assert claim(ben, code_of(anna)).status == 201
            answer = claim(anna, code_of(ben))
        assert (answer.status, answer.code) == (409, "referral_not_newer")

    def test_of_two_who_came_in_the_same_second_goes_one_way_only(self) -> None:
        publish()
        now = clock.now()
        with mock.patch.object(clock, "now", return_value=now):
            twins = [enrol("carl"), enrol("dora")]
            answers = [claim(twins[0], code_of(twins[1])), claim(twins[1], code_of(twins[0]))]
        assert sorted(answer.status for answer in answers) == [201, 409]

    def test_comes_too_late_to_the_second(self, pair: tuple[str, str]) -> None:
        code = code_of(pair[0])
        carl = enrol("carl")
        enrolled = client.get(f"/v1/members/{carl}", caller=APP).json["enrolled_at"]
        end = clock.parse(enrolled) + 14 * DAY_S
        with mock.patch.object(clock, "now", return_value=end):
            assert claim(carl, code).code == "referral_too_late"
        with mock.patch.object(clock, "now", return_value=end - 1):
            assert claim(carl, code).status == 201
        with later(30):
            assert claim(carl, code).status == 200

    def test_of_somebody_who_has_bought_before_is_refused(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        buy(ben)
        assert claim(ben, code_of(anna)).code == "referral_not_new"


class TestAFriend:
    @pytest.fixture
    def pair(self) -> tuple[str, str]:
        publish()
        anna, ben = enrol("anna"), enrol("ben", names={"given": "Benjamin", "family": "Private"})
        claim(ben, code_of(anna))
        return anna, ben

    def test_who_buys_brings_both_their_reward(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        buy(ben)
        react(ben)
        assert (balance(anna), balance(ben)) == (100, 150)
        assert referrals(anna)["friends"] == [
            {
                "initial": "B",
                "status": "paid",
                "joined_at": referrals(anna)["friends"][0]["joined_at"],
                "points": 100,
            }
        ]
        assert sound(anna, ben)

    def test_is_told_of_by_an_initial_alone(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        text = client.get(f"/v1/members/{anna}/referrals", caller=APP).text
        assert not any(secret in text for secret in (ben, "Benjamin", "Private", "ben.mailbox", "rfl_"))

    def test_who_buys_again_brings_nothing_more(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        for number in range(3):
            buy(ben, str(number))
            react(ben)
        assert (balance(anna), kinds(anna), kinds(ben)) == (100, ["referral_paid"], ["referral_paid"])

    def test_whose_purchase_is_heard_of_ten_times_out_of_order_pays_once(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        first = buy(ben)
        shop.refund(first, amount_minor=100_00, occurred_at=clock.text(clock.now()))
        buy(ben, "2")
        heard = notices(ben) * 10
        random.Random(6).shuffle(heard)  # noqa: S311 -- any order will do
        for notice in heard:
            reacting.react(notice, now=clock.now())
        assert (kinds(anna), kinds(ben), balance(anna)) == (["referral_paid"], ["referral_paid"], 100)
        assert sound(anna, ben)

    def test_whose_purchase_is_refunded_takes_both_rewards_back(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        order = buy(ben)
        react(ben)
        shop.refund(order, amount_minor=100_00, occurred_at=clock.text(clock.now()))
        for _again in range(3):
            react(ben)
        assert (balance(anna), balance(ben)) == (0, 0)
        assert kinds(anna) == kinds(ben) == ["referral_paid", "referral_taken_back"]
        assert (statuses(anna), referrals(anna)["paid_friends"]) == (["joined"], 0)
        assert sound(anna, ben)

    def test_who_buys_anew_after_a_cancellation_pays_anew(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        order = buy(ben)
        react(ben)
        shop.cancel(order, occurred_at=clock.text(clock.now()))
        react(ben)
        buy(ben, "2")
        react(ben)
        assert kinds(anna) == ["referral_paid", "referral_taken_back", "referral_paid"]
        assert balance(anna) == 100

    def test_who_sends_a_part_back_stays_paid_for(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        order = buy(ben)
        react(ben)
        shop.refund(order, amount_minor=99_00, occurred_at=clock.text(clock.now()))
        react(ben)
        assert kinds(anna) == ["referral_paid"]

    def test_whose_purchase_occurred_before_the_claim_does_not_qualify(self) -> None:
        publish(new_customers_only=False)
        anna, ben = enrol("anna"), enrol("ben")
        buy(ben, after_s=-60)
        claim(ben, code_of(anna))
        react(ben)
        assert statuses(anna) == ["joined"]

    def test_who_buys_too_late_does_not_qualify(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        with later(91):
            buy(ben)
            react(ben)
            assert (statuses(anna), kinds(anna)) == (["lapsed"], [])


class TestAThreshold:
    def test_is_reached_by_several_purchases_and_lost_by_a_refund(self) -> None:
        publish(minimum_minor=250_00)
        anna, ben = enrol("anna"), enrol("ben")
        claim(ben, code_of(anna))
        orders = []
        for number in range(3):
            assert kinds(anna) == []
            orders.append(buy(ben, str(number)))
            react(ben)
        assert kinds(anna) == ["referral_paid"]
        shop.refund(orders[0], amount_minor=50_00, occurred_at=clock.text(clock.now()))
        react(ben)
        assert kinds(anna) == ["referral_paid"]
        shop.refund(orders[2], amount_minor=1, occurred_at=clock.text(clock.now()))
        react(ben)
        assert kinds(anna) == ["referral_paid", "referral_taken_back"]


class TestAReturnWindow:
    @pytest.fixture
    def pair(self) -> tuple[str, str]:
        publish(return_days=7)
        anna, ben = enrol("anna"), enrol("ben")
        claim(ben, code_of(anna))
        return anna, ben

    def test_pays_when_it_is_over_though_nothing_more_is_heard(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        buy(ben)
        react(ben)
        assert (statuses(anna), kinds(anna)) == (["qualified"], [])
        reacting.settle_due(now=clock.now() + 7 * DAY_S - 60)
        assert kinds(anna) == []
        for _again in range(3):
            assert reacting.settle_due(now=clock.now() + 7 * DAY_S + 60) is False
        assert (kinds(anna), kinds(ben)) == (["referral_paid"], ["referral_paid"])

    def test_pays_nothing_for_what_was_refunded_meanwhile(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        order = buy(ben)
        react(ben)
        shop.cancel(order, occurred_at=clock.text(clock.now()))
        react(ben)
        reacting.settle_due(now=clock.now() + 8 * DAY_S)
        assert kinds(anna) == []

    def test_begins_with_the_purchase_that_stands(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        order = buy(ben)
        react(ben)
        with later(3):
            buy(ben, "2")
            shop.cancel(order, occurred_at=clock.text(clock.now()))
            react(ben)
        reacting.settle_due(now=clock.now() + 8 * DAY_S)
        assert kinds(anna) == []
        reacting.settle_due(now=clock.now() + 11 * DAY_S)
        assert kinds(anna) == ["referral_paid"]

    def test_holds_up_nobody_for_one_who_cannot_be_paid(self, pair: tuple[str, str]) -> None:
        anna, ben = pair
        carl = enrol("carl")
        claim(carl, code_of(anna))
        for friend in (ben, carl):
            buy(friend)
            react(friend)
        real, calls = settling.settle, []

        def settle(stored: Any, *, now: int) -> Any:
            calls.append(stored)
            if len(calls) == 1:
                raise RuntimeError
            return real(stored, now=now)

        with mock.patch.object(settling, "settle", settle):
            reacting.settle_due(now=clock.now() + 8 * DAY_S)
        assert kinds(anna) == ["referral_paid"]
        reacting.settle_due(now=clock.now() + 9 * DAY_S + 60)
        assert kinds(anna) == ["referral_paid"] * 2


class TestTheReferrer:
    def bring(self, anna: str, *names: str) -> list[str]:
        friends = [enrol(name) for name in names]
        for friend in friends:
            assert claim(friend, code_of(anna)).status == 201
            buy(friend)
            react(friend)
        return friends

    def test_gets_more_from_a_step_on(self) -> None:
        publish()
        anna = enrol("anna")
        assert referrals(anna)["next_reward"] == {"points": 100, "voucher": False, "from_friend": 1}
        self.bring(anna, "b", "c")
        shown = referrals(anna)
        assert (balance(anna), shown["paid_friends"], shown["friends_left"]) == (200, 2, None)
        assert (shown["next_reward"]["points"], shown["following_step"]) == (300, None)
        self.bring(anna, "d")
        assert balance(anna) == 500

    def test_is_paid_for_so_many_a_period_and_friends_for_all(self) -> None:
        publish(cap={"per": "month", "friends": 2})
        anna = enrol("anna")
        friends = self.bring(anna, "b", "c", "d")
        assert (balance(anna), referrals(anna)["friends_left"]) == (200, 0)
        assert [balance(friend) for friend in friends] == [150] * 3
        assert sound(anna, *friends)

    def test_is_paid_for_friends_and_not_for_theirs(self) -> None:
        publish()
        anna = enrol("anna")
        (ben,) = self.bring(anna, "b")
        with later(1):
            self.bring(ben, "c")
            assert (balance(anna), balance(ben)) == (100, 250)

    def test_reads_friends_page_by_page(self) -> None:
        publish()
        anna = enrol("anna")
        for number in range(5):
            claim(enrol(f"friend {number}", phone=f"+861390013900{number}", mail=None), code_of(anna))
        first = referrals(anna, "?limit=3")
        second = referrals(anna, f"?limit=3&cursor={first['next_cursor']}")
        assert [len(page["friends"]) for page in (first, second)] == [3, 2]
        assert second["next_cursor"] is None
