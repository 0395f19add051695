"""Vouchers on the deployed package: a bulk job through the real queue, from API and console, and what it made."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx

from chalicelib.base import clock
from infra.local.aws import client
from infra.local.deploy import Stack
from tests.stack.conftest import eventually
from tests.stack.functions import invoke, noticed, queued
from tests.stack.shop import available, enrol, order, refund
from tests.stack.way import between, once

TITLE = {"en": "A tenth off", "zh-Hans": "九折", "zh-Hant": "九折優惠"}
SKETCH = {"currency": "CNY", "total_minor": 10_000}


def make(shop: httpx.Client, key: str, **fields: Any) -> str:
    body = {"title": TITLE, "kind": "single", "effect": {"type": "percentage", "percent": "10"}, **fields}
    answer = shop.post("/v1/voucher-batches", json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def ask(stack: Stack, **request: Any) -> Any:
    name = stack.outputs["AdministerVouchersFunction"]
    answer = client("lambda", stack.endpoint).invoke(FunctionName=name, Payload=json.dumps(request).encode())
    assert "FunctionError" not in answer
    return json.loads(answer["Payload"].read())


def exported(shop: httpx.Client, job_id: str) -> list[str]:
    found: list[str] = []
    cursor: Any = None
    while True:
        page = shop.get(f"/v1/voucher-jobs/{job_id}/codes", params={"cursor": cursor} if cursor else {}).json()
        found += [row["code"] for row in csv.DictReader(io.StringIO(page["csv"]))]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_thousands_of_codes_are_made_through_the_queue(stack: Stack, shop: httpx.Client) -> None:
    batch_id = make(shop, "stack bulk")
    headers = {"Idempotency-Key": "stack bulk"}
    job = shop.post(f"/v1/voucher-batches/{batch_id}/jobs", json={"codes": 9_000}, headers=headers)
    assert job.status_code == 201
    job_id = job.json()["id"]
    seen = []

    def is_done() -> bool:
        seen.append(shop.get(f"/v1/voucher-jobs/{job_id}").json())
        return bool(seen[-1]["status"] == "done")

    eventually(is_done)
    made = [found["made"] for found in seen]
    assert made == sorted(made)
    assert set(made) <= {0, 2_000, 4_000, 6_000, 8_000, 9_000}
    # A message that comes once more makes nothing anew.
    assert invoke(stack, "MakeVouchers", queued({"job_id": job_id, "leg": 2})) == []
    codes = exported(shop, job_id)
    assert len(codes) == len(set(codes)) == 9_000
    for number, code in enumerate((codes[0], codes[4_321], codes[-1])):
        body = {**SKETCH, "source": "stack", "order_id": f"bulk-{number}"}
        answer = shop.post(f"/v1/vouchers/{code}/redeem", json=body, headers={"Idempotency-Key": "bulk"})
        assert answer.status_code == 201, answer.text
    counts = shop.get(f"/v1/voucher-batches/{batch_id}").json()["counts"]
    assert (counts["issued"], counts["redeemed"]) == (9_000, 3)


def test_an_admin_makes_codes_from_the_console(stack: Stack) -> None:
    batch = {"title": TITLE, "kind": "single", "effect": {"type": "free_shipping"}}
    batch_id = ask(stack, action="create", key="console", by="mei", batch=batch)["batch_id"]
    job_id = ask(stack, action="make", batch_id=batch_id, codes=50, key="first", by="mei")["job_id"]
    eventually(lambda: ask(stack, action="progress", job_id=job_id)["is_done"])
    assert ask(stack, action="export", job_id=job_id)["codes"] == 50
    assert ask(stack, action="import", batch_id=batch_id, codes=["STACK-0001"], key="l", by="mei")["imported"] == 1
    assert ask(stack, action="pause", batch_id=batch_id, by="mei")["counts"]["issued"] == 51


def test_every_way_of_a_voucher_through_the_gateway(shop: httpx.Client) -> None:
    """Each call once on the deployed policy: a right that is missing would show here."""
    member = enrol(shop)
    before = available(shop, member)
    points = make(shop, "stack points", effect={"type": "points", "points": 70}, owner="member")
    issue = {"Idempotency-Key": "birthday"}
    code = shop.post(f"/v1/members/{member}/vouchers", json={"batch_id": points}, headers=issue).json()["code"]
    spelled = code.lower().replace("-", " ").replace("0", "o")
    sketch = {**SKETCH, "member_id": member, "session": "cart"}
    assert shop.post(f"/v1/vouchers/{spelled}/validate", json=sketch).json()["worth"]["points"] == 70
    assert shop.post(f"/v1/vouchers/{spelled}/lock", json=sketch).status_code == 201
    use = {**sketch, "source": "stack", "order_id": "points"}
    assert shop.post(f"/v1/vouchers/{code}/redeem", json=use, headers=issue).status_code == 201
    assert available(shop, member) == before + 70
    assert shop.get(f"/v1/members/{member}/vouchers").json()["vouchers"][0]["status"] == "used"
    back = {"source": "stack", "order_id": "points"}
    assert [shop.post(f"/v1/vouchers/{code}/rollback", json=back).status_code for _ in range(2)] == [201, 200]
    assert available(shop, member) == before
    limited = make(shop, "stack limited", kind="shared", code="STACK26", limits={"total": 1, "per_member": 1})
    assert shop.post("/v1/vouchers/STACK26/lock", json=sketch).status_code == 201
    assert shop.post("/v1/vouchers/STACK26/unlock", json={"session": "cart"}).status_code == 200
    assert shop.post("/v1/vouchers/STACK26/lock", json=sketch).status_code == 201
    assert shop.post("/v1/vouchers/STACK26/redeem", json={**use, "order_id": "l"}, headers=issue).status_code == 201
    state = {"state": "paused"}
    assert shop.post(f"/v1/voucher-batches/{limited}/state", json=state).json()["state"] == "paused"
    brought = {"codes": ["STACK-1001", "STACK-1001"]}
    singles = make(shop, "stack singles")
    answer = shop.post(f"/v1/voucher-batches/{singles}/codes", json=brought, headers=issue)
    assert (answer.status_code, answer.json()["imported"]) == (201, 1)


def test_an_order_s_vouchers_go_back_though_the_function_dies_after_the_refund(
    stack: Stack, shop: httpx.Client, dynamodb: Any
) -> None:
    """By the stream and the orders' queue, on the policy of that function; nobody sends the cancellation again."""
    member = enrol(shop)
    before = available(shop, member)
    batch_id = make(shop, "stack died", effect={"type": "points", "points": 70}, limits={"total": 1, "per_member": 1})
    issue = {"Idempotency-Key": "died"}
    code = shop.post(f"/v1/members/{member}/vouchers", json={"batch_id": batch_id}, headers=issue).json()["code"]
    use = {**SKETCH, "member_id": member, "source": "stack", "order_id": "died"}
    used = shop.post(f"/v1/vouchers/{code}/redeem", json=use, headers=issue).json()["redemption"]["id"]
    sent = order(member, order_id="died", vouchers=[{"redemption_id": used}])
    order_id = shop.post("/v1/orders", json=sent).json()["order"]["id"]
    with between(stack, "APIHandler") as way:
        way.after = once("TransactWriteItems", way.kill)
        cancel = {"occurred_at": clock.text(clock.now())}
        assert shop.post(f"/v1/orders/{order_id}/cancel", json=cancel).status_code >= 500
        way.after = None

    def counts() -> Any:
        return shop.get(f"/v1/voucher-batches/{batch_id}").json()["counts"]

    eventually(lambda: counts()["rolled_back"] == 1)
    assert available(shop, member) == before
    notices = noticed(dynamodb, stack, member, "order_cancelled")
    assert invoke(stack, "ClaimOrders", queued(*notices * 3)) == []
    assert (counts()["rolled_back"], counts()["left"]) == (1, 1)


