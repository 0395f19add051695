"""A night on moto: the messages that would lie on the queues, and their way through the deployed functions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any
from unittest import mock

import msgspec

from app import app
from chalicelib.base import clock, queues, settings
from chalicelib.engagement import birthday_triggers
from chalicelib.ledger import audit_walk, projector
from chalicelib.ledger import triggers as ledger_triggers
from chalicelib.ledger.chain import Entry
from chalicelib.ledger.nights import DigestItem, ProgressItem
from chalicelib.ledger.table import to_item
from chalicelib.members import birthdays, night, retiering
from chalicelib.members import triggers as member_triggers
from chalicelib.program import service as programs
from chalicelib.scoring import console as scoring_console
from chalicelib.scoring import finishing
from chalicelib.scoring import triggers as scoring_triggers

FUNCTIONS = {
    "nightly": "walk_accounts",
    "audit": "audit_accounts",
    "birthdays": "give_birthday_gifts",
    "scoring": "reduce_night",
}


@dataclass
class Queues:
    """What lies on the queues, by their names."""

    messages: list[tuple[str, str]] = field(default_factory=list)

    def send(self, queue_url: str, message: msgspec.Struct) -> None:
        """Stands for `queues.send`."""
        self.messages.append((queue_url, msgspec.json.encode(message).decode()))

    def run(self, *, twice: bool = False, left_ms: int = 600_000) -> int:
        """Deliver everything until the queues are empty; gives how many messages that took."""
        delivered = 0
        while self.messages:
            name, body = self.messages.pop(0)
            for _time in range(1 + twice):
                assert deliver(name, body, left_ms=left_ms) == []
            delivered += 1
        return delivered


def deliver(queue: str, body: str, *, left_ms: int = 600_000) -> list[str]:
    """Hand one message to its function; gives the ids of those that must come again."""
    event = {"Records": [{"messageId": "m0", "body": body}]}
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: left_ms)
    answer = app.handler_map[FUNCTIONS[queue]](event, context)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@contextmanager
def queued(**changes: Any) -> Iterator[Queues]:
    """Collect what is sent; `changes` are settings that differ from the default (two segments, hardly a sample)."""
    lying = Queues()
    wanted: dict[str, Any] = {"nightly_segments": 2, "audit_cycle_nights": 100_000, **changes}
    urls: dict[str, Any] = {f"{name}_queue_url": name for name in FUNCTIONS}
    changed = replace(settings.settings(), **urls, **wanted)
    with mock.patch.object(queues, "send", lying.send):
        modules = (
            *(night, retiering, birthdays, audit_walk, member_triggers, ledger_triggers, birthday_triggers),
            *(finishing, scoring_triggers, scoring_console),
        )
        patches = [mock.patch.object(module, "settings", return_value=changed) for module in modules]
        for patch in patches:
            patch.start()
        try:
            yield lying
        finally:
            for patch in patches:
                patch.stop()


def start(**event: Any) -> dict[str, Any]:
    """What the schedule invokes."""
    answer: dict[str, Any] = app.handler_map["start_night"](event, None)
    return answer


def today() -> str:
    """What today's night is called."""
    now = clock.now()
    return night.day_of(now, programs.in_force(now, now=now).program.zone)


def project(*member_ids: str) -> None:
    """Bring the view of some members up to their chains, as the stream would."""
    for member_id in member_ids:
        projector.rebuild(member_id)


def progress(day: str, walk: str) -> list[ProgressItem]:
    """How far the segments of a night's walk have come."""
    return list(ProgressItem.query(day, ProgressItem.part.startswith(walk)))


def digests() -> list[DigestItem]:
    """The digests of all days, oldest first."""
    return list(DigestItem.query("digest"))


def item(entry: Entry | None) -> dict[str, Any]:
    """An entry as DynamoDB answers it."""
    assert entry
    found: dict[str, Any] = to_item(entry).serialize()
    return found
