"""How a case moves: new, assigned, analysing, acting, resolved, verified, and back when it is opened again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import msgspec

from chalicelib.base.errors import Conflict, Invalid
from chalicelib.cases.rules import due
from chalicelib.cases.rules.case import CLOSED, OPEN, Case, Kind, State
from chalicelib.program.document.cases import CasePolicy, Dimension, Severity

Move: TypeAlias = Literal["assign", "analyse", "act", "resolve", "verify", "reopen"]

NOTES_MAX: Final = 150
"""How many notes and replies a case takes, so that it can always be read whole."""

FROM: Final[dict[Move, tuple[State, ...]]] = {
    "assign": OPEN,
    "analyse": ("assigned", "acting", "reopened"),
    "act": ("analysing", "reopened"),
    "resolve": ("analysing", "acting"),
    "verify": ("resolved",),
    "reopen": CLOSED,
}
"""From which states a case may move."""

_TO: Final[dict[Move, State]] = {
    "analyse": "analysing",
    "act": "acting",
    "resolve": "resolved",
    "verify": "verified",
    "reopen": "reopened",
}


class NotInState(Conflict):
    """The case is in a state in which this cannot be done; `detail` names it."""

    code = "case_state_forbids"


class CaseMerged(Conflict):
    """The case is part of another one now; `detail` names it."""

    code = "case_merged"

    def __init__(self, into: str) -> None:
        super().__init__(f"The case was merged into {into}. Nothing was changed.", field="case_id")


class CaseTaken(Conflict):
    """Somebody else has the case, whom the caller did not name; `detail` says who."""

    code = "case_taken"

    def __init__(self, owner: str) -> None:
        super().__init__(f"{owner} has the case. To take it over, name that in instead_of.", field="instead_of")


class CaseFull(Conflict):
    """The case has as many notes as it can take."""

    code = "case_full"

    def __init__(self) -> None:
        super().__init__(f"A case takes {NOTES_MAX} notes and replies.")


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to have a case, from whom it is taken over, and what else is put right; None leaves it as it is."""

    owner: str | None = None
    instead_of: str | None = None
    kind: Kind | None = None
    department: str | None = None
    severity: Severity | None = None
    dimension: Dimension | None = None


def check_unmerged(case: Case) -> None:
    """Raises CaseMerged."""
    if case.state == "merged":
        raise CaseMerged(case.merged_into)


def allowed(case: Case) -> tuple[Move, ...]:
    """What may be done with a case as it is now."""
    return tuple(move for move in FROM if _may(case, move))


def assigned(case: Case, wanted: Assignment, policy: CasePolicy, at: int) -> Case:
    """The case with its owner, and with what else was put right: another severity has other deadlines.

    Without an owner nobody has taken it, and it stays in its state.
    Raises NotInState, CaseMerged, CaseTaken and Invalid (`department_unknown`).
    """
    _check(case, "assign")
    if wanted.owner and case.owner not in {"", wanted.owner, wanted.instead_of}:
        raise CaseTaken(case.owner)
    if wanted.department and wanted.department not in {department.code for department in policy.departments}:
        raise Invalid("The programme has no such department.", field="department", code="department_unknown")
    dimension = wanted.dimension or case.dimension
    department = case.department
    if dimension != case.dimension:
        department = due.department_of(policy, dimension) or department
    after = msgspec.structs.replace(
        case,
        owner=wanted.owner or case.owner,
        department=wanted.department or department,
        dimension=dimension,
        kind=wanted.kind or case.kind,
        touched_at=at,
    )
    if wanted.severity not in {None, case.severity}:
        after = _timed(msgspec.structs.replace(after, severity=wanted.severity), policy)
    if wanted.owner and case.state in {"new", "reopened"}:
        after = msgspec.structs.replace(after, state="assigned", moved_at=at)
    return after


def moved(case: Case, move: Move, at: int) -> Case:
    """The case after `analyse`, `act` or `verify`. Raises NotInState and CaseMerged."""
    _check(case, move)
    return msgspec.structs.replace(case, state=_TO[move], moved_at=at, touched_at=at)


def resolved(case: Case, at: int) -> Case:
    """The case when all is done. Raises NotInState, CaseMerged, and Conflict (`compensation_waiting`)."""
    _check(case, "resolve")
    if any(each.status == "waiting" for each in case.compensations):
        raise Conflict(
            "A compensation waits for approval; have it approved or refused first.", code="compensation_waiting"
        )
    return msgspec.structs.replace(case, state="resolved", moved_at=at, touched_at=at, resolved_at=at)


def reopened(case: Case, policy: CasePolicy, at: int) -> Case:
    """The case when something is still to be done: whoever had it has it still, and its clock begins anew.

    Raises NotInState and CaseMerged.
    """
    _check(case, "reopen")
    after = msgspec.structs.replace(
        case, state="reopened", moved_at=at, touched_at=at, clock_at=at, resolved_at=0, reopened=case.reopened + 1
    )
    # What the member said of the case as it was is in its history; of what comes now nobody has said anything.
    after = msgspec.structs.replace(after, ces=None, ces_response="")
    return _timed(after, policy)


def noted(case: Case, at: int, *, by_member: bool = False) -> Case:
    """The case with one more note, or a reply of its member's: which changes nothing else, and may always be added.

    Raises CaseMerged and CaseFull.
    """
    check_unmerged(case)
    if case.notes >= NOTES_MAX:
        raise CaseFull
    # A member's reply is nothing that somebody has done for the case.
    touched_at = case.touched_at if by_member else at
    return msgspec.structs.replace(case, notes=case.notes + 1, touched_at=touched_at)


MOVES: Final[dict[Move, Callable[[Case, CasePolicy, int], Case]]] = {
    "analyse": lambda case, _policy, at: moved(case, "analyse", at),
    "act": lambda case, _policy, at: moved(case, "act", at),
    "resolve": lambda case, _policy, at: resolved(case, at),
    "verify": lambda case, _policy, at: moved(case, "verify", at),
    "reopen": reopened,
}
"""What each move makes of a case; an assignment needs to know more."""


def _timed(case: Case, policy: CasePolicy) -> Case:
    deadlines = due.deadlines(policy, case.severity, case.clock_at)
    return msgspec.structs.replace(
        case,
        assign_by=deadlines.assign_by,
        resolve_by=deadlines.resolve_by,
        near_percent=policy.near_breach_percent,
        remind_hours=policy.remind_hours,
    )


def _may(case: Case, move: Move) -> bool:
    # What is no complaint is often answered on the spot, with nothing to analyse.
    is_simple = move == "resolve" and case.state == "assigned" and case.kind != "complaint"
    return case.state in FROM[move] or is_simple


def _check(case: Case, move: Move) -> None:
    check_unmerged(case)
    if not _may(case, move):
        may = ", ".join(allowed(case))
        raise NotInState(f"The case is {case.state}, so it is not one to {move}. It may go on with: {may}.")
