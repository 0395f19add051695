"""Duplicates: one case becomes part of another, and nothing of either is lost."""

from __future__ import annotations

import pytest

from chalicelib.base import clock
from chalicelib.ledger.posting import peek
from tests.api import desk, shop
from tests.api.client import Response, client, member
from tests.api.desk import BOSS, LI, WANG, give, listed, step

ANNA = member("anna", phone="+8615900159001")


@pytest.fixture(autouse=True)
def _policy() -> None:
    desk.publish(compensation={"handler_points": 500, "points_max": 2_000})


def merge(case_id: str, into: str) -> Response:
    return client.post(f"/v1/cases/{case_id}/merge", json={"into": into, "note": "The same."}, caller=LI)


def test_both_histories_say_so_and_the_lists_show_one() -> None:
    member_id = shop.enrol()
    first, second = desk.taken(desk.opened(member_id=member_id)), desk.opened(member_id=member_id)
    answer = merge(second, first)

    assert (answer.status, answer.json["case"]["id"]) == (200, first)
    assert listed() == [first]
    assert listed("?state=new") == []
    into, gone = desk.work(first), desk.work(second)
    assert (into["merged"], gone["merged_into"], gone["state"]) == ([second], first, "merged")
    assert [each["kind"] for each in gone["steps"]] == ["case_opened", "case_merged"]
    assert [each["kind"] for each in into["steps"]] == ["case_opened", "case_assigned", "case_took_over"]
    assert (into["steps"][-1]["other_case_id"], gone["steps"][-1]["other_case_id"]) == (second, first)


def test_merged_again_it_answers_the_same_and_into_another_it_is_refused() -> None:
    first, second, third = desk.opened(), desk.opened(), desk.opened()
    assert merge(second, first).json == merge(second, first).json
    refused = merge(second, third)
    assert (refused.status, refused.code) == (409, "case_merged")
    assert first in refused.json["detail"]
    assert desk.work(first)["merged"] == [second]


def test_orders_and_answers_go_along() -> None:
    anna = shop.enrol()
    orders = [shop.post_order(str(number), member_id=anna).json["order"]["id"] for number in range(3)]
    responses = ["rsp_" + letter * 26 for letter in "abc"]
    cases = [
        desk.opened(member_id=anna, order_id=order, response_id=response)
        for order, response in zip(orders, responses, strict=True)
    ]
    merge(cases[2], cases[1])
    merge(cases[1], cases[0])
    found = desk.work(cases[0])

    assert (found["order_id"], set(found["further_orders"])) == (orders[0], set(orders[1:]))
    assert (found["response_id"], set(found["further_responses"])) == (responses[0], set(responses[1:]))
    assert set(found["merged"]) == set(cases[1:])


def test_what_was_given_for_both_counts_together() -> None:
    member_id = shop.enrol()
    first, second = (desk.taken(desk.opened(member_id=member_id)) for _ in range(2))
    give(first, points=300)
    give(second, key="two", points=300)
    waiting = give(second, WANG, points=900).json["compensation"]
    merge(second, first)

    assert give(first, points=1).json["compensation"]["status"] == "waiting"
    assert give(first, points=1_000).code == "compensation_limit_exceeded"
    # What was asked for before is answered as before, and decided on where it is now.
    assert give(second, key="two", points=300).status == 200
    path = f"/v1/cases/{first}/compensations/{waiting['id']}/approve"
    assert client.post(path, json={}, caller=BOSS).json["compensation"]["status"] == "given"
    assert peek(member_id, now=clock.now(), consistent=True).state.available == 1_500
    assert {each["case_id"] for each in desk.work(first)["compensations"]} == {first, second}


def test_a_merged_case_moves_no_more_and_says_where_it_is() -> None:
    first, second = desk.opened(), desk.opened()
    merge(second, first)
    for answer in (
        step(second, "assign", owner="me"),
        step(second, "notes", note="More."),
        give(second, points=1),
        merge(second, second),
        merge(first, second),
    ):
        assert answer.status == 409
        assert answer.code in {"case_merged", "case_same"}
    assert first in step(second, "analyse").json["detail"]


def test_only_cases_of_one_member_are_merged() -> None:
    anna = shop.enrol("anna", phone=shop.PHONE)
    ben = shop.enrol("ben", phone="+8613900139000")
    of_anna, of_ben, of_nobody = desk.opened(member_id=anna), desk.opened(member_id=ben), desk.opened()

    assert merge(of_anna, of_ben).code == "case_members_differ"
    assert merge(of_anna, of_nobody).code == "case_members_differ"
    assert merge(of_nobody, of_anna).status == 200
    client.post(f"/v1/members/{ben}/merge", json={"into": anna}, caller=shop.SHOP)
    assert merge(of_ben, of_anna).status == 200


def test_a_case_is_merged_into_an_open_one() -> None:
    first, second = desk.taken(desk.opened(), "analyse", "resolve"), desk.opened()
    assert merge(second, first).code == "case_not_open"
    step(first, "reopen")
    assert merge(second, first).status == 200
    assert merge("cse_" + "a" * 26, first).code == "case_not_found"
    assert merge(first, "cse_" + "a" * 26).code == "case_not_found"


def test_the_member_sees_how_far_the_other_case_is_and_replies_there() -> None:
    own = client.post("/v1/members", json={}, caller=ANNA, key="join").json["member"]["id"]
    first, second = desk.taken(desk.opened(member_id=own)), desk.opened(ANNA)
    merge(second, first)

    assert desk.read(second, ANNA)["status"] == "in_progress"
    assert step(second, "reply", ANNA, text="Any news?").status == 200
    assert desk.work(first)["steps"][-1]["text"] == "Any news?"
    step(first, "analyse")
    step(first, "resolve")
    found = client.get("/v1/members/me/cases", caller=ANNA).json["cases"]
    assert {each["id"]: each["status"] for each in found} == {first: "resolved", second: "resolved"}
