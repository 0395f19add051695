"""An installation that a command works on: a stack on AWS, or the local stack that is running."""

import argparse
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infra.errors import InfraError
from infra.local.aws import REGION, client
from infra.local.deploy import Stack
from infra.local.paths import PORT, stack_file

AT_ONCE = 4
Advance = Callable[[int], None]


@dataclass(frozen=True)
class Installation:
    """What the stack says of itself, and where it is; `endpoint` is None on AWS itself."""

    outputs: dict[str, str]
    endpoint: str | None = None

    @property
    def prefix(self) -> str:
        """What the names of its tables begin with."""
        return self.outputs["LedgerTableName"].removesuffix("ledger")

    def client(self, service: str) -> Any:
        """A boto3 client for it."""
        if self.endpoint:
            return client(service, self.endpoint)
        make: Any = boto3.client
        return make(service)

    def configure_engine(self, prefix: str | None = None) -> None:
        """Set the environment so that the engine's own code, imported afterwards, works on this installation's tables.

        `prefix` names other tables than the stack's own, such as restored ones. The secret that keys ids stays unknown,
        so nothing may be posted from here.
        """
        os.environ["HUIKE_TABLE_PREFIX"] = prefix or self.prefix
        os.environ["HUIKE_ID_SECRET"] = "unknown to the tools"  # noqa: S105 - it says so itself
        if self.endpoint:
            os.environ |= {
                "AWS_ENDPOINT_URL": self.endpoint,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
            }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options by which a command is told which installation it works on."""
    parser.add_argument("--stack", help="CloudFormation stack on AWS (default: the running local stack)")
    parser.add_argument("--port", type=int, default=PORT, help="port of the local stack's front")
    parser.add_argument("--local", type=Path, metavar="FILE", help="the local stack's stack.json, instead of --port")


def find(options: argparse.Namespace) -> Installation:
    """The installation that the options name. Raises InfraError and botocore's errors."""
    if options.stack is None:
        stack = Stack.load(options.local or stack_file(options.port))
        return Installation(stack.outputs, stack.endpoint)
    stacks = boto3.client("cloudformation").describe_stacks(StackName=options.stack)["Stacks"]
    return Installation({output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])})


def scan(
    dynamodb: Any, table: str, *, segment: int = 0, segments: int = 1, **options: Any
) -> Iterator[list[dict[str, Any]]]:
    """The items of one segment of a table, page by page; `options` are those of the scan."""
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table, Segment=segment, TotalSegments=segments, ConsistentRead=True, **options
    )
    for page in pages:
        yield page["Items"]


def in_segments(work: Callable[[int, int], int]) -> int:
    """The sum of what `work(segment, segments)` gives for all segments, done side by side."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(lambda segment: work(segment, AT_ONCE), range(AT_ONCE)))


def items_in(dynamodb: Any, table: str) -> int:
    """About how many items a table has, for a progress bar; DynamoDB counts them every six hours."""
    return int(dynamodb.describe_table(TableName=table)["Table"]["ItemCount"])


def progress() -> Progress:
    """A progress bar on the terminal."""
    return Progress(
        TextColumn("  {task.description:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def members(dynamodb: Any, prefix: str, advance: Advance) -> list[str]:
    """Everybody who has an entry in the ledger or is shown by the view. Raises InfraError if there is nobody."""
    found: set[str] = set()

    def collect(segment: int, segments: int) -> int:
        for table in ("ledger", "accounts"):
            for page in scan(
                dynamodb, prefix + table, segment=segment, segments=segments, ProjectionExpression="member_id"
            ):
                found.update(item["member_id"]["S"] for item in page)
                advance(len(page))
        return 0

    in_segments(collect)
    if not found:
        raise InfraError(f"The tables {prefix}ledger and {prefix}accounts are empty.")
    return sorted(found)
