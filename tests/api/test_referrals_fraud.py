"""Claims that look like fraud are held or refused with reasons, staff decide, and a viral code heats nothing."""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest import mock

import pytest

from chalicelib.base import clock, dynamo
from chalicelib.referrals import reacting
from chalicelib.referrals.table import SHARDS
from tests.api import shop
from tests.api.client import client, member, staff
from tests.api.friends import APP, DESK, buy, claim, code_of, enrol, kinds, notices, publish, react, referrals, statuses


def held(query: str = "") -> Any:
    answer = client.get(f"/v1/referrals?state=held{query}", caller=DESK)
    assert answer.status == 200, answer.text
    return answer.json


def read(referral_id: str) -> Any:
    return client.get(f"/v1/referrals/{referral_id}", caller=DESK).json


def say(referral_id: str, word: str) -> Any:
    answer = client.post(f"/v1/referrals/{referral_id}/{word}", caller=DESK)
    assert answer.status == 200, answer.text
    return answer.json


@pytest.fixture
def anna() -> str:
    publish()
    return enrol("anna", mail="Anna.Li@gmail.com")


class TestSuspicion:
    @pytest.mark.parametrize("mail", ["annali+2@gmail.com", "anna.li+shop@googlemail.com"])
    def test_of_the_same_mailbox_refuses(self, anna: str, mail: str) -> None:
        answer = claim(enrol("twin", mail=mail), code_of(anna))
        assert (answer.status, answer.json["status"]) == (201, "refused")
        assert read(answer.json["id"])["reasons"] == ["same_mailbox"]

    def test_of_friends_with_one_device_holds(self, anna: str) -> None:
        first = claim(enrol("ben"), code_of(anna), device="Phone 7")
        second = claim(enrol("carl"), code_of(anna), device=" phone  7")
        assert (first.json["status"], second.json["status"]) == ("joined", "waiting")
        assert read(second.json["id"])["reasons"] == ["device_shared"]

    def test_of_a_referrer_s_own_device_refuses(self, anna: str) -> None:
        ben = enrol("ben")
        claim(ben, code_of(anna), device="phone 7")
        answer = claim(enrol("carl"), code_of(ben), device="phone 7")
        assert (answer.json["status"], read(answer.json["id"])["reasons"]) == ("refused", ["device_of_referrer"])

    def test_of_one_mailbox_behind_many_friends_holds(self, anna: str) -> None:
        claim(enrol("ben", mail="ben@example.com"), code_of(anna))
        answer = claim(enrol("ben 2", mail="ben+2@example.com"), code_of(anna))
        assert (answer.json["status"], read(answer.json["id"])["reasons"]) == ("waiting", ["mailbox_shared"])

    def test_of_haste_holds_the_claim_that_is_one_too_many(self) -> None:
        publish(fraud={"claims_per_hour": 3, "claims_per_day": 100})
        anna = enrol("anna")
        found = [claim(enrol(f"friend-{number}"), code_of(anna)).json["status"] for number in range(5)]
        assert found == ["joined"] * 3 + ["waiting"] * 2

    def test_keeps_no_device_as_it_was_sent(self, anna: str) -> None:
        claim(enrol("ben"), code_of(anna), device="IMEI-490154203237518", address_hash="12 Long Lane")
        table: Any = dynamo.client()
        kept = str(table.scan(TableName="huike-test-referrals"))
        assert "490154203237518" not in kept
        assert "Lane" not in kept
        assert "seen#" in kept


