"""`python -m infra.retier`: writes down everybody's tier by the programme in force; with `--preview` it only counts.

It asks the installation's own function to walk over all accounts, and shows how far that is. Interrupting it interrupts
the showing; the walk goes on by itself, and may be begun again at any time.
"""

import argparse
import getpass
import json
import sys
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from infra.errors import InfraError
from infra.installation import Advance, Installation, add_arguments, find, items_in, progress

_PAUSE_S = 1.0


def ask(installation: Installation, **request: Any) -> dict[str, Any]:
    """What the function `administer_ledger` answers. Raises InfraError where it refuses."""
    answer = installation.client("lambda").invoke(
        FunctionName=installation.outputs["AdministerLedgerFunction"], Payload=json.dumps(request).encode()
    )
    found: dict[str, Any] = json.loads(answer["Payload"].read())
    if "error" in found:
        raise InfraError(found["error"]["detail"])
    if "FunctionError" in answer:
        raise InfraError(f"The function failed: {found.get('errorMessage', found)}")
    return found


def retier(
    installation: Installation, request: dict[str, Any], advance: Advance, pause_s: float = _PAUSE_S
) -> dict[str, Any]:
    """Begin what `request` asks for and wait until all accounts were seen; gives the final progress.

    Raises InfraError.
    """
    run = ask(installation, **request)["run"]
    seen = 0
    while True:
        found = ask(installation, action="retier_progress", run=run)
        advance(found["seen"] - seen)
        seen = found["seen"]
        if found["is_done"]:
            return found
        time.sleep(pause_s)


def table_of(found: dict[str, Any]) -> Table:
    """The moves as a table."""
    table = Table("from", "to", "members", "such as")
    for name, move in found["moves"].items():
        before, _to, after = name.partition(" > ")
        table.add_row(before, after, f"{move['members']:,}", " ".join(move["examples"]))
    return table


def main(arguments: list[str] | None = None) -> int:
    """Re-tier the local stack or a stack on AWS; ends with 1 where an account could not be looked at."""
    parser = argparse.ArgumentParser(prog="python -m infra.retier", description=__doc__)
    parser.add_argument("--preview", action="store_true", help="count who would move, and write nothing")
    parser.add_argument("--version", type=int, help="preview by this version of the programme, which may be to start")
    parser.add_argument("--by", default=getpass.getuser(), help="who does it, as the entries will say (default: you)")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    if options.version is not None and not options.preview:
        parser.error("--version is for a preview; tiers are written down by the version in force")
    request: dict[str, Any] = {"action": "retier", "by": options.by}
    if options.preview:
        request = {"action": "preview_retier", "version": options.version}
    try:
        installation = find(options)
        total = items_in(installation.client("dynamodb"), f"{installation.prefix}accounts")
        with progress() as bar:
            walking = bar.add_task("looking at accounts", total=total or None)
            found = retier(installation, request, lambda count: bar.advance(walking, count))
    except (InfraError, BotoCoreError, ClientError) as error:
        print(f"retier: {error}", file=sys.stderr)
        return 1
    if found["moves"]:
        Console().print(table_of(found))
    what = "would move" if options.preview else "moved"
    print(f"{found['seen']} accounts, {found['moved']} members {what}, {found['failed']} could not be looked at")
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
