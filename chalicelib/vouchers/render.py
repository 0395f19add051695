"""From what is known of vouchers to what the API shows of it."""

from __future__ import annotations

from typing import Any, Literal, cast

from chalicelib.ledger.schema import account_summary, entry_summary
from chalicelib.program.document.parts import localise
from chalicelib.vouchers import batches, codes, service, uses
from chalicelib.vouchers.batches import Known
from chalicelib.vouchers.jobs import Job
from chalicelib.vouchers.locking import Locked
from chalicelib.vouchers.looking import Found
from chalicelib.vouchers.rules import Worth
from chalicelib.vouchers.schema import (
    GiftOut,
    MemberVoucherOut,
    VoucherBatchLine,
    VoucherBatchMade,
    VoucherBatchOut,
    VoucherCounts,
    VoucherIssued,
    VoucherJobBegun,
    VoucherJobOut,
    VoucherOut,
    VoucherRedeemed,
    VoucherRedemptionOut,
    VoucherUnlocked,
    VoucherWorth,
)
from chalicelib.vouchers.service import Held
from chalicelib.vouchers.table import JobStep, UseStep, VoucherItem

EffectName = Literal["percentage", "amount", "gift", "free_shipping", "points"]


def voucher(found: Found, worth: Worth, currency: str, *, locale: str, locked_until: str | None = None) -> VoucherOut:
    """A voucher and what it is worth."""
    batch = found.known.batch
    return VoucherOut(
        id=found.voucher.key,
        batch_id=found.known.batch_id,
        title=localise(batch.title, locale),
        effect=_effect(found.known),
        stacking=batch.stacking,
        ends_at=found.voucher.ends_at,
        locked_until=locked_until,
        worth=_worth(worth, currency),
    )


def locked(lock: Locked, currency: str, *, locale: str) -> VoucherOut:
    """A voucher that a session has."""
    return voucher(lock.found, lock.worth, currency, locale=locale, locked_until=lock.until)


def unlocked(found: Found) -> VoucherUnlocked:
    """A voucher that a session has let go."""
    return VoucherUnlocked(id=found.voucher.key, batch_id=found.known.batch_id)


def redeemed(use: UseStep, rolled_back_at: str | None, moved: UseStep) -> VoucherRedeemed:
    """A use; `moved` is the step whose entry is shown: the use itself, or its rolling back."""
    return VoucherRedeemed(
        redemption=VoucherRedemptionOut(
            id=use.undoes or use.record_id,
            status="rolled_back" if rolled_back_at else "redeemed",
            voucher_id=use.voucher_id,
            batch_id=use.batch_id,
            member_id=use.member_id,
            source=use.source,
            order_id=use.order_id,
            worth=_worth(uses.worth_of(use), use.currency),
            redeemed_at=use.redeemed_at,
            rolled_back_at=rolled_back_at,
        ),
        entry=entry_summary(moved),
        account=account_summary(moved),
    )


def held(found: Held, *, locale: str) -> MemberVoucherOut:
    """A voucher in a member's list."""
    return MemberVoucherOut(
        id=found.item.voucher_id,
        code=codes.grouped(found.code),
        status=found.status,
        batch_id=found.item.batch_id,
        title=localise(found.known.batch.title, locale),
        effect=_effect(found.known),
        issued_at=found.item.issued_at,
        starts_at=found.known.starts_at,
        ends_at=found.item.ends_at,
        used_at=found.item.used_at,
    )


def issued(item: VoucherItem) -> VoucherIssued:
    """A voucher that was issued to a member."""
    return VoucherIssued(
        id=item.key,
        code=service.code_of(item),
        batch_id=item.batch_id,
        member_id=item.member_id,
        issued_at=item.posted_at,
        ends_at=item.ends_at,
    )


def batch(known: Known) -> VoucherBatchOut:
    """A batch with its counts, read now."""
    tally = batches.tally(known.batch_id)
    in_use = tally.redeemed - tally.rolled_back
    return VoucherBatchOut(
        id=known.batch_id,
        state=cast("Any", known.state),
        created_at=known.created_at,
        time_zone=known.zone.key,
        code=known.code,
        definition=known.batch,
        counts=VoucherCounts(
            issued=tally.issued,
            locked=tally.locked,
            redeemed=tally.redeemed,
            rolled_back=tally.rolled_back,
            in_use=in_use,
            left=batches.left(known),
            redeemed_per_mille=in_use * 1000 // tally.issued if tally.issued else 0,
        ),
    )


def batch_made(known: Known) -> VoucherBatchMade:
    """A batch as it was made, so that a replay is answered the same."""
    return VoucherBatchMade(
        id=known.batch_id,
        created_at=known.created_at,
        time_zone=known.zone.key,
        code=known.code,
        definition=known.batch,
    )


def job_begun(job: JobStep) -> VoucherJobBegun:
    """A bulk job as it was begun, so that a replay is answered the same."""
    return VoucherJobBegun(id=job.key, batch_id=job.batch_id, codes=job.codes, started_at=job.posted_at)


def batch_line(known: Known, *, locale: str) -> VoucherBatchLine:
    """A batch in the list."""
    return VoucherBatchLine(
        id=known.batch_id,
        title=localise(known.batch.title, locale),
        kind=known.batch.kind,
        effect=_effect(known),
        state=cast("Any", known.state),
        code=known.code,
        created_at=known.created_at,
    )


def job(found: Job) -> VoucherJobOut:
    """A bulk job."""
    return VoucherJobOut(
        id=found.job_id,
        batch_id=found.batch_id,
        status="done" if found.is_done else "running",
        codes=found.codes,
        made=found.made,
        started_at=found.started_at,
        changed_at=found.changed_at,
    )


def _worth(worth: Worth, currency: str) -> VoucherWorth:
    return VoucherWorth(
        discount_minor=worth.discount_minor,
        currency=currency,
        line_discounts_minor=worth.item_discounts_minor,
        points=worth.points,
        gift=GiftOut(sku=worth.gift[0], quantity=worth.gift[1]) if worth.gift else None,
    )


def _effect(known: Known) -> EffectName:
    return cast("EffectName", known.batch.effect.__struct_config__.tag)
