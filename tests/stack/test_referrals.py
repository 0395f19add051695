"""Referrals on the deployed stack: its policies let a friend's purchase reach both rewards."""

from __future__ import annotations

from typing import Any

import httpx

from chalicelib.base import clock
from infra.local.deploy import Stack
from tests.stack.conftest import eventually
from tests.stack.functions import invoke, noticed, queued
from tests.stack.shop import available, kinds, order


def enrol(shop: httpx.Client, name: str) -> str:
    profile = {"mail": f"referral-{name}@example.com"}
    answer = shop.post("/v1/members", json=profile, headers={"Idempotency-Key": f"referral-{name}"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["member"]["id"])


def buy(shop: httpx.Client, member: str) -> str:
    answer = shop.post("/v1/orders", json=order(member, occurred_at=clock.text(clock.now())))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["order"]["id"])


def bring(shop: httpx.Client, code: str, name: str, device: str = "") -> tuple[str, Any]:
    friend = enrol(shop, name)
    answer = shop.post(f"/v1/members/{friend}/referral", json={"code": code, "device": device})
    assert answer.status_code == 201, answer.text
    return friend, answer.json()


def test_a_friend_s_purchase_rewards_both_and_its_cancellation_takes_that_back(
    stack: Stack, shop: httpx.Client, dynamodb: Any
) -> None:
    anna = enrol(shop, "anna")
    shown = shop.get(f"/v1/members/{anna}/referral-code").json()
    assert shown["qr_svg"].startswith("<svg ")
    ben, _claim = bring(shop, shown["code"].lower(), "ben")
    posted = buy(shop, ben)

    eventually(lambda: {"referral_paid"} & set(kinds(shop, anna)) & set(kinds(shop, ben)))
    assert available(shop, anna) == 100 + available(shop, ben) - 100 - 50
    notices = noticed(dynamodb, stack, ben, "order")
    assert invoke(stack, "AdvanceReferrals", queued(*notices * 3)) == []
    assert kinds(shop, anna).count("referral_paid") == 1

    shop.post(f"/v1/orders/{posted}/cancel", json={"occurred_at": clock.text(clock.now())})

    eventually(lambda: {"referral_taken_back"} & set(kinds(shop, anna)) & set(kinds(shop, ben)))
    assert shop.get(f"/v1/members/{anna}/referrals").json()["friends"][0]["status"] == "joined"


def join(shop: httpx.Client, name: str, code: str, **given: str) -> httpx.Response:
    body = {"mail": f"referral-{name}@example.com", "referral": {"code": code, **given}}
    return shop.post("/v1/members", json=body, headers={"Idempotency-Key": f"referral-{name}"})


def test_a_code_comes_with_the_enrolment_and_a_wrong_one_stops_none(shop: httpx.Client) -> None:
    fred = enrol(shop, "fred")
    code = shop.get(f"/v1/members/{fred}/referral-code").json()["code"]

    answers = [join(shop, "gina", code.lower(), device="a phone of Gina's") for _again in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["referral"]["status"] == "joined"
    buy(shop, answers[0].json()["member"]["id"])
    eventually(lambda: "referral_paid" in kinds(shop, fred))
    assert join(shop, "gina", "ABCD-EFGH").status_code == 409
    wrong = join(shop, "hugo", "ABCD-EFG")
    assert (wrong.status_code, wrong.json()["referral"]["refused"]) == (201, "referral_code_unknown")
    hugo = wrong.json()["member"]["id"]
    for _guess in range(9):
        assert shop.post(f"/v1/members/{hugo}/referral", json={"code": "ABCD-EFG"}).status_code == 404
    assert shop.post(f"/v1/members/{hugo}/referral", json={"code": code}).status_code == 429


def test_what_is_held_is_listed_and_paid_once_it_is_approved(stack: Stack, shop: httpx.Client) -> None:
    carl = enrol(shop, "carl")
    code = shop.get(f"/v1/members/{carl}/referral-code").json()["code"]
    bring(shop, code, "dora", "one phone")
    emil, claim = bring(shop, code, "emil", "one phone")
    assert claim["status"] == "waiting"
    buy(shop, emil)

    held = shop.get("/v1/referrals?state=held").json()["referrals"]
    assert claim["id"] in {item["id"] for item in held}
    eventually(lambda: shop.get(f"/v1/referrals/{claim['id']}").json()["qualified_at"] is not None)
    approved = shop.post(f"/v1/referrals/{claim['id']}/approve").json()

    assert (approved["status"], approved["referrer_points"]) == ("paid", 100)
    assert "referral_paid" in kinds(shop, carl)
    assert invoke(stack, "AdvanceReferrals", queued({"settle_due": True})) == []