class TestReview:
    @pytest.fixture
    def waiting(self, anna: str) -> tuple[str, str]:
        claim(enrol("ben"), code_of(anna), device="phone 7")
        carl = enrol("carl")
        return carl, str(claim(carl, code_of(anna), device="phone 7").json["id"])

    def test_pays_what_is_approved_and_was_bought_meanwhile(self, anna: str, waiting: tuple[str, str]) -> None:
        carl, referral_id = waiting
        buy(carl)
        react(carl)
        assert (kinds(anna), sorted(statuses(anna))) == ([], ["joined", "waiting"])
        answers = [say(referral_id, "approve") for _again in range(3)]
        assert [answer["referrer_points"] for answer in answers] == [100] * 3
        assert (kinds(anna), kinds(carl)) == (["referral_paid"], ["referral_paid"])
        assert (answers[0]["decided_by"], held()["referrals"]) == ("staff:clerk", [])

    def test_pays_nothing_for_what_is_refused(self, anna: str, waiting: tuple[str, str]) -> None:
        carl, referral_id = waiting
        say(referral_id, "refuse")
        buy(carl)
        react(carl)
        assert (kinds(anna), sorted(statuses(anna)), held()["referrals"]) == ([], ["joined", "refused"], [])

    def test_takes_back_what_is_refused_afterwards_and_pays_it_if_approved_again(
        self, anna: str, waiting: tuple[str, str]
    ) -> None:
        carl, referral_id = waiting
        buy(carl)
        react(carl)
        for word in ("approve", "refuse", "refuse", "approve"):
            say(referral_id, word)
        assert kinds(anna) == kinds(carl) == ["referral_paid", "referral_taken_back", "referral_paid"]
        assert shop.available(anna) == 100

    def test_is_for_staff_with_the_right_alone(self, anna: str, waiting: tuple[str, str]) -> None:
        _carl, referral_id = waiting
        for caller in (member("carl"), staff("members.read"), APP):
            for answer in (
                client.get("/v1/referrals?state=held", caller=caller),
                client.post(f"/v1/referrals/{referral_id}/approve", caller=caller),
            ):
                assert answer.status == 403
        assert anna

    def test_knows_no_other_referral(self) -> None:
        for word in ("approve", "refuse"):
            answer = client.post(f"/v1/referrals/rfl_{'a' * 26}/{word}", caller=DESK)
            assert (answer.status, answer.code) == (404, "referral_not_found")

    def test_lists_page_by_page_the_oldest_first(self, anna: str) -> None:
        code = code_of(anna)
        for number in range(8):
            with mock.patch.object(clock, "now", return_value=clock.now() + number):
                claim(enrol(f"friend-{number}"), code, device="shared")
        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = held(f"&limit=3{cursor and f'&cursor={cursor}'}")
            found += [item["claimed_at"] for item in page["referrals"]]
            cursor = page["next_cursor"]
        assert (len(found), found) == (7, sorted(found))

    def test_lists_what_is_held_and_nothing_else(self, anna: str) -> None:
        for query in ("", "?state=paid"):
            assert client.get(f"/v1/referrals{query}", caller=DESK).code == "query_invalid"
        assert anna


