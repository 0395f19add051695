"""`make verify-aws STAGE=…`: looks on a real account at what no emulator shows, in tables made for it.

It bills what it does, which is some thousands of units, less than a cent. The tables of the stage are never touched:
its own are called huike-STAGE-verify-… and are deleted at the end, also after a failure.
"""

import argparse
import importlib
import os
import secrets
import sys
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from infra import stage
from infra.errors import InfraError
from infra.installation import Installation
from infra.stage import Stage


def main(arguments: list[str] | None = None) -> int:
    """Look, print what was seen, and end with 1 if something is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m infra.verify_aws", description=__doc__)
    stage.add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        return verify(stage.of(options))
    except (InfraError, BotoCoreError, ClientError) as error:
        print(f"verify-aws: {error}", file=sys.stderr)
        return 1


def verify(of: Stage) -> int:
    """Run every check in tables of its own. Raises botocore's errors."""
    _configure(of, f"huike-{of.name}-verify-{secrets.token_hex(3)}-")
    # The engine reads its settings when it is imported, and the tests bring it in.
    on_aws = importlib.import_module("tests.on_aws")
    console = Console(highlight=False, width=140)
    try:
        console.print("making tables …")
        on_aws.make_tables()
        is_right = _print(console, "Races", [on_aws.race()])
        is_right &= _print(console, "Tokens", on_aws.tokens())
        is_cheap = _print(console, "Capacity: counted by the meter, told by DynamoDB", on_aws.capacity())
    finally:
        on_aws.drop_tables()
    console.print(
        "Wrong is what bills more than was counted. A transaction that is cancelled, as a replay's is, is billed\n"
        "without being told, so its row tells less than the bill."
    )
    if of.endpoint:
        console.print("This is a local AWS: what it tells of capacity is reported here, and judged on AWS only.")
        return int(not is_right)
    return int(not (is_right and is_cheap))


def _configure(of: Stage, prefix: str) -> None:
    """Let the engine, imported afterwards, work on tables of this prefix, with a secret that nobody needs later."""
    Installation({}, of.endpoint).configure_engine(prefix)
    os.environ |= {
        "HUIKE_STAGE": of.name,
        "HUIKE_BUCKET": f"{prefix}files",
        "HUIKE_ID_SECRET": secrets.token_hex(32),
        "HUIKE_OIDC_ISSUER": "https://issuer.example",
        "HUIKE_OIDC_CLIENTS": "app,machine",
    }


def _print(console: Console, title: str, checks: Iterable[Any]) -> bool:
    """Print the checks as they come; gives whether all are right."""
    table = Table("", "what", "expected", "seen", title=title, title_justify="left", box=None, pad_edge=False)
    is_right = True
    for check in checks:
        is_right &= check.is_right
        table.add_row("✓" if check.is_right else "✗", check.what, check.expected, check.seen)
    console.print(table)
    return is_right


if __name__ == "__main__":
    sys.exit(main())
