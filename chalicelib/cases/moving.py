"""What handlers do with a case, and what its member answers: each once, by the key that they send."""

from __future__ import annotations

from typing import Final

import msgspec

from chalicelib.base import facts, ids
from chalicelib.cases.changing import Changed, Doing, Turn, change
from chalicelib.cases.rules import moves, steps
from chalicelib.cases.rules.case import Case
from chalicelib.cases.rules.moves import MOVES, Assignment, Move
from chalicelib.cases.rules.steps import Said
from chalicelib.cases.table import step_id_of
from chalicelib.program import service as programs
from chalicelib.program.document.cases import CasePolicy

_KINDS: Final[dict[Move, str]] = {
    "analyse": steps.ANALYSING,
    "act": steps.ACTING,
    "resolve": facts.CASE_RESOLVED,
    "verify": steps.VERIFIED,
    "reopen": facts.CASE_REOPENED,
}


class Who(msgspec.Struct, frozen=True):
    """Somebody who does something now, under a key of theirs; `owner` is the sign-in of a person, "" for the shop's."""

    actor: str
    key: str
    now: int
    owner: str = ""


class Words(msgspec.Struct, frozen=True):
    """What is written with a step, and whether the member may read it."""

    text: str = ""
    is_public: bool = False


def assign(case_id: str, wanted: Assignment, words: Words, who: Who) -> Changed:
    """Give a case to somebody, and put its department, severity, dimension or kind right.

    Raises CaseNotFound, NotInState, CaseMerged, CaseTaken, Invalid (`department_unknown`), KeyReused and Unavailable.
    """
    policy = policy_at(who.now)

    def rule(case: Case) -> Turn:
        after = moves.assigned(case, wanted, policy, who.now)
        said = Said(
            text=words.text,
            is_public=words.is_public,
            owner=after.owner,
            department=after.department,
            severity=after.severity,
            dimension=after.dimension,
            case_kind=after.kind,
        )
        return Turn(case=after, said=said)

    return change(doing(case_id, steps.ASSIGNED, who, [wanted, words]), rule)


def move(case_id: str, asked: Move, words: Words, who: Who) -> Changed:
    """Move a case on. Raises CaseNotFound, NotInState, CaseMerged, Conflict, KeyReused and Unavailable.

    With `resolve` and `reopen` the member's ledger gets a fact in the same transaction.
    """
    policy = policy_at(who.now)

    def rule(case: Case) -> Turn:
        return Turn(case=MOVES[asked](case, policy, who.now), said=Said(text=words.text, is_public=words.is_public))

    return change(doing(case_id, _KINDS[asked], who, words), rule)


def note(case_id: str, words: Words, who: Who) -> Changed:
    """Write something down. Raises CaseNotFound, CaseMerged, CaseFull, KeyReused and Unavailable."""

    def rule(case: Case) -> Turn:
        return Turn(case=moves.noted(case, who.now), said=Said(text=words.text, is_public=words.is_public))

    return change(doing(case_id, steps.NOTED, who, words), rule)


def reply(case_id: str, text: str, who: Who) -> Changed:
    """What a member has to say to it. Raises as `note` does."""

    def rule(case: Case) -> Turn:
        return Turn(case=moves.noted(case, who.now, by_member=True), said=Said(text=text, is_public=True))

    return change(doing(case_id, steps.REPLIED, who, text), rule)


def doing(case_id: str, kind: str, who: Who, body: object) -> Doing:
    """A step named by the key of whoever takes it."""
    step_id = step_id_of(case_id, kind, who.owner or who.actor, who.key)
    return Doing(
        case_id=case_id,
        step_id=step_id,
        request_hash=ids.request_hash(body),
        kind=kind,
        actor=who.actor,
        now=who.now,
    )


def policy_at(now: int) -> CasePolicy:
    """The policy in force."""
    return programs.in_force(now, now=now).program.cases
