"""Feedback: from members, from agents for them, from people unknown; each opens one case."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.cases.table import HeadItem
from chalicelib.ledger.table import read_chain
from tests.api import desk, shop
from tests.api.client import client, member, staff, system
from tests.api.desk import AGENT, send

ANNA = member("anna", phone="+8615900159001")


@pytest.fixture(autouse=True)
def _policy() -> None:
    desk.publish()


def join(who: Any = ANNA) -> str:
    answer = client.post("/v1/members", json={}, caller=who, key="join")
    assert answer.status in {200, 201}, answer.text
    return str(answer.json["member"]["id"])


def test_a_complaint_opens_a_case_with_department_and_deadlines_and_a_fact_of_the_member() -> None:
    member_id = shop.enrol()
    case_id = desk.opened(member_id=member_id, severity="high", store="Nanjing Road", channel="phone")
    found = desk.work(case_id)

    assert (found["state"], found["kind"], found["severity"]) == ("new", "complaint", "high")
    assert (found["department"], found["owner"], found["channel"]) == ("quality", None, "phone")
    assert found["opened_by"] == "system:crm"
    hours = [clock.parse(found[name]) - clock.parse(found["opened_at"]) for name in ("assign_by", "resolve_by")]
    assert hours == [8 * 3600, 48 * 3600]
    (entry,) = [item for item in read_chain(member_id, consistent=True) if item.kind == "case_opened"]
    assert (entry.record, entry.points) == (case_id, 0)


def test_what_was_said_is_kept_whole_and_stays_out_of_the_ledger() -> None:
    member_id = shop.enrol()
    text = '=HYPERLINK("http://evil") <script>alert(1)</script>\n\t' + "茶" * 9_900
    case_id = desk.opened(member_id=member_id, text=text)

    assert desk.read(case_id)["text"] == text
    chain = [item.serialize() for item in read_chain(member_id, consistent=True)]
    assert "script" not in repr(chain)
    assert "茶" not in repr(chain)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid_request"),
        (" \n", "invalid_request"),
        ("a\x07b", "control_character"),
        ("x" * 10_001, "invalid_request"),
    ],
)
def test_text_is_something_readable_of_ten_thousand_characters_at_most(text: str, code: str) -> None:
    refused = send(text=text)
    assert (refused.status, refused.code) == (400, code)


def test_a_hundred_kilobytes_of_text_are_refused_and_nothing_is_opened() -> None:
    assert send(text="x" * 100_000, source="crm", feedback_id="1").status == 400
    assert list(HeadItem.scan()) == []


def test_feedback_sent_again_opens_no_other_case() -> None:
    member_id = shop.enrol()
    first = send(key="one", member_id=member_id)
    again = send(key="one", member_id=member_id)
    named = send(source="crm", feedback_id="77", member_id=member_id)
    named_again = send(key="another", source="crm", feedback_id="77", member_id=member_id)

    assert (first.status, again.status, named.status, named_again.status) == (201, 200, 201, 200)
    assert first.json["case"] == again.json["case"]
    assert named.json["case"] == named_again.json["case"]
    assert desk.kinds(member_id) == ["case_opened"] * 2


def test_another_body_under_the_same_name_is_refused() -> None:
    assert send(key="one").status == 201
    changed = send(key="one", text="Something else.")
    assert (changed.status, changed.code) == (409, "key_reused")


def test_feedback_without_a_name_is_refused() -> None:
    refused = client.post("/v1/feedback", json={"kind": "praise", "text": "Good."}, caller=AGENT)
    assert (refused.status, refused.code) == (400, "feedback_key_missing")


def test_a_member_speaks_for_themselves_only() -> None:
    own, other = join(), shop.enrol()
    case_id = desk.opened(ANNA)

    assert desk.work(case_id)["member_id"] == own
    for field in ({"member_id": other}, {"severity": "critical"}, {"identity": {"phone": shop.PHONE}}):
        refused = send(ANNA, **field)
        assert (refused.status, refused.code) == (403, "feedback_not_yours")


def test_a_member_s_name_for_feedback_takes_nothing_from_a_system_s() -> None:
    join()
    theirs = desk.opened(ANNA, source="crm", feedback_id="1")
    assert desk.opened(AGENT, source="crm", feedback_id="1") != theirs


def test_somebody_who_is_no_member_is_told_so() -> None:
    assert send(member("nobody")).code == "member_not_found"


def test_an_agent_names_the_member_by_an_identity() -> None:
    member_id = shop.enrol()
    case_id = desk.opened(identity={"phone": shop.PHONE})

    assert desk.work(case_id)["member_id"] == member_id
    assert send(identity={"phone": "+8615900159999"}).code == "member_not_found"
    assert send(identity={"phone": shop.PHONE}, member_id=member_id).status == 400
    assert send(member_id="mem_nobody").code == "member_not_found"


def test_a_public_review_of_somebody_unknown_opens_a_case_without_a_member() -> None:
    fields = {"source": "dianping", "feedback_id": "r-1", "url": "https://example.com/r/1", "channel": "review"}
    case_id = desk.opened(**fields)
    found = desk.work(case_id)

    assert (found["member_id"], found["source"], found["url"]) == (None, "dianping", "https://example.com/r/1")
    desk.taken(case_id, "analyse", "resolve")
    assert send(**{**fields, "feedback_id": "2", "url": "javascript:alert(1)"}).status == 400


def test_praise_and_suggestions_are_less_grave_than_complaints() -> None:
    found = {kind: desk.work(desk.opened(kind=kind))["severity"] for kind in ("praise", "suggestion", "question")}
    assert found == {"praise": "low", "suggestion": "low", "question": "normal"}


def test_the_order_that_it_is_about_is_the_member_s() -> None:
    anna = shop.enrol("anna", phone=shop.PHONE)
    ben = shop.enrol("ben", phone="+8613900139000")
    order_id = shop.post_order(member_id=anna).json["order"]["id"]

    case_id = desk.opened(member_id=anna, order_id=order_id)
    assert desk.read(case_id)["order_id"] == order_id
    refused = send(member_id=ben, order_id=order_id)
    unknown = send(member_id=ben, order_id="ord_" + "a" * 26)
    assert (refused.status, refused.code) == (unknown.status, unknown.code) == (404, "order_not_found")
    assert desk.kinds(ben) == []


def test_only_who_may_write_cases_sends_feedback_for_others() -> None:
    assert send(staff("cases.read")).code == "scope_missing"
    assert send(system("members.write")).code == "scope_missing"


def test_feedback_for_a_merged_member_is_of_the_one_who_took_over() -> None:
    anna = shop.enrol("anna", phone=shop.PHONE)
    ben = shop.enrol("ben", phone="+8613900139000")
    before = desk.opened(member_id=ben)
    merged = client.post(f"/v1/members/{ben}/merge", json={"into": anna}, caller=shop.SHOP)
    assert merged.status in {200, 201}, merged.text
    after = desk.opened(member_id=ben)

    assert desk.work(after)["member_id"] == anna
    found = client.get(f"/v1/members/{anna}/cases", caller=AGENT).json["cases"]
    assert {case["id"] for case in found} == {before, after}
    desk.taken(before, "analyse", "resolve")
    assert desk.kinds(anna)[-1] == "case_resolved"
