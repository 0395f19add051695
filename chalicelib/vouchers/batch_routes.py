"""Batches of vouchers over HTTP: making and pausing them, their codes in bulk, imports and exports."""

from __future__ import annotations

from typing import Final

from chalicelib.vouchers import batches, importing, jobs, render
from chalicelib.vouchers.schema import (
    VoucherBatchesOut,
    VoucherBatchIn,
    VoucherBatchMade,
    VoucherBatchOut,
    VoucherBatchStateIn,
    VoucherCodesOut,
    VoucherImported,
    VoucherImportIn,
    VoucherJobBegun,
    VoucherJobIn,
    VoucherJobOut,
)
from chalicelib.web.room import ACCEPT_LANGUAGE, IDEMPOTENCY_KEY, PAGE, Call, Param, Reply, Room

room = Room("vouchers")
"""The room of all that has to do with vouchers; `routes.py` adds their use."""

ADMIN: Final = ("vouchers.admin",)
_EXPORT_MAX: Final = 1000


@room.post(
    "/v1/voucher-batches",
    body=VoucherBatchIn,
    answer=VoucherBatchMade,
    scopes=ADMIN,
    callers=("staff", "system"),
    headers=(IDEMPOTENCY_KEY,),
    summary="Make a batch of vouchers",
    example={
        "title": {"en": "A tenth off tea", "zh-Hans": "茶饮九折", "zh-Hant": "茶飲九折"},
        "kind": "single",
        "effect": {"type": "percentage", "percent": "10", "max_minor": {"CNY": 5_000}},
        "validity": {"starts_at": "2026-12-01T00:00:00+08:00", "days_after_issue": 30},
        "minimum_minor": {"CNY": 10_000},
        "items": {"categories": ["drinks"]},
        "limits": {"per_member": 1},
    },
    statuses={201: "The batch is made.", 200: "It was made by the same request before."},
    errors=(
        "batch_invalid",
        "voucher_code_invalid",
        "voucher_code_taken",
        "key_reused",
        "idempotency_key_missing",
        "busy",
    ),
)
def post_voucher_batch(call: Call[VoucherBatchIn]) -> Reply[VoucherBatchMade]:
    """What the vouchers are worth, when, for whom, on what and how often. A shared voucher has its code at once."""
    posted = batches.create(call.body, key=call.idempotency_key, actor=call.caller.actor(), now=call.now)
    return Reply(render.batch_made(batches.made(posted.record)), 200 if posted.replayed else 201)


@room.get(
    "/v1/voucher-batches",
    answer=VoucherBatchesOut,
    scopes=ADMIN,
    callers=("staff", "system"),
    query=PAGE,
    headers=(ACCEPT_LANGUAGE,),
    summary="List batches",
    statuses={200: "A page of batches, newest first."},
    errors=("cursor_invalid",),
)
def get_voucher_batches(call: Call[None]) -> Reply[VoucherBatchesOut]:
    """All batches, whoever made them; read one for its definition and counts."""
    found = batches.listed(after=call.cursor(""), limit=call.limit)
    return Reply(
        VoucherBatchesOut(
            batches=tuple(render.batch_line(known, locale=call.locale) for _place, known in found),
            next_cursor=call.next_cursor("", found[-1][0]) if len(found) == call.limit else None,
        )
    )


@room.get(
    "/v1/voucher-batches/{batch_id}",
    answer=VoucherBatchOut,
    scopes=ADMIN,
    callers=("staff", "system"),
    summary="Read a batch with its counts",
    statuses={200: "The batch."},
    errors=("voucher_batch_not_found",),
)
def get_voucher_batch(_call: Call[None], batch_id: str) -> Reply[VoucherBatchOut]:
    """How many were issued, locked, redeemed and rolled back, exactly, and so the redemption rate."""
    return Reply(render.batch(batches.read(batch_id)))


