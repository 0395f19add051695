"""A night with scoring on moto: the messages' way through the functions as they are deployed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec

from app import app
from chalicelib import night as deployed
from chalicelib.base import clock, objects
from chalicelib.ledger.table import AccountItem, read_view
from chalicelib.scoring import keeping, state, told
from chalicelib.scoring.basis import Basis
from chalicelib.scoring.state import State
from chalicelib.scoring.told import Told
from tests.api import night, shop

LEFT_MS = 600_000


def deliver(queue: str, body: str, *, left_ms: int = LEFT_MS) -> list[str]:
    """Hand one message to its function; gives the ids of those that must come again."""
    event = {"Records": [{"messageId": "m0", "body": body}]}
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: left_ms)
    serve: Any = deployed.walk_accounts if queue == "nightly" else app.handler_map[night.FUNCTIONS[queue]]
    return [failure["itemIdentifier"] for failure in serve(event, context)["batchItemFailures"]]


def run(lying: night.Queues, *, twice: bool = False) -> list[str]:
    """Deliver everything that belongs to a night until the queues are empty; gives what was delivered, in short."""
    done = []
    while lying.messages:
        queue, body = lying.messages.pop(0)
        if queue not in {"nightly", "scoring"}:
            continue
        for _time in range(1 + twice):
            assert deliver(queue, body) == []
        done.append(msgspec.json.decode(body).get("walk", queue))
    return done


def whole(*, twice: bool = False) -> list[str]:
    """A night from the schedule to the report."""
    with night.queued() as lying:
        night.start()
        return run(lying, twice=twice)


def view(member_id: str) -> AccountItem:
    found = read_view(member_id)
    assert found
    return found


def facts(member_id: str) -> State:
    packed = view(member_id).score_facts
    assert packed
    return state.unpack(packed)


def last_told(member_id: str) -> Told:
    packed = view(member_id).score_told
    assert packed
    return told.unpack(packed)


def basis() -> Basis:
    found = keeping.current(now=clock.now(), fresh=True)
    assert found
    return found


def forget_told(member_id: str) -> None:
    """Make of a member one of whom nothing was told yet."""
    AccountItem(member_id).update(actions=[AccountItem.score_told.remove()])


def buyer(number: int = 1, orders: int = 1) -> str:
    """A member with so many orders of yesterday; `number` is below 10."""
    member = shop.enrol(f"m{number}", phone=f"+861380013800{number}")
    buy(member, orders)
    return member


def buy(member: str, orders: int = 1) -> None:
    """Orders of yesterday."""
    for order in range(orders):
        number = f"{member}-{clock.now()}-{order}"
        assert (
            shop.post_order(number, member_id=member, occurred_at=clock.text(clock.now() - clock.DAY_S)).status == 201
        )
    night.project(member)


def report() -> Any:
    """The latest report, as JSON data."""
    found = objects.get("reports/latest/report.json")
    assert found is not None
    assert b"NaN" not in found
    return msgspec.json.decode(found)
