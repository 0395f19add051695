"""After a run of writers: nothing lost, nothing doubled, nothing invented, and everybody was told the truth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from chalicelib.base import dynamo, facts
from chalicelib.base.settings import settings
from chalicelib.ledger import chain
from chalicelib.ledger.chain import Entry
from chalicelib.ledger.table import EntryItem, to_entry
from tests.writers import Ack, Run

_RECORDS = ("orders", "redemptions", "members", "engagement", "vouchers")
_TAKING_BACK = {facts.REFUND, facts.ORDER_CANCELLED}


def chains(members: Iterable[str]) -> dict[str, list[Entry]]:
    """Every member's whole chain."""
    return {
        member_id: [to_entry(item) for item in EntryItem.query(member_id, consistent_read=True)]
        for member_id in members
    }


def stored_records() -> list[tuple[str, str, int]]:
    """Every record that was committed with an entry, as (record id, member, place in the chain)."""
    found = []
    for name in _RECORDS:
        pages: Any = dynamo.client().get_paginator("scan").paginate(TableName=settings().table(name))
        found += [
            (item["record_id"]["S"], item["member_id"]["S"], int(item["seq"]["N"]))
            for page in pages
            for item in page["Items"]
            if "seq" in item
        ]
    return found


def check(run: Run, found: dict[str, list[Entry]]) -> None:
    """Assert that nothing was lost, doubled or invented, and that every writer was told the truth."""
    assert not run.given_up
    entries = [entry for entries in found.values() for entry in entries]
    _check_chains(found)
    times = Counter(entry.record for entry in entries)
    assert [record for record, count in times.items() if count > 1] == [], "posted more than once"
    assert sorted(stored_records()) == sorted((entry.record, entry.member_id, entry.seq) for entry in entries)
    _check_acks(run, {entry.record: entry for entry in entries})
    _check_totals(run, found)


def _check_chains(found: dict[str, list[Entry]]) -> None:
    for entries in found.values():
        chain.verify(entries)
        for entry in entries:
            _check_policy(entry)


def _check_policy(entry: Entry) -> None:
    """No account is below zero but by what a refund took back of points already spent."""
    state = entry.state
    assert state.total == state.lifetime.net
    assert all(lot.points > 0 for lot in (*state.lots, *state.expired))
    # The end of a hold takes nothing more from the lots, whatever has become owed since.
    if entry.effect.debits and entry.kind not in _TAKING_BACK:
        assert state.available >= 0, f"{entry.kind} left {state.available} points"
    if entry.effect.borrowed:
        assert entry.kind in _TAKING_BACK
    assert state.owed >= 0
    assert not (state.owed and state.lots), "owes points while it has some"


def _check_acks(run: Run, by_record: dict[str, Entry]) -> None:
    told: dict[str, set[Ack]] = defaultdict(set)
    for ack in run.acks:
        told[ack.request].add(ack)
    for request, answers in told.items():
        assert len(answers) == 1, f"{request} was answered in two ways"
        (ack,) = answers
        entry = by_record.get(ack.record)
        assert entry is not None, f"{request} was acknowledged and is lost"
        state = entry.state
        true = Ack(
            request=request,
            record=entry.record,
            member_id=entry.member_id,
            seq=entry.seq,
            points=entry.points,
            available=state.available,
            owed=state.owed,
            pending=sum(pending.points for pending in state.pending),
            tier=entry.tier,
        )
        assert ack == true


def _check_totals(run: Run, found: dict[str, list[Entry]]) -> None:
    """What is in the accounts is what the writers were told, and the welcome of the first entry: nothing else."""
    told = {ack.record: ack for ack in run.acks}
    for member_id, entries in found.items():
        moved = sum(ack.points for ack in told.values() if ack.member_id == member_id)
        assert entries[-1].state.total == entries[0].points + moved
        assert {entry.record for entry in entries[1:]} == {
            ack.record for ack in told.values() if ack.member_id == member_id
        }
