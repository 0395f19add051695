"""Nights whose every request is counted, by what it is for: what `benchmarks.scoring_month` adds up."""

from __future__ import annotations

import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from unittest import mock

from chalicelib.base import dynamo, objects
from chalicelib.base.settings import settings
from chalicelib.ledger import projector
from chalicelib.members import sweeping
from chalicelib.scoring import telling
from chalicelib.scoring import told as tellings
from tests.api import night, scoring_night
from tests.meter import item_bytes, metered
from tests.proof.expressions import plain
from tests.proof.store import Store
from tests.tables import KEYS

SCAN, SWEEP, ENTRIES, RECORDS = "scan", "sweep", "new entries", "records"
FACTS, TOLD, SEGMENTS, ALERTS, NOTES = "facts", "told", "segments", "alerts", "notes"
REDUCE: Final = "reduction"
_OWN: Final = "score_"


@dataclass
class Count:
    """What some nights used, by what it was for.

    `cpu_s` is the engine's own work by function, without what stands for AWS; `score_bytes` is how much of what was
    scanned is scoring's. `why` counts what led to telling.
    """

    read: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    write: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    requests: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    cpu_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    members: int = 0
    scanned_bytes: int = 0
    score_bytes: int = 0

    def add(self, other: Count) -> None:
        """Count another one in."""
        for name in ("read", "write", "requests", "files", "why", "cpu_s"):
            for what, much in getattr(other, name).items():
                getattr(self, name)[what] += much
        self.members += other.members
        self.scanned_bytes += other.scanned_bytes
        self.score_bytes += other.score_bytes


class Lean(Store):
    """A store without a past, which would grow too large, and whose scans are in no order."""

    def call(self, operation: str, parameters: Any, *, as_of: int | None = None) -> Any:
        """Answer a call, as the store does."""
        if operation != "Scan":
            return super().call(operation, parameters, as_of=as_of)
        found = self.items(parameters["TableName"])
        return {"Items": found, "Count": len(found), "ScannedCount": len(found)}

    def _apply(self, kind: str, part: Any) -> None:
        super()._apply(kind, part)
        table = part["TableName"]
        hash_name = KEYS[table.removeprefix(settings().table_prefix)][0][0]
        del self.past[table, plain((part.get("Key") or part["Item"])[hash_name])][:-1]
        self.log.clear()
        self.updates.clear()


class Nights:
    """Runs nights, and brings the view up to what they have written, as the stream would."""

    def __init__(self) -> None:
        self._doing = ""
        self._away_s = 0.0
        self._written: set[str] = set()

    def run(self) -> Count:
        """A night from the schedule to the report."""
        count = Count()
        with contextlib.ExitStack() as stack:
            lying = stack.enter_context(night.queued(nightly_segments=1))
            night.start()
            self._counting(stack, count)
            while lying.messages:
                queue, body = lying.messages.pop(0)
                if queue not in {"nightly", "scoring"}:
                    continue
                begun, self._away_s = time.process_time(), 0.0
                with self._at(REDUCE if queue == "scoring" else ""):
                    assert scoring_night.deliver(queue, body) == []
                count.cpu_s[night.FUNCTIONS[queue]] += time.process_time() - begun - self._away_s
                count.requests[queue] += 1
        for member_id in self._written:
            projector.rebuild(member_id)
        self._written.clear()
        return count

    def _counting(self, stack: contextlib.ExitStack, count: Count) -> None:
        bill = stack.enter_context(metered())
        client: Any = dynamo.client()
        counted = client._make_api_call  # noqa: SLF001 -- the meter's

        def call(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
            begun, before = time.process_time(), (bill.read_units, bill.write_units)
            cause = self._cause(operation, parameters)
            try:
                answer: dict[str, Any] = counted(operation, parameters)
            finally:
                count.read[cause] += bill.read_units - before[0]
                count.write[cause] += bill.write_units - before[1]
                count.requests[cause] += 1
                self._away_s += time.process_time() - begun
            if operation == "Scan":
                begun = time.process_time()
                _weigh(answer["Items"], count)
                self._away_s += time.process_time() - begun
            return answer

        stack.enter_context(mock.patch.object(client, "_make_api_call", call))
        for name in ("put", "get", "keys"):
            stack.enter_context(mock.patch.object(objects, name, self._filed(name, count)))
        stack.enter_context(mock.patch.object(telling, "tell", self._told(telling.tell, count)))
        stack.enter_context(mock.patch.object(sweeping, "sweep_member", self._swept(sweeping.sweep_member)))

    def _cause(self, operation: str, parameters: Mapping[str, Any]) -> str:
        if operation == "Scan" or self._doing:
            return self._doing or SCAN
        if operation == "BatchGetItem":
            return RECORDS
        table = parameters["TableName"].removeprefix(settings().table_prefix)
        if operation == "UpdateItem" and table == "accounts":
            names = set(parameters["ExpressionAttributeNames"].values())
            return TOLD if "score_text" in names else FACTS
        return {"ledger": ENTRIES, "members": SEGMENTS, "nights": NOTES, "programs": NOTES}.get(table, RECORDS)

    @contextlib.contextmanager
    def _at(self, what: str) -> Iterator[None]:
        before, self._doing = self._doing, what
        try:
            yield
        finally:
            self._doing = before

    def _told(self, real: Callable[..., bool], count: Count) -> Callable[..., bool]:
        def tell(news: telling.News, *, now: int) -> bool:
            if news.told is not None:
                count.why[_why(news) + (", with new facts" if news.is_new else "")] += 1
            if not news.alerts and not news.cares:
                return real(news, now=now)
            self._written.add(news.account.member_id)
            with self._at(ALERTS):
                return real(news, now=now)

        return tell

    def _swept(self, real: Callable[..., bool]) -> Callable[..., bool]:
        def sweep_member(member_id: str, *, now: int) -> bool:
            self._written.add(member_id)
            with self._at(SWEEP):
                return real(member_id, now=now)

        return sweep_member

    def _filed(self, name: str, count: Count) -> Callable[..., Any]:
        real = getattr(objects, name)

        def call(*given: Any, **named: Any) -> Any:
            begun = time.process_time()
            count.files[f"{name} {given[0].split('/')[0]}"] += 1
            try:
                answer = real(*given, **named)
                return list(answer) if name == "keys" else answer
            finally:
                self._away_s += time.process_time() - begun

        return call


def _weigh(items: list[Any], count: Count) -> None:
    count.members += len(items)
    count.scanned_bytes += sum(map(item_bytes, items))
    own = ({name: value for name, value in item.items() if name.startswith(_OWN)} for item in items)
    count.score_bytes += sum(map(item_bytes, own))


def _why(news: telling.News) -> str:
    """Why a member is told: the first reason that fits."""
    last = tellings.unpack(news.account.score_told) if news.account.score_told else None
    now = news.told
    assert now
    if last is None:
        return "first time"
    if news.alerts or news.cares:
        return " and ".join(sorted((*news.alerts, *news.cares)))
    if now.behaviour != last.behaviour:
        return "behaviour segment"
    if now.value != last.value:
        return f"value segment {' '.join(sorted((last.value, now.value)))}"
    if abs(now.score - last.score) >= tellings.MOVED:
        return "score"
    went = "ended" if last.on & ~now.on else "began again"
    return f"state of an alert {went}"
