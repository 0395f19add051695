"""What feedback and cases look like at the edge."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.cases.file_schema import AttachmentOut
from chalicelib.cases.rules.case import Kind, State
from chalicelib.cases.rules.moves import Move
from chalicelib.orders.schema import Identity, MemberId
from chalicelib.program.document.cases import Dimension, Severity
from chalicelib.web.fields import ONE_LINE, Line
from chalicelib.web.languages import Locale

Text = Annotated[str, Meta(max_length=10_000, pattern=r"\S", description="What somebody wrote; line ends are kept.")]
Words = Annotated[str, Meta(max_length=2_000)]
Spoken = Annotated[str, Meta(max_length=2_000, pattern=r"\S")]
Channel = Literal["app", "phone", "store", "chat", "mail", "review", "social", "other"]
CaseId = Annotated[str, Meta(pattern=r"^cse_[a-z2-7]{26}(?!\n)$", description="The engine's id of a case.")]
Department = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}(?!\n)$")]
Url = Annotated[str, Meta(max_length=500, pattern=r"^https?://[^\s\x00-\x1f\x7f-\x9f]+(?!\n)$")]
Person = Annotated[
    str,
    Meta(max_length=100, pattern=ONE_LINE, description="Such as `staff:li.wei`; `me` is whoever sends it."),
]


class _In(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    pass


class FeedbackIn(_In, frozen=True, kw_only=True):
    """Praise, a complaint, a suggestion or a question. `source` and `feedback_id` name it for ever where given.

    A member's own app names nobody and judges nothing. An agent names the member by `member_id` or `identity`, or
    nobody where it is not known who it was: then `source` and `url` say where it stands. `order_id` is the engine's.
    """

    kind: Kind
    text: Text
    dimension: Dimension = "other"
    severity: Severity | UnsetType = UNSET
    member_id: MemberId | UnsetType = UNSET
    identity: Identity | UnsetType = UNSET
    channel: Channel | UnsetType = UNSET
    order_id: Annotated[str, Meta(pattern=r"^ord_[a-z2-7]{26}(?!\n)$")] | UnsetType = UNSET
    response_id: Annotated[str, Meta(pattern=r"^rsp_[a-z2-7]{26}(?!\n)$")] | UnsetType = UNSET
    store: Annotated[str, Meta(max_length=100)] = ""
    locale: Locale | UnsetType = UNSET
    source: Line | UnsetType = UNSET
    feedback_id: Line | UnsetType = UNSET
    url: Url | UnsetType = UNSET


class WordsIn(_In, frozen=True, kw_only=True):
    """What is written with a step. Only a public one is shown to the member."""

    note: Words = ""
    public: bool = False


class AssignIn(WordsIn, frozen=True, kw_only=True):
    """Who is to have the case, and what is put right; without an `owner` nobody takes it, and it stays in its state.

    `instead_of` names whoever has it now, so that nobody takes a case over unknowingly. Another dimension goes to its
    department, and another severity has other deadlines.
    """

    owner: Person | UnsetType = UNSET
    instead_of: Person | UnsetType = UNSET
    department: Department | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    dimension: Dimension | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET


class NoteIn(_In, frozen=True, kw_only=True):
    """A note. Only a public one is shown to the member."""

    note: Spoken
    public: bool = False


class ReplyIn(_In, frozen=True, kw_only=True):
    """What the member has to say to a case."""

    text: Spoken


class CaseMergeIn(_In, frozen=True, kw_only=True):
    """Of which case this one becomes part."""

    into: CaseId
    note: Words = ""


class CompensationIn(_In, frozen=True, kw_only=True):
    """What is given to make it good: points, or a voucher of a batch that the programme names for it."""

    points: Annotated[int, Meta(ge=1, le=1_000_000_000)] | UnsetType = UNSET
    voucher_batch_id: Annotated[str, Meta(pattern=r"^vbt_[a-z2-7]{26}(?!\n)$")] | UnsetType = UNSET
    reason: Spoken


class CompensationDecisionIn(_In, frozen=True, kw_only=True):
    """What is written with a decision."""

    note: Words = ""


class MessageOut(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the member and the shop have said to each other."""

    at: str
    by: Literal["member", "shop"]
    text: str


class AmendsOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the member was given."""

    at: str
    points: int
    voucher: bool


class CaseLineOut(msgspec.Struct, frozen=True, kw_only=True):
    """A case as a member's list shows it."""

    id: str
    kind: Kind
    status: Literal["received", "in_progress", "resolved"]
    opened_at: str
    resolved_at: str | None
    order_id: str | None
    excerpt: str


class CompensationOut(msgspec.Struct, frozen=True, kw_only=True):
    """A compensation: who asked for it, for which case, and who has decided on it."""

    id: str
    case_id: str
    status: Literal["waiting", "given", "refused"]
    points: int
    voucher_batch_id: str | None
    asked_by: str
    asked_at: str
    decided_by: str | None
    decided_at: str | None


class ActionLineOut(msgspec.Struct, frozen=True, kw_only=True):
    """A corrective action of a case; `GET /v1/case-actions` says more."""

    id: str
    cause: str
    department: str
    due_on: str
    done_at: str | None
    works_on: str | None


class StepOut(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a case. What a kind of step does not say is empty."""

    number: int
    kind: str
    at: str
    actor: str
    state: State
    text: str
    public: bool
    owner: str
    department: str
    severity: Severity | None
    dimension: Dimension | None
    case_kind: Kind | None
    compensation_id: str
    points: int
    voucher_batch_id: str
    other_case_id: str
    deadline: str
    due_at: str | None
    level: str
    attachment_id: str
    cause: str
    action_id: str
    ces: int | None


class CaseWorkLineOut(msgspec.Struct, frozen=True, kw_only=True):
    """A case as a handler's list shows it. `due_at` is the next deadline, and `overdue` whether it has passed."""

    id: str
    kind: Kind
    state: State
    dimension: Dimension
    severity: Severity
    department: str | None
    owner: str | None
    member_id: str | None
    order_id: str | None
    channel: str
    excerpt: str
    opened_at: str
    moved_at: str
    due_at: str | None
    overdue: bool
    waiting_compensations: int


class CaseWorkOut(CaseWorkLineOut, frozen=True, kw_only=True):
    """All that handlers know of a case. `may` is what can be done with it now.

    `ces` is how easy its member says that it was made (1 to 7) since it was resolved; up to 3, reopening is suggested.
    """

    may: tuple[Move, ...]
    opened_by: str
    assign_by: str
    resolve_by: str
    resolved_at: str | None
    reopened: int
    response_id: str | None
    store: str
    locale: str
    source: str
    url: str
    merged_into: str | None
    merged: tuple[str, ...]
    further_orders: tuple[str, ...]
    further_responses: tuple[str, ...]
    compensations: tuple[CompensationOut, ...]
    cause: str | None
    actions: tuple[ActionLineOut, ...]
    ces: int | None
    ces_response_id: str | None
    reopening_suggested: bool
    steps: tuple[StepOut, ...]


class CaseOut(msgspec.Struct, frozen=True, kw_only=True):
    """A case as its member sees it; `work` is what only handlers see, and null for a member.

    `compensations` are what was given.
    """

    id: str
    kind: Kind
    status: Literal["received", "in_progress", "resolved"]
    opened_at: str
    resolved_at: str | None
    order_id: str | None
    excerpt: str
    text: str
    messages: tuple[MessageOut, ...]
    compensations: tuple[AmendsOut, ...]
    attachments: tuple[AttachmentOut, ...]
    work: CaseWorkOut | None


class CaseReceived(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to feedback: its case."""

    case: CaseLineOut


class CaseChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A case after a step."""

    case: CaseWorkLineOut


class CompensationMade(msgspec.Struct, frozen=True, kw_only=True):
    """A compensation and its case."""

    compensation: CompensationOut
    case: CaseWorkLineOut


class CasePage(msgspec.Struct, frozen=True, kw_only=True):
    """Some cases: open ones by their due time, so that those overdue come first; closed ones, the latest first."""

    cases: tuple[CaseWorkLineOut, ...]
    next_cursor: str | None


class MemberCasesOut(msgspec.Struct, frozen=True, kw_only=True):
    """A member's cases, the latest first."""

    member_id: str
    cases: tuple[CaseLineOut, ...]
    next_cursor: str | None
