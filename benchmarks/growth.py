"""The same operations for a member with 10 and with 10,000 entries: what they cost, and how long they take.

Units and round trips are what DynamoDB bills. The times are the emulator's, which sorts a partition at every query.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import tests.conftest  # noqa: F401 -- sets the environment that the engine reads when it is imported
from chalicelib.base import clock, facts
from chalicelib.ledger import chain, points
from chalicelib.ledger.chain import Decision, Entry
from chalicelib.ledger.state import NEVER
from chalicelib.ledger.table import EntryItem, read_tail, to_item
from infra.local.aws import LocalAws
from infra.local.paths import LOCAL
from tests.api import shop
from tests.api.client import Response, client
from tests.local_engine import engine_on
from tests.meter import metered

_HISTORIES = (10, 10_000)
_RUNS = 15


def main() -> None:
    """Print one row an operation and history."""
    logging.disable(logging.INFO)
    LOCAL.mkdir(exist_ok=True)
    print("| operation | entries before | WCU | RCU | round trips | median ms |\n|---|--:|--:|--:|--:|--:|")
    with TemporaryDirectory(dir=LOCAL) as folder, engine_on(LocalAws(Path(folder))):
        for history in _HISTORIES:
            member_id = shop.enrol(f"growth-{history}", external=[{"source": "bench", "id": str(history)}])
            _write_history(member_id, history)
            for name, act in _operations(member_id, history).items():
                print(_row(name, history, act), flush=True)


def _operations(member_id: str, history: int) -> dict[str, Callable[[str], Response]]:
    account = f"/v1/members/{member_id}/account"
    entries = f"/v1/members/{member_id}/entries?limit=20"
    return {
        "earn": lambda run: shop.post_order(f"{history}-{run}", member_id=member_id),
        "redeem": lambda run: shop.redeem(member_id, 100, f"{history}-{run}"),
        "account": lambda _run: client.get(account, caller=shop.SHOP),
        "statement page of 20": lambda _run: client.get(entries, caller=shop.SHOP),
    }


def _row(name: str, history: int, act: Callable[[str], Response]) -> str:
    with metered() as bill:
        act("metered")
    times = []
    for run in range(_RUNS):
        begun = time.perf_counter()
        answer = act(str(run))
        times.append(1000 * (time.perf_counter() - begun))
        assert answer.status in {200, 201}, answer.text
    units = f"{bill.write_units:g} | {bill.read_units:g} | {bill.round_trips}"
    return f"| {name} | {history} | {units} | {statistics.median(times):.1f} |"


def _write_history(member_id: str, length: int) -> None:
    """Append `length` entries of 100 points each, hashed and chained as posting would, without its round trips."""
    tail = read_tail(member_id, consistent=True)
    assert tail
    with EntryItem.batch_write() as batch:
        for number in range(length):
            tail = _next(tail, number)
            batch.save(to_item(tail))


def _next(tail: Entry, number: int) -> Entry:
    decision = Decision(
        kind=facts.ADJUSTED,
        record=f"adj_{number}",
        reason="promotion",
        actor="system:bench",
        program=0,
        occurred_at=tail.posted_at,
        effect=points.adjustment(tail.state, 100, NEVER),
        tier=tail.tier,
    )
    return chain.link(tail.member_id, tail, decision, clock.now())
