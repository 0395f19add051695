"""Compensation over HTTP."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from chalicelib.cases import compensating, render, work_routes
from chalicelib.cases.changing import followed
from chalicelib.cases.compensating import Amends
from chalicelib.cases.moving import Who
from chalicelib.cases.rules import amends
from chalicelib.cases.rules.case import Case
from chalicelib.cases.schema import CompensationDecisionIn, CompensationIn, CompensationMade
from chalicelib.web.room import IDEMPOTENCY_KEY, Call, Reply

room = work_routes.room

_APPROVE: Final = ("cases.approve",)
_DECISION: Final = (
    "case_not_found",
    "case_merged",
    "compensation_not_found",
    "compensation_decided",
    "compensation_own",
    "busy",
)


@room.post(
    "/v1/cases/{case_id}/compensations",
    body=CompensationIn,
    answer=CompensationMade,
    scopes=work_routes.WRITE,
    callers=("staff", "system"),
    headers=(IDEMPOTENCY_KEY,),
    summary="Compensate the member of a case",
    example={"points": 300, "reason": "The seal was broken."},
    statuses={
        201: "It is given, or waits for another's approval.",
        200: "It was asked for by the same request before.",
    },
    errors=(
        "case_not_found",
        "case_merged",
        "case_state_forbids",
        "case_without_member",
        "compensation_invalid",
        "compensation_limit_exceeded",
        "compensation_voucher_unknown",
        "compensation_voucher_given",
        "compensations_too_many",
        "compensation_voucher_ended",
        "idempotency_key_missing",
        "key_reused",
        "busy",
    ),
)
def post_compensation(call: Call[CompensationIn], case_id: str) -> Reply[CompensationMade]:
    """At once within the limit that handlers have for a case in all; above it another person must approve."""
    body = call.body
    wanted = Amends(
        points=0 if body.points is UNSET else body.points,
        batch_id="" if body.voucher_batch_id is UNSET else body.voucher_batch_id,
        reason=body.reason,
    )
    changed, compensation_id = compensating.ask(case_id, wanted, work_routes.who(call))
    return Reply(_shown(changed.case, compensation_id, call.now), status=200 if changed.replayed else 201)


@room.post(
    "/v1/cases/{case_id}/compensations/{compensation_id}/approve",
    body=CompensationDecisionIn,
    answer=CompensationMade,
    scopes=_APPROVE,
    callers=("staff",),
    summary="Approve a compensation",
    example={"note": "She is right."},
    statuses={200: "It is given; repeated, it answers the same."},
    errors=(*_DECISION, "compensation_limit_exceeded", "compensation_voucher_ended"),
)
def approve_compensation(
    call: Call[CompensationDecisionIn], case_id: str, compensation_id: str
) -> Reply[CompensationMade]:
    """By another person than the one who asked for it."""
    return _decided(call, case_id, compensation_id, approves=True)


@room.post(
    "/v1/cases/{case_id}/compensations/{compensation_id}/refuse",
    body=CompensationDecisionIn,
    answer=CompensationMade,
    scopes=_APPROVE,
    callers=("staff",),
    summary="Refuse a compensation",
    example={"note": "The order was never sent."},
    statuses={200: "It is not given; repeated, it answers the same."},
    errors=_DECISION,
)
def refuse_compensation(
    call: Call[CompensationDecisionIn], case_id: str, compensation_id: str
) -> Reply[CompensationMade]:
    """By another person than the one who asked for it."""
    return _decided(call, case_id, compensation_id, approves=False)


def _decided(
    call: Call[CompensationDecisionIn], case_id: str, compensation_id: str, *, approves: bool
) -> Reply[CompensationMade]:
    changed = compensating.decide(
        case_id,
        compensation_id,
        approves=approves,
        text=call.body.note,
        who=Who(call.caller.actor(), compensation_id, call.now),
    )
    return Reply(_shown(changed.case, compensation_id, call.now))


def _shown(case: Case, compensation_id: str, now: int) -> CompensationMade:
    """A compensation, which a merge may have taken along to another case."""
    found = followed(case)
    return CompensationMade(
        compensation=render.compensation(amends.find(found, compensation_id)), case=render.work_line(found, now)
    )
