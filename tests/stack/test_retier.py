"""Re-tiering on the deployed package, by the tool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from chalicelib.base import facts
from chalicelib.ledger import sweep
from chalicelib.ledger.chain import Entry, link
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.table import EntryItem, to_entry, to_item
from infra.local.deploy import Stack
from tests.stack.conftest import eventually
from tests.stack.shop import enrol, kinds
from tests.stack.test_night import run, view


def tail(stack: Stack, dynamodb: Any, member: str) -> Entry:
    (found,) = dynamodb.query(
        TableName=stack.outputs["LedgerTableName"],
        KeyConditionExpression="member_id = :member",
        ExpressionAttributeValues={":member": {"S": member}},
        ScanIndexForward=False,
        Limit=1,
    )["Items"]
    item = EntryItem()
    item.deserialize(found)
    return to_entry(item)


def said_to_be_gold(stack: Stack, dynamodb: Any, member: str) -> None:
    """Let the member's last entry say gold, as if a programme of before had given it."""
    last = tail(stack, dynamodb, member)
    at = last.posted_at
    decided = sweep.decision(
        last, at, kind=facts.RETIERED, actor="admin:tests", program=0, tier="gold", effect=Effect()
    )
    item = to_item(link(member, last, decided, at)).serialize()
    dynamodb.put_item(TableName=stack.outputs["LedgerTableName"], Item=item)
    eventually(lambda: view(stack, dynamodb, member).get("tier") == {"S": "gold"} or None)


def test_the_tool_counts_writes_and_has_nothing_to_do_then(
    stack: Stack, shop: httpx.Client, dynamodb: Any, tmp_path: Path
) -> None:
    member = enrol(shop)
    eventually(lambda: view(stack, dynamodb, member) or None)
    said_to_be_gold(stack, dynamodb, member)

    preview = run(stack, tmp_path, "retier", "--preview")
    assert (preview.returncode, preview.stderr.count("retier:")) == (0, 0), preview.stderr
    assert "1 members would move, 0 could not be looked at" in preview.stdout
    assert "gold" in preview.stdout
    assert tail(stack, dynamodb, member).tier == "gold"

    done = run(stack, tmp_path, "retier", "--by", "li.wei")
    assert "1 members moved, 0 could not be looked at" in done.stdout, done.stderr
    assert kinds(shop, member)[-2:] == ["retiered", "retiered"]
    entry = tail(stack, dynamodb, member)
    assert (entry.kind, entry.tier, entry.actor, entry.points) == (facts.RETIERED, "member", "admin:li.wei", 0)
    eventually(lambda: view(stack, dynamodb, member)["tier"] == {"S": "member"} or None)
    # Two that are begun within a second are one run.
    eventually(lambda: "0 members moved" in run(stack, tmp_path, "retier").stdout)


def test_the_tool_says_what_is_wrong(stack: Stack, tmp_path: Path) -> None:
    refused = run(stack, tmp_path, "retier", "--preview", "--version", "99")
    assert refused.returncode == 1
    assert refused.stderr.strip().endswith("\nretier: The programme has no version 99.")
    assert run(stack, tmp_path, "retier", "--version", "1").returncode == 2
