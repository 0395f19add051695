"""Two members made one: what becomes of everything that was done, and is still to be done, under the closed id."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from chalicelib.ledger import chain
from chalicelib.members import service
from chalicelib.program.document import default
from tests.api import shop
from tests.api.client import Response, client, member, staff, system
from tests.api.shop import PHONE, SHOP

OTHER_PHONE = "+8613900139000"
WELCOME = default().welcome_points
MEI, OTHER_MEI = member("mei", phone=PHONE), member("mei-2", phone=OTHER_PHONE)


def merge(closing: str, into: str, **options: Any) -> Response:
    body = {"into": into, **options.pop("more", {})}
    return client.post(f"/v1/members/{closing}/merge", json=body, **{"caller": SHOP, **options})


def sign_up(person: Any) -> str:
    return str(client.post("/v1/members", json={}, caller=person).json["member"]["id"])


def links(member_id: str, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/v1/members/{member_id}/proof", **{"caller": SHOP, **options}).json[
        "entries"
    ]
    return found


def verify(member_id: str) -> list[chain.Entry]:
    """The chain under an id, checked from its proof alone."""
    entries = []
    for link in links(member_id):
        fields = {name: value for name, value in link.items() if name not in {"hash", "effect", "state", "prev"}}
        effect, state, prev = (base64.b64decode(link[name]) for name in ("effect", "state", "prev"))
        entries.append(chain.Entry(**fields, packed_effect=effect, packed_state=state, prev=prev))
    chain.verify(entries)
    return entries


@pytest.fixture
def pair() -> tuple[str, str]:
    """Two members of one person: 300 points of a shop's order on the first, 100 on the second beside the welcome."""
    closing = shop.enrol("k1", phone=PHONE, names={"given": "梅"}, external=[{"source": "pos", "id": "1"}])
    survivor = shop.enrol("k2", phone=OTHER_PHONE, mail="mei@example.com", names={"family": "李"})
    shop.post_order("closing", member_id=closing, total_minor=200_00)
    return closing, survivor


class TestTheAnswer:
    def test_shows_the_merge_and_the_survivors_account(self, pair: tuple[str, str]) -> None:
        answer = merge(*pair, caller=staff("members.write", subject="li"), more={"note": "one person"})
        assert answer.status == 201
        found = answer.json["merge"]
        assert (found["closed"], found["into"], found["points"]) == (*pair, WELCOME + 200)
        assert (found["note"], found["actor"]) == ("one person", "staff:li")
        assert answer.json["entry"]["kind"] == "merged_in"
        assert (answer.json["account"]["member_id"], answer.json["account"]["available"]) == (
            pair[1],
            2 * WELCOME + 200,
        )

    def test_is_the_same_when_the_merge_is_asked_for_again(self, pair: tuple[str, str]) -> None:
        first = merge(*pair)
        shop.post_order("more", member_id=pair[1])
        again = merge(*pair)
        assert (again.status, again.json) == (200, first.json)

    def test_refuses_another_target_the_same_member_and_nobody(self, pair: tuple[str, str]) -> None:
        third = shop.enrol("k3", mail="third@example.com")
        assert merge(*pair).status == 201
        assert merge(pair[0], third).code == "already_merged"
        assert merge(pair[1], pair[0]).code == "same_member"
        assert merge(third, third).code == "same_member"
        nobody = merge(third, "mem_" + "a" * 26)
        assert (nobody.status, nobody.code, nobody.json["field"]) == (404, "member_not_found", "into")
        assert merge("me", third).code == "member_not_found"

    def test_is_for_staff_and_systems_who_may_write_members(self, pair: tuple[str, str]) -> None:
        assert merge(*pair, caller=member()).code == "caller_not_allowed"
        assert merge(*pair, caller=system("members.read")).code == "scope_missing"


class TestTheChains:
    def test_both_prove_and_net_to_zero(self, pair: tuple[str, str]) -> None:
        merge(*pair)
        leaving, coming = verify(pair[0])[-1], verify(pair[1])[-1]
        assert (leaving.kind, coming.kind, leaving.points + coming.points) == ("closed", "merged_in", 0)
        assert leaving.record == coming.record

    def test_stand_in_the_statement_under_a_title(self, pair: tuple[str, str]) -> None:
        merge(*pair)
        newest = client.get(f"/v1/members/{pair[1]}/entries", caller=SHOP).json["entries"][0]
        assert (newest["title"], newest["points"], newest["actor"]) == (
            "Other account merged in",
            WELCOME + 200,
            "system",
        )

    def test_tell_a_tier_that_only_both_together_reach(self, pair: tuple[str, str]) -> None:
        shop.post_order("closing-2", member_id=pair[0], total_minor=1000_00)
        shop.post_order("surviving", member_id=pair[1], total_minor=900_00)
        assert {shop.account(member_id)["tier"]["code"] for member_id in pair} == {"member"}
        assert merge(*pair).json["account"]["tier"] == "silver"
        assert shop.account(pair[1])["tier"]["code"] == "silver"


