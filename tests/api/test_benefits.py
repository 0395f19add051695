"""Benefits: what a member has beside points, and the use of those that are counted."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest

from chalicelib.base import clock, dynamo
from chalicelib.ledger.table import read_tail
from tests.api import shop
from tests.api.client import client, member
from tests.api.community import CRM, kinds, publish, use
from tests.programs import texts

LOUNGE = {
    "code": "lounge",
    "kind": "experience",
    "title": {"en": "Lounge", "zh-Hans": "贵宾室", "zh-Hant": "貴賓室"},
    "detail": texts("For two"),
    "tiers": ["member", "silver"],
    "uses": 2,
    "per": "year",
}
BENEFITS = [
    LOUNGE,
    {"code": "delivery", "kind": "purchase", "title": texts("Free delivery"), "tiers": ["silver", "gold"]},
    {"code": "title", "kind": "virtual", "title": texts("Tea friend"), "tiers": ["member"]},
    {
        "code": "gala",
        "kind": "event",
        "title": texts("Gala"),
        "tiers": ["member"],
        "uses": 1,
        "per": "ever",
        "starts_at": "2090-01-01T18:00",
        "ends_at": "2090-01-01T22:00",
    },
]


@pytest.fixture
def member_id() -> str:
    publish(benefits=BENEFITS)
    return shop.enrol()


def benefits(member_id: str, query: str = "", **options: Any) -> Any:
    answer = client.get(f"/v1/members/{member_id}/benefits{query}", caller=options.pop("caller", CRM), **options)
    assert answer.status == 200, answer.text
    return answer.json


def left(member_id: str, code: str = "lounge") -> Any:
    return next(item["uses_left"] for item in benefits(member_id)["benefits"] if item["code"] == code)


def cancel(use_id: str) -> Any:
    return client.post(f"/v1/benefit-uses/{use_id}/cancel", caller=CRM)


class TestTheList:
    def test_names_those_of_the_tier_in_the_order_of_the_programme(self, member_id: str) -> None:
        found = benefits(member_id)
        assert (found["tier"], found["next_tier"]) == ("member", "silver")
        assert [(item["code"], item["kind"], item["status"]) for item in found["benefits"]] == [
            ("lounge", "experience", "open"),
            ("title", "virtual", "open"),
            ("gala", "event", "upcoming"),
        ]

    def test_shows_what_the_next_tier_would_bring_where_it_is_asked_for(self, member_id: str) -> None:
        locked = [
            item["code"] for item in benefits(member_id, "?locked=true")["benefits"] if item["status"] == "locked"
        ]
        assert locked == ["delivery"]
        assert client.get(f"/v1/members/{member_id}/benefits?locked=maybe", caller=CRM).code == "query_invalid"

    def test_follows_the_tier(self, member_id: str) -> None:
        shop.post_order(member_id=member_id, total_minor=2_000_00)
        assert [item["code"] for item in benefits(member_id)["benefits"]] == ["lounge", "delivery"]

    def test_speaks_the_caller_s_language(self, member_id: str) -> None:
        first = benefits(member_id, headers={"Accept-Language": "zh-CN"})["benefits"][0]
        assert (first["title"], first["detail"]) == ("贵宾室", "For two")

    def test_says_when_an_invitation_is(self, member_id: str) -> None:
        gala = benefits(member_id)["benefits"][2]
        assert (gala["starts_at"], gala["ends_at"]) == ("2090-01-01T10:00:00Z", "2090-01-01T14:00:00Z")

    def test_says_when_the_period_is_over(self, member_id: str) -> None:
        lounge, _title, gala = benefits(member_id)["benefits"]
        zone = ZoneInfo("Asia/Shanghai")
        next_year = datetime.fromtimestamp(clock.now(), zone).year + 1
        assert lounge["period_ends_at"] == clock.text(clock.seconds(datetime(next_year, 1, 1, tzinfo=zone)))
        assert gala["period_ends_at"] is None

    def test_is_the_member_s_own_to_see(self) -> None:
        publish(benefits=BENEFITS)
        client.post("/v1/members", json={}, caller=member())
        other = shop.enrol()
        assert len(benefits("me", caller=member())["benefits"]) == 3
        assert client.get(f"/v1/members/{other}/benefits", caller=member()).code == "not_your_account"


class TestAUse:
    def test_is_a_fact_of_no_points_and_leaves_one_fewer(self, member_id: str) -> None:
        answer = use(member_id, note="two guests")
        assert (answer.status, answer.json["use"]["uses_left"], left(member_id)) == (201, 1, 1)
        assert (answer.json["entry"]["kind"], answer.json["entry"]["points"]) == ("benefit_used", 0)
        tail = read_tail(member_id, consistent=True)
        assert tail
        assert (tail.reason, "guests" in str(tail)) == ("lounge", False)

    def test_sent_again_under_its_key_is_answered_alike(self, member_id: str) -> None:
        first, again = use(member_id, key="k"), use(member_id, key="k")
        assert (again.status, again.json) == (200, first.json)
        assert kinds(member_id) == ["benefit_used"]

    def test_of_another_benefit_under_a_used_key_is_refused(self, member_id: str) -> None:
        use(member_id, key="k")
        assert use(member_id, key="k", note="other").code == "key_reused"
        assert use(member_id, "gala", key="k").code == "key_reused"

    def test_beyond_what_is_left_is_refused(self, member_id: str) -> None:
        assert [use(member_id).status for _use in range(3)] == [201, 201, 409]
        assert use(member_id).code == "benefit_used_up"
        assert benefits(member_id)["benefits"][0]["status"] == "used_up"

    def test_after_the_last_one_is_still_answered_to_who_asks_again(self, member_id: str) -> None:
        use(member_id)
        last = use(member_id, key="last")
        assert use(member_id, key="last").json == last.json

    def test_races_for_the_last_and_loses_to_the_one_that_was_faster(self, member_id: str) -> None:
        use(member_id)
        real: Any = dynamo.client()
        send = real._make_api_call
        raced: list[Any] = []

        def call(operation: str, parameters: dict[str, Any]) -> Any:
            if operation == "TransactWriteItems" and not raced:
                raced.append("")
                raced[0] = use(member_id)
            return send(operation, parameters)

        with mock.patch.object(real, "_make_api_call", call):
            slower = use(member_id)
        assert (raced[0].status, slower.status, slower.code) == (201, 409, "benefit_used_up")
        assert left(member_id) == 0

    @pytest.mark.parametrize(
        ("code", "status", "problem"),
        [
            ("delivery", 409, "benefit_not_counted"),
            ("spa", 404, "benefit_not_found"),
            ("gala", 409, "benefit_not_open"),
        ],
    )
    def test_needs_a_benefit_that_is_counted_and_open(
        self, member_id: str, code: str, status: int, problem: str
    ) -> None:
        answer = use(member_id, code)
        assert (answer.status, answer.code) == (status, problem)

    def test_needs_the_tier(self) -> None:
        publish(benefits=[{**LOUNGE, "tiers": ["gold"]}])
        assert use(shop.enrol()).code == "benefit_not_held"

    def test_of_yesterday_counts_in_yesterday_s_period(self) -> None:
        publish(benefits=[{**LOUNGE, "uses": 1, "per": "day"}])
        member_id = shop.enrol()
        assert use(member_id, occurred_at=shop.moment(1)).status == 201
        assert use(member_id, occurred_at=shop.moment(1)).code == "benefit_used_up"
        assert (left(member_id), use(member_id).status) == (1, 201)
        assert use(member_id, occurred_at=shop.moment(40)).code == "occurred_too_long_ago"

    def test_is_recorded_by_the_shop_only(self) -> None:
        publish(benefits=BENEFITS)
        client.post("/v1/members", json={}, caller=member())
        answer = client.post("/v1/members/me/benefits/lounge/uses", json={}, caller=member(), key="k")
        assert answer.code == "caller_not_allowed"
        assert client.post("/v1/members/mem_a/benefits/lounge/uses", json={}, caller=CRM).code == (
            "idempotency_key_missing"
        )


class TestACancelledUse:
    def test_gives_the_use_back_once(self, member_id: str) -> None:
        use(member_id)
        use_id = use(member_id).json["use"]["id"]
        first, again = cancel(use_id), cancel(use_id)
        assert (first.status, again.json) == (200, first.json)
        assert (first.json["use"]["status"], first.json["entry"]["points"]) == ("cancelled", 0)
        assert (left(member_id), kinds(member_id)) == (1, ["benefit_used", "benefit_used", "benefit_use_cancelled"])

    def test_of_a_member_who_was_merged_is_given_back_to_the_one_who_took_over(self, member_id: str) -> None:
        into = shop.enrol("b", phone="+8613900139000")
        use_id = use(member_id).json["use"]["id"]
        use(into)
        client.post(f"/v1/members/{member_id}/merge", json={"into": into}, caller=CRM)
        assert (left(into), use(into).code) == (0, "benefit_used_up")
        assert cancel(use_id).json["account"]["member_id"] == into
        assert left(member_id) == 1

    def test_must_have_been_made(self, member_id: str) -> None:
        for name in ("use_" + "a" * 26, member_id):
            assert cancel(name).code == "benefit_use_not_found"
