"""What the steps of a case are called, and what is said in them."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from chalicelib.base import facts
from chalicelib.cases.rules.case import Kind
from chalicelib.program.document.cases import Dimension, Severity

ASSIGNED: Final = "case_assigned"
ANALYSING: Final = "case_analysing"
ACTING: Final = "case_acting"
VERIFIED: Final = "case_verified"
NOTED: Final = "case_noted"
REPLIED: Final = "case_replied"
MERGED: Final = "case_merged"
TOOK_OVER: Final = "case_took_over"
ALERTED: Final = "case_alerted"
COMPENSATION_ASKED: Final = "case_compensation_asked"
COMPENSATION_REFUSED: Final = "case_compensation_refused"
UPLOAD_BEGUN: Final = "case_upload_begun"
ATTACHED: Final = "case_attached"
ATTACHMENT_REFUSED: Final = "case_attachment_refused"
CAUSE_FOUND: Final = "case_cause_found"
ACTION_PLANNED: Final = "case_action_planned"
ACTION_DONE: Final = "case_action_done"
RATED: Final = "case_rated"

FACTS: Final = (facts.CASE_OPENED, facts.CASE_RESOLVED, facts.CASE_REOPENED, facts.CASE_COMPENSATED)
"""The steps that are facts of the member's ledger as well, where the case has a member."""


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a step says; each kind of step uses some of it, and what it does not use is empty.

    `text` is what somebody wrote, `is_public` whether the member may read it. `owner` to `case_kind` are what an
    assignment set, `compensation_id` to `batch_id` a compensation, `other_id` the other case of a merge, and `deadline`
    to `number` an alert. `attachment_id`, `cause`, `action_id` and `ces` are what was attached,
    found, done and answered.
    """

    text: str = ""
    is_public: bool = False
    owner: str = ""
    department: str = ""
    severity: Severity | None = None
    dimension: Dimension | None = None
    case_kind: Kind | None = None
    compensation_id: str = ""
    points: int = 0
    batch_id: str = ""
    other_id: str = ""
    deadline: str = ""
    due_at: int = 0
    level: Literal["", "near", "breach", "reminder"] = ""
    number: int = 0
    attachment_id: str = ""
    cause: str = ""
    action_id: str = ""
    ces: int = 0
