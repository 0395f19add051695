"""Causes, corrective actions and what came of them, over HTTP."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta

from chalicelib.base import clock
from chalicelib.base.errors import Invalid
from chalicelib.cases import acting, attaching_routes, measuring, render, work_routes
from chalicelib.cases.acting import Listed, Plan
from chalicelib.cases.acting_schema import (
    ActionDoneIn,
    ActionIn,
    ActionMade,
    ActionOut,
    ActionPage,
    CauseIn,
    ComparedOut,
    CountedOut,
    FigureOut,
    MonthOut,
    OutcomeOut,
    SideOut,
    StatisticsOut,
)
from chalicelib.cases.action_table import Action
from chalicelib.cases.changing import Changed
from chalicelib.cases.measuring import Counted
from chalicelib.cases.moving import Who
from chalicelib.cases.rules import counting, effect
from chalicelib.cases.rules.effect import Compared, Figure
from chalicelib.cases.schema import CaseChanged
from chalicelib.web.room import IDEMPOTENCY_KEY, PAGE, Call, Param, Reply

room = attaching_routes.room

_STAFF: Final = ("staff", "system")
_ERRORS: Final = ("case_not_found", "case_merged", "busy")
_KEYED: Final = ("idempotency_key_missing", "key_reused")
_COUNT: Final = 3


@room.post(
    "/v1/cases/{case_id}/cause",
    body=CauseIn,
    answer=CaseChanged,
    scopes=work_routes.WRITE,
    callers=("staff", "system"),
    headers=(IDEMPOTENCY_KEY,),
    summary="Put a case down to a cause",
    example={"cause": "packaging", "note": "The new seals do not hold."},
    statuses={200: "The case counts for this cause, and for no other any more."},
    errors=(*_ERRORS, *_KEYED, "cause_unknown"),
)
def post_case_cause(call: Call[CauseIn], case_id: str) -> Reply[CaseChanged]:
    """In any state but merged; another cause takes the place of the first, in the counts of its month as well."""
    changed = acting.put_down(case_id, call.body.cause, call.body.note, work_routes.who(call))
    return Reply(CaseChanged(case=render.work_line(changed.case, call.now)))


@room.post(
    "/v1/cases/{case_id}/actions",
    body=ActionIn,
    answer=ActionMade,
    scopes=work_routes.WRITE,
    callers=("staff", "system"),
    headers=(IDEMPOTENCY_KEY,),
    summary="Plan a corrective action",
    example={"department": "quality", "what": "Seals of the other maker.", "due_on": "2026-12-15"},
    statuses={201: "It is planned.", 200: "It was planned by the same request before."},
    errors=(*_ERRORS, *_KEYED, "case_without_cause", "department_unknown", "due_on_past", "actions_too_many"),
)
def post_case_action(call: Call[ActionIn], case_id: str) -> Reply[ActionMade]:
    """Against the cause that the case was put down to, so that it does not come again."""
    body = call.body
    wanted = Plan(department=body.department, what=body.what, due_on=body.due_on.isoformat())
    changed, action = acting.plan(case_id, wanted, work_routes.who(call))
    return Reply(_made(changed, action, call.now), status=200 if changed.replayed else 201)


@room.post(
    "/v1/cases/{case_id}/actions/{action_id}/done",
    body=ActionDoneIn,
    answer=ActionMade,
    scopes=work_routes.WRITE,
    callers=("staff", "system"),
    summary="Say that a corrective action is done",
    example={"note": "All stock has the new seals.", "works_on": "2026-12-12"},
    statuses={200: "It is done; repeated, it answers the same."},
    errors=(*_ERRORS, "action_not_found", "action_done", "works_on_invalid"),
)
def finish_case_action(call: Call[ActionDoneIn], case_id: str, action_id: str) -> Reply[ActionMade]:
    """From the day on which it works, the months before are compared with those after."""
    day = call.body.works_on
    doer = Who(call.caller.actor(), action_id, call.now)
    works_on = "" if day is UNSET else day.isoformat()
    changed, action = acting.finish(case_id, action_id, works_on=works_on, text=call.body.note, who=doer)
    return Reply(_made(changed, action, call.now))


@room.get(
    "/v1/case-actions",
    answer=ActionPage,
    scopes=work_routes.READ,
    callers=("staff", "system"),
    query=(
        Param("state", "`open` without it; `overdue` are open ones whose day is over.", Listed),
        Param("department", "Only those of this department."),
        Param("cause", "Only those against this cause."),
        *PAGE,
    ),
    summary="List corrective actions",
    statuses={200: "Open ones by the day on which they are due, done ones the latest first."},
    errors=("cursor_invalid",),
)
def list_case_actions(call: Call[None]) -> Reply[ActionPage]:
    """Of all cases. A page may be shorter than asked for and still have a cursor, where few fit both filters."""
    state = _state(call.query("state"))
    department, cause = call.query("department"), call.query("cause")
    listed = repr((state, department, cause))
    found = acting.page(
        state, department=department, cause=cause, now=call.now, after=call.cursor(listed), limit=call.limit
    )
    cursor = call.next_cursor(listed, found.last) if found.last else None
    today = acting.today(call.now)
    return Reply(ActionPage(actions=tuple(_action(each, today) for each in found.actions), next_cursor=cursor))


@room.get(
    "/v1/case-causes/{cause}/outcome",
    answer=OutcomeOut,
    scopes=work_routes.READ,
    callers=("staff", "system"),
    query=(
        Param("action_id", "The corrective action, which is done.", required=True),
        Param(
            "months",
            f"How many months before, and after; {_COUNT} without it.",
            Annotated[int, Meta(ge=1, le=effect.MONTHS_MAX)],
        ),
    ),
    summary="What came of a corrective action",
    statuses={200: "The cause's cases in whole months before and after, and whether the change may be chance."},
    errors=("action_not_found", "action_open", "busy"),
)
def get_cause_outcome(call: Call[None], cause: str) -> Reply[OutcomeOut]:
    """The month in which the action began to work is neither before nor after, nor is the one that is not over."""
    found = measuring.outcome(cause, call.query("action_id") or "", _months(call), now=call.now)
    return Reply(
        OutcomeOut(
            cause=cause,
            action=_action(found.action, acting.today(call.now)),
            before=_side(cause, found.before),
            after=_side(cause, found.after),
            per_1000=_compared(found.rates),
            per_30_days=_compared(found.paces),
        )
    )


@room.get(
    "/v1/cases/statistics",
    answer=StatisticsOut,
    scopes=work_routes.READ,
    callers=("staff", "system"),
    query=(
        Param("from", "The first month, such as 2026-06; five months before the last one without it."),
        Param("to", "The last month; this one without it."),
    ),
    summary="Count cases by month",
    statuses={200: "Kinds, complaints by dimension, causes, and how easy it was made."},
    errors=("busy",),
)
def get_case_statistics(call: Call[None]) -> Reply[StatisticsOut]:
    """Exact to the case, by the month of the programme's zone in which they were opened."""
    found = measuring.statistics(call.query("from"), call.query("to"), now=call.now)
    return Reply(StatisticsOut(months=tuple(_month(month, counts) for month, counts in found.items())))


