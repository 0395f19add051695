"""The way in: authorizer, the gateway's own answers, the front, and every route of the API document."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from infra.errors import InfraError
from infra.local.deploy import Stack
from infra.local.paths import OPENAPI
from infra.local.tokens import member_token, system_token
from tests.stack.shop import available, enrol, order

PATHS = json.loads(OPENAPI.read_text(encoding="utf-8"))["paths"]
OPERATIONS = [
    (method.upper(), path)
    for path, methods in PATHS.items()
    for method in methods
    if method in {"get", "post", "patch"}
]
# What everybody may see; tests/stack/test_template.py says that there is no more of it.
PUBLIC = [(method, path) for method, path in OPERATIONS if PATHS[path][method.lower()]["security"] == []]


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer, after a look at what every one must have."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    problem: dict[str, Any] = answer.json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, f"/problems/{code}")
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"]
    return problem


@pytest.mark.parametrize(("method", "path"), [operation for operation in OPERATIONS if operation not in PUBLIC])
def test_every_route_is_deployed_behind_the_authorizer(
    anyone: httpx.Client, shop: httpx.Client, method: str, path: str
) -> None:
    address = path.replace("{", "").replace("}", "")

    refused(anyone.request(method, address), 401, "unauthenticated")
    answer = shop.request(method, address)
    assert answer.status_code < 500, answer.text
    assert "there is no such resource" not in answer.text.lower()


@pytest.mark.parametrize(("method", "path"), PUBLIC)
def test_a_public_document_is_shown_to_everybody(anyone: httpx.Client, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer garbage"}):
        answer = anyone.request(method, path, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("token", ["garbage", "a.b.c", "Bearer"])
def test_garbage_is_no_token(anyone: httpx.Client, token: str) -> None:
    refused(anyone.get("/v1/program", headers={"Authorization": f"Bearer {token}"}), 401, "unauthenticated")


def test_a_token_whose_claims_were_changed_is_refused(stack: Stack, anyone: httpx.Client) -> None:
    head, claims, signature = system_token(stack, ["program.read"]).split(".")
    other = system_token(stack, ["orders.write"]).split(".")[1]

    for forged in (f"{head}.{other}.{signature}", f"{head}.{claims}.", f"{head}.{claims}.{signature[:-6]}AAAAAA"):
        refused(anyone.get("/v1/program", headers={"Authorization": f"Bearer {forged}"}), 401, "unauthenticated")


def test_a_token_without_the_scope_is_refused(stack: Stack, anyone: httpx.Client, shop: httpx.Client) -> None:
    reader = {"Authorization": f"Bearer {system_token(stack, ['members.read'])}"}

    refused(anyone.post("/v1/orders", json=order(enrol(shop)), headers=reader), 403, "scope_missing")


def test_a_scope_that_does_not_exist_is_named(stack: Stack) -> None:
    with pytest.raises(InfraError, match=r"no scope huike/everything"):
        system_token(stack, ["everything"])


def test_a_member_signs_in_and_sees_only_its_own_account(
    stack: Stack, anyone: httpx.Client, shop: httpx.Client
) -> None:
    member, other = enrol(shop), enrol(shop)
    headers = {"Authorization": f"Bearer {member_token(stack, member)}"}

    own = anyone.get("/v1/members/me/account", headers=headers)

    assert own.status_code == 200, own.text
    assert own.json()["member_id"] == member
    assert own.json()["available"] == available(shop, member)
    assert anyone.get(f"/v1/members/{other}/account", headers=headers).status_code in {403, 404}
    refused(anyone.post("/v1/orders", json=order(member), headers=headers), 403, "caller_not_allowed")


def test_a_member_that_does_not_exist_cannot_sign_in(stack: Stack) -> None:
    with pytest.raises(InfraError, match=r"There is no member mem_nobody"):
        member_token(stack, "mem_nobody")


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("DELETE", "/v1/program"), ("GET", "/")])
def test_an_unknown_route_or_method_is_not_found(shop: httpx.Client, method: str, path: str) -> None:
    refused(shop.request(method, path), 404, "not_found")


def test_the_front_serves_the_api_with_a_token_that_it_hands_out(browser: httpx.Client) -> None:
    token = browser.get("/tokens/system").text

    answer = browser.get("/v1/program", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 200
    assert answer.json()["tiers"]


def test_the_front_says_when_there_is_no_such_member(browser: httpx.Client) -> None:
    answer = browser.get("/tokens/mem_nobody")

    assert (answer.status_code, answer.text) == (404, "There is no member mem_nobody on the local stack.")


def test_the_front_answers_preflights_with_the_template_s_headers(browser: httpx.Client) -> None:
    answer = browser.options("/v1/members/mem_1/account", headers={"Origin": "https://shop.example"})

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "GET" in answer.headers["access-control-allow-methods"]
    assert "If-None-Match" in answer.headers["access-control-allow-headers"]


def test_the_front_refuses_what_the_gateway_would_not_take(browser: httpx.Client) -> None:
    refused(browser.post("/v1/orders", content=b"x" * (10 * 1024 * 1024 + 1)), 413, "body_too_large")


def test_the_front_gives_no_token_to_a_foreign_name(browser: httpx.Client) -> None:
    assert browser.get("/tokens/system", headers={"Host": "evil.example"}).status_code == 400


def test_the_page_loads_nothing_from_elsewhere(browser: httpx.Client) -> None:
    page = browser.get("/").text

    assert "Huike" in page
    assert "https://" not in page
    assert browser.get("/openapi.json").json()["servers"] == [{"url": str(browser.base_url).rstrip("/")}]
