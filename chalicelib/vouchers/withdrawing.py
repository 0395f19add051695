"""Taking vouchers that were issued out of use, because what they were issued for has gone back."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.base import clock
from chalicelib.ledger.posting import Act, Write
from chalicelib.vouchers.store import read_all, replacing
from chalicelib.vouchers.table import FIRST, SLOT, SlotItem, VoucherItem, WalletItem


def voiding(voucher_id: str, record_id: str, *, now: int) -> Sequence[Write]:
    """The writes that take a voucher out of use and off its member's list, in the name of the record `record_id`.

    They fail (Lost) if anybody lays hands on it meanwhile. There are none for one that was used, or lies in a checkout:
    what was had for it cannot be taken back from here.
    """
    voucher, slot = read_all([(VoucherItem, voucher_id, FIRST), (SlotItem, voucher_id, SLOT)])
    if voucher is None:
        return ()
    if slot is None:
        slot = SlotItem(voucher_id, SLOT, version=0, batch_id=voucher.batch_id)
    is_locked = slot.until is not None and now < clock.parse(slot.until)
    if slot.use or is_locked or slot.held is not None:
        return ()
    slot.use, slot.session, slot.until = record_id, None, None
    wallet = WalletItem(f"wallet#{voucher.member_id}", f"{voucher.posted_at}#{voucher_id}")
    return [replacing(slot), Write(wallet, Act.DELETE)]
