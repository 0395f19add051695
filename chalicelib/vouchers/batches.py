"""Batches of vouchers: creating them, pausing them, reading them with their counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.base import clock, ids
from chalicelib.base.errors import Conflict, NotFound
from chalicelib.counters import service as counters
from chalicelib.counters.service import Counter
from chalicelib.ledger.posting import Act, Lost, Posted, Write, put_once
from chalicelib.program import service as programs
from chalicelib.vouchers import codes, document, making, tallies
from chalicelib.vouchers.document import Batch
from chalicelib.vouchers.store import Key, read_all
from chalicelib.vouchers.table import FIRST, STATE, BatchItem, ListedItem, StateItem, VoucherItem
from chalicelib.vouchers.tallies import Tally

State = Literal["active", "paused"]
PAUSED: Final = "paused"

_SHARDS_MAX = 8
# A shard should hold many, for the last ones of each are looked for in all the others.
_PER_SHARD = 100


class BatchNotFound(NotFound):
    """No batch of vouchers has this id."""

    code = "voucher_batch_not_found"


class CodeTaken(Conflict):
    """Another batch has this code."""

    code = "voucher_code_taken"


class BatchNotFitting(Conflict):
    """A batch of this kind has no such thing."""

    code = "voucher_batch_not_fitting"


class Known(msgspec.Struct, frozen=True):
    """A batch as it was read: the definition never changes, the state does."""

    batch_id: str
    batch: Batch
    zone: ZoneInfo
    state: str
    created_at: str
    code: str | None

    @property
    def total(self) -> Counter | None:
        """The counter of the uses that are left, where there is a limit."""
        return total_of(self.batch_id, self.batch)

    @property
    def starts_at(self) -> str | None:
        """From when on its vouchers are good, None for at once."""
        found = self.batch.starts_at
        return clock.text(found) if found is not None else None

    def ends_at(self, issued_at: int) -> str | None:
        """When a voucher that is issued then expires, as it is stored."""
        found = self.batch.ends_at(issued_at, self.zone)
        return clock.text(found) if found is not None else None


_LIST = "batches"
_REMEMBERED_MAX = 500
_definitions: dict[str, Known] = {}
_shared: dict[str, VoucherItem] = {}


def create(batch: Batch, *, key: str, actor: str, now: int) -> Posted[BatchItem]:
    """Make a batch, once for `key`; of a shared one the code as well.

    Raises Invalid, CodeTaken, KeyReused and Unavailable.
    """
    document.check(batch)
    batch_id = ids.derived("vbt", key)
    zone = batch.validity.time_zone or programs.in_force(now, now=now).program.time_zone
    code = _shared_code(batch, batch_id)
    item = BatchItem(
        batch_id,
        FIRST,
        record_id=batch_id,
        request_hash=ids.request_hash(batch),
        kind="voucher_batch",
        occurred_at=clock.text(now),
        posted_at=clock.text(now),
        document=document.encode(batch),
        zone=zone,
        code=codes.grouped(code) if code and not batch.code else batch.code or None,
        actor=actor,
    )
    writes = _first_writes(item, batch, code)
    try:
        posted = put_once(item, writes)
    except Lost as lost:
        raise CodeTaken("Another batch has this code. Choose another one.", field="code") from lost
    known(batch_id, posted.record, None)
    return posted


def set_state(batch_id: str, state: State, *, actor: str, now: int) -> Known:
    """Pause a batch, or make it active again; what it is already it stays. Raises BatchNotFound."""
    found = read(batch_id)
    if found.state != state:
        StateItem(batch_id, STATE, state=state, changed_at=clock.text(now), changed_by=actor).save()
    return msgspec.structs.replace(found, state=state)


def read(batch_id: str) -> Known:
    """A batch as it is now. Raises BatchNotFound."""
    item, state = read_all([definition_key(batch_id), (StateItem, batch_id, STATE)])
    found = known(batch_id, item, state)
    if found is None:
        raise BatchNotFound("No batch of vouchers has this id.", field="batch_id")
    return found


def made(item: BatchItem) -> Known:
    """A batch as it was made."""
    return _definition(item)


def definition_key(batch_id: str) -> Key | None:
    """What must be read to know a batch's definition: nothing, where this process has read it before.

    It may be large and never changes, and everybody who uses a code of the batch asks for it.
    """
    return None if batch_id in _definitions else (BatchItem, batch_id, FIRST)


def known(batch_id: str, item: BatchItem | None, state: StateItem | None) -> Known | None:
    """A batch from what was read of it; None where there is no such batch."""
    # Other records lie in the same table; only a batch may be read as one.
    if item is not None and batch_id.startswith("vbt_"):
        _make_room(_definitions)
        _definitions[batch_id] = _definition(item)
    found = _definitions.get(batch_id)
    return msgspec.structs.replace(found, state=state.state) if found and state else found


def listed(*, after: str | None, limit: int) -> list[tuple[str, Known]]:
    """A page of all batches, newest first, after a place in the list; each with its place."""
    condition = ListedItem.step < after if after else None
    places = list(ListedItem.query(_LIST, condition, scan_index_forward=False, limit=limit, consistent_read=True))
    definitions = read_definitions(place.batch_id for place in places)
    states = read_all([(StateItem, place.batch_id, STATE) for place in places]) if places else []
    return [
        (
            str(place.step),
            msgspec.structs.replace(definitions[place.batch_id], state=state.state if state else "active"),
        )
        for place, state in zip(places, states, strict=True)
    ]


def read_definitions(batch_ids: Iterable[str]) -> dict[str, Known]:
    """The definitions of some batches, by their ids; whether they are active is not looked at."""
    names = sorted(set(batch_ids))
    found = {name: _definitions[name] for name in names if name in _definitions}
    missing = [name for name in names if name not in found]
    items = read_all([(BatchItem, name, FIRST) for name in missing]) if missing else []
    read_now = {name: known(name, item, None) for name, item in zip(missing, items, strict=True)}
    return found | {name: each for name, each in read_now.items() if each}


def shared_voucher(voucher_id: str) -> VoucherItem | None:
    """The voucher of a shared code, where this process has read it before; it never changes either."""
    return _shared.get(voucher_id)


def remember_shared(voucher: VoucherItem) -> None:
    """Keep the voucher of a shared code in this process."""
    _make_room(_shared)
    _shared[voucher.key] = voucher


def forget_all() -> None:
    """Forget every batch, as a new process would."""
    _definitions.clear()
    _shared.clear()


def tally(batch_id: str) -> Tally:
    """What happened in a batch so far."""
    return tallies.read(batch_id)


def left(found: Known) -> int | None:
    """How many uses are left of a batch's total, None where it has none; lapsed locks count as taken until needed."""
    return counters.read(found.total.name).left if found.total else None


