"""Codes in bulk, per second: made only, made and written by one worker, and through the queue of the deployed stack.

On a laptop one emulator in Python takes every write, and shares the processor with the function that sends it.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import httpx
from rich.console import Console

import tests.conftest  # noqa: F401 - sets the environment that the engine reads when it is imported
from chalicelib.base import clock
from chalicelib.vouchers import batches, codes, document, jobs, making
from infra.local.aws import LocalAws
from infra.local.paths import LOCAL
from infra.local.start import start
from infra.local.tokens import system_token
from tests.local_engine import engine_on

_BATCH = {
    "title": {"en": "bench", "zh-Hans": "bench", "zh-Hant": "bench"},
    "kind": "single",
    "effect": {"type": "percentage", "percent": "10"},
}


def main() -> None:
    """Measure each way and print the table."""
    LOCAL.mkdir(exist_ok=True)
    ways: list[tuple[str, int, Callable[[int], float]]] = [
        ("made, and their ids", 100_000, _made),
        ("made and written, one worker", 20_000, _written),
        ("a job through the queue", 20_000, _queued),
        ("a job through the queue", 100_000, _queued),
    ]
    print("| way | codes | seconds | codes a second |\n|---|--:|--:|--:|")
    for name, count, way in ways:
        seconds = way(count)
        print(f"| {name} | {count:,} | {seconds:.1f} | {count / seconds:,.0f} |", flush=True)


def _made(count: int) -> float:
    begun = time.perf_counter()
    found = {making.voucher_id_of(making.code_of("vjb_bench", number)) for number in range(count)}
    seconds = time.perf_counter() - begun
    if len(found) != count or not codes.is_whole(making.code_of("vjb_bench", 0)):
        raise RuntimeError("codes repeat or are not whole")
    return seconds


def _written(count: int) -> float:
    with TemporaryDirectory(dir=LOCAL) as folder, engine_on(LocalAws(Path(folder))):
        waiting: list[jobs.Leg] = []
        with mock.patch("chalicelib.base.queues.send", lambda _url, leg: waiting.append(leg)):
            now = clock.now()
            batch_id = batches.create(document.read(_BATCH), key="bench", actor="bench", now=now).record.key
            job_id = jobs.start(batch_id, count, key="bench", actor="bench", now=now).record.key
            begun = time.perf_counter()
            while waiting:
                jobs.take(waiting.pop(), queue_url="", now=now)
            seconds = time.perf_counter() - begun
        if not jobs.read(job_id).is_done:
            raise RuntimeError("the job is not done")
        return seconds


def _queued(count: int) -> float:
    with (
        TemporaryDirectory(dir=LOCAL) as folder,
        start(Path(folder), None, Console(file=io.StringIO())) as stack,
    ):
        headers = {"Authorization": f"Bearer {system_token(stack)}", "Idempotency-Key": "bench"}
        with httpx.Client(base_url=stack.api, headers=headers, timeout=60) as http:
            batch = _sent(http, "/v1/voucher-batches", _BATCH)
            begun = time.perf_counter()
            job = _sent(http, f"/v1/voucher-batches/{batch['id']}/jobs", {"codes": count})
            while job.get("status") != "done":
                time.sleep(0.5)
                job = http.get(f"/v1/voucher-jobs/{job['id']}").raise_for_status().json()
            return time.perf_counter() - begun


def _sent(http: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    return http.post(path, json=body).raise_for_status().json()


if __name__ == "__main__":
    main()
