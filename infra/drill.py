"""`python -m infra.drill`: rehearses a restore on a local AWS of its own, from purchases to the audit's findings.

A point-in-time restore gives new tables, each restored by itself, so one of them may hold half of a transaction whose
other half is not in the other. The drill makes such tables: it exports the tables of a working installation, imports
them under other names, leaves out one record and one entry on the way, rebuilds the view and audits what came of it.
It succeeds when the audit finds exactly the two halves.
"""

import io
import json
import sys
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from infra import audit, rebuild
from infra.errors import InfraError
from infra.installation import Installation, members, scan
from infra.local.paths import LOCAL
from infra.local.start import start
from infra.local.tokens import system_token

TABLES = (
    "ledger",
    "members",
    "orders",
    "redemptions",
    "vouchers",
    "engagement",
    "referrals",
    "cases",
    "surveys",
    "counters",
    "programs",
    "nights",
)
"""What is restored. The view is not: it is made from the ledger."""

_BATCH = 25


@dataclass(frozen=True)
class Halves:
    """The transactions of which one half is left out: an entry that lost its record, and one that is lost itself."""

    without_record: tuple[str, int]
    without_entry: tuple[str, int]


def export(dynamodb: Any, prefix: str, folder: Path) -> None:
    """Write every table of an installation to a file of lines, one item each, in DynamoDB's own JSON."""
    for table in TABLES:
        with (folder / f"{table}.jsonl").open("w", encoding="utf-8") as out:
            for page in scan(dynamodb, prefix + table):
                out.writelines(json.dumps(item, default=_base64) + "\n" for item in page)


def import_(dynamodb: Any, like: str, prefix: str, folder: Path) -> None:
    """Make tables under `prefix`, with the keys of those under `like` and the items that were exported."""
    for table in (*TABLES, "accounts"):
        found = dynamodb.describe_table(TableName=like + table)["Table"]
        dynamodb.create_table(
            TableName=prefix + table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=found["KeySchema"],
            AttributeDefinitions=found["AttributeDefinitions"],
            **_indexes(found),
        )
        path = folder / f"{table}.jsonl"
        if path.exists():
            with path.open(encoding="utf-8") as lines:
                _put(dynamodb, prefix + table, (_item(line) for line in lines))


def _indexes(found: dict[str, Any]) -> dict[str, Any]:
    """A table's indexes as a new table takes them; a restore brings them along as well."""
    wanted = ("IndexName", "KeySchema", "Projection")
    indexes = [{name: index[name] for name in wanted} for index in found.get("GlobalSecondaryIndexes", [])]
    return {"GlobalSecondaryIndexes": indexes} if indexes else {}


def damage(dynamodb: Any, prefix: str) -> Halves:
    """Take away what a restore to two instants would lack: a refund's record, and another member's last entry."""
    steps = [item for page in scan(dynamodb, prefix + "orders") for item in page if "seq" in item]
    refund = next(step for step in steps if step["kind"]["S"] == "refund")
    order = next(
        step for step in steps if step["member_id"] != refund["member_id"] and _is_last(dynamodb, prefix, step)
    )
    dynamodb.delete_item(TableName=f"{prefix}orders", Key={name: refund[name] for name in ("order_id", "step")})
    dynamodb.delete_item(TableName=f"{prefix}ledger", Key={name: order[name] for name in ("member_id", "seq")})
    return Halves(*((step["member_id"]["S"], int(step["seq"]["N"])) for step in (refund, order)))


def rehearse(installation: Installation, prefix: str, console: Console) -> None:
    """The whole drill beside a working installation with purchases. Raises InfraError where it does not come out."""
    dynamodb = installation.client("dynamodb")
    with tempfile.TemporaryDirectory() as folder:
        export(dynamodb, installation.prefix, Path(folder))
        import_(dynamodb, installation.prefix, prefix, Path(folder))
    console.print("[green]✓[/green] tables exported, and imported under other names")
    halves = damage(dynamodb, prefix)
    everybody = members(dynamodb, prefix, _silent)
    shown, _gone = rebuild.rebuild(installation, prefix, everybody, _silent)
    console.print(f"[green]✓[/green] view rebuilt: {shown} accounts")
    entries, findings = audit.audit(installation, prefix, everybody, _silent)
    for finding in findings:
        console.print(f"  {finding.member_id} entry {finding.seq}: {finding.fault}", soft_wrap=True)
    found = {(finding.member_id, finding.seq) for finding in findings}
    if found != {halves.without_record, halves.without_entry}:
        raise InfraError(f"The audit should have found {halves}, and nothing else.")
    console.print(f"[green]✓[/green] the audit read {entries} entries and found both halves, and nothing else")


def _is_last(dynamodb: Any, prefix: str, step: dict[str, Any]) -> bool:
    newest = dynamodb.query(
        TableName=f"{prefix}ledger",
        KeyConditionExpression="member_id = :member",
        ExpressionAttributeValues={":member": step["member_id"]},
        ScanIndexForward=False,
        Limit=1,
    )["Items"]
    return bool(newest[0]["seq"] == step["seq"])


def _put(dynamodb: Any, table: str, items: Iterable[dict[str, Any]]) -> None:
    waiting: list[dict[str, Any]] = []
    for item in items:
        waiting.append({"PutRequest": {"Item": item}})
        if len(waiting) == _BATCH:
            _write(dynamodb, table, waiting)
            waiting = []
    _write(dynamodb, table, waiting)


def _write(dynamodb: Any, table: str, requests: list[dict[str, Any]]) -> None:
    while requests:
        requests = dynamodb.batch_write_item(RequestItems={table: requests})["UnprocessedItems"].get(table, [])


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def _item(line: str) -> dict[str, Any]:
    return {
        name: {kind: b64decode(content) if kind == "B" else content for kind, content in value.items()}
        for name, value in json.loads(line).items()
    }


def _silent(_count: int) -> None:
    pass


def shop_around(api: str, token: str) -> None:
    """A few members with purchases, and a refund."""
    with httpx.Client(base_url=api, headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        for number in range(5):
            answer = http.post(
                "/v1/members", json={"mail": f"drill-{number}@example.com"}, headers={"Idempotency-Key": f"{number}"}
            )
            member_id = answer.raise_for_status().json()["member"]["id"]
            order = {"source": "drill", "order_id": f"{number}", "member_id": member_id, "currency": "CNY"}
            when = {"occurred_at": answer.json()["member"]["enrolled_at"]}
            posted = http.post("/v1/orders", json={**order, **when, "total_minor": 10_000}).raise_for_status().json()
            if not number:
                refund = {"refund_id": "1", **when, "amount_minor": 1_000}
                http.post(f"/v1/orders/{posted['order']['id']}/refunds", json=refund).raise_for_status()


def main() -> int:
    """Run the drill on a local AWS that lives as long as it takes."""
    console = Console(highlight=False)
    LOCAL.mkdir(exist_ok=True)
    try:
        with (
            tempfile.TemporaryDirectory(dir=LOCAL) as folder,
            start(Path(folder), None, Console(file=io.StringIO())) as stack,
        ):
            shop_around(stack.api, system_token(stack))
            rehearse(Installation(stack.outputs, stack.endpoint), "huike-restored-", console)
    except InfraError as error:
        console.print(f"[red]drill:[/red] {error}", soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
