"""How surveys and answers are shown."""

from __future__ import annotations

from typing import Literal

import msgspec

from chalicelib.ledger.posting import Posted
from chalicelib.ledger.schema import account_summary, entry_summary
from chalicelib.members import service as members
from chalicelib.program.document.parts import Texts, localise
from chalicelib.program.document.rewards import Stories
from chalicelib.surveys import defining
from chalicelib.surveys.defining import Survey
from chalicelib.surveys.document import (
    Answers,
    AnyQuestion,
    Definition,
    FreeText,
    Matrix,
    Multiple,
    Scale,
    Single,
)
from chalicelib.surveys.drafting import Draft
from chalicelib.surveys.rules import answering, asking
from chalicelib.surveys.rules.context import Context
from chalicelib.surveys.schema import (
    ConditionOut,
    DraftOut,
    OptionOut,
    QuestionOut,
    ResponseOut,
    ResponsePosted,
    RowOut,
    SurveyDefinedOut,
    SurveyLineOut,
    SurveyOut,
)
from chalicelib.surveys.table import ResponseItem

Begun = Literal["none", "begun", "given"]

_ANSWERS = msgspec.json.Decoder(Answers)
_CONTEXTS = msgspec.json.Decoder(Context)


def defined(survey: Survey, number: int | None = None) -> SurveyDefinedOut:
    """A survey in every language, in the version in force or in another one."""
    shown = number or survey.number
    return SurveyDefinedOut(
        id=survey.survey_id,
        status=survey.status,
        version=shown,
        current=survey.number,
        definition=survey.definition if shown == survey.number else defining.version(survey.survey_id, shown),
        created_at=survey.created_at,
        changed_at=survey.changed_at,
        changed_by=survey.changed_by,
    )


def line(survey: Survey, locale: str) -> SurveyLineOut:
    """A survey in a list."""
    return SurveyLineOut(
        id=survey.survey_id,
        code=survey.code,
        kind=survey.definition.kind,
        status=survey.status,
        version=survey.number,
        title=localise(survey.definition.title, locale),
        questions=len(survey.definition.questions),
        points=survey.definition.points,
        created_at=survey.created_at,
        changed_at=survey.changed_at,
    )


def shown(
    survey: Survey, number: int, definition: Definition, *, seed: str, locale: str, answer: Begun | None
) -> SurveyOut:
    """A survey as one respondent sees it."""
    return SurveyOut(
        id=survey.survey_id,
        code=survey.code,
        kind=definition.kind,
        status=survey.status,
        version=number,
        title=localise(definition.title, locale),
        intro=_told(definition.intro, locale),
        thanks=_told(definition.thanks, locale),
        locale=locale,
        points=definition.points,
        answer=answer,
        questions=tuple(_question(question, seed, locale) for question in asking.ordered(definition, seed)),
    )


def draft(survey_id: str, found: Draft) -> DraftOut:
    """What is saved of an answer."""
    return DraftOut(
        survey_id=survey_id,
        version=found.number,
        answers=found.answers,
        begun_at=found.begun_at,
        saved_at=found.saved_at,
        kept_until=found.kept_until,
    )


def posted(found: Posted[ResponseItem], *, locale: str, by_link: bool) -> ResponsePosted:
    """The answer to an answer, from its record alone."""
    record = found.record
    definition = defining.version(record.survey_id, record.definition)
    return ResponsePosted(
        id=record.record_id,
        survey_id=record.survey_id,
        version=record.definition,
        answered_at=record.occurred_at,
        points=record.points or 0,
        case_id=None if by_link else record.case_id,
        thanks=_told(definition.thanks, locale),
        entry=None if by_link else entry_summary(record),
        account=None if by_link else account_summary(record),
    )


def response(record: ResponseItem) -> ResponseOut:
    """An answer as staff sees it; a member who was merged is shown as the one who took over."""
    context = _CONTEXTS.decode(record.context)
    return ResponseOut(
        id=record.record_id,
        survey_id=record.survey_id,
        version=record.definition,
        member_id=members.survivor_of(record.member_id) if record.member_id else None,
        invitation_id=record.invitation_id,
        channel=context.channel,
        actor=record.actor,
        answered_at=record.occurred_at,
        posted_at=record.posted_at,
        points=record.points or 0,
        flags=context.flags,
        seconds=context.seconds,
        tier=context.tier,
        segments=context.segments,
        store=context.store,
        locale=context.locale,
        order_id=context.order_id,
        about_case_id=context.case_id,
        case_id=record.case_id,
        answers=_ANSWERS.decode(record.body),
    )


def _question(question: AnyQuestion, seed: str, locale: str) -> QuestionOut:
    scale = (answering.ROW_LOWEST, answering.ROW_HIGHEST) if isinstance(question, Matrix) else None
    scale = scale or answering.scale_of(question)
    ends = (question.lowest_title, question.highest_title) if isinstance(question, Scale) else (None, None)
    return QuestionOut(
        code=question.code,
        kind=question.__struct_config__.tag,  # type: ignore[arg-type]
        title=localise(question.title, locale),
        hint=_text(question.hint, locale),
        required=question.required,
        show_if=tuple(
            ConditionOut(question=item.question, at_least=item.at_least, at_most=item.at_most, any_of=item.any_of)
            for item in question.show_if
        ),
        lowest=scale[0] if scale else None,
        highest=scale[1] if scale else None,
        lowest_title=_text(ends[0], locale),
        highest_title=_text(ends[1], locale),
        options=_options(question, seed, locale),
        maximum=_maximum(question),
        rows=_rows(question, seed, locale),
        characters=question.characters if isinstance(question, FreeText) else None,
    )


def _options(question: AnyQuestion, seed: str, locale: str) -> tuple[OptionOut, ...]:
    if not isinstance(question, Single | Multiple):
        return ()
    return tuple(
        OptionOut(
            code=option.code,
            title=localise(option.title, locale),
            open_text=option.open_text,
            exclusive=option.exclusive,
        )
        for option in asking.options(question, seed)
    )


def _maximum(question: AnyQuestion) -> int | None:
    if isinstance(question, Single):
        return 1
    return (question.maximum or len(question.options)) if isinstance(question, Multiple) else None


def _rows(question: AnyQuestion, seed: str, locale: str) -> tuple[RowOut, ...]:
    if not isinstance(question, Matrix):
        return ()
    return tuple(RowOut(code=row.code, title=localise(row.title, locale)) for row in asking.rows(question, seed))


def _text(texts: Texts | None, locale: str) -> str | None:
    return localise(texts, locale) if texts else None


def _told(stories: Stories | None, locale: str) -> str | None:
    if stories is None:
        return None
    if locale == "zh-Hans":
        return stories.zh_hans
    return stories.zh_hant if locale == "zh-Hant" else stories.en
