"""Events: what members do beside buying counts once, and goes back once."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.ledger.table import read_tail
from tests.api import shop
from tests.api.client import client, member, staff, system
from tests.api.community import CHECK_IN, CRM, EVENTS, cancel_event, event, kinds, post_event, publish
from tests.api.shop import PHONE
from tests.campaigns import budget, campaign
from tests.programs import texts


@pytest.fixture
def member_id() -> str:
    publish()
    return shop.enrol()


def activity(member_id: str) -> int:
    tail = read_tail(member_id, consistent=True)
    assert tail
    return sum(month.activity for month in tail.state.months)


def limits(member_id: str) -> list[tuple[str, int, int]]:
    tail = read_tail(member_id, consistent=True)
    assert tail
    return [(limit.limit_id, limit.count, limit.points) for limit in tail.state.limits]


class TestAnEvent:
    def test_gives_what_its_rule_says_and_counts_as_activity(self, member_id: str) -> None:
        answer = post_event(member_id=member_id)
        assert answer.status == 201
        assert answer.json["entry"]["kind"] == "event"
        assert (answer.json["entry"]["points"], shop.available(member_id)) == (5, 105)
        assert activity(member_id) == 1
        (explained,) = answer.json["event"]["explanations"]
        assert (explained["rule"], explained["fired"], explained["points"]) == ("here", True, 5)

    def test_sent_again_is_answered_alike(self, member_id: str) -> None:
        first, again = post_event(member_id=member_id), post_event(member_id=member_id)
        assert (again.status, again.json) == (200, first.json)
        assert kinds(member_id) == ["event"]

    def test_with_another_body_under_the_same_name_is_refused(self, member_id: str) -> None:
        post_event(member_id=member_id)
        answer = post_event(member_id=member_id, store="harbour")
        assert (answer.status, answer.code) == (409, "key_reused")

    def test_that_no_rule_knows_is_a_fact_of_no_points(self, member_id: str) -> None:
        answer = post_event(member_id=member_id, type="visit")
        assert (answer.status, answer.json["entry"]["points"]) == (201, 0)
        assert kinds(member_id) == ["event"]

    def test_beyond_the_cap_gives_nothing_and_says_why(self, member_id: str) -> None:
        post_event(member_id=member_id)
        answer = post_event("2", member_id=member_id)
        (explained,) = answer.json["event"]["explanations"]
        assert (answer.json["entry"]["points"], explained["fired"], explained["reason"]) == (0, False, "capped")

    def test_of_yesterday_uses_up_yesterday_s_cap(self, member_id: str) -> None:
        post_event(member_id=member_id, occurred_at=shop.moment(2))
        assert post_event("2", member_id=member_id, occurred_at=shop.moment(1)).json["entry"]["points"] == 5

    def test_finds_its_member_by_an_identity(self, member_id: str) -> None:
        answer = post_event(identity={"phone": PHONE})
        assert answer.json["event"]["member_id"] == member_id

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"identity": {"phone": "+8613900139000"}}, "member_not_found"),
            ({"member_id": "mem_nobody"}, "member_not_found"),
            ({}, "invalid_request"),
            ({"member_id": "mem_a", "identity": {"phone": PHONE}}, "invalid_request"),
            ({"identity": {"phone": "123"}}, "phone_invalid"),
        ],
    )
    def test_names_one_member_that_there_is(self, member_id: str, fields: dict[str, Any], code: str) -> None:
        assert post_event(**fields).code == code
        assert kinds(member_id) == []

    @pytest.mark.parametrize(("days_ago", "code"), [(-0.01, "occurred_in_future"), (40, "occurred_too_long_ago")])
    def test_from_the_future_or_too_long_ago_is_refused(self, member_id: str, days_ago: float, code: str) -> None:
        assert post_event(member_id=member_id, occurred_at=shop.moment(days_ago)).code == code

    @pytest.mark.parametrize(
        "properties",
        [
            {f"p{number}": 1 for number in range(21)},
            {"stars": 4.5},
            {"nested": {"a": 1}},
            {"text": "x" * 201},
            {"a b": 1},
            {"huge": 10**13},
        ],
    )
    def test_has_few_and_plain_properties(self, member_id: str, properties: dict[str, Any]) -> None:
        assert post_event(member_id=member_id, properties=properties).status == 400

    def test_may_be_asked_for_its_properties(self) -> None:
        rule = {**CHECK_IN, "when": {"condition": "event.properties.stars >= `4`"}}
        publish(earning_rules=[rule])
        member_id = shop.enrol()
        given = [
            post_event(str(stars), member_id=member_id, properties={"stars": stars}).json["entry"]["points"]
            for stars in (3, 4)
        ]
        assert given == [0, 5]

    def test_of_a_type_that_the_programme_does_not_declare_is_refused(self) -> None:
        publish(events=EVENTS)
        answer = post_event(member_id=shop.enrol(), type="chek_in")
        assert (answer.status, answer.code) == (400, "event_type_unknown")

    def test_keeps_the_client_s_text_out_of_the_ledger(self, member_id: str) -> None:
        post_event(member_id=member_id, type="p13800138000", store="harbour", properties={"note": "secret"})
        tail = read_tail(member_id, consistent=True)
        assert tail
        assert (tail.kind, tail.reason) == ("event", "event")

    def test_draws_on_a_campaign_s_budget_until_it_is_exhausted(self) -> None:
        rule = {**CHECK_IN, "code": "opening", "points": 40, "caps": []}
        publish(campaigns=[campaign("spring", rules=[rule], budget={"points": 50, "shards": 1})])
        member_id = shop.enrol()
        points = [post_event(number, member_id=member_id).json["entry"]["points"] for number in "12"]
        assert points == [45, 0]
        assert budget() == (50, 40, 10)


class TestAMembersOwnApp:
    @pytest.fixture(autouse=True)
    def declared(self) -> None:
        publish(events=EVENTS)

    def enrolled(self, subject: str = "someone") -> str:
        answer = client.post("/v1/members", json={}, caller=member(subject))
        return str(answer.json["member"]["id"])

    def test_reports_what_the_programme_lets_it(self) -> None:
        own = self.enrolled()
        answer = client.post("/v1/events", json=event(), caller=member())
        assert (answer.status, answer.json["event"]["member_id"]) == (201, own)
        assert answer.json["entry"]["points"] == 5

    @pytest.mark.parametrize("type_", ["review_approved", "share"])
    def test_reports_nothing_else(self, type_: str) -> None:
        self.enrolled()
        answer = client.post("/v1/events", json=event(type=type_), caller=member())
        assert (answer.status, answer.code) == (403, "not_self_reported")

    def test_reports_nothing_where_nothing_is_declared(self) -> None:
        own = self.enrolled()
        answer = client.post("/v1/events", json=event(type="visit"), caller=member())
        assert answer.code == "event_type_unknown"
        assert kinds(own) == []

    def test_reports_of_nobody_else(self) -> None:
        self.enrolled()
        other = self.enrolled("other")
        answer = client.post("/v1/events", json=event(member_id=other), caller=member())
        assert (answer.status, answer.code) == (403, "not_your_account")
        answer = client.post("/v1/events", json=event(identity={"phone": PHONE}), caller=member())
        assert answer.code == "invalid_request"

    def test_cannot_take_the_name_of_a_system_s_event(self) -> None:
        own = self.enrolled()
        client.post("/v1/events", json=event(), caller=member())
        assert post_event(member_id=own).status == 201
        assert kinds(own) == ["event", "event"]

    def test_reads_its_own_events_and_no_others(self) -> None:
        self.enrolled()
        self.enrolled("other")
        event_id = client.post("/v1/events", json=event(), caller=member()).json["event"]["id"]
        assert client.get(f"/v1/events/{event_id}", caller=member()).status == 200
        answer = client.get(f"/v1/events/{event_id}", caller=member("other"))
        assert (answer.status, answer.code) == (404, "event_not_found")

    def test_cancels_nothing(self) -> None:
        self.enrolled()
        event_id = client.post("/v1/events", json=event(), caller=member()).json["event"]["id"]
        assert client.post(f"/v1/events/{event_id}/cancel", caller=member()).code == "caller_not_allowed"


class TestACancelledEvent:
    def test_gives_back_points_activity_limits_and_budget_once(self) -> None:
        rule = {**CHECK_IN, "code": "opening", "points": 40}
        publish(campaigns=[campaign("spring", rules=[rule], budget={"points": 50, "awards": 9, "shards": 1})])
        member_id = shop.enrol()
        event_id = post_event(member_id=member_id).json["event"]["id"]
        first, again = cancel_event(event_id), cancel_event(event_id)
        assert (first.status, again.json) == (200, first.json)
        assert first.json["event"]["status"] == "cancelled"
        assert first.json["entry"]["points"] == -45
        assert kinds(member_id) == ["event", "event_cancelled"]
        assert (shop.available(member_id), activity(member_id), limits(member_id)) == (100, 0, [])
        assert (budget(), budget(unit="awards")) == ((50, 0, 50), (9, 0, 9))

    def test_makes_room_for_another(self, member_id: str) -> None:
        cancel_event(post_event(member_id=member_id).json["event"]["id"])
        assert post_event("2", member_id=member_id).json["entry"]["points"] == 5

    def test_is_shown_as_such_while_its_posting_is_answered_as_ever(self, member_id: str) -> None:
        posted = post_event(member_id=member_id).json
        cancel_event(posted["event"]["id"])
        read = client.get(f"/v1/events/{posted['event']['id']}", caller=CRM).json
        assert (read["status"], read["points"]) == ("cancelled", 5)
        assert post_event(member_id=member_id).json == posted

    def test_leaves_what_was_spent_owed(self, member_id: str) -> None:
        event_id = post_event(member_id=member_id).json["event"]["id"]
        client.post(
            f"/v1/members/{member_id}/adjustments",
            json={"points": -105, "reason": "correction"},
            caller=shop.SHOP,
            key="all",
        )
        assert cancel_event(event_id).json["account"]["owed"] == 5

    def test_goes_by_what_was_recorded_though_the_rule_changed(self, member_id: str) -> None:
        event_id = post_event(member_id=member_id).json["event"]["id"]
        publish(events={"visit": {"title": texts("Visit")}}, earning_rules=[{**CHECK_IN, "events": ["visit"]}])
        assert cancel_event(event_id).json["entry"]["points"] == -5

    def test_must_have_been_posted(self, member_id: str) -> None:
        for name in ("evt_" + "a" * 26, member_id):
            answer = cancel_event(name)
            assert (answer.status, answer.code) == (404, "event_not_found")


def test_an_event_of_a_member_who_was_merged_goes_to_the_one_who_took_over() -> None:
    publish()
    closed, into = shop.enrol("a"), shop.enrol("b", phone="+8613900139000")
    event_id = post_event(member_id=closed).json["event"]["id"]
    client.post(f"/v1/members/{closed}/merge", json={"into": into}, caller=CRM)
    assert post_event(member_id=closed).status == 200
    assert post_event("2", member_id=closed).json["entry"]["points"] == 0, "the day's cap is that of both"
    assert cancel_event(event_id).json["account"]["member_id"] == into
    assert post_event("3", member_id=into).json["entry"]["points"] == 5


@pytest.mark.parametrize(
    ("caller", "status"),
    [
        (system("events.read"), 403),
        (system("orders.write"), 403),
        (staff("events.write"), 201),
        (system("events.write"), 201),
    ],
)
def test_who_may_post_events(member_id: str, caller: Any, status: int) -> None:
    assert client.post("/v1/events", json=event(member_id=member_id), caller=caller).status == status
