"""What must hold of a member's chain, its records and its view, and what is wrong where it does not.

Nothing here trusts what an engine wrote: every entry is derived again from the one before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from chalicelib.base import clock, facts
from chalicelib.base.dynamo import client
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.base.settings import settings
from chalicelib.ledger import sweep
from chalicelib.ledger.chain import BrokenChain, Entry, entry_hash, verify_next
from chalicelib.ledger.records import Place, placed
from chalicelib.ledger.table import AccountItem, EntryItem, read_chain, read_view, to_entry

LAG_S = 900
"""How long the view may be behind the ledger before that counts as wrong."""

_BATCH = 100
Found = Mapping[str, Mapping[str, Any]]


class Finding(msgspec.Struct, frozen=True):
    """Something that does not hold, and at which entry; `seq` is 0 where it is about the account as a whole."""

    member_id: str
    seq: int
    fault: str


class Head(msgspec.Struct, frozen=True):
    """The last entry of a chain as of an instant."""

    seq: int
    hash: bytes


class Audited(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit of one chain saw: how many entries, what is wrong, its head, and its heads as of each cut."""

    entries: int
    findings: tuple[Finding, ...]
    head: Head | None
    heads: tuple[Head | None, ...]


def audit(
    member_id: str,
    view: AccountItem | None,
    *,
    cuts: tuple[int, ...] = (),
    records_since: int = 0,
    now: int,
    consistent: bool = False,
) -> Audited:
    """Check a whole chain, the records of its entries posted at `records_since` or later, and its view.

    What seems wrong at first is looked at again by consistent reads, for a read that is a moment behind is no fault.
    `heads` of the answer has, for each of `cuts`, the last entry posted before it. Raises Unavailable.
    """
    chain = _Chain(member_id, cuts)
    recorded: list[EntryItem] = []
    for item in read_chain(member_id, consistent=consistent):
        if chain.add(item, view) and clock.parse(item.posted_at) >= records_since:
            recorded.append(item)
            if len(recorded) == _BATCH:
                chain.findings += _records(recorded, consistent=consistent)
                recorded = []
    chain.findings += _records(recorded, consistent=consistent)
    chain.findings += chain.view_faults(view, now)
    if chain.findings and not consistent:
        view = read_view(member_id)
        return audit(member_id, view, cuts=cuts, records_since=records_since, now=now, consistent=True)
    return Audited(
        entries=chain.seen,
        findings=tuple(chain.findings),
        head=chain.head,
        heads=tuple(chain.heads[cut] for cut in cuts),
    )


def orphan(table: str, item: Found) -> Finding | None:
    """What is wrong with a raw record, as its own account of its entry goes; None for an item that has no entry.

    The audit comes from the entries, so it cannot see a record whose entry is missing; this comes from the record.
    """
    if "seq" not in item or "member_id" not in item or "record_id" not in item:
        return None
    member_id, seq, record_id = item["member_id"]["S"], int(item["seq"]["N"]), item["record_id"]["S"]
    key = {"member_id": {"S": member_id}, "seq": {"N": str(seq)}}
    answer = _dynamodb().get_item(TableName=settings().table("ledger"), Key=key, ConsistentRead=True)
    entry = answer.get("Item")
    if entry is None:
        return Finding(member_id, seq, f"the record {record_id} of {table} stands for an entry that is not there")
    if entry["record"]["S"] != record_id:
        return Finding(member_id, seq, f"the record {record_id} of {table} stands for an entry of another record")
    return None


