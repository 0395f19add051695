"""Enrolment: who may enrol whom, with which identities, and what a repeated or clashing request is told."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.program.document import default
from tests.api.client import Response, client, member, staff, system
from tests.meter import metered

SHOP = system("members.write", "members.read", "adjustments.write")
PHONE, OTHER_PHONE = "+8613800138000", "+8613900139000"
WELCOME = default().welcome_points

WHOLE = {
    "phone": "138 0013 8000",
    "region": "CN",
    "mail": " Mei@Example.COM ",
    "names": {"given": "梅", "family": "李", "display": "Mei"},
    "birthday": "2000-02-29",
    "gender": "female",
    "locale": "zh-Hans",
    "external": [{"source": "pos", "id": "88120"}],
    "consents": {
        "sms": {"granted": True, "at": "2026-01-02T03:04:05+08:00", "source": "till"},
        "mail": {"granted": False},
    },
}


def enrol(body: Any, key: str | None = "k1", **options: Any) -> Response:
    return client.post("/v1/members", json=body, **{"caller": SHOP, "key": key, **options})


def sign_up(person: Any, body: Any = None) -> Response:
    return client.post("/v1/members", json=body or {}, caller=person)


class TestAShopEnrols:
    def test_a_member_with_all_that_is_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clock, "now", lambda: clock.parse("2026-11-21T12:00:00Z"))
        answer = enrol(WHOLE)
        assert answer.status == 201
        found = answer.json["member"]
        assert answer.headers["location"] == f"/v1/members/{found['id']}"
        assert found == {
            "id": found["id"],
            "version": 1,
            "phone": PHONE,
            "mail": "Mei@example.com",
            "further_phones": [],
            "further_mails": [],
            "names": {"given": "梅", "family": "李", "display": "Mei"},
            "birthday": "2000-02-29",
            "gender": "female",
            "locale": "zh-Hans",
            "external": [{"source": "pos", "id": "88120"}],
            "consents": {
                "sms": {"granted": True, "at": "2026-01-01T19:04:05Z", "source": "till"},
                "mail": {"granted": False, "at": "2026-11-21T12:00:00Z"},
            },
            "tags": [],
            "enrolled_at": "2026-11-21T12:00:00Z",
            "updated_at": "2026-11-21T12:00:00Z",
        }

    def test_and_the_welcome_points_are_entry_1(self) -> None:
        answer = enrol({"phone": PHONE})
        entry, account = answer.json["entry"], answer.json["account"]
        assert (entry["seq"], entry["kind"], entry["points"]) == (1, "enrolled", WELCOME)
        assert (account["available"], account["tier"]) == (WELCOME, default().tiers[0].code)

    @pytest.mark.parametrize(
        "body", [{"phone": PHONE}, {"mail": "a@b.cn"}, {"external": [{"source": "crm", "id": "1"}]}]
    )
    def test_with_any_one_identity(self, body: dict[str, Any]) -> None:
        assert enrol(body).status == 201

    def test_for_14_write_units_and_in_one_round_trip_more_at_the_most(self) -> None:
        enrol({"mail": "warm@up.cn"}, "warm")
        with metered() as bill:
            enrol({"phone": PHONE, "mail": "mei@example.com"})
        assert bill.write_units <= 14
        assert bill.read_units <= 1
        assert bill.round_trips <= 2

    def test_only_with_the_scope(self) -> None:
        assert enrol(WHOLE, caller=system("members.read")).code == "scope_missing"
        assert enrol(WHOLE, caller=staff("members.write")).code == "caller_not_allowed"
        assert enrol(WHOLE, caller=None).status == 401

    def test_only_with_an_idempotency_key(self) -> None:
        assert (enrol(WHOLE, None).status, enrol(WHOLE, None).code) == (400, "idempotency_key_missing")


class TestTheSameRequestAgain:
    def test_is_answered_alike(self) -> None:
        first, again = enrol(WHOLE), enrol(WHOLE)
        assert (first.status, again.status) == (201, 200)
        assert again.json == first.json
        assert again.headers["location"] == first.headers["location"]

    def test_is_answered_alike_whatever_has_become_of_the_member(self) -> None:
        first = enrol({"phone": PHONE})
        path = f"/v1/members/{first.json['member']['id']}"
        client.patch(path, json={"phone": OTHER_PHONE}, caller=SHOP, headers={"If-Match": '"1"'})
        client.post(f"{path}/adjustments", json={"points": 9, "reason": "goodwill"}, caller=SHOP, key="a")
        assert enrol({"phone": PHONE}).json == first.json

    def test_may_order_its_fields_as_it_likes(self) -> None:
        first = enrol({"phone": PHONE, "mail": "a@b.cn"})
        assert enrol({"mail": "a@b.cn", "phone": PHONE}).json == first.json

    def test_with_another_body_is_refused(self) -> None:
        enrol({"phone": PHONE})
        answer = enrol({"phone": PHONE, "mail": "a@b.cn"})
        assert (answer.status, answer.code) == (409, "key_reused")
        assert client.get(answer_path(enrol({"phone": PHONE})), caller=SHOP).json["mail"] is None

    def test_means_nothing_to_another_client(self) -> None:
        first = enrol({"phone": PHONE})
        other = enrol({"phone": OTHER_PHONE}, caller=system("members.write", client="other"))
        assert other.status == 201
        assert answer_path(other) != answer_path(first)


def answer_path(answer: Response) -> str:
    return f"/v1/members/{answer.json['member']['id']}"


class TestAClash:
    @pytest.mark.parametrize(
        "body",
        [
            {"phone": "+86 138 0013 8000", "mail": "new@example.com"},
            {"mail": "MEI@example.com"},
            {"external": [{"source": "pos", "id": "88120"}], "phone": OTHER_PHONE},
        ],
    )
    def test_is_refused_alike_and_changes_nothing(self, body: dict[str, Any]) -> None:
        enrol(WHOLE)
        answer = enrol(body, "k2")
        assert (answer.status, answer.code, answer.json.get("field")) == (409, "identity_taken", None)
        assert answer.json["detail"] == "One of these identities cannot be used. Nothing was changed."
        spare = {"phone": OTHER_PHONE, "mail": "new@example.com"}
        assert enrol(spare, "k3").status == 201

    def test_leaves_the_key_free_for_a_request_that_can_be_met(self) -> None:
        enrol({"phone": PHONE})
        assert enrol({"phone": PHONE}, "k2").status == 409
        assert enrol({"phone": OTHER_PHONE}, "k2").status == 201


class TestAPersonSignsUp:
    def test_with_what_the_token_proves(self) -> None:
        answer = sign_up(member(phone=PHONE, mail="Mei@Example.com"), {"names": {"given": "Mei"}})
        assert answer.status == 201
        found = answer.json["member"]
        assert (found["phone"], found["mail"], found["names"]) == (PHONE, "Mei@example.com", {"given": "Mei"})
        assert answer.json["account"]["available"] == WELCOME

    def test_with_a_sign_in_alone(self) -> None:
        answer = sign_up(member())
        assert (answer.status, answer.json["member"]["phone"]) == (201, None)
        assert client.get("/v1/members/me", caller=member()).json["id"] == answer.json["member"]["id"]

    def test_may_write_the_proved_phone_in_any_form(self) -> None:
        body = {"phone": "138-0013-8000", "region": "CN"}
        assert sign_up(member(phone=PHONE), body).json["member"]["phone"] == PHONE

    @pytest.mark.parametrize(
        "body",
        [{"phone": OTHER_PHONE}, {"mail": "other@example.com"}, {"external": [{"source": "pos", "id": "1"}]}],
    )
    def test_but_not_with_what_it_does_not_prove(self, body: dict[str, Any]) -> None:
        answer = sign_up(member(phone=PHONE), body)
        assert (answer.status, answer.code) == (403, "identity_unproved")
        assert client.get("/v1/members/me", caller=member()).status == 404

    def test_again_and_is_answered_alike(self) -> None:
        first, again = sign_up(member(phone=PHONE)), sign_up(member(phone=PHONE))
        assert (first.status, again.status, again.json) == (201, 200, first.json)

    def test_again_with_a_token_that_proves_less_and_is_answered_alike(self) -> None:
        first = sign_up(member(phone=PHONE))
        assert sign_up(member()).json == first.json

    def test_with_what_the_issuer_wrote_its_own_way(self) -> None:
        found = sign_up(member(phone="+86 138 0013 8000", mail=" mei@Example.com")).json["member"]
        assert (found["phone"], found["mail"]) == (PHONE, "mei@example.com")

    def test_and_what_is_no_phone_or_mail_counts_for_nothing(self) -> None:
        found = sign_up(member(phone="13800138000", mail="root@localhost")).json["member"]
        assert (found["phone"], found["mail"]) == (None, None)

    def test_and_a_number_newer_than_our_list_of_networks_counts(self) -> None:
        assert sign_up(member(phone="+8611100000000")).json["member"]["phone"] == "+8611100000000"

    def test_again_with_another_body_and_is_refused(self) -> None:
        sign_up(member())
        assert sign_up(member(), {"gender": "other"}).code == "key_reused"

    def test_and_two_sign_ins_are_two_members(self) -> None:
        ids = {sign_up(member(name)).json["member"]["id"] for name in ("a", "b")}
        assert len(ids) == 2


class TestAPersonWhomAShopEnrolled:
    def test_is_linked_by_a_proved_phone(self) -> None:
        shops = enrol({"phone": PHONE, "names": {"given": "Mei"}})
        answer = sign_up(member(phone=PHONE), {"names": {"given": "Somebody"}})
        assert answer.status == 200
        assert answer.json == {"member": shops.json["member"], "referral": None, "entry": None, "account": None}
        assert client.get("/v1/members/me/account", caller=member()).json["available"] == WELCOME

    def test_is_linked_by_a_proved_mail_in_any_case(self) -> None:
        shops = enrol({"mail": "Mei@example.com"})
        assert sign_up(member(mail="mei@EXAMPLE.com")).json["member"]["id"] == shops.json["member"]["id"]

    def test_stays_linked(self) -> None:
        shops = enrol({"phone": PHONE})
        for _time in range(2):
            answer = sign_up(member(phone=PHONE))
            assert (answer.status, answer.json["member"]) == (200, shops.json["member"])

    def test_stays_linked_though_the_phone_moves(self) -> None:
        shops = enrol({"phone": PHONE})
        sign_up(member(phone=PHONE))
        path = answer_path(shops)
        client.patch(path, json={"phone": OTHER_PHONE}, caller=SHOP, headers={"If-Match": '"1"'})
        assert sign_up(member(phone=PHONE)).json["member"]["id"] == shops.json["member"]["id"]

    def test_is_not_linked_by_a_phone_that_was_not_verified(self) -> None:
        shops = enrol({"phone": PHONE})
        answer = sign_up(member())
        assert answer.status == 201
        assert answer.json["member"]["id"] != shops.json["member"]["id"]

    def test_is_not_linked_to_a_member_who_signs_in_otherwise(self) -> None:
        sign_up(member("first", phone=PHONE))
        answer = sign_up(member("second", phone=PHONE))
        assert (answer.status, answer.code) == (409, "identity_taken")
        assert client.get("/v1/members/me", caller=member("second")).status == 404

    def test_is_not_linked_to_a_member_who_was_linked_before(self) -> None:
        enrol({"phone": PHONE})
        sign_up(member("first", phone=PHONE))
        assert sign_up(member("second", phone=PHONE)).code == "identity_taken"

    def test_is_not_linked_where_the_identities_lead_to_two_members(self) -> None:
        enrol({"phone": PHONE}, "k1")
        enrol({"mail": "mei@example.com"}, "k2")
        answer = sign_up(member(phone=PHONE, mail="mei@example.com"))
        assert (answer.status, answer.code) == (409, "identity_taken")

    def test_gets_no_second_welcome(self) -> None:
        shops = enrol({"phone": PHONE})
        sign_up(member(phone=PHONE))
        entries = client.get(f"{answer_path(shops)}/entries", caller=SHOP).json["entries"]
        assert [entry["kind"] for entry in entries] == ["enrolled"]


BAD = [
    ({}, "identity_missing"),
    ({"names": {"given": "Mei"}}, "identity_missing"),
    ({"phone": "12345", "region": "CN"}, "phone_invalid"),
    ({"phone": "13800138000"}, "phone_invalid"),
    ({"phone": "x" * 41}, "invalid_request"),
    ({"phone": 13800138000}, "invalid_request"),
    ({"phone": PHONE, "region": "cn"}, "invalid_request"),
    ({"phone": PHONE, "region": "CHN"}, "invalid_request"),
    ({"mail": "nobody"}, "mail_invalid"),
    ({"mail": "x" * 321}, "invalid_request"),
    ({"mail": ["a@b.cn"]}, "invalid_request"),
    ({"phone": PHONE, "birthday": "2001-02-29"}, "invalid_request"),
    ({"phone": PHONE, "birthday": "29.02.2000"}, "invalid_request"),
    ({"phone": PHONE, "birthday": 951782400}, "invalid_request"),
    ({"phone": PHONE, "birthday": "1899-12-31"}, "birthday_invalid"),
    ({"phone": PHONE, "birthday": "2999-01-01"}, "birthday_invalid"),
    ({"phone": PHONE, "gender": "FEMALE"}, "invalid_request"),
    ({"phone": PHONE, "locale": "de"}, "invalid_request"),
    ({"phone": PHONE, "names": {"given": "x" * 101}}, "invalid_request"),
    ({"phone": PHONE, "names": {"given": ""}}, "invalid_request"),
    ({"phone": PHONE, "names": {"given": "a\nb"}}, "invalid_request"),
    ({"phone": PHONE, "names": {"given": "a\u0000b"}}, "invalid_request"),
    ({"phone": PHONE, "names": {"nick": "M"}}, "invalid_request"),
    ({"phone": PHONE, "names": "Mei"}, "invalid_request"),
    ({"phone": PHONE, "nickname": "M"}, "invalid_request"),
    ({"phone": PHONE, "version": 7}, "invalid_request"),
    ({"phone": PHONE, "external": [{"source": "pos", "id": str(n)} for n in range(11)]}, "invalid_request"),
    ({"phone": PHONE, "external": [{"source": "pos"}]}, "invalid_request"),
    ({"phone": PHONE, "external": [{"source": "", "id": "1"}]}, "invalid_request"),
    ({"phone": PHONE, "external": [{"source": "pos", "id": 1}]}, "invalid_request"),
    ({"phone": PHONE, "consents": {"fax": {"granted": True}}}, "invalid_request"),
    ({"phone": PHONE, "consents": {"sms": True}}, "invalid_request"),
    ({"phone": PHONE, "consents": {"sms": {"granted": "yes"}}}, "invalid_request"),
    ({"phone": PHONE, "consents": {"sms": {}}}, "invalid_request"),
    ({"phone": PHONE, "consents": {"sms": {"granted": True, "at": "2026-01-01T00:00:00"}}}, "invalid_request"),
    ({"phone": PHONE, "consents": {"sms": {"granted": True, "at": "9999-12-31T23:59:59-12:00"}}}, "consent_invalid"),
    ({"phone": PHONE, "consents": {"sms": {"granted": True, "at": "0001-01-01T00:00:00+12:00"}}}, "consent_invalid"),
]


@pytest.mark.parametrize(("body", "code"), BAD)
def test_a_body_that_cannot_be_is_refused_and_takes_nothing(body: dict[str, Any], code: str) -> None:
    answer = enrol(body)
    assert (answer.status, answer.code) == (400, code)
    assert enrol({"phone": PHONE}).status == 201


def test_an_external_id_given_twice_is_kept_once() -> None:
    item = {"source": "pos", "id": "1"}
    assert enrol({"external": [item, item]}).json["member"]["external"] == [item]


def test_external_ids_are_told_apart_by_their_source() -> None:
    assert enrol({"external": [{"source": "a#b", "id": "c"}]}, "k1").status == 201
    assert enrol({"external": [{"source": "a", "id": "b#c"}]}, "k2").status == 201
