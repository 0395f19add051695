"""Cases on the deployed stack: its policies let a complaint go its whole way, and its function tells what is late."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import msgspec

from chalicelib.base import clock
from chalicelib.cases.rules.case import Case
from chalicelib.cases.table import leads_of
from infra.local.aws import client
from infra.local.deploy import Stack
from tests.stack.functions import entries, physical_name
from tests.stack.shop import available, enrol, order


def send(shop: httpx.Client, key: str, **fields: Any) -> str:
    body = {"kind": "complaint", "dimension": "product", "text": "The tea came with a broken seal.", **fields}
    answer = shop.post("/v1/feedback", json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case"]["id"])


def step(shop: httpx.Client, case_id: str, move: str, **body: Any) -> Any:
    headers = {"Idempotency-Key": f"{case_id}-{move}"}
    answer = shop.post(f"/v1/cases/{case_id}/{move}", json=body, headers=headers)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


def watch(stack: Stack) -> dict[str, int]:
    answer = client("lambda", stack.endpoint).invoke(FunctionName=physical_name(stack, "WatchCases"), Payload=b"{}")
    said = answer["Payload"].read().decode()
    assert "FunctionError" not in answer, said
    return dict(json.loads(said))


def test_a_complaint_goes_its_way_and_is_made_good(stack: Stack, shop: httpx.Client, dynamodb: Any) -> None:
    member = enrol(shop)
    bought = shop.post("/v1/orders", json=order(member)).json()["order"]["id"]
    before = available(shop, member)
    case_id = send(shop, "stack-case", member_id=member, order_id=bought, severity="high")
    twin = send(shop, "stack-twin", member_id=member)

    step(shop, case_id, "assign", owner="me")
    assert case_id in {case["id"] for case in shop.get("/v1/cases?owner=me").json()["cases"]}
    step(shop, case_id, "analyse", note="The carrier dropped it.")
    step(shop, twin, "merge", into=case_id)
    given = step(shop, case_id, "compensations", points=300, reason="The seal was broken.")
    assert given["compensation"]["status"] == "given"
    step(shop, case_id, "act")
    step(shop, case_id, "notes", note="A new one is on its way.", public=True)
    step(shop, case_id, "resolve")
    step(shop, case_id, "verify")

    assert available(shop, member) == before + 300
    facts = [entry["kind"]["S"] for entry in raw(dynamodb, stack, member) if entry["kind"]["S"].startswith("case")]
    assert facts == ["case_opened", "case_opened", "case_compensated", "case_resolved"]
    found = shop.get(f"/v1/cases/{case_id}").json()
    assert (found["status"], found["work"]["merged"], len(found["work"]["steps"])) == ("resolved", [twin], 9)
    assert shop.get("/v1/cases?owner=me").json()["cases"] == []
    again = shop.post(f"/v1/cases/{case_id}/act", json={}, headers={"Idempotency-Key": "late"})
    assert (again.status_code, again.json()["code"]) == (409, "case_state_forbids")


def raw(dynamodb: Any, stack: Stack, member: str) -> list[Any]:
    """A member's raw entries, whatever form the tools give them in."""
    found = entries(dynamodb, stack, member)
    return [entry if isinstance(entry["kind"], dict) else {"kind": {"S": entry["kind"]}} for entry in found]


def test_the_function_tells_of_a_case_that_is_late_once(
    stack: Stack, shop: httpx.Client, dynamodb: Any, stack_folder: Path
) -> None:
    case_id = send(shop, "stack-late", severity="critical")
    assert watch(stack)["breach"] == 0
    backdate(dynamodb, stack, case_id, hours=3)

    assert watch(stack)["breach"] == 1
    assert watch(stack)["breach"] == 0
    steps = shop.get(f"/v1/cases/{case_id}").json()["work"]["steps"]
    assert [(each["kind"], each["level"]) for each in steps] == [("case_opened", ""), ("case_alerted", "breach")]
    log = (stack_folder / "aws.log").read_text(encoding="utf-8", errors="replace")
    assert case_id in log


def backdate(dynamodb: Any, stack: Stack, case_id: str, *, hours: int) -> None:
    """Let a case have been opened some hours earlier, as though the schedule had not run since."""
    table = f"huike-{stack.outputs['LedgerTableName'].split('-')[1]}-cases"
    head = dynamodb.get_item(TableName=table, Key={"key": {"S": case_id}, "part": {"S": "head"}})["Item"]
    case = msgspec.json.decode(head["body"]["S"], type=Case)
    shifted = {
        name: getattr(case, name) - hours * 3600
        for name in ("opened_at", "clock_at", "assign_by", "resolve_by", "moved_at", "touched_at")
    }
    earlier = msgspec.structs.replace(case, **shifted)
    for key, part in leads_of(case):
        dynamodb.delete_item(TableName=table, Key={"key": {"S": key}, "part": {"S": part}})
    for key, part in leads_of(earlier):
        dynamodb.put_item(TableName=table, Item={"key": {"S": key}, "part": {"S": part}})
    head["body"]["S"] = msgspec.json.encode(earlier).decode()
    dynamodb.put_item(TableName=table, Item=head)
    assert clock.now() > earlier.assign_by


def test_the_schedule_leads_to_the_function(stack: Stack) -> None:
    schedules = client("scheduler", stack.endpoint).list_schedules()["Schedules"]
    watched = [found for found in schedules if found["Target"]["Arn"].endswith(physical_name(stack, "WatchCases"))]
    assert [found["State"] for found in watched] == ["DISABLED"]
