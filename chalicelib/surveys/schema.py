"""What surveys, answers and drafts look like at the edge."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.ledger.schema import AccountSummary, EntrySummary
from chalicelib.orders.schema import Identity, MemberId, Moment
from chalicelib.program.document.parts import Code, Points, Texts
from chalicelib.program.document.rewards import Stories
from chalicelib.surveys.document import Answers, AnyQuestion, CaseRule, Channel, Definition, Kind
from chalicelib.surveys.templates import Template
from chalicelib.web.languages import Locale

Status = Literal["draft", "open", "closed"]
Number = Annotated[int, Meta(ge=1, le=1_000_000, description="A version of the survey's definition.")]
Seconds = Annotated[int, Meta(ge=0, le=86_400, description="How long it took to answer; 0 where nobody knows.")]
InvitationId = Annotated[str, Meta(pattern=r"^inv_[a-z2-7]{26}(?!\n)$")]
Store = Annotated[str, Meta(max_length=100)]


class _In(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    pass


class SurveyPatch(_In, frozen=True, kw_only=True):
    """What is to be another about a survey; each member takes the place of the one before as a whole."""

    kind: Kind | UnsetType = UNSET
    title: Texts | UnsetType = UNSET
    intro: Stories | UnsetType | None = UNSET
    thanks: Stories | UnsetType | None = UNSET
    questions: Annotated[tuple[AnyQuestion, ...], Meta(min_length=1, max_length=60)] | UnsetType = UNSET
    points: Points | UnsetType = UNSET
    minimum_seconds: Annotated[int, Meta(ge=0, le=3_600)] | UnsetType = UNSET
    case_rules: Annotated[tuple[CaseRule, ...], Meta(max_length=20)] | UnsetType = UNSET
    points_for_flagged: bool | UnsetType = UNSET
    by_invitation: bool | UnsetType = UNSET
    code: Code | UnsetType = UNSET


class SurveyIn(SurveyPatch, frozen=True, kw_only=True):
    """A survey, which begins as a draft; with a `template` whatever is left out is taken from there.

    Without one, `code`, `kind`, `title` and `questions` must be given.
    """

    template: Template | UnsetType = UNSET


class SurveyDefinedOut(msgspec.Struct, frozen=True, kw_only=True):
    """A survey as staff sees it, in every language. `version` is the one shown; `current` the one in force."""

    id: str
    status: Status
    version: int
    current: int
    definition: Definition
    created_at: str
    changed_at: str
    changed_by: str


class SurveyLineOut(msgspec.Struct, frozen=True, kw_only=True):
    """A survey in a list."""

    id: str
    code: str
    kind: Kind
    status: Status
    version: int
    title: str
    questions: int
    points: int
    created_at: str
    changed_at: str


class SurveysOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of surveys, newest first."""

    surveys: tuple[SurveyLineOut, ...]
    next_cursor: str | None


