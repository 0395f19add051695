"""What handlers do with cases, over HTTP."""

from __future__ import annotations

from typing import Any, Final

from msgspec import UNSET

from chalicelib.cases import merging, moving, render
from chalicelib.cases.changing import Changed
from chalicelib.cases.moving import Who, Words
from chalicelib.cases.rules.moves import Assignment, Move
from chalicelib.cases.schema import AssignIn, CaseChanged, CaseMergeIn, NoteIn, WordsIn
from chalicelib.members import service as members
from chalicelib.web.room import IDEMPOTENCY_KEY, Call, Reply, Room

room = Room("cases")
"""The room of all that has to do with cases; `amends_routes.py` and `routes.py` add to it."""

READ: Final = ("cases.read",)
WRITE: Final = ("cases.write",)
_ERRORS: Final = ("case_not_found", "case_merged", "idempotency_key_missing", "key_reused", "busy")


@room.post(
    "/v1/cases/{case_id}/assign",
    body=AssignIn,
    answer=CaseChanged,
    scopes=WRITE,
    callers=("staff", "system"),
    headers=(IDEMPOTENCY_KEY,),
    summary="Give a case to somebody",
    example={"owner": "me", "severity": "high", "note": "She has called twice."},
    statuses={200: "The case is theirs."},
    errors=(*_ERRORS, "case_state_forbids", "case_taken", "department_unknown"),
)
def assign_case(call: Call[AssignIn], case_id: str) -> Reply[CaseChanged]:
    """And put department, dimension, severity or kind right. Of two who take a case at once, one is told who has it."""
    body = call.body
    wanted = Assignment(
        owner=None if body.owner is UNSET else _named(call, body.owner),
        instead_of=None if body.instead_of is UNSET else _named(call, body.instead_of),
        department=None if body.department is UNSET else body.department,
        severity=None if body.severity is UNSET else body.severity,
        dimension=None if body.dimension is UNSET else body.dimension,
        kind=None if body.kind is UNSET else body.kind,
    )
    return _shown(call, moving.assign(case_id, wanted, Words(body.note, body.public), who(call)))


def _moves(move: Move, summary: str, says: str) -> None:
    """Register a move of the workflow: all of them look alike."""

    def view(call: Call[WordsIn], case_id: str) -> Reply[CaseChanged]:
        return _shown(call, moving.move(case_id, move, Words(call.body.note, call.body.public), who(call)))

    view.__name__ = f"{move}_case"
    view.__doc__ = f"{says} Where the case is in another state, the answer names it."
    waiting = ("compensation_waiting",) if move == "resolve" else ()
    room.post(
        f"/v1/cases/{{case_id}}/{move}",
        body=WordsIn,
        answer=CaseChanged,
        scopes=WRITE,
        callers=("staff", "system"),
        headers=(IDEMPOTENCY_KEY,),
        summary=summary,
        example={"note": "The carrier has confirmed the damage.", "public": False},
        statuses={200: "The case as it is now."},
        errors=(*_ERRORS, "case_state_forbids", *waiting),
    )(view)


_moves("analyse", "Look into a case", "From assigned or reopened, or back from acting.")
_moves("act", "Act on a case", "From analysing or reopened.")
_moves("resolve", "Resolve a case", "From analysing or acting; what is no complaint from assigned as well.")
_moves("verify", "Verify that a case is resolved", "From resolved.")
_moves("reopen", "Reopen a case", "From resolved or verified; its deadlines begin anew.")


@room.post(
    "/v1/cases/{case_id}/notes",
    body=NoteIn,
    answer=CaseChanged,
    scopes=WRITE,
    callers=("staff", "system"),
    headers=(IDEMPOTENCY_KEY,),
    summary="Write a note to a case",
    example={"note": "We are sorry. Which order was it?", "public": True},
    statuses={200: "The note is with the case."},
    errors=(*_ERRORS, "case_full"),
)
def post_case_note(call: Call[NoteIn], case_id: str) -> Reply[CaseChanged]:
    """A public note is a message to the member, who may reply. Notes of two at once are both taken."""
    return _shown(call, moving.note(case_id, Words(call.body.note, call.body.public), who(call)))


@room.post(
    "/v1/cases/{case_id}/merge",
    body=CaseMergeIn,
    answer=CaseChanged,
    scopes=WRITE,
    callers=("staff", "system"),
    summary="Merge a case into another one",
    example={"into": "cse_5yq3v6ij2n7kq4r7w2x3zbtcde"},
    statuses={200: "The case that takes over; repeated, it answers the same."},
    errors=(
        "case_not_found",
        "case_merged",
        "case_same",
        "case_not_open",
        "case_members_differ",
        "case_merged_too_often",
        "busy",
    ),
)
def merge_case(call: Call[CaseMergeIn], case_id: str) -> Reply[CaseChanged]:
    """For two cases about the same thing. Its history stays with it; what was compensated counts for both together."""
    # What is merged once stays so: the case itself is the key.
    doer = Who(call.caller.actor(), "", call.now)
    return _shown(call, merging.merge(case_id, call.body.into, call.body.note, doer))


def who(call: Call[Any]) -> Who:
    """Whoever does something now, under the key of the request."""
    return Who(call.caller.actor(), call.idempotency_key, call.now)


def _named(call: Call[AssignIn], person: str) -> str:
    return call.caller.actor() if person == members.ME else person


def _shown(call: Call[Any], changed: Changed) -> Reply[CaseChanged]:
    return Reply(CaseChanged(case=render.work_line(changed.case, call.now)))
