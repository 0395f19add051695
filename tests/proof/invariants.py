"""What must be true of the tables whatever happened: read from the raw items, not through the engine's services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from chalicelib.base import dynamo
from chalicelib.base.facts import CLOSED, MERGED_IN
from chalicelib.base.settings import settings
from chalicelib.ledger import chain
from chalicelib.ledger.chain import Entry
from chalicelib.ledger.records import step_name
from chalicelib.ledger.state import Lot, State
from chalicelib.ledger.sweep import KINDS as SELF_EVIDENT
from chalicelib.ledger.table import EntryItem, to_entry
from tests.proof.account_model import Account
from tests.proof.expressions import Item

RECORDS = ("members", "orders", "redemptions", "engagement", "vouchers", "referrals", "cases", "surveys")
"""The tables that hold business records."""


def items(table: str) -> list[Item]:
    """Every item of one of the engine's tables."""
    client: Any = dynamo.client()
    found: list[Item] = client._make_api_call("Scan", {"TableName": settings().table(table)})["Items"]
    return found


def chains() -> dict[str, list[Entry]]:
    """Every member's chain, in its sequence."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for raw in items("ledger"):
        item = EntryItem()
        item.deserialize({name: dict(value) for name, value in raw.items()})
        found[item.member_id].append(to_entry(item))
    for entries in found.values():
        entries.sort(key=lambda entry: entry.seq)
    return dict(found)


class Watch:
    """Looks at the tables again and again, and sees to it that what was written stays as it was."""

    def __init__(self) -> None:
        self._known: dict[str, list[Entry]] = {}

    def look(self) -> dict[str, list[Entry]]:
        """Check everything; gives the chains."""
        found = chains()
        for member, entries in found.items():
            known = self._known.get(member, [])
            assert entries[: len(known)] == known, "history was edited"
            tail = known[-1] if known else None
            for entry in entries[len(known) :]:
                chain.verify_next(tail, entry)
                check_state(entry.state)
                tail = entry
        self._known = found
        check_records(found.values())
        check_orders()
        return found


def check_state(state: State) -> None:
    """Every point came from somewhere and is somewhere; nobody has points to spend and owes some."""
    lifetime = state.lifetime
    came = lifetime.earned + lifetime.restored + lifetime.adjusted + lifetime.merged
    went = lifetime.redeemed + lifetime.expired + lifetime.clawed
    lots = sum(lot.points for lot in state.lots)
    pending = sum(item.points for item in state.pending)
    held = sum(lot.points for hold in state.holds for lot in hold.lots)
    assert came - went == lots + pending + held - state.owed
    assert state.owed >= 0
    assert not (state.owed and lots), "points to spend beside a debt"
    everything = [lot.points for lot in (*state.lots, *state.expired)] + [item.points for item in state.pending]
    everything += [lot.points for hold in state.holds for lot in hold.lots]
    assert all(points > 0 for points in everything)
    causes = (lifetime.earned, lifetime.restored, lifetime.redeemed, lifetime.expired, lifetime.clawed)
    assert all(points >= 0 for points in causes)


def check_records(found: Iterable[list[Entry]]) -> None:
    """A record has exactly one entry, and an entry exactly one record that says the same.

    A merge has two, which are each other's inverse; its record says what the second says. A sweep is its own record.
    """
    found = list(found)
    everything = [entry for entries in found for entry in entries]
    closings = {entry.record: entry for entry in everything if entry.kind == CLOSED}
    heirs = {entry.record: entry for entry in everything if entry.kind == MERGED_IN}
    assert closings.keys() == heirs.keys()
    assert all(closings[record].points + heirs[record].points == 0 for record in closings)
    assert all(entry.points == 0 for entry in everything if entry.kind in SELF_EVIDENT)
    recorded = [_account_of(item) for table in RECORDS for item in items(table) if "seq" in item]
    posted = [
        (
            *(entry.member_id, entry.seq, entry.record, entry.points, entry.state.available, entry.state.owed),
            sum(item.points for item in entry.state.pending),
            entry.tier,
        )
        for entry in everything
        if entry.kind not in (CLOSED, *SELF_EVIDENT)
    ]
    assert sorted(recorded) == sorted(posted)


def _account_of(item: Item) -> tuple[str, int, str, int, int, int, int, str]:
    seq, points, available, owed, pending = (
        int(item[name]["N"]) for name in ("seq", "points", "available", "owed", "pending")
    )
    member, record = item["member_id"]["S"], item["record_id"]["S"]
    return member, seq, record, points, available, owed, pending, item["tier"]["S"]


def check_orders() -> None:
    """The steps of orders and redemptions leave no gap, and what went back of an order never exceeds it."""
    for table, key in (("orders", "order_id"), ("redemptions", "redemption_id")):
        steps: dict[str, list[Item]] = defaultdict(list)
        for item in items(table):
            if "record_id" in item:
                steps[item[key]["S"]].append(item)
        for found in steps.values():
            names = sorted(item["step"]["S"] for item in found)
            assert names == [step_name(number) for number in range(len(names))]
            if table == "orders":
                _check_refunds(found)


def _check_refunds(steps: list[Item]) -> None:
    ordered = sorted(steps, key=lambda item: item["step"]["S"])
    total: int = msgspec.json.decode(ordered[0]["body"]["S"])["total_minor"]
    figures = [msgspec.json.decode(item["figures"]["S"]) for item in ordered[1:] if item["kind"]["S"] in _BACK]
    gone = [sum(figure["by_line_minor"]) + figure["at_large_minor"] for figure in figures]
    assert gone == sorted(gone)
    assert not gone or gone[-1] <= total
    assert sum(figure["last_minor"] for figure in figures) == (gone[-1] if gone else 0)


_BACK = ("refund", "order_cancelled", "pending_cancelled")


def balances(state: State) -> Mapping[str, object]:
    """A state of the engine in the words of the model."""
    return {
        "lots": _lots(state.lots),
        "pending": {(item.available_at, item.expires_at): item.points for item in state.pending},
        "lapsed": _lots(state.expired),
        "holds": {
            hold.hold_id: (hold.until, {lot.expires_at: lot.points for lot in hold.lots}) for hold in state.holds
        },
        "owed": state.owed,
        "months": {
            (month.month, metric): amount
            for month in state.months
            for metric in ("points", "spend_minor", "purchases", "activity")
            if (amount := getattr(month, metric))
        },
        "purchases": (state.purchases.count, state.purchases.spend_minor),
        "lifetime": {name: points for name, points in msgspec.structs.asdict(state.lifetime).items() if points},
    }


def _lots(lots: Iterable[Lot]) -> dict[int, int]:
    return {lot.expires_at: lot.points for lot in lots}


def expected(account: Account) -> Mapping[str, object]:
    """An account of the model in the same words."""
    return {
        "lots": account.lots,
        "pending": account.waiting,
        "lapsed": account.lapsed,
        "holds": account.holds,
        "owed": account.owed,
        "months": {key: amount for key, amount in account.months.items() if amount},
        "purchases": (account.purchases, account.spend_minor),
        "lifetime": {name: points for name, points in account.counted.items() if points},
    }
