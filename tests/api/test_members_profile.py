"""Profiles: who sees which, and how one is changed without losing anybody's change."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Response, client, member, staff, system

SHOP = system("members.write", "members.read")
PHONE, OTHER_PHONE = "+8613800138000", "+8613900139000"
NOBODY = "mem_" + "a" * 26


@pytest.fixture
def path() -> str:
    """A member whom a shop enrolled with phone and mail."""
    answer = client.post("/v1/members", json={"phone": PHONE, "mail": "mei@example.com"}, caller=SHOP, key="k1")
    return f"/v1/members/{answer.json['member']['id']}"


def change(path: str, body: Any, version: int | str = 1, **options: Any) -> Response:
    headers = {"If-Match": f'"{version}"', "Content-Type": "application/merge-patch+json"}
    return client.patch(path, json=body, **{"caller": SHOP, "headers": headers, **options})


class TestReading:
    def test_systems_and_staff_read_every_profile(self, path: str) -> None:
        for caller in (SHOP, staff("members.read")):
            answer = client.get(path, caller=caller)
            assert (answer.status, answer.json["phone"], answer.headers["etag"]) == (200, PHONE, '"1"')

    def test_only_with_the_scope(self, path: str) -> None:
        assert client.get(path, caller=system("orders.write")).code == "scope_missing"
        assert client.get(path, caller=staff("adjustments.write")).code == "scope_missing"

    def test_a_member_reads_the_own_profile_by_either_name(self) -> None:
        own = client.post("/v1/members", json={}, caller=member()).json["member"]
        assert client.get("/v1/members/me", caller=member()).json == own
        assert client.get(f"/v1/members/{own['id']}", caller=member()).json == own

    def test_a_profile_read_before_is_not_sent_again(self, path: str) -> None:
        assert client.get(path, caller=SHOP, headers={"If-None-Match": '"1"'}).status == 304

    def test_there_must_be_such_a_member(self) -> None:
        answer = client.get(f"/v1/members/{NOBODY}", caller=SHOP)
        assert (answer.status, answer.code) == (404, "member_not_found")

    def test_other_records_are_no_members(self, path: str) -> None:
        body, shop = {"points": 1, "reason": "goodwill"}, system("adjustments.write")
        other = client.post(f"{path}/adjustments", json=body, caller=shop, key="a").json["adjustment"]["id"]
        assert client.get(f"/v1/members/{other}", caller=SHOP).code == "member_not_found"
        assert change(f"/v1/members/{other}", {"gender": "other"}).code == "member_not_found"
        assert client.get(f"/v1/members/{other}/account", caller=SHOP).code == "member_not_found"

    def test_me_is_nobody_before_enrolment_and_no_machine(self) -> None:
        assert client.get("/v1/members/me", caller=member()).code == "member_not_found"
        assert client.get("/v1/members/me", caller=SHOP).code == "member_not_found"


class TestOtherPeople:
    @pytest.mark.parametrize("enrolled", ["enrolled", ""])
    @pytest.mark.parametrize("suffix", ["", "/account", "/entries", "/proof"])
    def test_are_refused_alike_whether_or_not_there_are_any(self, path: str, suffix: str, enrolled: str) -> None:
        if enrolled:
            client.post("/v1/members", json={}, caller=member())
        answers = [client.get(f"{other}{suffix}", caller=member()) for other in (path, f"/v1/members/{NOBODY}")]
        told = [{**answer.json, "request_id": ""} for answer in answers]
        assert told[0] == told[1]
        assert (answers[0].status, answers[0].code) == (403, "not_your_account")

    def test_are_changed_by_nobody_else(self, path: str) -> None:
        client.post("/v1/members", json={}, caller=member())
        answer = change(path, {"names": {"given": "Eve"}}, caller=member())
        assert (answer.status, answer.code) == (403, "not_your_account")
        assert client.get(path, caller=SHOP).json["version"] == 1

    def test_have_their_own_issuers(self, path: str) -> None:
        client.post("/v1/members", json={}, caller=member("someone", phone=PHONE))
        stranger = member("someone")
        object.__setattr__(stranger, "issuer", "https://elsewhere.example")
        assert client.get(path, caller=stranger).code == "not_your_account"


class TestAChange:
    def test_touches_only_what_it_names(self, path: str) -> None:
        answer = change(path, {"names": {"given": "Mei", "family": "Li"}, "gender": "female", "birthday": "1999-12-31"})
        assert (answer.status, answer.headers["etag"], answer.json["version"]) == (200, '"2"', 2)
        answer = change(path, {"names": {"family": None}, "gender": None}, 2)
        assert answer.json["names"] == {"given": "Mei"}
        assert (answer.json["gender"], answer.json["birthday"], answer.json["phone"]) == (None, "1999-12-31", PHONE)

    def test_replaces_lists_and_consents_whole(self, path: str) -> None:
        first = {"external": [{"source": "a", "id": "1"}], "consents": {"sms": {"granted": True, "source": "till"}}}
        change(path, first)
        second = {"external": [{"source": "b", "id": "2"}], "consents": {"sms": {"granted": False}, "push": None}}
        found = change(path, second, 2).json
        assert found["external"] == [{"source": "b", "id": "2"}]
        assert found["consents"]["sms"]["granted"] is False
        assert "source" not in found["consents"]["sms"]

    def test_removes_with_null(self, path: str) -> None:
        change(
            path,
            {
                "names": {"given": "Mei"},
                "consents": {"sms": {"granted": True}},
                "external": [{"source": "a", "id": "1"}],
            },
        )
        found = change(path, {"names": None, "consents": None, "external": None, "mail": None}, 2).json
        assert (found["names"], found["consents"], found["external"], found["mail"]) == ({}, {}, [], None)

    def test_must_say_what_it_is_based_on(self, path: str) -> None:
        answer = client.patch(path, json={"gender": "other"}, caller=SHOP)
        assert (answer.status, answer.code) == (428, "precondition_required")

    @pytest.mark.parametrize("version", [0, 2, "x", "1.0", "01"])
    def test_is_refused_when_it_is_based_on_another_version(self, path: str, version: int | str) -> None:
        answer = change(path, {"gender": "other"}, version)
        assert (answer.status, answer.code) == (412, "version_stale")

    def test_sent_again_finds_itself_done(self, path: str) -> None:
        first, again = change(path, {"gender": "other"}), change(path, {"gender": "other"})
        assert (first.status, again.status, again.json) == (200, 200, first.json)

    def test_loses_against_another_one_of_the_same_version(self, path: str) -> None:
        change(path, {"gender": "other"})
        assert change(path, {"gender": "male"}).code == "version_stale"
        assert client.get(path, caller=SHOP).json["gender"] == "other"

    def test_is_only_made_with_the_scope(self, path: str) -> None:
        assert change(path, {"gender": "other"}, caller=system("members.read")).code == "scope_missing"

    def test_needs_a_member(self) -> None:
        assert change(f"/v1/members/{NOBODY}", {"gender": "other"}).code == "member_not_found"

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"unknown": 1}, "invalid_request"),
            ({"gender": 1}, "invalid_request"),
            ({"names": {"given": "\u0007"}}, "invalid_request"),
            ({"birthday": "1800-01-01"}, "birthday_invalid"),
            ({"phone": "1"}, "invalid_request"),
            ({"phone": "12345"}, "phone_invalid"),
            ({"mail": "nobody"}, "mail_invalid"),
            ({"phone": None, "mail": None}, "identity_missing"),
            ({"consents": {"sms": {"granted": True, "at": "2999-01-01T00:00:00Z"}}}, "consent_invalid"),
        ],
    )
    def test_that_cannot_be_is_refused(self, path: str, body: dict[str, Any], code: str) -> None:
        answer = change(path, body)
        assert (answer.status, answer.code) == (400, code)
        assert client.get(path, caller=SHOP).json["version"] == 1


class TestAnIdentityThatMoves:
    def test_leads_to_the_member_at_once_and_the_old_one_is_free(self, path: str) -> None:
        assert change(path, {"phone": OTHER_PHONE}).json["phone"] == OTHER_PHONE
        taken = client.post("/v1/members", json={"phone": OTHER_PHONE}, caller=SHOP, key="k2")
        assert taken.code == "identity_taken"
        assert client.post("/v1/members", json={"phone": PHONE}, caller=SHOP, key="k3").status == 201

    def test_that_is_anothers_is_refused_in_the_words_of_every_clash(self, path: str) -> None:
        client.post("/v1/members", json={"phone": OTHER_PHONE}, caller=SHOP, key="k2")
        answer = change(path, {"phone": OTHER_PHONE, "gender": "other"})
        assert (answer.status, answer.code) == (409, "identity_taken")
        found = client.get(path, caller=SHOP).json
        assert (found["phone"], found["gender"], found["version"]) == (PHONE, None, 1)

    def test_may_be_refused_now_and_taken_when_it_is_free(self, path: str) -> None:
        other = client.post("/v1/members", json={"phone": OTHER_PHONE}, caller=SHOP, key="k2").json["member"]["id"]
        assert change(path, {"phone": OTHER_PHONE}).status == 409
        change(f"/v1/members/{other}", {"phone": None, "mail": "other@example.com"})
        assert change(path, {"phone": OTHER_PHONE}).status == 200

    def test_only_changes_its_spelling(self, path: str) -> None:
        answer = change(path, {"mail": "Mei@EXAMPLE.com", "phone": "+86 138 0013 8000"})
        assert (answer.json["mail"], answer.json["phone"]) == ("Mei@example.com", PHONE)


class TestAPersonChanges:
    @pytest.fixture
    def own(self) -> str:
        client.post("/v1/members", json={}, caller=member(phone=PHONE))
        return "/v1/members/me"

    def test_what_concerns_nobody_else(self, own: str) -> None:
        assert change(own, {"names": {"given": "Mei"}}, caller=member()).status == 200

    def test_the_phone_to_one_that_the_token_proves(self, own: str) -> None:
        assert change(own, {"phone": OTHER_PHONE}, caller=member(phone=OTHER_PHONE)).json["phone"] == OTHER_PHONE

    @pytest.mark.parametrize(
        "body", [{"phone": OTHER_PHONE}, {"mail": "a@b.cn"}, {"external": [{"source": "pos", "id": "1"}]}]
    )
    def test_no_identity_to_one_that_it_does_not(self, own: str, body: dict[str, Any]) -> None:
        answer = change(own, body, caller=member(phone=PHONE))
        assert (answer.status, answer.code) == (403, "identity_unproved")

    def test_nothing_by_naming_the_phone_that_is_there(self, own: str) -> None:
        assert change(own, {"phone": PHONE}, caller=member()).status == 200

    def test_everything_away_for_the_sign_in_remains(self, own: str) -> None:
        assert change(own, {"phone": None}, caller=member()).json["phone"] is None
        assert client.get(own, caller=member()).status == 200
