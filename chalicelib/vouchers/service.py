"""Vouchers for members: issuing them, and a member's list. Areas above issue through here.

`issue` stands for itself; `issuing` gives the writes for the transaction of an operation that has a record of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Literal

import msgspec

from chalicelib.base import clock, ids
from chalicelib.ledger.posting import Act, Posted, Write, put_once
from chalicelib.vouchers import batches, codes, making, tallies
from chalicelib.vouchers.batches import BatchNotFitting, Known
from chalicelib.vouchers.table import FIRST, VoucherItem, WalletItem

Status = Literal["open", "used", "expired"]


class Issue(msgspec.Struct, frozen=True):
    """A voucher to be issued: its code (normalised), and all that is to be written, its record first."""

    voucher_id: str
    code: str
    record: VoucherItem
    writes: tuple[Write, ...]


class Held(msgspec.Struct, frozen=True):
    """A voucher of a member's: its code (normalised), its batch, and what became of it by now."""

    item: WalletItem
    known: Known
    code: str
    status: Status


def issue(batch_id: str, member_id: str, key: str, *, now: int) -> Posted[VoucherItem]:
    """Issue a voucher of a batch to a member, once for the business key `key` (within the batch).

    Raises BatchNotFound, BatchNotFitting (a shared batch), KeyReused (issued to another member) and Unavailable.
    """
    found = issuing(batch_id, member_id, key, now=now)
    return put_once(found.record, found.writes[1:])


def issuing(batch_id: str, member_id: str, key: str, *, now: int) -> Issue:
    """The writes that issue a voucher, for the transaction of an operation that itself happens once.

    Raises BatchNotFound and BatchNotFitting. The transaction loses its first write (Lost) if the key was used before.
    """
    known = batches.read(batch_id)
    if known.batch.kind == "shared":
        raise BatchNotFitting("A shared code is not issued: everybody has the same.", field="batch_id")
    origin = ids.derived("vis", batch_id, key)
    code = making.code_of(origin, 0)
    voucher_id, issued_at, ends_at = making.voucher_id_of(code), clock.text(now), known.ends_at(now)
    record = VoucherItem(
        voucher_id,
        FIRST,
        record_id=origin,
        member_id=member_id,
        request_hash=ids.request_hash([batch_id, member_id]),
        kind="voucher_issued",
        occurred_at=issued_at,
        posted_at=issued_at,
        batch_id=batch_id,
        origin=origin,
        number=0,
        ends_at=ends_at,
    )
    wallet = WalletItem(
        _wallet(member_id),
        f"{issued_at}#{voucher_id}",
        voucher_id=voucher_id,
        batch_id=batch_id,
        origin=origin,
        issued_at=issued_at,
        ends_at=ends_at,
    )
    writes = (
        Write(record, Act.PUT, condition=VoucherItem.key.does_not_exist()),
        Write(wallet, Act.PUT),
        tallies.counting(batch_id, "issued", origin),
    )
    return Issue(voucher_id, code, record, writes)


def unissuable(batch_ids: Iterable[str], *, now: int) -> dict[str, str]:
    """Those of some batches from which no voucher can be issued now, with the code of the reason.

    A batch that is not there, or whose code everybody shares, is `voucher_batch_unknown`; one whose vouchers would have
    expired when they are issued is `voucher_batch_ended`. Whether it is active is not asked: pausing it stops its use.
    """
    names = set(batch_ids)
    found = batches.read_definitions(names)
    refused: dict[str, str] = {}
    for name in names:
        known = found.get(name)
        if known is None or known.batch.kind == "shared":
            refused[name] = "voucher_batch_unknown"
        elif (ends_at := known.ends_at(now)) and clock.parse(ends_at) <= now:
            refused[name] = "voucher_batch_ended"
    return refused


def code_of(voucher: VoucherItem) -> str:
    """The code of a voucher that was issued, as people read it."""
    return codes.grouped(making.code_of(voucher.origin, voucher.number))


def held_by(*member_ids: str, after: str | None, limit: int, now: int) -> list[Held]:
    """A page of what was issued to a member, newest first, after the step `after`; used and expired ones as well.

    `member_ids` are all ids that stand for the member: what was issued before a merge lies under the id of then.
    """
    pages = [_page(_wallet(member_id), after, limit) for member_id in member_ids]
    items = sorted(itertools.chain(*pages), key=lambda item: item.step, reverse=True)[:limit]
    known = batches.read_definitions(item.batch_id for item in items)
    return [Held(item, known[item.batch_id], making.code_of(item.origin, 0), status_of(item, now)) for item in items]


def _page(wallet: str, after: str | None, limit: int) -> list[WalletItem]:
    older = WalletItem.step < after if after else None
    return list(WalletItem.query(wallet, older, scan_index_forward=False, limit=limit, consistent_read=True))


def status_of(item: WalletItem, now: int) -> Status:
    """What became of a voucher by now."""
    if item.used_at:
        return "used"
    return "expired" if item.ends_at and now >= clock.parse(item.ends_at) else "open"


def _wallet(member_id: str) -> str:
    return f"wallet#{member_id}"
