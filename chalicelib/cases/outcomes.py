"""What came of a case: how easy its member says it was made."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.base import clock, ids
from chalicelib.base.errors import NotFound
from chalicelib.cases import tallies
from chalicelib.cases.rules import steps
from chalicelib.cases.rules.case import Case
from chalicelib.cases.rules.steps import Said
from chalicelib.cases.table import StepItem, head_write, lead_writes, read_head, step_id_of, step_part
from chalicelib.ledger.posting import Write


class CaseNotFound(NotFound):
    """No case has this id."""

    code = "case_not_found"

    def __init__(self) -> None:
        super().__init__("No case has this id.", field="case_id")


def noting(case_id: str, ces: int, *, response_id: str, actor: str, now: int) -> Sequence[Write]:
    """What notes a member's answer (1 to 7) with its case, for the transaction of the answer.

    A closed case that was made hard for its member is then among those that may have to be reopened. It fails (Lost)
    where somebody has changed the case meanwhile; then it is to be asked for again. Raises CaseNotFound.
    """
    stored = read_head(case_id)
    if stored is None:
        raise CaseNotFound
    before = stored.case
    after = msgspec.structs.replace(before, ces=ces, ces_response=response_id, steps=before.steps + 1)
    return (
        head_write(after, stored.version + 1),
        Write(_step(after, ces, response_id, actor, now)),
        *lead_writes(before, after),
        *tallies.counting(before, after),
    )


def _step(case: Case, ces: int, response_id: str, actor: str, now: int) -> StepItem:
    step_id = step_id_of(case.case_id, steps.RATED, response_id)
    at = clock.text(now)
    return StepItem(
        case.case_id,
        step_part(step_id),
        record_id=step_id,
        member_id=case.member_id,
        request_hash=ids.request_hash([response_id, ces]),
        kind=steps.RATED,
        occurred_at=at,
        posted_at=at,
        number=case.steps,
        actor=actor,
        state=case.state,
        body=msgspec.json.encode(Said(ces=ces)).decode(),
    )