class TestUnderTheClosedId:
    def test_profile_account_and_statement_are_the_survivors(self, pair: tuple[str, str]) -> None:
        merge(*pair)
        for suffix in ("", "/account", "/entries"):
            closed, survivor = (client.get(f"/v1/members/{found}{suffix}", caller=SHOP) for found in pair)
            assert (closed.status, closed.headers["etag"]) == (200, survivor.headers["etag"])
            assert {**closed.json, "as_of": ""} == {**survivor.json, "as_of": ""}
        profile = client.get(f"/v1/members/{pair[0]}", caller=SHOP).json
        assert profile["id"] == pair[1]
        assert (profile["phone"], profile["further_phones"], profile["mail"]) == (
            OTHER_PHONE,
            [PHONE],
            "mei@example.com",
        )
        assert profile["names"] == {"given": "梅", "family": "李"}
        assert profile["external"] == [{"source": "pos", "id": "1"}]

    def test_the_statement_goes_on_from_page_to_page(self, pair: tuple[str, str]) -> None:
        merge(*pair)
        first = client.get(f"/v1/members/{pair[0]}/entries?limit=1", caller=SHOP).json
        for member_id in pair:
            path = f"/v1/members/{member_id}/entries?limit=1&cursor={first['next_cursor']}"
            assert [entry["seq"] for entry in client.get(path, caller=SHOP).json["entries"]] == [1]

    def test_orders_earn_for_the_survivor_by_id_and_by_identity(self, pair: tuple[str, str]) -> None:
        merge(*pair)
        ways: list[dict[str, Any]] = [{"member_id": pair[0]}, {"identity": {"phone": PHONE}}]
        for number, named in enumerate(ways):
            answer = shop.post_order(f"after-{number}", **named)
            assert (answer.status, answer.json["order"]["member_id"]) == (201, pair[1])
        assert shop.available(pair[0]) == shop.available(pair[1]) == 2 * WELCOME + 400

    def test_a_refund_takes_back_what_the_order_earned_there(self, pair: tuple[str, str]) -> None:
        merge(*pair)
        order_id = client.get("/v1/orders?source=shop&order_id=closing", caller=SHOP).json["id"]
        answer = shop.refund(order_id, amount_minor=50_00)
        assert (answer.status, answer.json["refund"]["clawed_points"]) == (201, 50)
        assert answer.json["account"]["member_id"] == pair[1]
        assert shop.cancel(order_id).json["account"]["available"] == 2 * WELCOME
        assert shop.account(pair[1])["lifetime"]["clawed"] == 200
        verify(pair[1])

    def test_a_replayed_order_is_answered_as_it_was(self, pair: tuple[str, str]) -> None:
        merge(*pair)
        replay = shop.post_order("closing", member_id=pair[0], total_minor=200_00)
        assert (replay.status, replay.json["order"]["member_id"]) == (200, pair[0])
        assert shop.available(pair[1]) == 2 * WELCOME + 200

    def test_a_redemption_is_cancelled_into_the_survivors_lots(self, pair: tuple[str, str]) -> None:
        redemption = shop.redeem(pair[0], 100).json["redemption"]["id"]
        merge(*pair)
        assert shop.available(pair[1]) == 2 * WELCOME + 100
        answer = client.post(f"/v1/redemptions/{redemption}/cancel", caller=SHOP)
        assert (answer.json["account"]["member_id"], answer.json["account"]["available"]) == (
            pair[1],
            2 * WELCOME + 200,
        )

    def test_a_redemption_pays_an_order_of_the_survivor(self, pair: tuple[str, str]) -> None:
        redemption = shop.redeem(pair[0], 100).json["redemption"]
        merge(*pair)
        payments = [
            {"type": "points", "amount_minor": redemption["amount_minor"], "redemption_id": redemption["id"]},
            {"type": "card", "amount_minor": 100_00 - redemption["amount_minor"]},
        ]
        assert shop.post_order("paid", member_id=pair[1], payments=payments).status == 201

    def test_a_hold_goes_on_and_is_committed(self, pair: tuple[str, str]) -> None:
        held = shop.redeem(pair[0], 100, hold_seconds=600).json["redemption"]["id"]
        merge(*pair)
        answer = client.post(f"/v1/redemptions/{held}/commit", caller=SHOP)
        assert (answer.status, answer.json["account"]["available"]) == (200, 2 * WELCOME + 100)

    def test_a_debt_is_repaid_by_the_survivors_points(self, pair: tuple[str, str]) -> None:
        shop.redeem(pair[0], WELCOME + 200)
        order_id = client.get("/v1/orders?source=shop&order_id=closing", caller=SHOP).json["id"]
        shop.cancel(order_id)
        shop.post_order("surviving", member_id=pair[1], total_minor=300_00)
        assert merge(*pair).json["account"]["available"] == WELCOME + 100
        assert shop.account(pair[1])["owed"] == 0

    def test_adjustments_and_profile_changes_reach_the_survivor(self, pair: tuple[str, str]) -> None:
        merge(*pair)
        path = f"/v1/members/{pair[0]}"
        adjusted = client.post(
            f"{path}/adjustments", json={"points": 5, "reason": "goodwill"}, caller=SHOP, key="a"
        ).json
        assert adjusted["adjustment"]["member_id"] == pair[1]
        etag = client.get(path, caller=SHOP).headers["etag"]
        patched = client.patch(path, json={"gender": "other"}, caller=SHOP, headers={"If-Match": etag})
        assert (patched.json["id"], patched.json["gender"]) == (pair[1], "other")

    def test_a_replayed_enrolment_is_answered_as_it_was(self, pair: tuple[str, str]) -> None:
        body = {"phone": PHONE, "names": {"given": "梅"}, "external": [{"source": "pos", "id": "1"}]}
        merge(*pair)
        answer = client.post("/v1/members", json=body, caller=SHOP, key="k1")
        assert (answer.status, answer.json["member"]["id"], answer.json["member"]["phone"]) == (200, pair[0], PHONE)

    def test_nobody_else_can_enrol_with_its_identities(self, pair: tuple[str, str]) -> None:
        merge(*pair)
        answer = client.post("/v1/members", json={"phone": PHONE}, caller=SHOP, key="k9")
        assert answer.code == "identity_taken"


