"""Opening a case: with an entry of its own, or within the transaction of somebody else's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.cases import tallies
from chalicelib.cases.rules import due
from chalicelib.cases.rules.case import Case, Kind
from chalicelib.cases.rules.steps import Said
from chalicelib.cases.table import StepItem, head_write, lead_writes, step_part
from chalicelib.ledger.posting import Write
from chalicelib.program import service as programs
from chalicelib.program.document.cases import Dimension, Severity

_EXCERPT: Final = 80
"""How many characters of the text lists show."""


class Complaint(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has told us (`text`, 10,000 characters at the most), or how they have answered a survey.

    `member_id` is None for somebody unknown. `channel` is how it came, `actor` who wrote it down as a ledger entry
    names them. `source` and `url` are where something public stands.
    """

    member_id: str | None
    kind: Kind
    dimension: Dimension
    severity: Severity
    text: str
    channel: str
    order_id: str = ""
    response_id: str = ""
    store: str = ""
    locale: str = ""
    source: str = ""
    url: str = ""
    actor: str


class Opening(msgspec.Struct, frozen=True):
    """A case to be opened: all that is to be written, its record first."""

    case_id: str
    case: Case
    record: StepItem
    writes: Sequence[Write]


def case_id_of(*key: str) -> str:
    """The id of the case that a business key names."""
    return ids.derived("cse", *key)


def opening(complaint: Complaint, *, key: str, now: int) -> Opening:
    """The writes that open a case, for the transaction of an operation that itself happens once.

    The entry of that operation stands for the case, which posts none. The transaction loses its first write (Lost) if
    the key was used before.
    """
    found = prepared(complaint, case_id_of("within", key), request_hash=ids.request_hash(complaint), now=now)
    return msgspec.structs.replace(
        found, writes=(Write(found.record, condition=StepItem.key.does_not_exist()), *found.writes)
    )


def prepared(complaint: Complaint, case_id: str, *, request_hash: str, now: int) -> Opening:
    """A case to be opened under an id. Its record is not among the writes: it is put, if absent, with its entry."""
    case = _case(complaint, case_id, now)
    at = clock.text(now)
    said = Said(text=complaint.text, is_public=True)
    record = StepItem(
        case_id,
        step_part(case_id),
        record_id=case_id,
        member_id=complaint.member_id,
        request_hash=request_hash,
        kind=facts.CASE_OPENED,
        occurred_at=at,
        posted_at=at,
        number=1,
        actor=complaint.actor,
        state=case.state,
        body=msgspec.json.encode(said).decode(),
    )
    writes = (head_write(case, 1), *lead_writes(None, case), *tallies.counting(None, case))
    return Opening(case_id, case, record, writes)


def _case(complaint: Complaint, case_id: str, now: int) -> Case:
    program = programs.in_force(now, now=now).program
    policy = program.cases
    deadlines = due.deadlines(policy, complaint.severity, now)
    return Case(
        case_id=case_id,
        kind=complaint.kind,
        dimension=complaint.dimension,
        severity=complaint.severity,
        state="new",
        channel=complaint.channel,
        opened_at=now,
        opened_by=complaint.actor,
        clock_at=now,
        assign_by=deadlines.assign_by,
        resolve_by=deadlines.resolve_by,
        near_percent=policy.near_breach_percent,
        remind_hours=policy.remind_hours,
        moved_at=now,
        touched_at=now,
        excerpt=" ".join(complaint.text[: 2 * _EXCERPT].split())[:_EXCERPT],
        member_id=complaint.member_id,
        department=due.department_of(policy, complaint.dimension),
        order_id=complaint.order_id,
        response_id=complaint.response_id,
        store=complaint.store,
        locale=complaint.locale,
        source=complaint.source,
        url=complaint.url,
        steps=1,
        month=clock.month_text(clock.month_of(now, program.zone)),
    )
