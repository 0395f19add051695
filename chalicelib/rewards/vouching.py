"""Rewards that are vouchers: issued with the redemption, in its own transaction, and taken out of use with it."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.base import ids
from chalicelib.ledger.posting import Write
from chalicelib.members import service as members
from chalicelib.rewards.history import Redemption, RedemptionNotOpen
from chalicelib.rewards.table import RedemptionStep
from chalicelib.vouchers import codes, making, withdrawing
from chalicelib.vouchers import service as vouchers


def issuing(batch_id: str, member_id: str, redemption_id: str, *, now: int) -> Sequence[Write]:
    """The writes that issue a redemption's voucher to its member. Raises BatchNotFound and BatchNotFitting."""
    return vouchers.issuing(batch_id, members.survivor_of(member_id), redemption_id, now=now).writes


def code_of(issue: RedemptionStep) -> str:
    """The code of the voucher that a redemption issued, as people read it."""
    return codes.grouped(_code(issue))


def voiding(redemption: Redemption, now: int) -> Sequence[Write]:
    """The writes that take a redemption's voucher out of use; they fail if anybody lays hands on it meanwhile.

    Raises RedemptionNotOpen where it was used, or lies in a checkout.
    """
    voucher_id = making.voucher_id_of(_code(redemption.issue))
    writes = withdrawing.voiding(voucher_id, redemption.redemption_id, now=now)
    if not writes:
        raise RedemptionNotOpen("The voucher is used, or lies in a checkout.")
    return writes


def _code(issue: RedemptionStep) -> str:
    return making.code_of(ids.derived("vis", issue.voucher_batch_id, issue.redemption_id), 0)