@room.post(
    "/v1/voucher-batches/{batch_id}/state",
    body=VoucherBatchStateIn,
    answer=VoucherBatchOut,
    scopes=ADMIN,
    callers=("staff", "system"),
    summary="Pause a batch or make it active",
    example={"state": "paused"},
    statuses={200: "The batch as it is now."},
    errors=("voucher_batch_not_found",),
)
def set_voucher_batch_state(call: Call[VoucherBatchStateIn], batch_id: str) -> Reply[VoucherBatchOut]:
    """Vouchers of a paused batch are refused at once; what was redeemed can still be rolled back."""
    actor = call.caller.actor()
    return Reply(render.batch(batches.set_state(batch_id, call.body.state, actor=actor, now=call.now)))


@room.post(
    "/v1/voucher-batches/{batch_id}/jobs",
    body=VoucherJobIn,
    answer=VoucherJobBegun,
    scopes=ADMIN,
    callers=("staff", "system"),
    headers=(IDEMPOTENCY_KEY,),
    summary="Make codes in bulk",
    example={"codes": 100_000},
    statuses={201: "The job has begun.", 200: "It was begun by the same request before."},
    errors=("voucher_batch_not_found", "voucher_batch_not_fitting", "key_reused", "idempotency_key_missing", "busy"),
)
def post_voucher_job(call: Call[VoucherJobIn], batch_id: str) -> Reply[VoucherJobBegun]:
    """Runs by itself; read the job to see how far it is."""
    key, actor = call.idempotency_key, call.caller.actor()
    posted = jobs.start(batch_id, call.body.codes, key=key, actor=actor, now=call.now)
    return Reply(render.job_begun(posted.record), 200 if posted.replayed else 201)


@room.get(
    "/v1/voucher-jobs/{job_id}",
    answer=VoucherJobOut,
    scopes=ADMIN,
    callers=("staff", "system"),
    summary="Read how far a bulk job is",
    statuses={200: "The job."},
    errors=("voucher_job_not_found",),
)
def get_voucher_job(_call: Call[None], job_id: str) -> Reply[VoucherJobOut]:
    """Exact: a code counts when it is there and can be used."""
    return Reply(render.job(jobs.read(job_id)))


@room.get(
    "/v1/voucher-jobs/{job_id}/codes",
    answer=VoucherCodesOut,
    scopes=ADMIN,
    callers=("staff", "system"),
    query=(Param("cursor", "`next_cursor` of the page before."),),
    summary="Export a job's codes",
    statuses={200: f"Up to {_EXPORT_MAX} codes as CSV."},
    errors=("voucher_job_not_found", "cursor_invalid"),
)
def get_voucher_codes(call: Call[None], job_id: str) -> Reply[VoucherCodesOut]:
    """Pages of CSV in the order of their numbers, of what has been made so far. Codes of imports are not kept."""
    page = jobs.export(job_id, after=call.cursor(job_id) or 0, limit=_EXPORT_MAX)
    next_cursor = None if page.is_last else call.next_cursor(job_id, page.last)
    return Reply(VoucherCodesOut(csv=page.csv, codes=page.codes, next_cursor=next_cursor))


@room.post(
    "/v1/voucher-batches/{batch_id}/codes",
    body=VoucherImportIn,
    answer=VoucherImported,
    scopes=ADMIN,
    callers=("staff", "system"),
    headers=(IDEMPOTENCY_KEY,),
    summary="Import codes made elsewhere",
    example={"codes": ["GIFT-7731-0042", "GIFT-7731-0043"]},
    statuses={201: "Every line is taken or named.", 200: "It was imported by the same request before."},
    errors=("voucher_batch_not_found", "voucher_batch_not_fitting", "key_reused", "idempotency_key_missing", "busy"),
)
def import_voucher_codes(call: Call[VoucherImportIn], batch_id: str) -> Reply[VoucherImported]:
    """Lines that are no codes, that repeat an earlier line, or whose code exists are named; the others can be used."""
    key, actor = call.idempotency_key, call.caller.actor()
    import_id, result, replayed = importing.import_codes(batch_id, call.body.codes, key=key, actor=actor, now=call.now)
    body = VoucherImported(id=import_id, batch_id=batch_id, imported=result.imported, refused=result.refused)
    return Reply(body, 200 if replayed else 201)
