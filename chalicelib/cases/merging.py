"""Merging duplicates: one case becomes part of another, in one transaction of both."""

from __future__ import annotations

import msgspec

from chalicelib.base import clock, ids
from chalicelib.base.errors import KeyReused
from chalicelib.cases.changing import Changed, Doing, Turn, change, read
from chalicelib.cases.moving import Who
from chalicelib.cases.rules import merging as rules
from chalicelib.cases.rules import steps
from chalicelib.cases.rules.case import Case
from chalicelib.cases.rules.merging import NotMergeable
from chalicelib.cases.rules.moves import CaseMerged
from chalicelib.cases.rules.steps import Said
from chalicelib.cases.table import StepItem, Stored, head_write, lead_writes, step_id_of, step_part
from chalicelib.ledger.posting import Write
from chalicelib.members import service as members


def merge(case_id: str, into: str, text: str, who: Who) -> Changed:
    """Make a case part of another, once; asked for again, it answers the same. Gives the case that it became part of.

    Its steps stay with it; its orders, answers and compensations count for the other one. Raises CaseNotFound,
    CaseMerged, NotMergeable and Unavailable.
    """
    step_id = step_id_of(case_id, "merge")
    doing = Doing(
        case_id=case_id,
        step_id=step_id,
        request_hash=ids.request_hash(into),
        kind=steps.MERGED,
        actor=who.actor,
        now=who.now,
    )

    def rule(case: Case) -> Turn:
        other = read(into)
        after, richer = rules.merged(case, other.case, who.now)
        _check_members(case, other.case)
        said = Said(text=text, other_id=into)
        return Turn(case=after, said=said, writes=_writes(case, other, richer, text, who))

    try:
        changed = change(doing, rule)
    except KeyReused:
        raise CaseMerged(read(case_id).case.merged_into) from None
    return Changed(read(into).case, changed.replayed)


def _check_members(case: Case, into: Case) -> None:
    """Raises NotMergeable."""
    if case.member_id and into.member_id and not members.is_one(case.member_id, into.member_id):
        raise NotMergeable("The two cases are of different members.", field="into", code="case_members_differ")


def _writes(case: Case, other: Stored, richer: Case, text: str, who: Who) -> list[Write]:
    """What is written of the case that takes over."""
    after = msgspec.structs.replace(richer, steps=richer.steps + 1)
    step_id = step_id_of(after.case_id, "took over", case.case_id)
    at = clock.text(who.now)
    step = StepItem(
        after.case_id,
        step_part(step_id),
        record_id=step_id,
        member_id=after.member_id,
        request_hash=ids.request_hash(case.case_id),
        kind=steps.TOOK_OVER,
        occurred_at=at,
        posted_at=at,
        number=after.steps,
        actor=who.actor,
        state=after.state,
        body=msgspec.json.encode(Said(text=text, other_id=case.case_id)).decode(),
    )
    return [Write(step), head_write(after, other.version + 1), *lead_writes(other.case, after)]