class _Chain:
    """One chain on the way through its entries."""

    def __init__(self, member_id: str, cuts: tuple[int, ...]) -> None:
        self.member_id = member_id
        self.findings: list[Finding] = []
        self.seen = 0
        self.head: Head | None = None
        self.heads: dict[int, Head | None] = dict.fromkeys(cuts)
        self._tail: Entry | None = None
        self._total = 0
        self._records: set[str] = set()
        self._shown: Entry | None = None
        self._unseen_since: int | None = None
        self._is_broken = False

    def add(self, item: EntryItem, view: AccountItem | None) -> bool:
        """Check the next entry; False where there is no sense in looking for its record."""
        self.seen += 1
        try:
            entry = to_entry(item)
        except Exception as error:  # noqa: BLE001 - whatever a forger left there, it is a finding
            self._find(int(item.seq), f"it cannot be read: {error}")
            self._is_broken = True
            return False
        self._check(entry, item)
        self.head = Head(entry.seq, entry_hash(entry))
        for cut in self.heads:
            if entry.posted_at < cut:
                self.heads[cut] = self.head
        shown = _seq(view)
        if entry.seq == shown:
            self._shown = entry
        elif entry.seq > shown and self._unseen_since is None:
            self._unseen_since = entry.posted_at
        self._tail = entry
        return True

    def view_faults(self, view: AccountItem | None, now: int) -> list[Finding]:
        """What is wrong with the view, once all entries were added."""
        if self._tail is None:
            return [Finding(self.member_id, 0, "the view shows an account without a chain")] if view else []
        if self._unseen_since is not None and self._unseen_since < now - LAG_S:
            return [Finding(self.member_id, _seq(view), "the view is behind the ledger")]
        if view is None or (self._shown is None and not _seq(view)):
            return []
        entry = self._shown
        if entry is None:
            return [Finding(self.member_id, _seq(view), "the view shows an entry that is not there")]
        shown = (view.available, view.tier, view.state, view.head)
        if shown != (entry.state.available, entry.tier, entry.packed_state, entry_hash(entry)):
            return [Finding(self.member_id, entry.seq, "the view shows something else than the entry")]
        return []

    def _check(self, entry: Entry, item: EntryItem) -> None:
        """After the first break all that follows would count as wrong as well, which would say nothing."""
        self._total += entry.points - entry.expired
        faults = []
        if not self._is_broken:
            try:
                verify_next(self._tail, entry)
            except (BrokenChain, AssertionError) as error:
                self._is_broken = True
                faults.append(str(error))
            if entry.state.total != entry.state.lifetime.net:
                faults.append("its lots, pending and held points are not what came less what went")
            if entry.state.total != self._total:
                faults.append("its total is not the sum of the entries so far")
        if item.available != entry.state.available:
            faults.append("the available points written beside its state are others")
        if entry.record in self._records:
            faults.append(f"the record {entry.record} has an entry already")
        self._records.add(entry.record)
        for fault in faults:
            self._find(entry.seq, fault)

    def _find(self, seq: int, fault: str) -> None:
        self.findings.append(Finding(self.member_id, seq, fault))


def _seq(view: AccountItem | None) -> int:
    # Other areas may have put something on the item before the first entry was projected.
    return view.attribute_values.get("seq") or 0 if view else 0


def _records(items: list[EntryItem], *, consistent: bool) -> list[Finding]:
    """What is wrong with the records of some entries (100 at the most)."""
    findings, places = [], {}
    for item in items:
        if item.kind in sweep.KINDS:
            if item.record != sweep.record_of(item.kind, item.member_id, item.seq - 1):
                findings.append(Finding(item.member_id, item.seq, f"{item.kind} goes by another id than it should"))
            continue
        try:
            places[item.seq] = placed(item.place or "")
        except msgspec.DecodeError:
            findings.append(Finding(item.member_id, item.seq, "it does not say where its record lies"))
    found = _read(places.values(), consistent=consistent)
    for item in items:
        if item.seq in places:
            fault = _record_fault(item, found.get(_name(places[item.seq])))
            findings += [Finding(item.member_id, item.seq, fault)] if fault else []
    return findings


def _record_fault(item: EntryItem, record: Found | None) -> str | None:
    if record is None:
        return f"the record {item.record} is not there"
    said = (record.get("record_id", {}).get("S"), record.get("member_id", {}).get("S"), record.get("seq", {}).get("N"))
    if said == (item.record, item.member_id, str(item.seq)):
        return None
    # Two accounts that become one have one record, which names the entry of the account that stays.
    if item.kind == facts.CLOSED and said[0] == item.record and said[1] == to_entry(item).state.closed_into:
        return None
    return f"the record {item.record} stands for something else"


def _read(places: Iterable[Place], *, consistent: bool) -> dict[str, Found]:
    """Records by the names of their places, in one call (and more only where DynamoDB leaves some over)."""
    wanted: dict[str, Any] = {}
    for place in {_name(place): place for place in places}.values():
        table = wanted.setdefault(
            settings().table(place.table),
            {
                "Keys": [],
                "ConsistentRead": consistent,
                "ProjectionExpression": ", ".join(f"#{index}" for index in range(3 + len(place.key))),
                "ExpressionAttributeNames": {
                    f"#{index}": name for index, name in enumerate(("record_id", "member_id", "seq", *place.key))
                },
            },
        )
        table["Keys"].append({name: {"S": value} for name, value in place.key.items()})
    found: dict[str, Found] = {}
    for _attempt in attempts():
        if not wanted:
            return found
        answer = _dynamodb().batch_get_item(RequestItems=wanted)
        for table, records in answer["Responses"].items():
            keys = list(wanted[table]["ExpressionAttributeNames"].values())[3:]
            for record in records:
                key = {name: record[name]["S"] for name in keys}
                found[_name(Place(table.removeprefix(settings().table_prefix), key))] = record
        wanted = answer.get("UnprocessedKeys", {})
    raise Unavailable("The records cannot be read just now.", code="busy")


def _dynamodb() -> Any:
    # Its operations are made from DynamoDB's model when it is created, so no type knows them.
    return client()


def _name(place: Place) -> str:
    return msgspec.json.encode(place, order="deterministic").decode()
