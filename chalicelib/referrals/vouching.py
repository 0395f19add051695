"""Rewards that are vouchers: issued with the payment, in its own transaction, and taken out of use with it."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.base import ids
from chalicelib.ledger.posting import Write
from chalicelib.vouchers import making, withdrawing
from chalicelib.vouchers import service as vouchers


def issuing(batch_id: str, member_id: str, key: str, *, now: int) -> Sequence[Write]:
    """The writes that issue a voucher for a payment (`key`). Raises BatchNotFound and BatchNotFitting."""
    return vouchers.issuing(batch_id, member_id, key, now=now).writes


def voiding(batch_id: str, key: str, *, now: int) -> Sequence[Write]:
    """The writes that take the voucher of a payment out of use; they fail if anybody lays hands on it meanwhile.

    A voucher that was used, or lies in a checkout, stays as it is: what was had for it cannot be taken back from here.
    """
    voucher_id = making.voucher_id_of(making.code_of(ids.derived("vis", batch_id, key), 0))
    return withdrawing.voiding(voucher_id, key, now=now)
