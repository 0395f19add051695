"""Posting commits once, whatever fails on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pynamodb.attributes import UnicodeAttribute

from chalicelib.base.dynamo import absent
from chalicelib.base.errors import KeyReused, Unavailable
from chalicelib.base.settings import settings
from chalicelib.ledger import chain, points
from chalicelib.ledger.chain import BrokenChain, Decision, Entry
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.points import InsufficientPoints
from chalicelib.ledger.posting import (
    Account,
    Act,
    Lost,
    MemberNotFound,
    Plan,
    Posted,
    Write,
    peek,
    post,
    put_once,
)
from chalicelib.ledger.records import Record
from chalicelib.ledger.state import NEVER
from chalicelib.ledger.table import read_page, read_tail
from tests import faults

NOW = 1_800_000_000


class Note(Record):
    """A record of these tests."""

    class Meta:
        table_name = settings().table("members")

    key = UnicodeAttribute(hash_key=True)


def plan(name: str, effect: Callable[[Account], Effect], body: str = "body") -> Callable[[Account], Plan[Note]]:
    def decide(account: Account) -> Plan[Note]:
        decision = Decision(
            kind="adjusted",
            record=name,
            reason="correction",
            actor="system:tests",
            program=1,
            occurred_at=NOW,
            effect=effect(account),
            tier="base",
        )
        return Plan(decision, Note(name, request_hash=body))

    return decide


def enrol(member_id: str = "mem_a") -> None:
    post(member_id, plan(member_id, lambda _account: Effect()), opening=True, now=lambda: NOW)


def earn(name: str, amount: int = 100, body: str = "body", now: int = NOW) -> Posted[Note]:
    decide = plan(name, lambda account: points.earn(account.state, amount, expires_at=NEVER), body)
    return post("mem_a", decide, now=lambda: now)


def spend(name: str, amount: int) -> Posted[Note]:
    return post("mem_a", plan(name, lambda account: points.spend(account.state, amount)), now=lambda: NOW)


def entries() -> list[Entry]:
    found = read_page("mem_a", after_seq=None, newest_first=False, limit=100)
    chain.verify(found)
    return found


def available() -> int:
    return peek("mem_a", now=NOW, consistent=True).state.available


@pytest.fixture(autouse=True)
def member() -> None:
    enrol()


def test_a_record_and_its_entry_are_committed_together() -> None:
    posted = earn("rec_1")
    assert (posted.replayed, posted.record.seq, posted.record.available) == (False, 2, 100)
    assert [entry.record for entry in entries()] == ["mem_a", "rec_1"]


def test_a_replay_is_answered_from_its_record_and_posts_nothing() -> None:
    first = earn("rec_1")
    earn("rec_2")
    again = earn("rec_1")
    assert again.replayed
    assert again.record.attribute_values == first.record.attribute_values
    assert len(entries()) == 3


def test_the_same_key_with_another_body_is_refused() -> None:
    earn("rec_1")
    with pytest.raises(KeyReused):
        earn("rec_1", amount=200, body="another body")
    assert available() == 100


def test_an_unknown_member_is_not_found() -> None:
    with pytest.raises(MemberNotFound):
        post("mem_nobody", plan("rec_1", lambda _account: Effect()), now=lambda: NOW)


@pytest.mark.parametrize(
    "fault",
    [
        faults.lost_on_the_way,
        faults.committed_then_timed_out,
        faults.conflicting,
        faults.throttled,
        faults.failing,
    ],
)
def test_a_fault_at_the_commit_neither_loses_nor_doubles_a_point(fault: faults.Fault) -> None:
    with faults.calls(fault):
        posted = earn("rec_1")
    assert posted.record.available == 100
    assert [entry.record for entry in entries()] == ["mem_a", "rec_1"]


def test_eight_faults_in_a_row_are_reported_as_busy_and_change_nothing() -> None:
    with faults.calls(*[faults.conflicting] * 8), pytest.raises(Unavailable):
        earn("rec_1")
    assert len(entries()) == 1
    assert earn("rec_1").record.available == 100


def test_a_stale_tail_costs_another_try_and_nothing_else() -> None:
    stale = read_tail("mem_a", consistent=True)
    earn("rec_1")
    assert stale is not None
    seen: list[int] = []

    def decide(account: Account) -> Plan[Note]:
        if not seen:
            # Another writer is faster between the read and the commit.
            seen.append(account.seq)
            earn("rec_between")
        return plan("rec_2", lambda current: points.earn(current.state, 10, expires_at=NEVER))(account)

    posted = post("mem_a", decide, now=lambda: NOW)
    assert posted.record.available == 210
    assert [entry.seq for entry in entries()] == [1, 2, 3, 4]


def test_nobody_is_refused_on_a_stale_read() -> None:
    earn("rec_1")
    with faults.calls(faults.seeing_nothing, operation="Query"):
        assert spend("rec_2", 100).record.available == 0


def test_points_can_be_spent_once_only() -> None:
    earn("rec_1")
    spend("rec_2", 100)
    with pytest.raises(InsufficientPoints):
        spend("rec_3", 1)
    assert len(entries()) == 3


def test_a_clock_that_runs_back_does_not_reorder_the_chain() -> None:
    earn("rec_1", now=NOW + 50)
    assert earn("rec_2", now=NOW).record.posted_at == earn("rec_1", now=NOW).record.posted_at


def test_a_failed_condition_of_the_area_is_handed_back_and_nothing_is_written() -> None:
    other = Note("taken", request_hash="x", record_id="x", kind="x", occurred_at="x", posted_at="x")
    put_once(other, ())

    def decide(account: Account) -> Plan[Note]:
        base = plan("rec_1", lambda current: points.earn(current.state, 5, expires_at=NEVER))(account)
        return Plan(base.decision, base.record, lambda _entry: [Write(other, Act.PUT, condition=absent(Note))])

    with pytest.raises(Lost) as caught:
        post("mem_a", decide, now=lambda: NOW)
    assert caught.value.found["key"] == {"S": "taken"}
    assert len(entries()) == 1


def test_every_kind_of_write_finds_its_own_reason() -> None:
    present = Note("present", request_hash="x", record_id="x", kind="x", occurred_at="x", posted_at="x")
    put_once(present, ())
    for act, extra in ((Act.CHECK, {}), (Act.DELETE, {}), (Act.UPDATE, {"actions": [Note.kind.set("y")]})):
        guarded = Write(present, act, condition=absent(Note), **extra)
        harmless = Write(Note("free", request_hash="x", record_id="x", kind="x", occurred_at="x", posted_at="x"))
        with pytest.raises(Lost) as caught:
            put_once(
                Note(f"new_{act.name}", request_hash="x", record_id="n", kind="x", occurred_at="x", posted_at="x"),
                [harmless, guarded],
            )
        assert caught.value.model is present


def test_the_chain_shows_a_later_change_of_history() -> None:
    earn("rec_1")
    earn("rec_2")
    found = entries()
    for index, forged in (
        (1, {"points": 200}),
        (1, {"actor": "somebody else"}),
        (1, {"seq": 5}),
        (2, {"prev": bytes(32)}),
        (2, {"posted_at": 5}),
    ):
        changed = [*found]
        fields = {name: getattr(found[index], name) for name in Entry.__struct_fields__}
        changed[index] = Entry(**{**fields, **forged})
        with pytest.raises(BrokenChain):
            chain.verify(changed)


def test_an_entry_of_a_long_history_costs_what_the_first_did() -> None:
    for number in range(30):
        earn(f"rec_{number}")
    with faults.calls() as made:
        earn("rec_last")
    assert made == ["Query", "TransactWriteItems"]
