"""Orders per second through the queue and through the API, on the local AWS.

The figures say what a laptop does, where one emulator in Python plays every service and hands a FIFO queue to one
function at a time. On AWS, every message group has its own; take from here how the ways compare, and what is lost.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from rich.console import Console

from infra.local import cdnow, seed
from infra.local.aws import client
from infra.local.deploy import Stack
from infra.local.paths import LOCAL
from infra.local.start import start
from infra.local.tokens import system_token

_ORDERS = 600
_AT_ONCE = 4


def main() -> None:
    """Post the same number of orders in each way and print the table."""
    LOCAL.mkdir(exist_ok=True)
    with (
        TemporaryDirectory(dir=LOCAL) as folder,
        start(Path(folder), None, Console(file=io.StringIO())) as stack,
    ):
        seed.publish(stack)
        members = list(seed.enrol(stack, [f"bench-{number}" for number in range(100)], lambda _: None).values())
        ways: list[tuple[str, Callable[[], None]]] = [
            ("queue, 100 members, functions cold", lambda: _by_queue(stack, "cold", members)),
            ("queue, 100 members", lambda: _by_queue(stack, "warm", members)),
            ("queue, one member", lambda: _by_queue(stack, "one", members[:1])),
            ("API, one after the other", lambda: _by_api(stack, "single", members, at_once=1)),
            (f"API, {_AT_ONCE} at once", lambda: _by_api(stack, "many", members, at_once=_AT_ONCE)),
        ]
        print("| way | orders | seconds | orders a second |\n|---|--:|--:|--:|")
        for name, way in ways:
            begun = time.perf_counter()
            way()
            seconds = time.perf_counter() - begun
            print(f"| {name} | {_ORDERS} | {seconds:.1f} | {_ORDERS / seconds:.0f} |", flush=True)
        found = seed.check(stack)
        print(
            f"\n{found.orders} orders, {found.entries} entries, {found.failures} failed, of {_ORDERS * len(ways)} sent."
        )


def _purchases(way: str) -> list[cdnow.Purchase]:
    now = datetime.now(UTC)
    # The way's name is part of the customer's, so that no two ways send the same order.
    return [cdnow.Purchase(number, way, now, 1, 1000 + number) for number in range(_ORDERS)]


def _by_queue(stack: Stack, way: str, members: list[str]) -> None:
    url = stack.outputs["IntakeQueueUrl"]
    sqs = client("sqs", stack.endpoint)
    for begin in range(0, _ORDERS, 10):
        entries = []
        for purchase in _purchases(way)[begin : begin + 10]:
            member = members[purchase.line % len(members)]
            entries.append(seed.message(_order(purchase, member), member, str(purchase.line)))
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    seed.drain(stack, url, lambda _: None, _ORDERS)


def _by_api(stack: Stack, way: str, members: list[str], *, at_once: int) -> None:
    headers = {"Authorization": f"Bearer {system_token(stack, ['orders.write'])}"}
    with httpx.Client(base_url=stack.api, headers=headers, timeout=60) as http, ThreadPoolExecutor(at_once) as pool:

        def post(purchase: cdnow.Purchase) -> None:
            order = _order(purchase, members[purchase.line % len(members)])
            http.post("/v1/orders", json=order).raise_for_status()

        list(pool.map(post, _purchases(way)))


def _order(purchase: cdnow.Purchase, member: str) -> dict[str, Any]:
    return seed.order(purchase, member) | {"source": f"bench-{purchase.customer}"}


if __name__ == "__main__":
    main()
