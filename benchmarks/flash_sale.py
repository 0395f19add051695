"""A flash sale against the number of shards: pieces sold a second by 16 writers, every request sent twice.

One process with 16 threads plays every client and the engine, and one emulator in Python plays DynamoDB, which takes
one request after the other. So its own table is about what sharding costs; what it brings on AWS, where two
transactions that meet on one item refuse one another, is in the second table: there every transaction keeps its items
busy for as long as it takes, and whoever meets one of them is refused, as DynamoDB does it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from botocore.exceptions import ClientError

import tests.conftest  # noqa: F401 -- sets the environment that the engine reads when it is imported
from chalicelib.base import clock, dynamo
from chalicelib.base.settings import settings
from chalicelib.counters import service as counters
from chalicelib.program import service as programs
from chalicelib.rewards import service as rewards
from chalicelib.rewards.schema import RedemptionIn
from infra.local.aws import LocalAws
from infra.local.paths import LOCAL
from tests import writers
from tests.local_engine import engine_on
from tests.programs import document
from tests.rewards import reward
from tests.tables import KEYS

_SHARDS = (1, 2, 4, 8, 16)
_PIECES = 400
_MEMBERS = 100
_BUSY_S = 0.01
"""How long a transaction of three or four items keeps them busy, at the most, in one region."""


def main() -> None:
    """Print one row for each number of shards, without and with items that are busy."""
    logging.disable(logging.WARNING)
    LOCAL.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=LOCAL) as folder, engine_on(LocalAws(Path(folder))):
        sales = [(busy_s, shards) for busy_s in (0.0, _BUSY_S) for shards in _SHARDS]
        drops = {sale: f"drop_{number}" for number, sale in enumerate(sales)}
        found = [
            reward(drops[busy_s, shards], 1, stock={"total": _PIECES, "shards": shards}) for busy_s, shards in sales
        ]
        programs.publish(document(rewards=found, welcome_points=1000), by="bench", now=clock.now())
        programs.reset_cache()
        members = writers.enrolled(_MEMBERS)
        for busy_s in (0.0, _BUSY_S):
            print(f"\nItems busy for {busy_s * 1000:.0f} ms a transaction:\n")
            print("| shards | pieces | sold | seconds | sold a second | transactions | refused for a conflict |")
            print("|--:|--:|--:|--:|--:|--:|--:|", flush=True)
            for shards in _SHARDS:
                print(_row(drops[busy_s, shards], shards, busy_s, members), flush=True)


def _row(drop: str, shards: int, busy_s: float, members: list[str]) -> str:
    body = RedemptionIn(reward_id=drop)

    def buying(number: int) -> writers.Story:
        member_id, key = members[number % len(members)], f"{drop}-{number}"
        return lambda send: send(
            key, lambda: rewards.redeem(member_id, body, key=key, actor="system:bench", now=clock.now())
        )

    with _busy(busy_s) as met:
        run = writers.play([buying(number) for number in range(_PIECES)])
    stock = counters.read(f"stock#{drop}")
    sold = len({ack.record for ack in run.acks})
    if (stock.taken, stock.left) != (sold, _PIECES - sold):
        raise AssertionError(f"{sold} were acknowledged and {stock.taken} are taken")
    return (
        f"| {shards} | {_PIECES} | {sold} | {run.seconds:.1f} | {sold / run.seconds:.0f} "
        f"| {met['sent']} | {met['conflicts']} |"
    )


@contextlib.contextmanager
def _busy(seconds: float) -> Iterator[Counter[str]]:
    """Count transactions; with `seconds`, refuse those that meet an item of one that is not over."""
    client: Any = dynamo.client()
    real, lock, taken = client._make_api_call, threading.Lock(), set[str]()  # noqa: SLF001 -- below the engine
    met: Counter[str] = Counter()

    def call(operation: str, parameters: dict[str, Any]) -> Any:
        if operation != "TransactWriteItems":
            return real(operation, parameters)
        keys = {_key(part) for entry in parameters["TransactItems"] for part in entry.values()}
        with lock:
            met["sent"] += 1
            clashes = bool(seconds) and not taken.isdisjoint(keys)
            met["conflicts"] += clashes
            if not clashes:
                taken.update(keys)
        if clashes:
            raise _conflict(parameters)
        try:
            time.sleep(seconds)
            return real(operation, parameters)
        finally:
            with lock:
                taken.difference_update(keys)

    with mock.patch.object(client, "_make_api_call", call):
        yield met


def _key(part: dict[str, Any]) -> str:
    item = part.get("Key") or part["Item"]
    names = next(keys for table, keys in KEYS.items() if settings().table(table) == part["TableName"])
    return f"{part['TableName']}{[item[name] for name, _kind in names]}"


def _conflict(parameters: dict[str, Any]) -> ClientError:
    reasons = [{"Code": "TransactionConflict"} for _part in parameters["TransactItems"]]
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "conflict"},
        "CancellationReasons": reasons,
    }
    return ClientError(answer, "TransactWriteItems")


if __name__ == "__main__":
    main()
