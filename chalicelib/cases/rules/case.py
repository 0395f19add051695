"""A case as it is now: one value, on which everything about it is decided."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from chalicelib.program.document.cases import Dimension, Severity

Kind: TypeAlias = Literal["praise", "complaint", "suggestion", "question"]

State: TypeAlias = Literal["new", "assigned", "analysing", "acting", "resolved", "verified", "reopened", "merged"]

OPEN: Final[tuple[State, ...]] = ("new", "assigned", "analysing", "acting", "reopened")
"""The states in which something is still to be done."""

CLOSED: Final[tuple[State, ...]] = ("resolved", "verified")
"""The states in which all is done; a merged case is neither open nor closed, it is part of another."""

HARD: Final = 3
"""Up to this answer (1 to 7) a member says that it was not made easy."""

DeadlineName: TypeAlias = Literal["assign", "resolve"]


class Compensation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something to make it good: `points`, or a voucher of `batch_id`. A waiting one needs another person's word.

    `case_id` is the case for which it was asked; merged into another, its compensations count there.
    """

    compensation_id: str
    case_id: str
    status: Literal["waiting", "given", "refused"]
    points: int = 0
    batch_id: str = ""
    asked_by: str
    asked_at: int
    decided_by: str = ""
    decided_at: int = 0


class CorrectiveAction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a department does by the day `due_on`, so that the cause does not come again; its text lies elsewhere.

    Days are those of the programme's zone (`2026-11-30`); `works_on` is the first on which it works, once it is done.
    """

    action_id: str
    cause: str
    department: str
    due_on: str
    done_at: int = 0
    works_on: str = ""


class Attachment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that somebody attaches: it counts once it is `kept`, its content looked at; until then it is `waiting`.

    `case_id` is the case for which it was begun, by which its place in the bucket is called: merged into another, the
    file belongs to that. `name`, `media_type` and `bytes` are what was said, `bytes` what it is once it is kept; `etag`
    names the content that was looked at. Members see none that is internal.
    """

    attachment_id: str
    case_id: str
    name: str
    media_type: str
    bytes: int
    by: str
    at: int
    is_internal: bool = False
    status: Literal["waiting", "kept"] = "waiting"
    etag: str = ""


class Alerted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last alert about the deadline `name` at `due_at`; `reminders` went out since its breach."""

    name: DeadlineName
    due_at: int
    level: Literal["near", "breach"]
    at: int
    reminders: int = 0


class Case(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A case. Instants are seconds, 0 (and empty text) for what is not so; texts lie with its steps.

    `member_id` is None for somebody unknown. The clock of the deadlines began at `clock_at`: when the case was opened,
    or opened again. `near_percent` and `remind_hours` are the policy's of then, so a case is late by the rules under
    which its deadlines were set. `moved_at` is when it came into its state, `touched_at` when a person last did
    something for it. `further_orders` and `further_responses` came with cases `merged` into this one. `cause`,
    `actions`, `ces` and `ces_response` are what was found, what is done about it, and what the member said afterwards.
    `uploads` is how many attachments were ever begun, and `month` the one for which the case counts (`2026-11`).
    """

    case_id: str
    kind: Kind
    dimension: Dimension
    severity: Severity
    state: State
    channel: str
    opened_at: int
    opened_by: str
    clock_at: int
    assign_by: int
    resolve_by: int
    near_percent: int
    remind_hours: int
    moved_at: int
    touched_at: int
    excerpt: str = ""
    member_id: str | None = None
    department: str = ""
    owner: str = ""
    order_id: str = ""
    response_id: str = ""
    store: str = ""
    locale: str = ""
    source: str = ""
    url: str = ""
    resolved_at: int = 0
    reopened: int = 0
    steps: int = 0
    notes: int = 0
    merged_into: str = ""
    merged: tuple[str, ...] = ()
    further_orders: tuple[str, ...] = ()
    further_responses: tuple[str, ...] = ()
    compensations: tuple[Compensation, ...] = ()
    alerted: tuple[Alerted, ...] = ()
    cause: str = ""
    actions: tuple[CorrectiveAction, ...] = ()
    ces: int | None = None
    ces_response: str = ""
    attachments: tuple[Attachment, ...] = ()
    uploads: int = 0
    month: str = ""

    @property
    def is_unhappy(self) -> bool:
        """Whether it is done, but not for its member, who said that it was made hard: it may have to be reopened."""
        return self.state in CLOSED and self.ces is not None and self.ces <= HARD

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.state in OPEN
