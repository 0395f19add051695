"""Writers as threads with a baton: one runs at a time, and a seed decides which, and what goes wrong, at every call."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ConnectTimeoutError, ReadTimeoutError

from chalicelib.program import budgets
from chalicelib.program import service as programs
from chalicelib.surveys import defining
from tests.proof.store import Answer, Parameters, Store, refused

READS = ("Query", "GetItem", "BatchGetItem")
BEFORE_A_WRITE = ("drop", "throttled", "failed", "conflict", "death before")
AFTER_A_WRITE = ("timeout after commit", "failure after commit", "death after")
ON_A_READ = (*("drop", "throttled", "failed") * 5, "death before")
# A process dies less often than a call fails: else nobody would be left to race.
ON_A_WRITE = (*BEFORE_A_WRITE[:-1] * 2, *AFTER_A_WRITE[:-1] * 4, "death before", "death after")
LAGS = (1, 1, 2, 3, 10)
LATE_RATES = (0.0, 0.2, 0.6)


class Died(BaseException):
    """The process of a writer is gone in the middle of a request. No handler of the engine may see it."""


@dataclass(eq=False)
class Writer:
    """One process: its clock is off by `skew_s`, and of programme, budgets and surveys it knows what it has read."""

    name: str
    skew_s: int
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    cache: Any = field(default_factory=programs._Cache)
    exhausted: set[str] = field(default_factory=set)
    surveys: dict[str, Any] = field(default_factory=dict)
    done: bool = False


class Scheduler:
    """Hands the baton on. `rng` decides everything, and only whoever has the baton asks it: a seed replays exactly."""

    def __init__(self, store: Store, rng: random.Random, fault_rate: float) -> None:
        self.store = store
        self.rng = rng
        self.fault_rate = fault_rate
        self.late_rate = rng.choice(LATE_RATES)
        self.seen: Counter[str] = Counter()
        self.trace: list[str] = []
        self.time = 0
        self.jumps: tuple[int, ...] = (0,)
        self._back = threading.Semaphore(0)
        self._current: Writer | None = None
        self._failures: list[BaseException] = []

    def run(self, works: list[tuple[Writer, Callable[[Writer], None]]]) -> None:
        """Let the writers work until all are done. Raises what one of them could not handle."""
        threads = [threading.Thread(target=self._work, args=work, daemon=True) for work in works]
        for thread in threads:
            thread.start()
        writers = [writer for writer, _work in works]
        while waiting := [writer for writer in writers if not writer.done]:
            writer = self.rng.choice(waiting)
            self.time += self.rng.choice(self.jumps)
            self._current, programs._cache = writer, writer.cache
            budgets._exhausted_before = writer.exhausted
            defining._open = writer.surveys
            writer.go.release()
            self._back.acquire()
            self._current = None
        for thread in threads:
            thread.join()
        programs.reset_cache()
        budgets._exhausted_before = set()
        defining._open = {}
        if self._failures:
            raise self._failures[0]

    def _work(self, writer: Writer, work: Callable[[Writer], None]) -> None:
        writer.go.acquire()
        try:
            work(writer)
        except BaseException as failure:  # noqa: BLE001 - a thread must hand the baton back whatever happens
            self._failures.append(failure)
        finally:
            writer.done = True
            self._back.release()

    def call(self, operation: str, parameters: Parameters) -> Answer:
        """Answer a call of the engine: by whom and when it is made, and whether it goes well, the seed decides."""
        writer = self._current
        if writer is None:
            return self.store.call(operation, parameters)
        self._back.release()
        writer.go.acquire()
        if operation in READS:
            return self._read(writer, operation, parameters)
        return self._write(writer, operation, parameters)

    def _fault(self, writer: Writer, operation: str, kinds: tuple[str, ...]) -> str:
        fault = self.rng.choice(kinds) if self.rng.random() < self.fault_rate else ""
        self.trace.append(f"{writer.name} {operation} {fault}")
        return fault

    def _read(self, writer: Writer, operation: str, parameters: Parameters) -> Answer:
        self._fail(self._fault(writer, operation, ON_A_READ), operation, parameters)
        answer = self.store.call(operation, parameters)
        if self.rng.random() < self.late_rate:
            lagging = self.store.call(operation, parameters, as_of=max(self.store.tick - self.rng.choice(LAGS), 0))
            # Only a read that really misses something counts as one.
            if lagging != answer:
                self.seen["stale"] += 1
                self.trace[-1] += " stale"
            return lagging
        return answer

    def _write(self, writer: Writer, operation: str, parameters: Parameters) -> Answer:
        fault = self._fault(writer, operation, ON_A_WRITE)
        if fault in BEFORE_A_WRITE:
            self._fail(fault, operation, parameters)
        try:
            answer = self.store.call(operation, parameters)
        except Exception as error:
            self.seen["condition failed"] += 1
            self.seen["budget was too low"] += _is_of_counters(error, parameters)
            raise
        self.seen["commits"] += 1
        if fault:
            self._fail(fault, operation, parameters)
        return answer

    def _fail(self, fault: str, operation: str, parameters: Parameters) -> None:
        if not fault:
            return
        self.seen[fault] += 1
        if fault.startswith("death"):
            raise Died
        raise self._error(fault, operation, parameters)

    def _error(self, fault: str, operation: str, parameters: Parameters) -> Exception:
        if fault == "drop":
            failure: BotoCoreError = ConnectTimeoutError(endpoint_url="nowhere")
            return failure
        if fault == "timeout after commit":
            return ReadTimeoutError(endpoint_url="nowhere")
        if fault in ("failed", "failure after commit"):
            return refused(operation, "InternalServerError")
        if operation != "TransactWriteItems":
            return refused(operation, "ProvisionedThroughputExceededException")
        # The reasons may stand anywhere, be mixed, or be missing altogether.
        found = ["TransactionConflict" if fault == "conflict" else "ThrottlingError", "None"]
        reasons = [{"Code": self.rng.choice(found)} for _item in parameters["TransactItems"]]
        return refused(operation, "TransactionCanceledException", self.rng.choice([reasons, reasons, []]))


def _is_of_counters(error: Exception, parameters: Parameters) -> bool:
    """Whether a transaction failed because a counter held less than was to be taken."""
    reasons = getattr(error, "response", {}).get("CancellationReasons", [])
    parts = [part for entry in parameters.get("TransactItems", []) for part in entry.values()]
    tables = [part["TableName"] for part, reason in zip(parts, reasons, strict=False) if reason["Code"] != "None"]
    return any(table.endswith("counters") for table in tables)
