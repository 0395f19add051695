"""Root causes, and what departments do so that they do not come again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

import msgspec
from pynamodb.expressions.condition import Condition

from chalicelib.base import ids
from chalicelib.base.errors import Invalid, KeyReused
from chalicelib.cases.action_table import (
    Action,
    action_id_in,
    action_writes,
    list_key,
    read_action,
    read_actions,
)
from chalicelib.cases.changing import Changed, Doing, Turn, change, followed, read
from chalicelib.cases.moving import Who, doing, policy_at
from chalicelib.cases.rules import causes, steps
from chalicelib.cases.rules.case import Case, CorrectiveAction
from chalicelib.cases.rules.causes import ActionDone, ActionNotFound
from chalicelib.cases.rules.steps import Said
from chalicelib.cases.table import LeadItem, step_id_of
from chalicelib.program import service as programs

Listed: TypeAlias = Literal["open", "done", "overdue"]

_ROUNDS: Final = 5
"""How often a page is read on for actions that fit, before a short one is given with a cursor to go on."""

_YEAR_DAYS: Final = 366


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a department is to do by a day (`2026-11-30`)."""

    department: str
    what: str
    due_on: str


class Page(msgspec.Struct, frozen=True):
    """Some actions, and the place in the list behind which there may be more."""

    actions: tuple[Action, ...]
    last: str | None


def put_down(case_id: str, cause: str, text: str, who: Who) -> Changed:
    """Put a case down to a cause of the programme's; its month counts it for that one, and for no other any more.

    Raises CaseNotFound, CaseMerged, Invalid (`cause_unknown`), KeyReused and Unavailable.
    """
    policy = policy_at(who.now)

    def rule(case: Case) -> Turn:
        return Turn(case=causes.with_cause(case, cause, policy, who.now), said=Said(text=text, cause=cause))

    return change(doing(case_id, steps.CAUSE_FOUND, who, [cause, text]), rule)


def plan(case_id: str, wanted: Plan, who: Who) -> tuple[Changed, Action]:
    """Plan a corrective action against a case's cause.

    Raises CaseNotFound, what `causes.planned` refuses, KeyReused and Unavailable.
    """
    policy = policy_at(who.now)
    act = doing(case_id, steps.ACTION_PLANNED, who, wanted)
    action_id = f"act_{act.step_id.partition('.')[2]}"

    def rule(case: Case) -> Turn:
        asked = CorrectiveAction(action_id=action_id, cause="", department=wanted.department, due_on=wanted.due_on)
        after = causes.planned(case, asked, policy, today=today(who.now), at=who.now)
        action = Action(
            action_id=action_id,
            case_id=case_id,
            cause=case.cause,
            department=wanted.department,
            what=wanted.what,
            due_on=wanted.due_on,
            planned_by=who.actor,
            planned_at=who.now,
        )
        said = Said(text=wanted.what, action_id=action_id, department=wanted.department, cause=case.cause)
        return Turn(case=after, said=said, writes=action_writes(None, action))

    changed = change(act, rule)
    return changed, read_one(action_id)


def finish(case_id: str, action_id: str, *, works_on: str, text: str, who: Who) -> tuple[Changed, Action]:
    """Say that an action is done, once, and from which day it works ("" for today); repeated, it answers the same.

    Raises CaseNotFound, CaseMerged, ActionNotFound, ActionDone, Invalid (`works_on_invalid`) and Unavailable.
    """
    case = followed(read(case_id).case)
    act = Doing(
        case_id=case.case_id,
        step_id=step_id_of(case.case_id, steps.ACTION_DONE, action_id),
        request_hash=ids.request_hash([action_id, works_on, text]),
        kind=steps.ACTION_DONE,
        actor=who.actor,
        now=who.now,
    )
    day = _works_on(works_on, who.now)

    def rule(current: Case) -> Turn:
        after = causes.done(current, action_id, works_on=day, at=who.now)
        before = read_one(action_id)
        action = msgspec.structs.replace(before, done_by=who.actor, done_at=who.now, works_on=day, note=text)
        said = Said(text=text, action_id=action_id, department=before.department, cause=before.cause)
        return Turn(case=after, said=said, writes=action_writes(before, action))

    try:
        changed = change(act, rule)
    except KeyReused:
        raise ActionDone from None
    return changed, read_one(action_id)


def read_one(action_id: str) -> Action:
    """An action as it is now. Raises ActionNotFound."""
    found = read_action(action_id) if action_id.startswith("act_") else None
    if found is None:
        raise ActionNotFound
    return found


def page(state: Listed, *, department: str | None, cause: str | None, now: int, after: str | None, limit: int) -> Page:
    """Actions of all cases: open ones by the day on which they are due, done ones the latest first.

    It may be shorter than `limit` though there is more, where few of the list fit.
    """
    key = list_key(
        "done" if state == "done" else "open",
        *(("department", department) if department else ("cause", cause) if cause else ()),
    )
    found: list[Action] = []
    for _round in range(_ROUNDS):
        places, is_more = _places(
            key, after, today(now) if state == "overdue" else None, limit, is_done=state == "done"
        )
        read_now = read_actions(action_id_in(place) for place in places)
        for place in places:
            action = read_now.get(action_id_in(place))
            if action and _fits(action, state, department, cause):
                found.append(action)
            after = place
            if len(found) == limit:
                return Page(tuple(found), after if is_more or place != places[-1] else None)
        if not is_more:
            return Page(tuple(found), None)
    return Page(tuple(found), after)


def today(now: int) -> str:
    """The day in the programme's zone."""
    return datetime.fromtimestamp(now, UTC).astimezone(programs.in_force(now, now=now).program.zone).date().isoformat()


def _fits(action: Action, state: Listed, department: str | None, cause: str | None) -> bool:
    # A list may be a moment behind, so it is asked of the action itself.
    is_so = action.state == ("done" if state == "done" else "open")
    return is_so and department in {None, action.department} and cause in {None, action.cause}


def _places(key: str, after: str | None, before: str | None, limit: int, *, is_done: bool) -> tuple[list[str], bool]:
    condition: Condition | None = None
    if is_done:
        condition = LeadItem.part < after if after else None
    elif before is not None:
        # A blank sorts before every character of an id, and after the end of it.
        condition = LeadItem.part.between(f"{after} " if after else "0", before)
    elif after:
        condition = LeadItem.part > after
    query = LeadItem.query(key, condition, scan_index_forward=not is_done, limit=limit + 1, page_size=limit + 1)
    places = [str(item.part) for item in query]
    return places[:limit], len(places) > limit


def _works_on(asked: str, now: int) -> str:
    """The day from which an action works. Raises Invalid."""
    this_day = today(now)
    if not asked:
        return this_day
    days = (datetime.fromisoformat(asked) - datetime.fromisoformat(this_day)).days
    if abs(days) > _YEAR_DAYS:
        raise Invalid("An action works from a day within a year.", field="works_on", code="works_on_invalid")
    return asked
