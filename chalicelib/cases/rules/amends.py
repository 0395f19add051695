"""What may be given for a case, by its handler alone or with somebody else's word: always for the case in all."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from chalicelib.base.errors import Conflict, Forbidden, Invalid, NotFound
from chalicelib.cases.rules.case import Case, Compensation
from chalicelib.cases.rules.moves import NotInState, check_unmerged
from chalicelib.program.document.cases import Compensation as Limits

COMPENSATIONS_MAX: Final = 20
"""How many compensations may be asked for in one case."""


class LimitExceeded(Conflict):
    """More would be given for the case in all than the policy allows."""

    code = "compensation_limit_exceeded"

    def __init__(self, points_max: int, points: int) -> None:
        super().__init__(f"For one case {points_max} points may be given in all, and {points} are given or asked for.")


class CompensationNotFound(NotFound):
    """The case has no such compensation."""

    code = "compensation_not_found"

    def __init__(self) -> None:
        super().__init__("The case has no compensation with this id.", field="compensation_id")


class AlreadyDecided(Conflict):
    """The compensation was approved or refused before."""

    code = "compensation_decided"

    def __init__(self) -> None:
        super().__init__("This compensation was decided on before. Nothing was changed.")


class OwnCompensation(Forbidden):
    """Whoever asks for a compensation does not decide on it."""

    code = "compensation_own"

    def __init__(self) -> None:
        super().__init__("Another person than the one who asked must decide on it.")


def asked(case: Case, wanted: Compensation, limits: Limits) -> Case:
    """The case with a compensation more, given at once where its handler may, and else waiting for another's word.

    Raises CaseMerged, NotInState, Conflict (`case_without_member`, `compensation_voucher_given`,
    `compensations_too_many`), Invalid (`compensation_voucher_unknown`) and LimitExceeded.
    """
    check_unmerged(case)
    if not case.is_open or case.state == "new":
        raise NotInState(f"The case is {case.state}; compensation is given while somebody has it and it is open.")
    if not case.member_id:
        raise Conflict("Nobody knows whom to compensate: the case has no member.", code="case_without_member")
    if len(case.compensations) >= COMPENSATIONS_MAX:
        raise Conflict(f"A case has {COMPENSATIONS_MAX} compensations at the most.", code="compensations_too_many")
    status = _of_voucher(case, wanted, limits) if wanted.batch_id else _of_points(case, wanted, limits)
    return with_compensation(case, msgspec.structs.replace(wanted, status=status))


def decided(case: Case, compensation_id: str, *, approves: bool, by: str, at: int, limits: Limits) -> Case:
    """The case with a waiting compensation given or refused.

    Raises CaseMerged, CompensationNotFound, AlreadyDecided, OwnCompensation and LimitExceeded.
    """
    check_unmerged(case)
    found = find(case, compensation_id)
    if found.status != "waiting":
        raise AlreadyDecided
    if found.asked_by == by:
        raise OwnCompensation
    given = _points(case, "given")
    if approves and given + found.points > limits.points_max:
        raise LimitExceeded(limits.points_max, given)
    status: Literal["given", "refused"] = "given" if approves else "refused"
    return with_compensation(case, msgspec.structs.replace(found, status=status, decided_by=by, decided_at=at))


def find(case: Case, compensation_id: str) -> Compensation:
    """A compensation of a case. Raises CompensationNotFound."""
    for each in case.compensations:
        if each.compensation_id == compensation_id:
            return each
    raise CompensationNotFound


def with_compensation(case: Case, changed: Compensation) -> Case:
    """The case with a compensation put in, or in the place of itself as it was before."""
    others = [each for each in case.compensations if each.compensation_id != changed.compensation_id]
    at = changed.decided_at or changed.asked_at
    return msgspec.structs.replace(case, compensations=(*others, changed), touched_at=at)


def _of_points(case: Case, wanted: Compensation, limits: Limits) -> Literal["given", "waiting"]:
    given, waiting = _points(case, "given"), _points(case, "waiting")
    if given + waiting + wanted.points > limits.points_max:
        raise LimitExceeded(limits.points_max, given + waiting)
    return "given" if given + wanted.points <= limits.handler_points else "waiting"


def _of_voucher(case: Case, wanted: Compensation, limits: Limits) -> Literal["given", "waiting"]:
    offered = next((each for each in limits.vouchers if each.batch_id == wanted.batch_id), None)
    if offered is None:
        raise Invalid(
            "The programme names no such batch for compensation.",
            field="voucher_batch_id",
            code="compensation_voucher_unknown",
        )
    if any(each.batch_id == wanted.batch_id and each.status != "refused" for each in case.compensations):
        raise Conflict("One voucher of a batch is given for a case.", code="compensation_voucher_given")
    return "waiting" if offered.needs_approval else "given"


def _points(case: Case, status: str) -> int:
    return sum(each.points for each in case.compensations if each.status == status)
