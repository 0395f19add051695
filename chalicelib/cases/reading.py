"""Reading a case whole, as whoever asks may see it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.cases.changing import followed, read
from chalicelib.cases.outcomes import CaseNotFound
from chalicelib.cases.rules.case import Case
from chalicelib.cases.table import StepItem, read_steps
from chalicelib.members import service as members


class Whole(msgspec.Struct, frozen=True):
    """A case with its steps in their sequence, and the case that it has become part of (itself, mostly)."""

    case: Case
    steps: Sequence[StepItem]
    surviving: Case


def whole(case_id: str) -> Whole:
    """A case with all that happened to it. Raises CaseNotFound."""
    case = read(case_id).case
    return Whole(case, read_steps(case_id), followed(case))


def own(case_id: str, member_id: str | None) -> Case:
    """A case of this member. Raises CaseNotFound, in the same words whether or not there is such a case."""
    case = read(case_id).case
    if member_id is None or case.member_id is None or not members.is_one(case.member_id, member_id):
        raise CaseNotFound
    return case


def surviving(cases: Sequence[Case]) -> list[tuple[Case, Case]]:
    """Cases, each with the case that it has become part of."""
    return [(case, followed(case)) for case in cases]
