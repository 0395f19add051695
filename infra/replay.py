"""`python -m infra.replay --since 2026-11-20`: sends the ledger's facts to the projector and the router once more.

The stream keeps facts for a day. What a stream function has missed for longer (it gave up, or a queue was not there
yet) is read from the ledger itself and handed to the same functions in the form that the stream has. All of them know
what they have seen, so sending too much does no harm.
"""

import argparse
import base64
import json
import sys
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.errors import InfraError
from infra.installation import Advance, Installation, add_arguments, find, in_segments, items_in, progress, scan

FUNCTIONS = {"projector": "ProjectAccountsFunction", "router": "RouteFactsFunction"}
_BATCH = 100
_TRIES = 3


def replay(installation: Installation, since: str, to: list[str], advance: Advance) -> int:
    """Send every entry posted at `since` (RFC 3339, UTC) or later to the functions named in `to`; gives how many.

    Raises InfraError where a function keeps failing at an entry; everything may then be sent again.
    """
    dynamodb, functions = installation.client("dynamodb"), installation.client("lambda")
    table = installation.outputs["LedgerTableName"]
    names = [installation.outputs[FUNCTIONS[name]] for name in to]

    def work(segment: int, segments: int) -> int:
        sent, waiting = 0, []
        for page in scan(dynamodb, table, segment=segment, segments=segments):
            waiting += [item for item in page if item["posted_at"]["S"] >= since]
            advance(len(page))
            while len(waiting) >= _BATCH:
                sent += _send(functions, names, waiting[:_BATCH])
                waiting = waiting[_BATCH:]
        return sent + _send(functions, names, waiting)

    return in_segments(work)


def _send(functions: Any, names: list[str], items: list[dict[str, Any]]) -> int:
    for name in names if items else ():
        _deliver(functions, name, items)
    return len(items)


def _deliver(functions: Any, name: str, items: list[dict[str, Any]]) -> None:
    """Give one function a batch, and from the first entry that it could not handle on again, as the stream does."""
    left = items
    for _try in range(_TRIES):
        payload = json.dumps({"Records": [_record(number, item) for number, item in enumerate(left)]})
        answer = functions.invoke(FunctionName=name, Payload=payload.encode())
        said = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise InfraError(f"{name} failed: {json.dumps(said)}")
        failed = [int(failure["itemIdentifier"]) for failure in said["batchItemFailures"]]
        if not failed:
            return
        left = left[min(failed) :]
    first = left[0]
    raise InfraError(f"{name} cannot handle entry {first['seq']['N']} of {first['member_id']['S']}; its log says why.")


def _record(number: int, item: dict[str, Any]) -> dict[str, Any]:
    image = {
        name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value for name, value in item.items()
    }
    return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "NewImage": image}}


def instant(text: str) -> str:
    """`2026-11-20`, or an RFC 3339 instant, as the ledger writes instants. Raises InfraError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InfraError(f"{text!r} is neither a day such as 2026-11-20 nor an instant.") from None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def main(arguments: list[str] | None = None) -> int:
    """Replay to the local stack, or to a stack on AWS."""
    parser = argparse.ArgumentParser(prog="python -m infra.replay", description=__doc__)
    parser.add_argument("--since", required=True, help="a day (in UTC) or an instant, such as 2026-11-20")
    parser.add_argument("--to", nargs="+", choices=list(FUNCTIONS), default=list(FUNCTIONS), help="(default: both)")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        since, installation = instant(options.since), find(options)
        with progress() as bar:
            total = items_in(installation.client("dynamodb"), installation.outputs["LedgerTableName"])
            task = bar.add_task("reading the ledger", total=total)
            sent = replay(installation, since, options.to, lambda count: bar.advance(task, count))
    except (InfraError, BotoCoreError, ClientError) as error:
        print(f"replay: {error}", file=sys.stderr)
        return 1
    print(f"{sent} entries since {since} sent to {' and '.join(options.to)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
