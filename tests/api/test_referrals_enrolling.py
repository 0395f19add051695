"""A referral code that comes with the enrolment: claimed in its transaction, judged as any claim, never in its way."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from chalicelib.base import clock, dynamo
from chalicelib.ledger import auditing
from chalicelib.ledger.table import read_view
from tests.api import shop
from tests.api.client import Response, client, member
from tests.api.friends import claim, code_of, enrol, publish, react, referrals, statuses

MAIL = "ben@example.com"


def join(code: str, name: str = "ben", *, mail: str = MAIL, **given: Any) -> Response:
    """Enrol somebody who names the code of whoever has brought them."""
    body = {"mail": mail, "names": {"given": "Ben"}, "referral": {"code": code, **given}}
    return client.post("/v1/members", json=body, caller=shop.SHOP, key=name)


def items(table: str) -> list[Any]:
    """All that lies in a table."""
    database: Any = dynamo.client()
    found: list[Any] = database.scan(TableName=f"huike-test-{table}")["Items"]
    return found


def tries() -> int:
    """How many wrong codes have been counted."""
    return sum(int(item["failures"]["N"]) for item in items("vouchers") if "failures" in item)


@pytest.fixture
def anna() -> str:
    publish()
    return enrol("anna", mail="Anna.Li@gmail.com")


def test_a_code_is_claimed_with_the_enrolment(anna: str) -> None:
    answer = join(code_of(anna).lower())
    assert answer.status == 201
    ben, brought = answer.json["member"]["id"], answer.json["referral"]
    assert (brought["status"], brought["refused"]) == ("joined", None)
    assert [friend["initial"] for friend in referrals(anna)["friends"]] == ["B"]
    again = claim(ben, code_of(anna))
    assert (again.status, again.json["id"]) == (200, brought["id"])
    shop.post_order("1", member_id=ben, occurred_at=clock.text(clock.now()))
    react(ben)
    assert (shop.available(anna), shop.available(ben)) == (100, 150)
    assert auditing.audit(ben, read_view(ben), now=clock.now()).findings == ()


def test_no_code_is_no_referral() -> None:
    publish()
    answer = client.post("/v1/members", json={"mail": MAIL}, caller=shop.SHOP, key="ben")
    assert (answer.status, answer.json["referral"]) == (201, None)


@pytest.mark.parametrize("code", ["7KQM-2VXA-9RTC", "nonsense!", "ABCDEFGH", "-"])
def test_a_code_that_is_nobody_s_stops_no_enrolment_and_another_may_be_claimed_afterwards(anna: str, code: str) -> None:
    answer = join(code)
    assert answer.status == 201
    assert answer.json["referral"] == {"id": None, "status": None, "refused": "referral_code_unknown"}
    assert shop.account(answer.json["member"]["id"])["available"] == 0
    assert claim(answer.json["member"]["id"], code_of(anna)).status == 201


def test_a_programme_without_referrals_stops_no_enrolment() -> None:
    answer = join("7KQM-2VXA")
    assert (answer.status, answer.json["referral"]["refused"]) == (201, "referrals_not_offered")


def test_the_enrolment_sent_again_is_answered_alike_whatever_has_become_of_the_referral(anna: str) -> None:
    first = join(code_of(anna))
    shop.post_order("1", member_id=first.json["member"]["id"], occurred_at=clock.text(clock.now()))
    react(first.json["member"]["id"])
    again = [join(code_of(anna)) for _again in range(3)]
    assert [answer.status for answer in again] == [200] * 3
    assert all(answer.json == first.json for answer in again)
    assert statuses(anna) == ["paid"]


def test_the_enrolment_sent_again_with_another_code_is_refused_and_changes_nothing(anna: str) -> None:
    carl = enrol("carl")
    assert join(code_of(anna)).status == 201
    for answer in (
        join(code_of(carl)),
        join(code_of(anna), device="another"),
        client.post("/v1/members", json={"mail": MAIL, "names": {"given": "Ben"}}, caller=shop.SHOP, key="ben"),
    ):
        assert (answer.status, answer.code) == (409, "key_reused")
    assert (statuses(anna), statuses(carl)) == (["joined"], [])


def test_a_wrong_code_sent_again_is_answered_alike_and_counted_once() -> None:
    publish()
    answers = [join("ABCD-EFG") for _again in range(3)]
    assert [answer.status for answer in answers] == [201, 200, 200]
    assert {answer.json["referral"]["refused"] for answer in answers} == {"referral_code_unknown"}
    assert tries() == 1


def test_what_is_given_with_the_code_is_checked_as_with_any_claim(anna: str) -> None:
    code = code_of(anna)
    assert join(code, device="phone 7").json["referral"]["status"] == "joined"
    assert claim(enrol("carl"), code, device="phone 7").json["status"] == "waiting"
    assert join(code, "dora", mail="d@example.com", device="PHONE  7").json["referral"]["status"] == "waiting"
    assert join(code, "twin", mail="annali+2@gmail.com").json["referral"]["status"] == "refused"


def test_nothing_that_was_given_is_kept_as_it_was_sent(anna: str) -> None:
    join(code_of(anna), device="IMEI-490154203237518", address_hash="12 Long Lane")
    kept = str([items(table) for table in ("members", "referrals", "ledger", "vouchers")])
    assert not any(secret in kept for secret in ("490154203237518", "Lane", code_of(anna).lower()))


def test_the_claim_and_the_enrolment_happen_together_or_not_at_all(anna: str) -> None:
    taken = client.post("/v1/members", json={"mail": MAIL}, caller=shop.SHOP, key="other")
    assert taken.status == 201
    answer = join(code_of(anna))
    assert (answer.status, answer.code) == (409, "identity_taken")
    assert statuses(anna) == []


def test_who_bought_before_under_the_same_mail_is_no_new_customer(anna: str) -> None:
    waiting = shop.post_order("1", identity={"mail": MAIL})
    assert waiting.status == 202
    answer = join(code_of(anna))
    assert (answer.status, answer.json["referral"]["refused"]) == (201, "referral_not_new")


def test_a_purchase_that_went_back_whole_makes_nobody_a_customer(anna: str) -> None:
    waiting = shop.post_order("1", identity={"mail": MAIL})
    shop.cancel(waiting.json["order"]["id"])
    assert join(code_of(anna)).json["referral"]["status"] == "joined"


class TestAPerson:
    def test_brings_the_code_and_is_answered_alike(self, anna: str) -> None:
        ben = member("ben", mail=MAIL)
        body = {"referral": {"code": code_of(anna), "device": "a phone"}}
        first, again = (client.post("/v1/members", json=body, caller=ben) for _again in range(2))
        assert (first.status, again.status) == (201, 200)
        assert first.json["referral"] == again.json["referral"]
        assert first.json["referral"]["status"] == "joined"
        answer = client.post("/v1/members", json={"referral": {"code": "ABCDEFGH"}}, caller=ben)
        assert (answer.status, answer.code) == (409, "key_reused")

    def test_whom_the_shop_enrolled_before_claims_with_the_sign_in(self, anna: str) -> None:
        known = enrol("ben", mail=MAIL)
        body = {"referral": {"code": code_of(anna)}}
        answers = [client.post("/v1/members", json=body, caller=member("ben", mail=MAIL)) for _again in range(3)]
        assert [(answer.status, answer.json["member"]["id"]) for answer in answers] == [(200, known)] * 3
        assert [answer.json["referral"]["status"] for answer in answers] == ["joined"] * 3
        assert statuses(anna) == ["joined"]

    def test_cannot_bring_themselves(self) -> None:
        publish()
        code = code_of(enrol("ben", mail=MAIL))
        ben = member("ben", mail=MAIL)
        answer = client.post("/v1/members", json={"referral": {"code": code}}, caller=ben)
        assert (answer.status, answer.json["referral"]["refused"]) == (200, "referral_own_code")

    def test_of_two_at_once_one_enrolment_and_one_claim_are_made(self, anna: str) -> None:
        body = {"referral": {"code": code_of(anna)}}
        ben = member("ben", mail=MAIL)
        with mock.patch("chalicelib.members.enrolling.read_profile", return_value=None):
            answers = [client.post("/v1/members", json=body, caller=ben) for _again in range(2)]
        assert [answer.status for answer in answers] == [201, 200]
        assert answers[0].json["referral"] == answers[1].json["referral"]
        assert statuses(anna) == ["joined"]


def test_of_two_who_enrol_in_the_same_second_the_one_brings_the_other_and_not_back() -> None:
    publish()
    with mock.patch.object(clock, "now", return_value=clock.now()):
        anna = enrol("anna")
        ben = join(code_of(anna)).json
        assert ben["referral"]["status"] == "joined"
        assert claim(anna, code_of(ben["member"]["id"])).code == "referral_not_newer"