def _state(text: str | None) -> Listed:
    try:
        found: Listed = msgspec.convert(text or "open", Listed)
    except msgspec.ValidationError as fault:
        raise Invalid(f"{fault}.", field="state", code="query_invalid") from fault
    return found


def _months(call: Call[None]) -> int:
    text = call.query("months") or str(_COUNT)
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:3]) <= effect.MONTHS_MAX):
        raise Invalid(f"months is a number from 1 to {effect.MONTHS_MAX}.", field="months", code="query_invalid")
    return int(text)


def _made(changed: Changed, action: Action, now: int) -> ActionMade:
    return ActionMade(action=_action(action, acting.today(now)), case=render.work_line(changed.case, now))


def _action(found: Action, today: str) -> ActionOut:
    state: Literal["open", "done"] = found.state
    return ActionOut(
        id=found.action_id,
        case_id=found.case_id,
        cause=found.cause,
        department=found.department,
        what=found.what,
        due_on=found.due_on,
        state=state,
        overdue=state == "open" and found.due_on < today,
        planned_by=found.planned_by,
        planned_at=clock.text(found.planned_at),
        done_by=found.done_by or None,
        done_at=clock.text(found.done_at) if found.done_at else None,
        works_on=found.works_on or None,
        note=found.note,
    )


def _side(cause: str, found: Counted) -> SideOut:
    counts = found.counts
    return SideOut(
        months=found.months,
        days=found.days,
        cases=counts[counting.cause(cause)],
        known=counts[counting.KNOWN],
        all_cases=counts[counting.CASES],
        rated=counts[counting.rated(cause)],
        ces=measuring.mean(counts, counting.rated(cause), counting.effort(cause)),
    )


def _month(month: str, counts: Counter[str]) -> MonthOut:
    cases, known = counts[counting.CASES], counts[counting.KNOWN]
    causes = measuring.codes(counts, counting.cause(""))
    dimensions = measuring.codes(counts, counting.complaints(""))
    return MonthOut(
        month=month,
        cases=cases,
        kinds={code: counts[counting.kind(code)] for code in measuring.codes(counts, counting.kind(""))},
        complaints=_counted(counts[counting.kind("complaint")], cases),
        complaints_by_dimension={code: _counted(counts[counting.complaints(code)], cases) for code in dimensions},
        known_causes=known,
        causes={code: _counted(counts[counting.cause(code)], known) for code in causes},
        rated=counts[counting.RATED],
        ces=measuring.mean(counts, counting.RATED, counting.EFFORT),
    )


def _counted(cases: int, of: int) -> CountedOut:
    return CountedOut(cases=cases, per_1000=_figure(effect.per_1000(cases, of)))


def _compared(found: Compared) -> ComparedOut:
    return ComparedOut(
        before=_figure(found.before), after=_figure(found.after), change=_figure(found.change), verdict=found.verdict
    )


def _figure(found: Figure | None) -> FigureOut | None:
    return None if found is None else FigureOut(value=found.value, low=found.low, high=found.high)
