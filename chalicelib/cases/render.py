"""How cases are shown: to members what concerns them, to handlers everything."""

from __future__ import annotations

from typing import Literal, cast

import msgspec

from chalicelib.base import clock, facts
from chalicelib.cases.file_schema import AttachmentOut
from chalicelib.cases.reading import Whole
from chalicelib.cases.rules import due, moves, steps
from chalicelib.cases.rules.case import CLOSED, Attachment, Case, Compensation, CorrectiveAction, State
from chalicelib.cases.rules.steps import Said
from chalicelib.cases.schema import (
    ActionLineOut,
    AmendsOut,
    CaseLineOut,
    CaseOut,
    CaseWorkLineOut,
    CaseWorkOut,
    CompensationOut,
    MessageOut,
    StepOut,
)
from chalicelib.cases.table import StepItem

_SAID = msgspec.json.Decoder(Said)


def line(case: Case, surviving: Case) -> CaseLineOut:
    """A case in its member's list; one that was merged stands as the case that it has become part of."""
    return CaseLineOut(
        id=case.case_id,
        kind=case.kind,
        status=_status(surviving),
        opened_at=clock.text(case.opened_at),
        resolved_at=_instant(surviving.resolved_at),
        order_id=case.order_id or None,
        excerpt=case.excerpt,
    )


def case(whole: Whole, *, is_handler: bool, now: int) -> CaseOut:
    """A case with what was said. The member sees the opening and what is public."""
    said = [(step, _SAID.decode(step.body)) for step in whole.steps]
    opening = next((found.text for step, found in said if step.kind == facts.CASE_OPENED), "")
    given = [each for each in whole.surviving.compensations if each.status == "given"]
    return CaseOut(
        **msgspec.structs.asdict(line(whole.case, whole.surviving)),
        text=opening,
        messages=tuple(
            MessageOut(at=step.occurred_at, by="member" if step.kind == steps.REPLIED else "shop", text=found.text)
            for step, found in said
            if found.is_public and found.text and step.kind != facts.CASE_OPENED
        ),
        compensations=tuple(
            AmendsOut(at=clock.text(each.decided_at or each.asked_at), points=each.points, voucher=bool(each.batch_id))
            for each in given
        ),
        attachments=tuple(
            attachment(each)
            for each in whole.surviving.attachments
            if is_handler or (each.status == "kept" and not each.is_internal)
        ),
        work=work(whole.case, said, now) if is_handler else None,
    )


def work_line(case: Case, now: int) -> CaseWorkLineOut:
    """A case in a handler's list."""
    due_at = due.due_at(case)
    return CaseWorkLineOut(
        id=case.case_id,
        kind=case.kind,
        state=case.state,
        dimension=case.dimension,
        severity=case.severity,
        department=case.department or None,
        owner=case.owner or None,
        member_id=case.member_id,
        order_id=case.order_id or None,
        channel=case.channel,
        excerpt=case.excerpt,
        opened_at=clock.text(case.opened_at),
        moved_at=clock.text(case.moved_at),
        due_at=None if due_at is None else clock.text(due_at),
        overdue=due_at is not None and due_at <= now,
        waiting_compensations=sum(each.status == "waiting" for each in case.compensations),
    )


def work(case: Case, said: list[tuple[StepItem, Said]], now: int) -> CaseWorkOut:
    """All that handlers know of a case."""
    return CaseWorkOut(
        **msgspec.structs.asdict(work_line(case, now)),
        may=moves.allowed(case),
        opened_by=case.opened_by,
        assign_by=clock.text(case.assign_by),
        resolve_by=clock.text(case.resolve_by),
        resolved_at=_instant(case.resolved_at),
        reopened=case.reopened,
        response_id=case.response_id or None,
        store=case.store,
        locale=case.locale,
        source=case.source,
        url=case.url,
        merged_into=case.merged_into or None,
        merged=case.merged,
        further_orders=case.further_orders,
        further_responses=case.further_responses,
        compensations=tuple(compensation(each) for each in case.compensations),
        cause=case.cause or None,
        actions=tuple(_action(each) for each in case.actions),
        ces=case.ces,
        ces_response_id=case.ces_response or None,
        reopening_suggested=case.is_unhappy,
        steps=tuple(_step(step, found) for step, found in said),
    )


def compensation(found: Compensation) -> CompensationOut:
    """A compensation as handlers see it."""
    return CompensationOut(
        id=found.compensation_id,
        case_id=found.case_id,
        status=found.status,
        points=found.points,
        voucher_batch_id=found.batch_id or None,
        asked_by=found.asked_by,
        asked_at=clock.text(found.asked_at),
        decided_by=found.decided_by or None,
        decided_at=_instant(found.decided_at),
    )


def attachment(found: Attachment) -> AttachmentOut:
    """A file of a case."""
    return AttachmentOut(
        id=found.attachment_id,
        name=found.name,
        media_type=found.media_type,
        bytes=found.bytes,
        status=found.status,
        at=clock.text(found.at),
        public=not found.is_internal,
    )


def _action(found: CorrectiveAction) -> ActionLineOut:
    return ActionLineOut(
        id=found.action_id,
        cause=found.cause,
        department=found.department,
        due_on=found.due_on,
        done_at=_instant(found.done_at),
        works_on=found.works_on or None,
    )


def _step(step: StepItem, said: Said) -> StepOut:
    return StepOut(
        number=step.number,
        kind=step.kind,
        at=step.occurred_at,
        actor=step.actor,
        state=cast("State", step.state),
        text=said.text,
        public=said.is_public,
        owner=said.owner,
        department=said.department,
        severity=said.severity,
        dimension=said.dimension,
        case_kind=said.case_kind,
        compensation_id=said.compensation_id,
        points=said.points,
        voucher_batch_id=said.batch_id,
        other_case_id=said.other_id,
        deadline=said.deadline,
        due_at=_instant(said.due_at),
        level=said.level,
        attachment_id=said.attachment_id,
        cause=said.cause,
        action_id=said.action_id,
        ces=said.ces or None,
    )


def _status(case: Case) -> Literal["received", "in_progress", "resolved"]:
    """What a member learns of a case's state."""
    if case.state in CLOSED:
        return "resolved"
    return "received" if case.state == "new" else "in_progress"


def _instant(at: int) -> str | None:
    return clock.text(at) if at else None