def total_of(batch_id: str, batch: Batch) -> Counter | None:
    """The counter that a batch's uses are taken from; None without a total."""
    total = batch.limits.total
    if total is None:
        return None
    return Counter(counter_name(batch_id), min(_SHARDS_MAX, max(1, total // _PER_SHARD)))


def counter_name(batch_id: str) -> str:
    """The name of the counter of a batch's total."""
    return f"voucher#{batch_id}"


def _shared_code(batch: Batch, batch_id: str) -> str | None:
    if batch.kind == "single":
        return None
    if not batch.code:
        return making.code_of(batch_id, 0)
    code = codes.normal(batch.code)
    if code is None:
        raise document.invalid_code("code")
    return code


def _first_writes(item: BatchItem, batch: Batch, code: str | None) -> list[Write]:
    counter = total_of(item.key, batch)
    writes = counters.creating(counter, batch.limits.total or 0) if counter else []
    writes.append(Write(ListedItem(_LIST, f"{item.posted_at}#{item.key}", batch_id=item.key), Act.PUT))
    if code:
        voucher = VoucherItem(
            making.voucher_id_of(code),
            FIRST,
            record_id=item.key,
            request_hash=item.request_hash,
            kind="voucher",
            occurred_at=item.posted_at,
            posted_at=item.posted_at,
            batch_id=item.key,
            origin=item.key,
            number=0,
            ends_at=_definition(item).ends_at(clock.parse(item.posted_at)),
        )
        writes.append(Write(voucher, Act.PUT, condition=VoucherItem.key.does_not_exist()))
        writes.append(tallies.counting(item.key, "issued", item.key))
    return writes


def _definition(item: BatchItem) -> Known:
    return Known(
        batch_id=item.key,
        batch=document.decode(item.document),
        zone=ZoneInfo(item.zone),
        state="active",
        created_at=item.posted_at,
        code=item.code,
    )


def _make_room(remembered: dict[str, Any]) -> None:
    if len(remembered) >= _REMEMBERED_MAX:
        remembered.clear()
