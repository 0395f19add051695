"""What becomes of two cases that are about the same thing."""

from __future__ import annotations

from typing import Final

import msgspec

from chalicelib.base.errors import Conflict
from chalicelib.cases.rules import files
from chalicelib.cases.rules.amends import COMPENSATIONS_MAX
from chalicelib.cases.rules.case import Case
from chalicelib.cases.rules.moves import check_unmerged

MERGED_MAX: Final = 50
"""How many cases may have become part of one."""

ATTACHMENTS_MAX: Final = 3 * files.ATTACHMENTS_MAX
"""How many attachments a case may have with those that came with others."""


class NotMergeable(Conflict):
    """These two cases cannot become one; `reason_code` and `detail` say why."""


def merged(case: Case, into: Case, at: int) -> tuple[Case, Case]:
    """Both cases after the first has become part of the second, which takes over orders, answers and compensations.

    That both are of one member is looked at by the caller, for members merge as well. Raises CaseMerged and
    NotMergeable (`case_same`, `case_not_open`, `case_members_differ`, `case_merged_too_often`).
    """
    if case.case_id == into.case_id:
        raise NotMergeable("This is the same case.", field="into", code="case_same")
    check_unmerged(case)
    check_unmerged(into)
    if not into.is_open:
        raise NotMergeable(f"The case {into.case_id} is {into.state}; reopen it first.", code="case_not_open")
    if case.member_id and not into.member_id:
        raise NotMergeable(
            "Only the first case has a member: merge the other one into it.", field="into", code="case_members_differ"
        )
    given = len(into.compensations) + len(case.compensations)
    attached = len(into.attachments) + len(case.attachments)
    if len(into.merged) + len(case.merged) >= MERGED_MAX or given > COMPENSATIONS_MAX or attached > ATTACHMENTS_MAX:
        raise NotMergeable(
            f"A case takes over {MERGED_MAX} others at the most, with {COMPENSATIONS_MAX} compensations and "
            f"{ATTACHMENTS_MAX} attachments in all.",
            code="case_merged_too_often",
        )
    after = msgspec.structs.replace(
        case, state="merged", merged_into=into.case_id, moved_at=at, touched_at=at, compensations=()
    )
    after = msgspec.structs.replace(after, attachments=(), actions=())
    return after, _richer(into, case, at)


def _richer(into: Case, case: Case, at: int) -> Case:
    orders = (*into.further_orders, case.order_id, *case.further_orders)
    responses = (*into.further_responses, case.response_id, *case.further_responses)
    return msgspec.structs.replace(
        into,
        touched_at=at,
        order_id=into.order_id or case.order_id,
        response_id=into.response_id or case.response_id,
        merged=(*into.merged, case.case_id, *case.merged),
        further_orders=_others(orders, into.order_id or case.order_id),
        further_responses=_others(responses, into.response_id or case.response_id),
        compensations=(*into.compensations, *case.compensations),
        attachments=(*into.attachments, *case.attachments),
        actions=(*into.actions, *case.actions),
    )


def _others(found: tuple[str, ...], known: str) -> tuple[str, ...]:
    """Each once, without the one that is known anyway."""
    return tuple(dict.fromkeys(item for item in found if item and item != known))
