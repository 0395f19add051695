"""Whatever fails on the way, a voucher is issued, locked, used and rolled back once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.counters import service as counters
from chalicelib.ledger.posting import peek
from chalicelib.members import enrolling
from chalicelib.members.schema import ExternalIn, MemberIn
from chalicelib.vouchers import batches, document, locking, making, service, undoing, uses, using
from chalicelib.vouchers.guessing import Guesser
from chalicelib.vouchers.looking import Ask
from chalicelib.vouchers.rules import Sketch
from chalicelib.vouchers.tallies import Tally
from chalicelib.vouchers.uses import OrderName
from chalicelib.vouchers.using import Who
from tests import faults

NOW = 1_800_000_000
ORDER = OrderName("shop", "1")
FAULTS = [faults.lost_on_the_way, faults.committed_then_timed_out, faults.conflicting, faults.throttled, faults.failing]


def make(**fields: Any) -> str:
    definition = {
        "title": {"en": "a", "zh-Hans": "b", "zh-Hant": "c"},
        "kind": "single",
        "effect": {"type": "points", "points": 50},
        "limits": {"per_member": 2, "total": 4},
        **fields,
    }
    return str(batches.create(document.read(definition), key="batch", actor="system:tests", now=NOW).record.key)


def enrolled() -> str:
    body = MemberIn(external=(ExternalIn(source="tests", id="1"),))
    return str(enrolling.enrol(body, client_id="tests", key="one", actor="system:tests", now=NOW).member_id)


def ask(code: str, member_id: str, session: str | None = "cart") -> Ask:
    sketch = Sketch(currency="CNY", total_minor=10_000)
    return Ask(code=code, sketch=sketch, guesser=Guesser("till"), session=session, member_id=member_id)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_step_happens_once(fault: faults.Fault) -> None:
    member_id, batch_id = enrolled(), make()
    before = peek(member_id, now=NOW, consistent=True).state.available

    def met(act: Callable[[], Any]) -> Any:
        with faults.calls(fault):
            return act()

    issued = met(lambda: service.issue(batch_id, member_id, "birthday", now=NOW)).record
    code = making.code_of(issued.origin, 0)
    met(lambda: locking.lock(ask(code, member_id), 600, now=NOW))
    assert counters.read(batches.counter_name(batch_id)).left == 3
    who = Who("key", "system:tests", NOW)
    used = met(lambda: using.redeem(ask(code, member_id), ORDER, who)).record
    assert using.redeem(ask(code, member_id), ORDER, who).record.record_id == used.record_id
    assert peek(member_id, now=NOW, consistent=True).state.available == before + 50
    assert counters.read(batches.counter_name(batch_id)).left == 3
    assert [held.status for held in service.held_by(member_id, after=None, limit=5, now=NOW)] == ["used"]
    met(lambda: undoing.roll_back(code, ORDER, actor="system:tests", now=NOW))
    assert undoing.roll_back(code, ORDER, actor="system:tests", now=NOW).replayed
    assert peek(member_id, now=NOW, consistent=True).state.available == before
    assert counters.read(batches.counter_name(batch_id)).left == 4
    assert batches.tally(batch_id) == Tally(issued=1, locked=1, redeemed=1, rolled_back=1)
    assert [held.status for held in service.held_by(member_id, after=None, limit=5, now=NOW)] == ["open"]


def test_everything_on_an_order_goes_back_at_once() -> None:
    member_id, batch_id = enrolled(), make()
    for number in (1, 2):
        issued = service.issue(batch_id, member_id, f"gift {number}", now=NOW).record
        code = making.code_of(issued.origin, 0)
        using.redeem(ask(code, member_id, None), ORDER, Who(f"key {number}", "system:tests", NOW))
    steps = undoing.roll_back_all(ORDER, actor="system:tests", now=NOW)
    assert len(steps) == 2
    assert undoing.roll_back_all(ORDER, actor="system:tests", now=NOW) == []
    assert batches.tally(batch_id) == Tally(issued=2, redeemed=2, rolled_back=2)
    assert uses.uses_of(ORDER)[1] == []
