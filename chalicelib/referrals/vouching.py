"""Rewards that are vouchers: issued with the payment, in its own transaction, and taken out of use with it."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.base import clock, ids
from chalicelib.ledger.posting import Act, Write
from chalicelib.vouchers import making
from chalicelib.vouchers import service as vouchers
from chalicelib.vouchers.store import read_all, replacing
from chalicelib.vouchers.table import FIRST, SLOT, SlotItem, VoucherItem, WalletItem


def issuing(batch_id: str, member_id: str, key: str, *, now: int) -> Sequence[Write]:
    """The writes that issue a voucher for a payment (`key`). Raises BatchNotFound and BatchNotFitting."""
    return vouchers.issuing(batch_id, member_id, key, now=now).writes


def voiding(batch_id: str, key: str, *, now: int) -> Sequence[Write]:
    """The writes that take the voucher of a payment out of use; they fail if anybody lays hands on it meanwhile.

    A voucher that was used, or lies in a checkout, stays as it is: what was had for it cannot be taken back from here.
    """
    voucher_id = making.voucher_id_of(making.code_of(ids.derived("vis", batch_id, key), 0))
    voucher, slot = read_all([(VoucherItem, voucher_id, FIRST), (SlotItem, voucher_id, SLOT)])
    if voucher is None:
        return ()
    if slot is None:
        slot = SlotItem(voucher_id, SLOT, version=0, batch_id=voucher.batch_id)
    is_locked = slot.until is not None and now < clock.parse(slot.until)
    if slot.use or is_locked or slot.held is not None:
        return ()
    slot.use, slot.session, slot.until = key, None, None
    wallet = WalletItem(f"wallet#{voucher.member_id}", f"{voucher.posted_at}#{voucher_id}")
    return [replacing(slot), Write(wallet, Act.DELETE)]