class ConditionOut(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an earlier question that must be there: a number of a range, or one of some options."""

    question: str
    at_least: int | None
    at_most: int | None
    any_of: tuple[str, ...]


class OptionOut(msgspec.Struct, frozen=True, kw_only=True):
    """Something that may be chosen; with `open_text` words may be added, `exclusive` goes with no other."""

    code: str
    title: str
    open_text: bool
    exclusive: bool


class RowOut(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a matrix."""

    code: str
    title: str


class QuestionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A question in one language. It is asked if all of `show_if` hold; what its kind has no use for is null or empty.

    A number from `lowest` to `highest` answers it (each row of a matrix), or up to `maximum` of the `options`, or a
    text of up to `characters`.
    """

    code: str
    kind: Literal["nps", "csat", "ces", "scale", "single", "multiple", "matrix", "text"]
    title: str
    hint: str | None
    required: bool
    show_if: tuple[ConditionOut, ...]
    lowest: int | None
    highest: int | None
    lowest_title: str | None
    highest_title: str | None
    options: tuple[OptionOut, ...]
    maximum: int | None
    rows: tuple[RowOut, ...]
    characters: int | None


class SurveyOut(msgspec.Struct, frozen=True, kw_only=True):
    """A survey as its respondent sees it: in one language, the questions in the order in which this one is asked them.

    `version` goes along with the answers. `answer` says whether there is a draft, or the answer itself; it is null for
    staff.
    """

    id: str
    code: str
    kind: Kind
    status: Status
    version: int
    title: str
    intro: str | None
    thanks: str | None
    locale: str
    points: int
    answer: Literal["none", "begun", "given"] | None
    questions: tuple[QuestionOut, ...]


class DraftIn(_In, frozen=True, kw_only=True):
    """What was answered so far. `version` is that of the survey, without it the draft's, or the one in force."""

    answers: Answers
    version: Number | UnsetType = UNSET
    invitation_id: InvitationId | UnsetType = UNSET


class DraftOut(msgspec.Struct, frozen=True, kw_only=True):
    """What is saved of an answer, until `kept_until`; `version` is that of the survey on which it was begun."""

    survey_id: str
    version: int
    answers: Answers
    begun_at: str
    saved_at: str
    kept_until: str


class ResponseIn(_In, frozen=True, kw_only=True):
    """A complete answer. `version` is that of the survey that was shown, so that an edit meanwhile does no harm.

    A member, or the holder of a link, answers for themselves and gives no more than `answers`, `version`, `seconds` and
    (a member) `invitation_id`. Staff and systems name the member by `member_id` or `identity`, and may tell by which
    `channel`, when, where and in which language it was answered.
    """

    answers: Answers
    version: Number | UnsetType = UNSET
    seconds: Seconds = 0
    invitation_id: InvitationId | UnsetType = UNSET
    member_id: MemberId | UnsetType = UNSET
    identity: Identity | UnsetType = UNSET
    channel: Literal["phone", "paper"] | UnsetType = UNSET
    occurred_at: Moment | UnsetType = UNSET
    store: Store | UnsetType = UNSET
    locale: Locale | UnsetType = UNSET


class ResponsePosted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an answer. Who came by a link learns nothing of the account but the points given."""

    id: str
    survey_id: str
    version: int
    answered_at: str
    points: int
    case_id: str | None
    thanks: str | None
    entry: EntrySummary | None
    account: AccountSummary | None


class ResponseOut(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as staff sees it; texts are as they were written. `member_id` is null for somebody unknown.

    `about_case_id` is the case that was asked about, `case_id` the one that the answer opened.
    """

    id: str
    survey_id: str
    version: int
    member_id: str | None
    invitation_id: str | None
    channel: Channel
    actor: str
    answered_at: str
    posted_at: str
    points: int
    flags: tuple[str, ...]
    seconds: int
    tier: str
    segments: tuple[str, ...]
    store: str
    locale: str
    order_id: str
    about_case_id: str
    case_id: str | None
    answers: Answers


class ImportIn(_In, frozen=True, kw_only=True):
    """Answers from a call centre or from paper: up to 200, as `csv` with a line of titles, or as `json_lines`.

    `source` and each row's `key` name an answer for ever, so what was sent may be sent again.
    """

    source: Annotated[str, Meta(max_length=100, pattern=r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]+(?!\n)$")]
    csv: Annotated[str, Meta(max_length=262_144)] | UnsetType = UNSET
    json_lines: Annotated[str, Meta(max_length=262_144)] | UnsetType = UNSET


class ImportRowOut(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was not taken: its line (from 1), its key where it has one, and why, as any refusal says it."""

    line: int
    key: str
    code: str
    field: str | None
    detail: str


class ImportedOut(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an import: `taken` now, `repeated` from before, and the refused ones by their lines."""

    survey_id: str
    taken: int
    repeated: int
    refused: tuple[ImportRowOut, ...]