def test_an_order_s_vouchers_go_back_through_the_intake_queue(stack: Stack, shop: httpx.Client) -> None:
    """On the policy of that function: a total, a limit per member, a wallet, and points that go back."""
    member = enrol(shop)
    before = available(shop, member)
    batch_id = make(shop, "stack intake", effect={"type": "points", "points": 70}, limits={"total": 1, "per_member": 1})
    issue = {"Idempotency-Key": "intake"}
    code = shop.post(f"/v1/members/{member}/vouchers", json={"batch_id": batch_id}, headers=issue).json()["code"]
    use = {**SKETCH, "member_id": member, "source": "stack", "order_id": "intake"}
    used = shop.post(f"/v1/vouchers/{code}/redeem", json=use, headers=issue).json()["redemption"]["id"]
    sent = order(member, order_id="intake", vouchers=[{"redemption_id": used}])
    batch = queued({"type": "order", "order": sent}, refund(sent, "all", 10_000), groups=[member, member])
    assert [invoke(stack, "IntakeOrders", batch) for _delivery in range(2)] == [[], []]
    assert available(shop, member) == before
    assert shop.get(f"/v1/members/{member}/vouchers").json()["vouchers"][0]["status"] == "open"
    counts = shop.get(f"/v1/voucher-batches/{batch_id}").json()["counts"]
    assert (counts["rolled_back"], counts["left"]) == (1, 1)
