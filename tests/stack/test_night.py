"""The night on the deployed package: the schedule's function, the queues, the walks, and the tools beside them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.aws import client
from infra.local.deploy import Stack
from infra.local.paths import ROOT
from infra.local.tokens import system_token
from tests.stack.conftest import eventually
from tests.stack.shop import enrol, kinds, order


def invoke(stack: Stack, function: str, request: dict[str, Any]) -> dict[str, Any]:
    answer = client("lambda", stack.endpoint).invoke(
        FunctionName=stack.outputs[function], Payload=json.dumps(request).encode()
    )
    found: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, found
    return found


def item(dynamodb: Any, table: str, **key: str) -> dict[str, Any]:
    found = dynamodb.get_item(TableName=table, Key={name: {"S": value} for name, value in key.items()})
    return dict(found.get("Item", {}))


def view(stack: Stack, dynamodb: Any, member: str) -> dict[str, Any]:
    return item(dynamodb, stack.outputs["AccountsTableName"], member_id=member)


def projected(found: dict[str, Any]) -> dict[str, Any]:
    """What the projector writes of an account: without what a night may have written beside it meanwhile."""
    return {name: value for name, value in found.items() if not name.startswith("score_")}


def run(stack: Stack, folder: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One of the tools, told where the stack is."""
    path = folder / "stack.json"
    stack.save(path)
    command = [sys.executable, "-m", f"infra.{module}", "--local", str(path), *arguments]
    return subprocess.run(  # noqa: S603 -- our own command
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )


def begin_anew(stack: Stack, dynamodb: Any) -> None:
    """Forget that tonight was begun, so that a test can have a night of its own."""
    table = stack.outputs["NightsTableName"]
    for found in dynamodb.scan(TableName=table)["Items"]:
        dynamodb.delete_item(TableName=table, Key={name: found[name] for name in ("night", "part")})


def nights(stack: Stack, dynamodb: Any, request: dict[str, Any]) -> list[dict[str, Any]]:
    """Start a night and wait for its digest; gives what the table says of its segments."""
    begin_anew(stack, dynamodb)
    table = stack.outputs["NightsTableName"]
    night = invoke(stack, "StartNightFunction", request)
    assert night["messages"] == 8
    # The schedule fires twice.
    assert invoke(stack, "StartNightFunction", {})["messages"] == 0

    def segments() -> list[dict[str, Any]] | None:
        found = dynamodb.query(
            TableName=table,
            KeyConditionExpression="night = :night",
            ExpressionAttributeValues={":night": {"S": night["night"]}},
        )["Items"]
        # After a first night there is a walk that only scores, which may be through before the audit is.
        walks = [part for part in found if not part["part"]["S"].startswith("score#")]
        done = [part for part in walks if part.get("is_done") == {"N": "1"}]
        return done if len(done) == 8 else None

    # However many members other tests have left here.
    found = eventually(segments, within_seconds=180)
    assert len(eventually(lambda: item(dynamodb, table, night="digest", part=night["night"]))["digest"]["B"]) == 32
    scored(stack, dynamodb, night["night"])
    return found


def scored(stack: Stack, dynamodb: Any, night: str) -> None:
    """Wait for the end of a night's scoring, so that nothing of it comes into the next test's.

    After the very first night there is one more walk, which scores.
    """
    table = stack.outputs["NightsTableName"]
    basis = eventually(lambda: item(dynamodb, table, night="scoring", part="basis"))
    assert basis["made_in"] == {"S": night}
    if basis["number"] == {"N": "1"}:
        parts = [f"score#{segment:03d}" for segment in range(4)]
        eventually(lambda: all(item(dynamodb, table, night=night, part=part).get("is_done") for part in parts))


@pytest.fixture
def member(shop: httpx.Client) -> str:
    """A member with an order."""
    found = enrol(shop)
    assert shop.post("/v1/orders", json=order(found)).status_code == 201
    return found


