"""The served API document, tried out by Schemathesis: every answer is as it says, and every write may be sent twice."""

from __future__ import annotations

import functools
import os
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks as openapi_checks

from chalicelib.base import clock
from infra.local.paths import OPENAPI
from tests.stack.shop import available, enrol, order
from tests.stack.test_edge import OPERATIONS

_EXAMPLES = int(os.environ.get("HUIKE_CONTRACT_EXAMPLES", "15"))
_OF_THE_WIRE = frozenset({"connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"})
_CHECKS: list[Any] = [
    schemathesis.checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]


@pytest.fixture(scope="module")
def real(shop: httpx.Client) -> dict[str, str]:
    """A member, an order and a hold that there are, under the names that paths have for them."""
    member = enrol(shop)
    posted = shop.post("/v1/orders", json=order(member, total_minor=5_000_000)).json()
    held = shop.post(
        f"/v1/members/{member}/redemptions",
        json={"points": 100, "currency": "CNY", "hold_seconds": 3600},
        headers={"Idempotency-Key": "contract"},
    ).json()
    assert available(shop, member) > 1000
    found = {"member_id": member, "order_id": posted["order"]["id"], "redemption_id": held["redemption"]["id"]}
    return {**found, **vouchers(shop)}


def vouchers(shop: httpx.Client) -> dict[str, str]:
    """A voucher that all may use, and a batch of single ones with a bulk job."""
    title = {"en": "a", "zh-Hans": "b", "zh-Hant": "c"}
    batch = {"title": title, "effect": {"type": "gift", "sku": "tea"}}
    key = {"Idempotency-Key": "contract"}
    shared = {**batch, "kind": "shared", "code": "CONTRACT"}
    assert shop.post("/v1/voucher-batches", json=shared, headers={"Idempotency-Key": "shared"}).status_code == 201
    batch_id = shop.post("/v1/voucher-batches", json={**batch, "kind": "single"}, headers=key).json()["id"]
    job = shop.post(f"/v1/voucher-batches/{batch_id}/jobs", json={"codes": 10}, headers=key).json()
    return {"code": "CONTRACT", "batch_id": batch_id, "job_id": job["id"]}


@functools.cache
def document() -> Any:
    """The document, read once for all of its operations."""
    return schemathesis.openapi.from_path(OPENAPI)


@functools.cache
def operation(method: str, path: str) -> Any:
    """An operation of the document."""
    return document()[path][method]


def brought_near(case: Case[Any], real: dict[str, str]) -> None:
    """Lead a generated case to what there is and to what the programme takes; by chance alone none would get so far."""
    case.path_parameters.update({name: value for name, value in real.items() if name in case.path_parameters})
    case.headers.pop("Authorization", None)
    body = case.body
    if not isinstance(body, dict):
        return
    if "occurred_at" in body:
        body["occurred_at"] = clock.text(clock.now() - 3600)
    if "currency" in body:
        body["currency"] = "CNY"
    if "reason" in body:
        body["reason"] = "goodwill"
    if "total_minor" in body:
        for name in ("identity", "lines", "payments", "tax_minor", "shipping_minor"):
            body.pop(name, None)
        body["member_id"] = real["member_id"]


def cases(method: str, path: str) -> st.SearchStrategy[Case[Any]]:
    """Requests that keep to the document, and such that do not."""
    kinds = [operation(method, path).as_strategy(generation_mode=mode) for mode in GenerationMode]
    return st.one_of(kinds)


def steady(response: Response) -> Any:
    """What an answer says, but for its own id and for what a bulk job may be counting meanwhile."""
    body = response.json() if response.text else None
    if not isinstance(body, dict):
        return body
    return {name: value for name, value in body.items() if name not in {"request_id", "counts"}}


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_as_documented_and_every_write_may_be_sent_twice(
    browser: httpx.Client, shop: httpx.Client, real: dict[str, str], method: str, path: str
) -> None:
    token = {"Authorization": shop.headers["Authorization"]}

    @seed(2026)
    @settings(max_examples=_EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases(method, path), is_near=st.booleans())
    def conforms(case: Case[Any], is_near: bool) -> None:  # noqa: FBT001 -- Hypothesis names what it draws
        if is_near:
            brought_near(case, real)
        # How a request is cut up on the wire is between the client and the front; the API never sees that.
        for name in [name for name in case.headers if name.lower() in _OF_THE_WIRE]:
            del case.headers[name]
        first = case.call(base_url=str(browser.base_url), headers=token)
        case.validate_response(first, checks=_CHECKS)
        if method == "GET":
            return
        second = case.call(base_url=str(browser.base_url), headers=token)
        case.validate_response(second, checks=_CHECKS)
        assert steady(second) == steady(first)
        assert second.status_code == {201: 200}.get(first.status_code, first.status_code)

    conforms()
