"""Feedback and cases over HTTP: what comes in, and what there is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from chalicelib.base import clock
from chalicelib.base.errors import Invalid
from chalicelib.cases import acting_routes, feedback, listing, moving, reading, render, work_routes
from chalicelib.cases.feedback import Sender
from chalicelib.cases.listing import Wanted
from chalicelib.cases.rules.case import Kind
from chalicelib.cases.schema import (
    CaseOut,
    CasePage,
    CaseReceived,
    FeedbackIn,
    MemberCasesOut,
    ReplyIn,
)
from chalicelib.members import service as members
from chalicelib.members.rules import Person
from chalicelib.program.document.cases import Severity
from chalicelib.web.room import ACCEPT_LANGUAGE, IDEMPOTENCY_KEY, PAGE, Call, Param, Reply

room = acting_routes.room

_LISTED = Literal["new", "assigned", "analysing", "acting", "resolved", "verified", "reopened"]


class _Query(msgspec.Struct, frozen=True):
    """The filters of the list, as they are checked."""

    state: _LISTED | None = None
    kind: Kind | None = None
    severity: Severity | None = None
    due_before: datetime | None = None
    suggested: Literal["reopen"] | None = None


_FILTERS: Final = (
    Param("state", "Cases in this state; without it all open ones.", _LISTED),
    Param("owner", "Open cases that this person has; `me` is whoever asks."),
    Param("department", "Open cases of this department."),
    Param("kind", "Of these, only one kind.", Kind),
    Param("severity", "Of these, only one severity.", Severity),
    Param("suggested", "Closed cases whose member said that it was made hard (3 or less of 7).", Literal["reopen"]),
    Param("due_before", "Open cases due before this instant (RFC 3339); now gives those overdue.", datetime),
)


@room.post(
    "/v1/feedback",
    body=FeedbackIn,
    answer=CaseReceived,
    scopes=work_routes.WRITE,
    headers=(msgspec.structs.replace(IDEMPOTENCY_KEY, required=False), ACCEPT_LANGUAGE),
    summary="Send feedback",
    example={
        "kind": "complaint",
        "dimension": "product",
        "text": "The tea arrived with a broken seal.",
        "member_id": "mem_5yq3v6ij2n7kq4r8w1x0zbtcde",
        "channel": "phone",
    },
    statuses={201: "A case is opened.", 200: "It was opened by the same feedback before."},
    errors=(
        "member_not_found",
        "order_not_found",
        "feedback_not_yours",
        "feedback_key_missing",
        "idempotency_key_missing",
        "phone_invalid",
        "mail_invalid",
        "key_reused",
        "busy",
    ),
)
def post_feedback(call: Call[FeedbackIn]) -> Reply[CaseReceived]:
    """By a member for themselves, by an agent for a member, or for somebody unknown, such as a public review.

    Named by `source` and `feedback_id`, or else by the Idempotency-Key; sent again it opens no other case.
    """
    caller = call.caller
    is_own = caller.kind == "member"
    sender = Sender(
        actor=caller.actor(),
        key=call.idempotency_key if call.header("Idempotency-Key") is not None else None,
        member_id=members.member_for(caller, members.ME) if is_own else None,
        owner=members.owner_of(caller),
        locale=call.locale,
    )
    received = feedback.receive(call.body, sender, now=call.now)
    shown = render.line(received.case, received.case)
    return Reply(CaseReceived(case=shown), status=200 if received.replayed else 201)


@room.get(
    "/v1/cases",
    answer=CasePage,
    scopes=work_routes.READ,
    callers=("staff", "system"),
    query=(*_FILTERS, *PAGE),
    summary="List cases",
    statuses={200: "Open cases by their due time, overdue ones first; closed ones, the latest first."},
    errors=("cursor_invalid",),
)
def list_cases(call: Call[None]) -> Reply[CasePage]:
    """A page may be shorter than asked for, or empty, and still have a cursor, where few cases fit the filters."""
    wanted = _wanted(call)
    listed = repr(wanted)
    found = listing.page(wanted, after=call.cursor(listed), limit=call.limit)
    cursor = call.next_cursor(listed, found.last) if found.last else None
    shown = tuple(render.work_line(case, call.now) for case in found.cases)
    return Reply(CasePage(cases=shown, next_cursor=cursor))


@room.get(
    "/v1/cases/{case_id}",
    answer=CaseOut,
    scopes=work_routes.READ,
    summary="Read a case",
    statuses={200: "The case with what was said; handlers see all of its steps."},
    errors=("case_not_found",),
)
def get_case(call: Call[None], case_id: str) -> Reply[CaseOut]:
    """A member reads their own cases, and of them what is public."""
    is_handler = call.caller.kind != "member"
    if not is_handler:
        reading.own(case_id, _me(call))
    return Reply(render.case(reading.whole(case_id), is_handler=is_handler, now=call.now))


@room.get(
    "/v1/members/{member_id}/cases",
    answer=MemberCasesOut,
    scopes=work_routes.READ,
    query=PAGE,
    summary="List a member's cases",
    statuses={200: "The member's cases, the latest first."},
    errors=("member_not_found", "not_your_account", "cursor_invalid"),
)
def list_member_cases(call: Call[None], member_id: str) -> Reply[MemberCasesOut]:
    """Each with how far it is. Of what was merged it is told how far the case is that it has become part of."""
    found = members.member_for(call.caller, member_id)
    page = listing.of_member(found, after=call.cursor(found), limit=call.limit)
    return Reply(
        MemberCasesOut(
            member_id=found,
            cases=tuple(render.line(case, other) for case, other in reading.surviving(page.cases)),
            next_cursor=call.next_cursor(found, page.last) if page.last else None,
        )
    )


@room.post(
    "/v1/cases/{case_id}/reply",
    body=ReplyIn,
    answer=CaseReceived,
    callers=("member",),
    headers=(IDEMPOTENCY_KEY,),
    summary="Reply to the shop in a case",
    example={"text": "Order 7731, on Saturday."},
    statuses={200: "The reply is with the case."},
    errors=("case_not_found", "case_merged", "case_full", "idempotency_key_missing", "key_reused", "busy"),
)
def post_case_reply(call: Call[ReplyIn], case_id: str) -> Reply[CaseReceived]:
    """By the member whose case it is. What belongs to a merged case goes to the one that it has become part of."""
    own = reading.own(case_id, _me(call))
    found = reading.surviving([own])[0][1]
    who = moving.Who(call.caller.actor(), call.idempotency_key, call.now, members.owner_of(call.caller))
    changed = moving.reply(found.case_id, call.body.text, who)
    return Reply(CaseReceived(case=render.line(changed.case, changed.case)))


def _me(call: Call[Any]) -> str | None:
    """The member that a person is."""
    return members.member_of(Person(call.caller.issuer, call.caller.subject))


def _wanted(call: Call[None]) -> Wanted:
    """The filters. Raises Invalid (`query_invalid`)."""
    given = {name: call.query(name) for name in ("state", "kind", "severity", "due_before", "suggested")}
    found = _checked({name: value for name, value in given.items() if value is not None})
    owner = call.query("owner")
    return Wanted(
        state=found.state,
        owner=call.caller.actor() if owner == members.ME else owner,
        department=call.query("department"),
        kind=found.kind,
        severity=found.severity,
        is_unhappy=found.suggested is not None,
        due_before=None if found.due_before is None else clock.seconds(found.due_before),
    )


def _checked(given: dict[str, str]) -> _Query:
    for name, value in given.items():
        try:
            found = msgspec.convert({name: value}, _Query)
        except msgspec.ValidationError as fault:
            raise Invalid(f"{fault}.", field=name, code="query_invalid") from fault
        if name == "due_before" and (found.due_before is None or found.due_before.tzinfo is None):
            raise Invalid("An instant is RFC 3339 with an offset.", field=name, code="query_invalid")
    return msgspec.convert(given, _Query)