class TestAMerge:
    def merged(self, closed: str, into: str) -> None:
        answer = client.post(f"/v1/members/{closed}/merge", json={"into": into}, caller=shop.SHOP)
        assert answer.status in {200, 201}, answer.text

    def merge(self, closed: str, into: str) -> None:
        self.merged(closed, into)
        react(into)

    def test_of_the_friend_leaves_the_referral_with_the_one_who_took_over(self, anna: str) -> None:
        ben, carl = enrol("ben"), enrol("carl")
        claim(ben, code_of(anna))
        self.merge(ben, carl)
        buy(carl)
        react(carl)
        assert (kinds(anna), statuses(anna)) == (["referral_paid"], ["paid"])

    @pytest.mark.parametrize("is_late", [True, False])
    def test_of_the_friend_counts_what_was_bought_on_the_other_account_and_heard_of_before(
        self,
        anna: str,
        is_late: bool,  # noqa: FBT001 - pytest names it
    ) -> None:
        ben, carl = enrol("ben"), enrol("carl")
        claim(ben, code_of(anna))
        if is_late:
            self.merged(ben, carl)
        buy(carl)
        if not is_late:
            self.merged(ben, carl)
        found = notices(carl)
        for notice in sorted(found, key=lambda each: each.kind == "merged_in"):
            reacting.react(notice, now=clock.now())
        assert (kinds(anna), statuses(anna)) == (["referral_paid"], ["paid"])

    def test_of_the_friend_takes_back_for_what_was_sent_back_and_heard_of_before(self, anna: str) -> None:
        ben, carl = enrol("ben"), enrol("carl")
        claim(ben, code_of(anna))
        order_id = buy(ben)
        react(ben)
        self.merged(ben, carl)
        shop.cancel(order_id, occurred_at=clock.text(clock.now()))
        for notice in sorted(notices(carl), key=lambda each: each.kind == "merged_in"):
            reacting.react(notice, now=clock.now())
        assert kinds(anna) == ["referral_paid", "referral_taken_back"]

    def test_of_one_who_took_over_heard_of_first_loses_no_referral(self, anna: str) -> None:
        ben, carl, dora = enrol("ben"), enrol("carl"), enrol("dora")
        claim(ben, code_of(anna))
        self.merged(ben, carl)
        buy(carl)
        self.merged(carl, dora)
        for each in (dora, carl):
            react(each)
        assert (kinds(anna), statuses(anna)) == (["referral_paid"], ["paid"])

    def test_of_referrer_and_friend_takes_both_rewards_back(self, anna: str) -> None:
        ben = enrol("ben")
        claim(ben, code_of(anna))
        buy(ben)
        react(ben)
        self.merge(ben, anna)
        assert kinds(anna).count("referral_taken_back") == 2
        assert shop.available(anna) == 100

    def test_that_made_a_referral_void_says_so_once_and_staff_may_think_otherwise(self, anna: str) -> None:
        ben = enrol("ben")
        referral_id = claim(ben, code_of(anna)).json["id"]
        self.merge(ben, anna)
        assert read(referral_id)["status"] == "refused"
        say(referral_id, "approve")
        react(anna)
        assert read(referral_id)["status"] == "joined"

    def test_of_two_friends_pays_for_one(self, anna: str) -> None:
        ben, carl = enrol("ben"), enrol("carl")
        for friend in (ben, carl):
            claim(friend, code_of(anna))
            buy(friend)
            react(friend)
        self.merge(ben, carl)
        react(carl)
        assert kinds(anna) == ["referral_paid", "referral_paid", "referral_taken_back"]
        assert sorted(statuses(anna)) == ["paid", "refused"]

    def test_of_the_referrer_takes_the_friends_along(self, anna: str) -> None:
        ben, carl = enrol("ben"), enrol("carl")
        code = code_of(anna)
        claim(ben, code)
        self.merge(anna, carl)
        assert statuses(carl) == ["joined"]
        buy(ben)
        react(ben)
        assert (kinds(carl), referrals(carl)["paid_friends"]) == (["referral_paid"], 1)
        with mock.patch.object(clock, "now", return_value=clock.now() + 5):
            dora = enrol("dora")
            assert claim(dora, code).status == 201
        assert len(statuses(carl)) == 2


def test_many_claims_of_one_code_write_no_item_twice() -> None:
    """The same for ten thousand as for sixty: no claim writes an item that another one writes."""
    publish(fraud={"claims_per_hour": 20, "claims_per_day": 40})
    code = code_of(enrol("star"))
    # Of two who enrol in the same second, a claim looks at the other; no crowd does that.
    with mock.patch.object(clock, "now", return_value=clock.now() + 60):
        crowd = [enrol(f"fan-{number}") for number in range(60)]
    written: Counter[tuple[str, str]] = Counter()
    table: Any = dynamo.client()
    real = table._make_api_call

    def call(operation: str, parameters: dict[str, Any]) -> Any:
        for part in parameters.get("TransactItems", ()) if operation == "TransactWriteItems" else ():
            (write,) = part.values()
            key = write.get("Item") or write["Key"]
            written[str(key["key"]["S"]), str(key["part"]["S"])] += 1
        assert operation in {"BatchGetItem", "Query", "TransactWriteItems"}
        return real(operation, parameters)

    with mock.patch.object(table, "_make_api_call", call):
        assert {claim(fan, code).status for fan in crowd} == {201}
    assert set(written.values()) == {1}
    # Each: claim, state, a line in the list, the mailbox; and those that are held, a line in theirs.
    assert len(written) == 60 * 4 + 40
    assert len({key for key, _part in written if key.startswith("held#")}) <= SHARDS
