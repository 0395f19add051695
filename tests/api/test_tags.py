"""Tags: what the merchant's systems and staff say of a member, for rules and campaigns to ask for."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import ids
from chalicelib.members.schema import MemberIn
from tests.api import shop
from tests.api.client import Response, client, member, staff, system
from tests.api.shop import PHONE, SHOP


def patch(path: str, tags: object, version: int = 1, **options: Any) -> Response:
    headers = {"If-Match": f'"{version}"'}
    return client.patch(path, json={"tags": tags}, **{"caller": SHOP, "headers": headers, **options})


def test_systems_set_them_at_enrolment_each_once() -> None:
    member_id = shop.enrol(phone=PHONE, tags=["vip", "staff", "vip"])
    assert client.get(f"/v1/members/{member_id}", caller=SHOP).json["tags"] == ["vip", "staff"]


def test_systems_replace_the_whole_list_and_null_removes_it() -> None:
    path = f"/v1/members/{shop.enrol(phone=PHONE, tags=['vip'])}"
    assert patch(path, ["press", "staff"]).json["tags"] == ["press", "staff"]
    assert patch(path, None, version=2).json["tags"] == []


def test_staff_set_them_too() -> None:
    path = f"/v1/members/{shop.enrol()}"
    assert patch(path, ["press"], caller=staff("members.write")).json["tags"] == ["press"]
    assert patch(path, ["vip"], version=2, caller=staff("members.read")).code == "scope_missing"


def test_what_is_not_named_keeps_them() -> None:
    path = f"/v1/members/{shop.enrol(phone=PHONE, tags=['vip'])}"
    answer = client.patch(path, json={"locale": "en"}, caller=SHOP, headers={"If-Match": '"1"'})
    assert answer.json["tags"] == ["vip"]


def test_nobody_tags_himself() -> None:
    answer = client.post("/v1/members", json={"tags": ["vip"]}, caller=member())
    assert (answer.status, answer.code, answer.json["field"]) == (403, "tags_not_yours", "tags")
    client.post("/v1/members", json={}, caller=member())
    answer = patch("/v1/members/me", ["vip"], caller=member())
    assert (answer.status, answer.code) == (403, "tags_not_yours")


def test_nobody_takes_the_own_tags_away() -> None:
    member_id = shop.enrol(phone=PHONE, tags=["watched"])
    client.post("/v1/members", json={}, caller=member(phone=PHONE))
    assert patch("/v1/members/me", None, caller=member(phone=PHONE)).code == "tags_not_yours"
    assert client.get(f"/v1/members/{member_id}", caller=SHOP).json["tags"] == ["watched"]


@pytest.mark.parametrize("tag", ["", "VIP", "1st", "two words", "a" * 33, "vip\n"])
def test_a_tag_is_a_code(tag: str) -> None:
    answer = client.post("/v1/members", json={"phone": PHONE, "tags": [tag]}, caller=SHOP, key="k")
    assert answer.status == 400


def test_an_enrolment_of_before_there_were_tags_is_still_recognised() -> None:
    assert ids.request_hash(MemberIn(phone=PHONE)) == "vvu2ekwt4lidyv3hteqmabvjv6"


def test_a_merge_unites_them() -> None:
    closing = shop.enrol("a", phone=PHONE, tags=["vip", "press"])
    into = shop.enrol("b", phone="+8613900139000", tags=["staff", "vip"])
    client.post(f"/v1/members/{closing}/merge", json={"into": into}, caller=SHOP)
    assert client.get(f"/v1/members/{closing}", caller=SHOP).json["tags"] == ["staff", "vip", "press"]


def test_they_need_the_scope() -> None:
    path = f"/v1/members/{shop.enrol()}"
    assert patch(path, ["vip"], caller=system("orders.write")).code == "scope_missing"
