"""Batches, issues and members' lists; the bulk jobs' way through API, queue and console."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from chalicelib.base import clock
from chalicelib.vouchers.triggers import administer_vouchers, make_vouchers
from tests.api import shop
from tests.api import voucher_shop as vouchers
from tests.api.client import client, member, system
from tests.api.test_vouchers_use import at, later
from tests.api.voucher_shop import OFFICE, counts, lock, redeem, roll_back, told, validate

CONTEXT = SimpleNamespace(aws_request_id="test", function_name="make_vouchers")


@pytest.fixture
def queue() -> Iterator[list[str]]:
    """The bodies of messages that wait."""
    messages: list[str] = []

    def send(_url: str, message: Any) -> None:
        messages.append(json.dumps({"job_id": message.job_id, "leg": message.leg}))

    with mock.patch("chalicelib.base.queues.send", send):
        yield messages


def drain(queue: list[str]) -> None:
    while queue:
        event = {"Records": [{"messageId": "m", "receiptHandle": "r", "body": queue.pop(0)}]}
        assert make_vouchers(event, CONTEXT) == {"batchItemFailures": []}


def ask(**request: Any) -> Any:
    return administer_vouchers(request, CONTEXT)


class TestBatches:
    def test_a_batch_is_made_once_for_its_key(self) -> None:
        body = {"title": vouchers.TITLE, "kind": "single", "effect": vouchers.TENTH}
        first, again = (client.post("/v1/voucher-batches", json=body, caller=OFFICE, key="k") for _ in range(2))
        assert (first.status, again.status) == (201, 200)
        assert again.json == first.json
        changed = client.post("/v1/voucher-batches", json=body | {"stacking": "alone"}, caller=OFFICE, key="k")
        assert told(changed) == (409, "key_reused")

    def test_a_code_is_one_batch_s_whatever_its_spelling(self) -> None:
        vouchers.shared("SUMMER-10")
        body = {"title": vouchers.TITLE, "kind": "shared", "code": "summerio", "effect": vouchers.TENTH}
        answer = client.post("/v1/voucher-batches", json=body, caller=OFFICE, key="other")
        assert told(answer) == (409, "voucher_code_taken")

    def test_a_shared_batch_without_a_code_gets_one_that_cannot_be_guessed(self) -> None:
        batch_id = vouchers.make(kind="shared")
        code = client.get(f"/v1/voucher-batches/{batch_id}", caller=OFFICE).json["code"]
        assert len(code) == 19
        assert validate(code).status == 200

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"code": "!!!!"}, "voucher_code_invalid"),
            ({"owner": "member"}, "batch_invalid"),
            ({"hue": 1}, "invalid_request"),
        ],
    )
    def test_a_batch_that_makes_no_sense_is_refused(self, fields: dict[str, Any], code: str) -> None:
        body = {"title": vouchers.TITLE, "kind": "shared", "effect": vouchers.TENTH, **fields}
        assert told(client.post("/v1/voucher-batches", json=body, caller=OFFICE, key="k")) == (400, code)

    def test_what_happened_in_a_batch_is_counted(self) -> None:
        batch_id = vouchers.make()
        vouchers.imported(batch_id, "GIFT-A1", "GIFT-A2", "GIFT-A3")
        lock("GIFT-A1")
        redeem("GIFT-A1", "1", session="cart-1")
        redeem("GIFT-A2", "2")
        roll_back("GIFT-A2", "2")
        assert counts(batch_id) == {
            "issued": 3,
            "locked": 1,
            "redeemed": 2,
            "rolled_back": 1,
            "in_use": 1,
            "left": None,
            "redeemed_per_mille": 333,
        }

    def test_all_batches_are_listed_newest_first(self) -> None:
        now = clock.now()
        made = []
        for second in range(5):
            with at(now + second):
                made.append(vouchers.make())
        client.post(f"/v1/voucher-batches/{made[1]}/state", json={"state": "paused"}, caller=OFFICE)
        found: list[Any] = []
        cursor: Any = ""
        while cursor is not None:
            path = f"/v1/voucher-batches?limit=2{cursor and f'&cursor={cursor}'}"
            page = client.get(path, caller=OFFICE, headers={"Accept-Language": "zh-Hans"}).json
            found += page["batches"]
            cursor = page["next_cursor"]
        assert [line["id"] for line in found] == made[::-1]
        assert [line["state"] for line in found] == ["active", "active", "active", "paused", "active"]
        assert {line["title"] for line in found} == {"九折"}
        assert [line["batch_id"] for line in ask(action="list")["batches"]] == made[::-1]

    def test_there_is_no_batch_by_another_name(self) -> None:
        code = vouchers.given(vouchers.make(), shop.enrol())
        voucher_id = validate(code).json["id"]
        for name in ("vbt_none", voucher_id):
            assert told(client.get(f"/v1/voucher-batches/{name}", caller=OFFICE)) == (404, "voucher_batch_not_found")

    def test_using_vouchers_and_making_them_take_scopes_of_their_own(self) -> None:
        batch_id = vouchers.make()
        path = f"/v1/voucher-batches/{batch_id}"
        assert told(client.get(path, caller=vouchers.TILL)) == (403, "scope_missing")
        body = vouchers.sketch()
        answer = client.post("/v1/vouchers/ABCD/validate", json=body, caller=system("vouchers.admin"))
        assert told(answer) == (403, "scope_missing")
        assert told(client.get(path, caller=member())) == (403, "caller_not_allowed")
        redeeming = body | {"source": "shop", "order_id": "1"}
        answer = client.post("/v1/vouchers/ABCD/redeem", json=redeeming, caller=member(), key="k")
        assert told(answer) == (403, "caller_not_allowed")


class TestIssuing:
    def test_a_voucher_is_issued_once_for_its_key(self) -> None:
        someone, other = shop.enrol(), shop.enrol("other", phone="+8613900139000")
        batch_id = vouchers.make()
        assert vouchers.given(batch_id, someone, "sorry") == vouchers.given(batch_id, someone, "sorry")
        assert counts(batch_id)["issued"] == 1
        path = f"/v1/members/{other}/vouchers"
        answer = client.post(path, json={"batch_id": batch_id}, caller=OFFICE, key="sorry")
        assert told(answer) == (409, "key_reused")
        answer = client.post(path, json={"batch_id": vouchers.shared()}, caller=OFFICE, key="k")
        assert told(answer) == (409, "voucher_batch_not_fitting")

    def test_a_member_s_list_shows_open_used_and_expired_ones_newest_first(self) -> None:
        someone = shop.enrol()
        batch_id = vouchers.make(validity={"days_after_issue": 5})
        now = clock.now()
        issued = []
        for day in range(3):
            with at(now + day * clock.DAY_S):
                issued.append(vouchers.given(batch_id, someone))
        redeem(issued[1])
        with at(clock.parse(self.listed(someone)[2]["ends_at"])):
            found = self.listed(someone)
        assert [line["code"] for line in found] == issued[::-1]
        assert [line["status"] for line in found] == ["open", "used", "expired"]
        roll_back(issued[1])
        assert [line["status"] for line in self.listed(someone)] == ["open", "open", "open"]

    def listed(self, someone: str, **headers: str) -> list[dict[str, Any]]:
        answer = client.get(f"/v1/members/{someone}/vouchers", caller=vouchers.TILL, headers=headers)
        return list(answer.json["vouchers"])

    def test_the_list_comes_in_pages_and_in_the_reader_s_language(self) -> None:
        someone, batch_id = shop.enrol(), vouchers.make()
        codes = {vouchers.given(batch_id, someone) for _ in range(5)}
        found: list[Any] = []
        cursor: Any = ""
        while cursor is not None:
            path = f"/v1/members/{someone}/vouchers?limit=2{cursor and f'&cursor={cursor}'}"
            page = client.get(path, caller=vouchers.TILL, headers={"Accept-Language": "zh-TW"}).json
            found += page["vouchers"]
            cursor = page["next_cursor"]
        assert {line["code"] for line in found} == codes
        assert len(found) == 5
        assert {line["title"] for line in found} == {"九折優惠"}

    def test_a_member_sees_its_own_only(self) -> None:
        someone = shop.enrol()
        caller = member("me", phone=shop.PHONE)
        client.post("/v1/members", json={"phone": shop.PHONE}, caller=caller)
        code = vouchers.given(vouchers.make(), someone)
        mine = client.get("/v1/members/me/vouchers", caller=caller).json["vouchers"]
        assert [line["code"] for line in mine] == [code]
        stranger = client.get(f"/v1/members/{someone}/vouchers", caller=member("stranger"))
        assert told(stranger) == (403, "not_your_account")


class TestJobs:
    def test_codes_in_bulk_are_begun_watched_exported_and_used(self, queue: list[str]) -> None:
        batch_id = vouchers.make()
        path = f"/v1/voucher-batches/{batch_id}/jobs"
        first, again = (client.post(path, json={"codes": 2_500}, caller=OFFICE, key="k") for _ in range(2))
        assert (first.status, again.status) == (201, 200)
        assert again.json == first.json
        job_id = first.json["id"]
        assert client.get(f"/v1/voucher-jobs/{job_id}", caller=OFFICE).json["status"] == "running"
        drain(queue)
        found = client.get(f"/v1/voucher-jobs/{job_id}", caller=OFFICE).json
        assert (found["status"], found["made"]) == ("done", 2_500)
        codes: list[str] = []
        cursor: Any = ""
        while cursor is not None:
            page = client.get(f"/v1/voucher-jobs/{job_id}/codes{cursor and f'?cursor={cursor}'}", caller=OFFICE).json
            codes += [row["code"] for row in csv.DictReader(io.StringIO(page["csv"]))]
            cursor = page["next_cursor"]
        assert len(set(codes)) == 2_500
        assert redeem(codes[0]).status == redeem(codes[-1], "2").status == 201
        assert counts(batch_id)["issued"] == 2_500

    def test_an_admin_does_it_from_the_console(self, queue: list[str]) -> None:
        assert set(ask()["actions"]) >= {"create", "make", "progress", "export", "import", "pause"}
        batch = {"title": vouchers.TITLE, "kind": "single", "effect": vouchers.TENTH}
        batch_id = ask(action="create", key="winter", by="mei", batch=batch)["batch_id"]
        made = ask(action="make", batch_id=batch_id, codes=30, key="first", by="mei")
        assert (made["made"], made["is_done"]) == (0, False)
        drain(queue)
        assert ask(action="progress", job_id=made["job_id"])["is_done"]
        page = ask(action="export", job_id=made["job_id"], after=20)
        codes = [row["code"] for row in csv.DictReader(io.StringIO(page["csv"]))]
        assert (len(codes), page["after"]) == (10, None)
        assert ask(action="pause", batch_id=batch_id, by="mei")["state"] == "paused"
        assert told(validate(codes[0])) == (409, "voucher_paused")
        assert ask(action="resume", batch_id=batch_id, by="mei")["state"] == "active"
        brought = ask(action="import", batch_id=batch_id, codes=["GIFT-A1", "!"], key="list", by="mei")
        assert list(brought["refused"]) == [{"line": 2, "reason": "invalid", "of_line": None}]
        assert ask(action="show", batch_id=batch_id)["counts"]["issued"] == 31

    def test_the_console_says_what_it_cannot_do(self) -> None:
        assert ask(action="show", batch_id="vbt_none")["error"]["code"] == "voucher_batch_not_found"
        bad = ask(action="create", key="k", by="mei", batch={"kind": "single"})
        assert bad["error"]["code"] == "batch_invalid"
        assert ask(action="fly")["error"]["code"] == "invalid_request"

    def test_vouchers_made_in_bulk_last_from_the_job_s_beginning(self, queue: list[str]) -> None:
        batch_id = vouchers.make(validity={"days_after_issue": 0})
        job = client.post(f"/v1/voucher-batches/{batch_id}/jobs", json={"codes": 1}, caller=OFFICE, key="k").json
        drain(queue)
        page = client.get(f"/v1/voucher-jobs/{job['id']}/codes", caller=OFFICE).json
        code = page["csv"].split()[1].split(",")[1]
        assert validate(code).status == 200
        with later(clock.DAY_S):
            assert told(validate(code)) == (409, "voucher_expired")