class TestEitherSignIn:
    @pytest.fixture
    def people(self) -> tuple[str, str]:
        return sign_up(MEI), sign_up(OTHER_MEI)

    @pytest.mark.parametrize("forgetful", [False, True])
    def test_leads_to_the_survivor_whatever_a_process_remembers(
        self, people: tuple[str, str], *, forgetful: bool
    ) -> None:
        merge(*people)
        for person in (MEI, OTHER_MEI):
            for path in ("me", *people):
                if forgetful:
                    service.forget_all()
                assert client.get(f"/v1/members/{path}", caller=person).json["id"] == people[1]
                account = client.get(f"/v1/members/{path}/account", caller=person).json
                assert (account["member_id"], account["available"]) == (people[1], 2 * WELCOME)
                assert links("me", caller=person)[0]["member_id"] == people[1]
        assert links(people[0], caller=MEI)[-1]["kind"] == "closed"

    def test_still_opens_nobody_elses_account(self, people: tuple[str, str]) -> None:
        stranger = shop.enrol("k3", mail="third@example.com")
        merge(*people)
        for person in (MEI, OTHER_MEI):
            for other in (stranger, "mem_" + "a" * 26):
                assert client.get(f"/v1/members/{other}", caller=person).code == "not_your_account"
        assert client.get(f"/v1/members/{people[0]}", caller=member("a stranger")).code == "not_your_account"

    def test_finds_the_member_when_it_enrols_again(self, people: tuple[str, str]) -> None:
        merge(*people)
        answer = client.post("/v1/members", json={}, caller=MEI)
        assert (answer.status, answer.json["member"]["id"], answer.json["entry"]) == (200, people[1], None)

    def test_turns_the_pages_of_the_statement_in_any_process(self, people: tuple[str, str]) -> None:
        client.get("/v1/members/me", caller=MEI)
        merge(*people)
        first = client.get("/v1/members/me/entries?limit=1", caller=MEI).json
        assert first["entries"][0]["kind"] == "merged_in"
        path = f"/v1/members/me/entries?limit=1&cursor={first['next_cursor']}"
        assert [entry["seq"] for entry in client.get(path, caller=MEI).json["entries"]] == [1]
        service.forget_all()
        assert [entry["seq"] for entry in client.get(path, caller=MEI).json["entries"]] == [1]

    def test_spends_points_once_though_the_merge_came_between_two_tries(self, people: tuple[str, str]) -> None:
        request = {"points": 100, "currency": "CNY"}

        def spend() -> Response:
            return client.post("/v1/members/me/redemptions", json=request, caller=MEI, key="once")

        first = spend()
        merge(*people)
        service.forget_all()
        assert (first.status, spend().status) == (201, 200)
        assert shop.available(people[1]) == 2 * WELCOME - 100

    def test_opens_what_was_redeemed_before(self, people: tuple[str, str]) -> None:
        redeemed = client.post(
            "/v1/members/me/redemptions", json={"points": 100, "currency": "CNY"}, caller=MEI, key="k"
        ).json["redemption"]["id"]
        merge(*people)
        service.forget_all()
        for person in (MEI, OTHER_MEI):
            assert client.get(f"/v1/redemptions/{redeemed}", caller=person).status == 200
        assert client.get(f"/v1/redemptions/{redeemed}", caller=member("a stranger")).status == 404
