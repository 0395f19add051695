"""Invitations on the deployed stack: a purchase leads to one, and its link is answered once without signing in."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from chalicelib.base import clock
from chalicelib.surveys import page
from infra.local.deploy import Stack
from tests.programs import texts
from tests.stack.conftest import eventually
from tests.stack.functions import invoke, noticed, queued
from tests.stack.shop import available, kinds, order

ANSWERS = {"recommend": {"number": 9}}


@pytest.fixture(scope="module")
def survey(shop: httpx.Client) -> str:
    """The survey to which the stack's programme invites."""
    body = {
        "code": "stack_visit",
        "kind": "relationship",
        "title": texts("Your visit"),
        "questions": [{"kind": "nps", "code": "recommend", "title": texts("Would you recommend us?")}],
        "points": 15,
    }
    answer = shop.post("/v1/surveys", json=body)
    assert answer.status_code in {200, 201}, answer.text
    survey_id = str(answer.json()["id"])
    assert shop.post(f"/v1/surveys/{survey_id}/open").status_code == 200
    return survey_id


def enrol(shop: httpx.Client, name: str, *tags: str) -> str:
    profile = {"mail": f"asked-{name}@example.com", "tags": tags}
    answer = shop.post("/v1/members", json=profile, headers={"Idempotency-Key": f"asked-{name}"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["member"]["id"])


def invitations(shop: httpx.Client, member: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.get(f"/v1/members/{member}/survey-invitations").json()["invitations"]
    return found


def by_hand(shop: httpx.Client, survey: str, member: str, key: str, **fields: Any) -> httpx.Response:
    body = {"member_id": member, **fields}
    return shop.post(f"/v1/surveys/{survey}/invitations", json=body, headers={"Idempotency-Key": key})


def bearer(address: str) -> dict[str, str]:
    """What a page sends that a link has opened."""
    return {"Authorization": f"Bearer {address.partition('#')[2]}"}


def test_a_purchase_leads_to_an_invitation_that_its_link_answers_once(
    stack: Stack, shop: httpx.Client, anyone: httpx.Client, dynamodb: Any, survey: str
) -> None:
    anna = enrol(shop, "anna", "asked")
    posted = shop.post("/v1/orders", json=order(anna, occurred_at=clock.text(clock.now())))
    assert posted.status_code == 201
    (found,) = eventually(lambda: invitations(shop, anna))
    assert found["survey_id"] == survey
    notices = noticed(dynamodb, stack, anna, "order")
    assert invoke(stack, "AdvanceSurveys", queued(*notices * 3)) == []
    assert len(invitations(shop, anna)) == 1

    before, token = available(shop, anna), bearer(found["link"])
    assert anyone.get("/v1/survey-invitation", headers=token).json()["survey_id"] == survey
    assert len(anyone.get(f"/v1/surveys/{survey}", headers=token).json()["questions"]) == 1
    answers = [anyone.post(f"/v1/surveys/{survey}/responses", json={"answers": ANSWERS}, headers=token) for _ in "12"]
    assert [answer.status_code for answer in answers] == [201, 200]
    other = anyone.post(
        f"/v1/surveys/{survey}/responses", json={"answers": {"recommend": {"number": 0}}}, headers=token
    )
    assert (other.status_code, other.json()["code"]) == (409, "answered_before")
    assert available(shop, anna) == before + 15
    assert kinds(shop, anna).count("survey_answered") == 1
    assert invitations(shop, anna) == []


def test_forged_and_foreign_links_open_nothing(shop: httpx.Client, anyone: httpx.Client, survey: str) -> None:
    bert = enrol(shop, "bert")
    made = by_hand(shop, survey, bert, "bert")
    assert made.status_code == 201, made.text
    token = bearer(made.json()["link"])
    forged = {"Authorization": token["Authorization"][:-1] + ("A" if token["Authorization"][-1] != "A" else "B")}
    assert anyone.get("/v1/survey-invitation", headers=forged).status_code == 401
    for path in ("/v1/members/me", f"/v1/members/{bert}/account", "/v1/surveys"):
        answer = anyone.get(path, headers=token)
        assert (answer.status_code, answer.json()["code"]) == (403, "caller_not_allowed")
    withdrawn = shop.post(f"/v1/surveys/{survey}/invitations/{made.json()['id']}/withdraw")
    assert withdrawn.json()["status"] == "withdrawn"
    answer = anyone.post(f"/v1/surveys/{survey}/responses", json={"answers": ANSWERS}, headers=token)
    assert (answer.status_code, answer.json()["code"]) == (409, "invitation_withdrawn")


def test_the_page_is_shown_to_everybody(anyone: httpx.Client, browser: httpx.Client) -> None:
    for reached in (anyone, browser):
        answer = reached.get(page.PATH)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert answer.text == page.text()
        assert answer.headers["content-security-policy"] == page.headers()["Content-Security-Policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_link_leads_to_where_the_api_was_reached(
    stack: Stack, shop: httpx.Client, browser: httpx.Client, survey: str
) -> None:
    dave = enrol(shop, "dave")
    made = by_hand(shop, survey, dave, "dave")
    headers = {"Authorization": shop.headers["Authorization"]}
    (found,) = browser.get(f"/v1/members/{dave}/survey-invitations", headers=headers).json()["invitations"]
    assert found["link"].partition("#")[2] == made.json()["link"].partition("#")[2]
    address, _, token = found["link"].partition("#")
    assert re.fullmatch(r"hkl_[\w-]{50}", token)
    assert address == f"{browser.base_url}".rstrip("/") + page.PATH
    assert "<title>" in browser.get(address).text
    assert made.json()["link"].startswith("https://"), stack.api


def test_what_the_night_draws_and_what_is_due_is_sent(stack: Stack, shop: httpx.Client, survey: str) -> None:
    dora = enrol(shop, "dora")
    drawn = {"member_id": dora, "invite": "pulse", "quarter": "2026-Q4", "due": clock.now() - 60}
    due = clock.now() + 3
    later = {"member_id": dora, "invite": "pulse", "quarter": "2027-Q1", "due": due}
    assert invoke(stack, "AdvanceSurveys", queued(drawn, drawn, later)) == []
    (found,) = invitations(shop, dora)
    assert found["survey_id"] == survey
    eventually(lambda: clock.now() > due)
    assert invoke(stack, "AdvanceSurveys", queued({"send_due": True}, "no notice")) == ["m1"]


def test_the_sender_s_list_and_its_cursor(shop: httpx.Client, survey: str) -> None:
    answer = shop.get(f"/v1/surveys/{survey}/invitations?limit=1").json()
    assert set(answer) == {"invitations", "next_cursor", "has_more"}
