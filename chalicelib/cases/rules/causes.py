"""What a case is put down to, and what is done so that it does not come again: pure."""

from __future__ import annotations

from typing import Final

import msgspec

from chalicelib.base.errors import Conflict, Invalid, NotFound
from chalicelib.cases.rules.case import Case, CorrectiveAction
from chalicelib.cases.rules.moves import check_unmerged
from chalicelib.program.document.cases import CasePolicy

ACTIONS_MAX: Final = 20
"""How many corrective actions a case takes."""


class ActionNotFound(NotFound):
    """There is no such corrective action."""

    code = "action_not_found"

    def __init__(self) -> None:
        super().__init__("There is no corrective action with this id.", field="action_id")


class ActionDone(Conflict):
    """The corrective action is done, which was said otherwise before."""

    code = "action_done"

    def __init__(self) -> None:
        super().__init__("The corrective action is done, as somebody has said before. Nothing was changed.")


def with_cause(case: Case, cause: str, policy: CasePolicy, at: int) -> Case:
    """The case put down to a cause, in place of another one where it was. Raises CaseMerged and Invalid."""
    check_unmerged(case)
    if cause not in policy.causes:
        known = ", ".join(policy.causes) or "none"
        raise Invalid(f"The programme has no such cause; it has: {known}.", field="cause", code="cause_unknown")
    return msgspec.structs.replace(case, cause=cause, touched_at=at)


def planned(case: Case, wanted: CorrectiveAction, policy: CasePolicy, *, today: str, at: int) -> Case:
    """The case with a corrective action more, against the cause that it was put down to.

    Raises CaseMerged, Conflict (`case_without_cause`, `actions_too_many`) and Invalid (`department_unknown`,
    `due_on_past`).
    """
    check_unmerged(case)
    if not case.cause:
        raise Conflict("Say first what the case is put down to.", code="case_without_cause")
    if wanted.department not in {department.code for department in policy.departments}:
        raise Invalid("The programme has no such department.", field="department", code="department_unknown")
    if wanted.due_on < today:
        raise Invalid("An action is due today at the earliest.", field="due_on", code="due_on_past")
    if len(case.actions) >= ACTIONS_MAX:
        raise Conflict(f"A case takes {ACTIONS_MAX} corrective actions.", code="actions_too_many")
    action = msgspec.structs.replace(wanted, cause=case.cause)
    return msgspec.structs.replace(case, actions=(*case.actions, action), touched_at=at)


def done(case: Case, action_id: str, *, works_on: str, at: int) -> Case:
    """The case with an action done. Raises CaseMerged, ActionNotFound and ActionDone."""
    check_unmerged(case)
    found = find(case, action_id)
    if found.done_at:
        raise ActionDone
    changed = msgspec.structs.replace(found, done_at=at, works_on=works_on)
    actions = tuple(changed if each is found else each for each in case.actions)
    return msgspec.structs.replace(case, actions=actions, touched_at=at)


def find(case: Case, action_id: str) -> CorrectiveAction:
    """A corrective action of a case. Raises ActionNotFound."""
    for each in case.actions:
        if each.action_id == action_id:
            return each
    raise ActionNotFound