def test_the_night_sweeps_and_audits_once(stack: Stack, shop: httpx.Client, dynamodb: Any, member: str) -> None:
    hold = {"points": 100, "currency": "CNY", "hold_seconds": 30}
    # Five in four segments: one of them has two at least, and with one a leg it hands on.
    others = [enrol(shop) for _ in range(4)]
    held = shop.post(f"/v1/members/{member}/redemptions", json=hold, headers={"Idempotency-Key": "hold"})
    assert held.status_code == 201, held.text
    eventually(lambda: view(stack, dynamodb, member).get("seq") == {"N": "3"})
    eventually(lambda: all(view(stack, dynamodb, other) for other in others))
    time.sleep(31)
    # Half of what a segment has at least: somebody hands on, whatever other tests have left here.
    scan = dynamodb.get_paginator("scan").paginate(TableName=stack.outputs["AccountsTableName"], Select="COUNT")
    members = sum(page["Count"] for page in scan)

    segments = nights(stack, dynamodb, {"per_leg": max(members // 8, 1)})
    again = nights(stack, dynamodb, {})

    eventually(lambda: kinds(shop, member) == ["enrolled", "order", "held", "swept"])
    eventually(lambda: view(stack, dynamodb, member).get("seq") == {"N": "4"})
    assert max(int(part["leg"]["N"]) for part in segments) > 1
    names = {f"{walk}#{segment:03d}" for walk in ("sweep", "audit") for segment in range(4)}
    assert {part["part"]["S"] for part in segments} == names
    assert sum(json.loads(part["carried"]["S"]).get("sweep", {}).get("swept", 0) for part in again) == 0
    assert sum(json.loads(part["carried"]["S"]).get("audit", {}).get("mismatches", 0) for part in again) == 0


def test_the_schedule_is_there_and_off_on_a_laptop(stack: Stack) -> None:
    schedules = client("scheduler", stack.endpoint).list_schedules()["Schedules"]

    assert {schedule["State"] for schedule in schedules} == {"DISABLED"}
    assert any(schedule["Target"]["Arn"].endswith(stack.outputs["StartNightFunction"]) for schedule in schedules)


def test_an_admin_audits_repairs_and_rebuilds_an_account(stack: Stack, dynamodb: Any, member: str) -> None:
    audited = invoke(stack, "AdministerLedgerFunction", {"action": "audit_member", "member_id": member})
    assert (audited["entries"], audited["mismatches"]) == (2, [])

    repaired = invoke(
        stack,
        "AdministerLedgerFunction",
        {
            "action": "repair",
            "member_id": member,
            "points": 5,
            "reason": "wrong_points",
            "repair_id": "1",
            "by": "the tests",
        },
    )
    assert (repaired["entry"]["kind"], repaired["entry"]["points"]) == ("repaired", 5)

    key = {"member_id": {"S": member}}
    eventually(lambda: view(stack, dynamodb, member).get("seq") == {"N": "3"})
    dynamodb.delete_item(TableName=stack.outputs["AccountsTableName"], Key=key)
    rebuilt = invoke(stack, "AdministerLedgerFunction", {"action": "rebuild_member", "member_id": member})
    assert rebuilt["available"] == repaired["account"]["available"]
    assert view(stack, dynamodb, member)["seq"] == {"N": "3"}


def test_facts_older_than_the_stream_are_sent_again(
    stack: Stack, shop: httpx.Client, dynamodb: Any, tmp_path: Path
) -> None:
    member = enrol(shop)
    before = eventually(lambda: projected(view(stack, dynamodb, member)))
    dynamodb.delete_item(TableName=stack.outputs["AccountsTableName"], Key={"member_id": {"S": member}})

    said = run(stack, tmp_path, "replay", "--since", "2020-01-01")
    again = run(stack, tmp_path, "replay", "--since", "2020-01-01", "--to", "router")

    assert (said.returncode, again.returncode) == (0, 0), said.stderr + again.stderr
    assert "sent to projector and router" in said.stdout
    assert projected(view(stack, dynamodb, member)) == before
    nothing = run(stack, tmp_path, "replay", "--since", "2099-01-01")
    assert nothing.stdout.startswith("0 entries")
    assert run(stack, tmp_path, "replay", "--since", "yesterday").returncode == 1


def test_the_view_is_dropped_and_rebuilt_from_the_ledger(
    stack: Stack, shop: httpx.Client, dynamodb: Any, tmp_path: Path
) -> None:
    members = [enrol(shop) for _ in range(3)]
    before = [
        projected(eventually(lambda member=member: view(stack, dynamodb, member)))  # type: ignore[misc]
        for member in members
    ]
    table = stack.outputs["AccountsTableName"]
    for found in dynamodb.scan(TableName=table)["Items"]:
        dynamodb.delete_item(TableName=table, Key={"member_id": found["member_id"]})
    dynamodb.put_item(TableName=table, Item={"member_id": {"S": "mem_nobody"}, "seq": {"N": "7"}})

    said = run(stack, tmp_path, "rebuild")

    assert said.returncode == 0, said.stderr
    assert "1 items without a chain are gone" in said.stdout
    assert [projected(view(stack, dynamodb, member)) for member in members] == before
    audited = run(stack, tmp_path, "audit")
    assert (audited.returncode, "0 mismatches" in audited.stdout) == (0, True), audited.stdout + audited.stderr


def test_a_member_s_proof_is_downloaded_and_checked(stack: Stack, member: str, tmp_path: Path) -> None:
    path = tmp_path / "chain.json"
    download = ["--url", stack.api, "--token", system_token(stack, ["members.read"]), "--member", member]
    for arguments in ([*download, "--save", str(path)], [str(path)]):
        said = subprocess.run(  # noqa: S603 -- our own command
            [sys.executable, "-m", "infra.verify", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert said.stdout.startswith(f"right: 2 entries of {member}, head "), said.stdout + said.stderr


def test_a_restore_is_rehearsed_and_its_half_transactions_are_found() -> None:
    command = [sys.executable, "-m", "infra.drill"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 -- our own command

    assert said.returncode == 0, said.stdout + said.stderr
    assert "found both halves, and nothing else" in said.stdout
