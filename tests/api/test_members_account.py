"""Account, statement, proof and adjustments, as members and shops see them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.ledger.chain import Entry, entry_hash, verify
from chalicelib.program.document import default
from tests.api.client import Response, client, member, staff, system
from tests.meter import metered

SHOP = system("members.write", "members.read", "adjustments.write")
WELCOME = default().welcome_points
NOW = clock.parse("2026-11-21T12:00:00Z")
NOBODY = "mem_" + "a" * 26


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def path() -> str:
    answer = client.post("/v1/members", json={"phone": "+8613800138000"}, caller=SHOP, key="k1")
    return f"/v1/members/{answer.json['member']['id']}"


def adjust(path: str, points: Any, key: str | None = "a1", **options: Any) -> Response:
    body = {"points": points, "reason": "goodwill", **options.pop("more", {})}
    return client.post(f"{path}/adjustments", json=body, **{"caller": SHOP, "key": key, **options})


class TestTheAccount:
    def test_shows_points_lots_tier_and_lifetime(self, path: str) -> None:
        answer = client.get(f"{path}/account", caller=SHOP)
        assert answer.json == {
            "member_id": path.rpartition("/")[2],
            "available": WELCOME,
            "owed": 0,
            "lots": [{"points": WELCOME, "expires_at": "2028-11-30T16:00:00Z"}],
            "pending": [],
            "tier": {
                "code": "member",
                "name": "Member",
                "since": None,
                "until": None,
                "to_next": {
                    "code": "silver",
                    "name": "Silver",
                    "points": 2000,
                    "spend_minor": None,
                    "purchases": None,
                    "activity": None,
                    "match": "all",
                    "nearest": None,
                },
                "to_keep": None,
                "missing_to_keep": None,
            },
            "lifetime": {
                "earned": WELCOME,
                "restored": 0,
                "adjusted": 0,
                "merged": 0,
                "redeemed": 0,
                "expired": 0,
                "clawed": 0,
            },
            "as_of": "2026-11-21T12:00:00Z",
        }

    def test_speaks_the_callers_language(self, path: str) -> None:
        names = {
            client.get(f"{path}/account", caller=SHOP, headers={"Accept-Language": tag}).json["tier"]["name"]
            for tag in ("en", "zh-CN", "zh-TW")
        }
        tier = default().tiers[0].name
        assert names == {tier.en, tier.zh_hans, tier.zh_hant}

    def test_is_judged_by_date_though_nothing_was_posted(self, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clock, "now", lambda: clock.parse("2028-12-01T00:00:00Z"))
        found = client.get(f"{path}/account", caller=SHOP).json
        assert (found["available"], found["lots"], found["lifetime"]["expired"]) == (0, [], WELCOME)

    def test_has_an_etag_that_time_alone_does_not_change(self, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
        etag = client.get(f"{path}/account", caller=SHOP).headers["etag"]
        monkeypatch.setattr(clock, "now", lambda: NOW + 60)
        again = client.get(f"{path}/account", caller=SHOP, headers={"If-None-Match": etag})
        assert again.status == 304
        adjust(path, 1)
        assert client.get(f"{path}/account", caller=SHOP, headers={"If-None-Match": etag}).status == 200

    def test_costs_a_system_one_read_unit_and_one_round_trip(self, path: str) -> None:
        client.get(f"{path}/account", caller=SHOP)
        with metered() as bill:
            client.get(f"{path}/account", caller=SHOP)
        assert (bill.write_units, bill.round_trips) == (0, 1)
        assert bill.read_units <= 1

    @pytest.mark.parametrize("suffix", ["account", "entries", "proof"])
    def test_belongs_to_a_member(self, suffix: str) -> None:
        answer = client.get(f"/v1/members/{NOBODY}/{suffix}", caller=SHOP)
        assert (answer.status, answer.code) == (404, "member_not_found")

    @pytest.mark.parametrize("suffix", ["account", "entries", "proof"])
    def test_is_open_to_staff_and_systems_with_the_scope_only(self, path: str, suffix: str) -> None:
        assert client.get(f"{path}/{suffix}", caller=staff("members.read")).status == 200
        assert client.get(f"{path}/{suffix}", caller=system("orders.write")).code == "scope_missing"


class TestTheStatement:
    def test_begins_with_the_newest_and_turns_every_page(self, path: str) -> None:
        for number in range(1, 8):
            adjust(path, number, f"a{number}")
        seen, cursor = [], ""
        for _page in range(4):
            answer = client.get(f"{path}/entries?limit=2{cursor}", caller=SHOP).json
            seen += [entry["seq"] for entry in answer["entries"]]
            if answer["next_cursor"] is None:
                break
            cursor = f"&cursor={answer['next_cursor']}"
        assert seen == [8, 7, 6, 5, 4, 3, 2, 1]
        assert answer["next_cursor"] is None

    def test_titles_entries_by_the_programme_in_the_callers_language(self, path: str) -> None:
        adjust(path, -30)
        answer = client.get(f"{path}/entries", caller=SHOP, headers={"Accept-Language": "zh-TW"}).json
        assert [entry["title"] for entry in answer["entries"]] == ["致歉補償", "歡迎入會"]
        newest = answer["entries"][0]
        assert (newest["points"], newest["available"], newest["reason"]) == (-30, WELCOME - 30, "goodwill")

    def test_tells_a_member_that_staff_did_it_not_who(self, path: str) -> None:
        adjust(path, 5, caller=staff("adjustments.write", subject="li.wei"))
        answer = client.get(f"{path}/entries", caller=SHOP)
        assert answer.json["entries"][0]["actor"] == "staff"
        assert "li.wei" not in answer.text

    @pytest.mark.parametrize(
        "tamper",
        [
            lambda cursor: cursor[:-1] + ("A" if cursor[-1] != "A" else "B"),
            lambda cursor: "A" + cursor,
            lambda _cursor: "abc",
            lambda _cursor: "",
        ],
    )
    def test_refuses_a_tampered_cursor(self, path: str, tamper: Any) -> None:
        adjust(path, 1)
        cursor = client.get(f"{path}/entries?limit=1", caller=SHOP).json["next_cursor"]
        answer = client.get(f"{path}/entries?limit=1&cursor={tamper(cursor)}", caller=SHOP)
        assert (answer.status, answer.code) == (400, "cursor_invalid")

    def test_refuses_the_cursor_of_another_member_or_list(self, path: str) -> None:
        adjust(path, 1)
        cursor = client.get(f"{path}/entries?limit=1", caller=SHOP).json["next_cursor"]
        other = client.post("/v1/members", json={"mail": "a@b.cn"}, caller=SHOP, key="k2").json["member"]["id"]
        for list_ in (f"/v1/members/{other}/entries", f"{path}/proof"):
            assert client.get(f"{list_}?cursor={cursor}", caller=SHOP).code == "cursor_invalid"

    def test_costs_4_read_units_a_page_of_20_at_the_most(self, path: str) -> None:
        for number in range(20):
            adjust(path, 1, f"a{number}")
        with metered() as bill:
            client.get(f"{path}/entries", caller=SHOP)
        assert bill.round_trips == 1
        assert bill.read_units <= 4


class TestTheProof:
    def test_verifies_offline(self, path: str) -> None:
        for number in range(4):
            adjust(path, 10 - number, f"a{number}")
        links, cursor = [], ""
        while True:
            answer = client.get(f"{path}/proof?limit=2{cursor}", caller=SHOP).json
            links += answer["entries"]
            if answer["next_cursor"] is None:
                break
            cursor = f"&cursor={answer['next_cursor']}"
        entries = [entry_of(link) for link in links]
        verify(entries)
        assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5]
        assert all(
            base64.b64decode(link["hash"]) == entry_hash(entry) for link, entry in zip(links, entries, strict=True)
        )

    def test_is_open_to_the_member(self) -> None:
        client.post("/v1/members", json={}, caller=member())
        assert len(client.get("/v1/members/me/proof", caller=member()).json["entries"]) == 1


def entry_of(link: dict[str, Any]) -> Entry:
    fields = {name: value for name, value in link.items() if name not in {"hash", "effect", "state", "prev"}}
    effect, state, prev = (base64.b64decode(link[name]) for name in ("effect", "state", "prev"))
    return Entry(**fields, packed_effect=effect, packed_state=state, prev=prev)


class TestAnAdjustment:
    def test_adds_points_that_expire_as_if_earned_now(self, path: str) -> None:
        answer = adjust(path, 500, more={"note": "The parcel\ncame late."})
        assert answer.status == 201
        assert answer.json["adjustment"] == {
            "id": answer.json["adjustment"]["id"],
            "member_id": path.rpartition("/")[2],
            "points": 500,
            "reason": "goodwill",
            "note": "The parcel\ncame late.",
            "actor": "system:machine",
            "posted_at": "2026-11-21T12:00:00Z",
        }
        assert answer.json["account"]["available"] == WELCOME + 500
        lots = client.get(f"{path}/account", caller=SHOP).json["lots"]
        assert lots == [{"points": WELCOME + 500, "expires_at": "2028-11-30T16:00:00Z"}]

    def test_takes_what_is_available_and_not_a_point_more(self, path: str) -> None:
        answer = adjust(path, -WELCOME - 1)
        assert (answer.status, answer.code) == (409, "insufficient_points")
        assert adjust(path, -WELCOME).json["account"]["available"] == 0

    def test_happens_once_for_its_key_though_its_points_are_gone_by_now(self, path: str) -> None:
        first = adjust(path, -WELCOME)
        again = adjust(path, -WELCOME)
        assert (first.status, again.status, again.json) == (201, 200, first.json)

    def test_with_the_same_key_and_another_body_is_refused(self, path: str) -> None:
        adjust(path, 5)
        assert adjust(path, 6).code == "key_reused"
        assert adjust(path, -10_000).code == "key_reused"
        assert client.get(f"{path}/account", caller=SHOP).json["available"] == WELCOME + 5

    def test_names_who_did_it(self, path: str) -> None:
        answer = adjust(path, 5, caller=staff("adjustments.write", subject="li.wei"))
        assert answer.json["adjustment"]["actor"] == "staff:li.wei"

    def test_of_two_clerks_may_have_the_same_key(self, path: str) -> None:
        for clerk in ("a", "b"):
            assert adjust(path, 5, caller=staff("adjustments.write", subject=clerk)).status == 201

    def test_is_for_staff_and_systems_with_the_scope(self, path: str) -> None:
        assert adjust(path, 5, caller=staff("members.write")).code == "scope_missing"
        assert adjust(path, 5, caller=member()).code == "caller_not_allowed"

    def test_needs_a_member_and_a_key(self, path: str) -> None:
        assert adjust(f"/v1/members/{NOBODY}", 5).code == "member_not_found"
        assert adjust(path, 5, None).code == "idempotency_key_missing"

    @pytest.mark.parametrize("points", [1_000_000_000, -1])
    def test_may_be_as_large_or_small_as_it_gets(self, path: str, points: int) -> None:
        assert adjust(path, points).status == 201

    @pytest.mark.parametrize(
        ("points", "more", "code"),
        [
            (0, {}, "points_invalid"),
            (1.5, {}, "invalid_request"),
            (True, {}, "invalid_request"),
            ("5", {}, "invalid_request"),
            (None, {}, "invalid_request"),
            (1_000_000_001, {}, "invalid_request"),
            (-1_000_000_001, {}, "invalid_request"),
            (10**30, {}, "invalid_request"),
            (5, {"reason": "because"}, "reason_invalid"),
            (5, {"reason": ""}, "invalid_request"),
            (5, {"note": "x" * 501}, "invalid_request"),
            (5, {"note": "\u0000"}, "control_character"),
            (5, {"expires_at": "2030-01-01T00:00:00Z"}, "invalid_request"),
        ],
    )
    def test_that_cannot_be_is_refused(self, path: str, points: Any, more: dict[str, Any], code: str) -> None:
        answer = adjust(path, points, more=more)
        assert (answer.status, answer.code) == (400, code)
        assert client.get(f"{path}/account", caller=SHOP).json["available"] == WELCOME
