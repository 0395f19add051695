"""`python -m infra.rebuild`: makes the accounts view anew from the ledger, whatever it says now.

It may run while the installation works: each account is written from the end of its chain, which is read once more
afterwards. What other areas keep on an account's item stays. An item without a chain goes.
"""

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

from infra.errors import InfraError
from infra.installation import AT_ONCE, Advance, Installation, add_arguments, find, members, progress


def rebuild(installation: Installation, prefix: str, member_ids: list[str], advance: Advance) -> tuple[int, int]:
    """Write the view of all these members; gives how many accounts it shows now and how many items went."""
    installation.configure_engine(prefix)
    # The engine reads its settings when it is imported.
    from chalicelib.ledger import projector  # noqa: PLC0415

    dynamodb = installation.client("dynamodb")

    def one(member_id: str) -> bool:
        shown = projector.rebuild(member_id) is not None
        if not shown:
            dynamodb.delete_item(TableName=f"{prefix}accounts", Key={"member_id": {"S": member_id}})
        advance(1)
        return shown

    shown = sum(at_once(one, member_ids))
    return shown, len(member_ids) - shown


def at_once(work: Callable[[str], bool], member_ids: list[str]) -> list[bool]:
    """What `work` gives for each member, a few at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, member_ids))


def main(arguments: list[str] | None = None) -> int:
    """Rebuild the view of the local stack, of a stack on AWS, or of restored tables."""
    parser = argparse.ArgumentParser(prog="python -m infra.rebuild", description=__doc__)
    parser.add_argument("--prefix", help="what the tables' names begin with (default: those of the stack)")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        installation = find(options)
        prefix = options.prefix or installation.prefix
        with progress() as bar:
            reading = bar.add_task("reading the ledger", total=None)
            everybody = members(installation.client("dynamodb"), prefix, lambda count: bar.advance(reading, count))
            writing = bar.add_task("writing the view", total=len(everybody))
            shown, gone = rebuild(installation, prefix, everybody, lambda count: bar.advance(writing, count))
    except (InfraError, BotoCoreError, ClientError) as error:
        print(f"rebuild: {error}", file=sys.stderr)
        return 1
    print(f"the view shows {shown} accounts; {gone} items without a chain are gone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
