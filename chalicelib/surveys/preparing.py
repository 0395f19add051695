"""What an answer brings with it, before any account is looked at: judged, described, and what else it sets off."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec

from chalicelib.base import clock
from chalicelib.base.errors import Conflict, Refusal
from chalicelib.cases import opening, outcomes
from chalicelib.cases.opening import Complaint, Opening
from chalicelib.ledger.posting import Act, Write
from chalicelib.orders import decisions
from chalicelib.orders.decisions import Rulebook
from chalicelib.orders.service import rulebook
from chalicelib.surveys import defining, inviting
from chalicelib.surveys.defining import Survey, SurveyClosed, SurveyNotFound, SurveyNotOpen
from chalicelib.surveys.document import Answers, Ces, Channel, Definition
from chalicelib.surveys.respondents import Begun, Respondent
from chalicelib.surveys.rules import answering, complaining
from chalicelib.surveys.rules import flags as doubts
from chalicelib.surveys.rules.complaining import Fired
from chalicelib.surveys.rules.context import Context
from chalicelib.surveys.table import DRAFT, DraftItem


class InvitationRequired(Conflict):
    """Only who was invited answers this survey."""

    code = "invitation_required"

    def __init__(self) -> None:
        super().__init__("Only who was invited answers this survey: name the invitation.", field="invitation_id")


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """What is handed in. `version` is the one that was answered, 0 for that of the draft, or else the one in force.

    `occurred_at` is when it was answered, in seconds. `seconds` is how long that took, 0 where nobody knows.
    """

    survey_id: str
    answers: Answers
    channel: Channel
    actor: str
    occurred_at: int
    version: int = 0
    seconds: int = 0
    store: str = ""
    locale: str = ""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is to be posted. `fixed` are the writes that do not depend on the account."""

    submission: Submission
    respondent: Respondent
    number: int
    definition: Definition
    answers: Answers
    context: Context
    book: Rulebook
    opening: Opening | None
    fixed: tuple[Write, ...]


def prepare(submission: Submission, respondent: Respondent, begun: Begun, now: int) -> Prepared:
    """Judge an answer and make up what is written with it.

    Raises SurveyNotFound, SurveyNotOpen, SurveyClosed, AnswersInvalid, Invalid (times), InvitationRequired,
    InvitationAnswered, InvitationExpired and InvitationWithdrawn.
    """
    survey = survey_of(submission.survey_id, submission.version, now=now)
    answerable(survey)
    number, definition = version_of(survey, submission.version, begun)
    if submission.channel == "app":
        check_invited(respondent, definition)
    answers = answering.checked(definition, submission.answers)
    book = rulebook(submission.occurred_at, now)
    # What belongs to no account may come as late as it likes.
    late = submission.occurred_at if respondent.member_id else max(submission.occurred_at, now)
    decisions.check_time(book.now.program, late, now)
    context = _context(submission, respondent, doubts.flags(definition, answers, submission.seconds), book)
    opened = _opening(complaining.fired(definition, answers), submission, respondent, context, now)
    fixed = [
        *respondent.writes(),
        *(opened.writes if opened else ()),
        *_noting(submission, respondent, definition, answers, now),
    ]
    if respondent.invitation is not None:
        fixed.append(inviting.answering(respondent.invitation, respondent.response_id, now=now))
    if begun.draft is not None:
        fixed.append(Write(DraftItem(respondent.response_id, DRAFT), Act.DELETE))
    return Prepared(
        submission=submission,
        respondent=respondent,
        number=number,
        definition=definition,
        answers=answers,
        context=context,
        book=book,
        opening=opened,
        fixed=tuple(fixed),
    )


def _context(submission: Submission, respondent: Respondent, flags: tuple[str, ...], book: Rulebook) -> Context:
    invitation = respondent.invitation
    zone = book.now.program.zone
    order_id = invitation.order_id if invitation else ""
    return Context(
        channel=submission.channel,
        segments=respondent.segments,
        store=submission.store or (_store_of(order_id) if order_id else ""),
        locale=submission.locale,
        order_id=order_id,
        case_id=invitation.case_id if invitation else "",
        flags=flags,
        seconds=submission.seconds,
        invited=clock.month_text(clock.month_of(invitation.created_at, zone)) if invitation else "",
    )


def _store_of(order_id: str) -> str:
    """Where the order was placed that an invitation is about."""
    # Only answers about an order need to read one.
    from chalicelib.orders import history  # noqa: PLC0415

    with contextlib.suppress(Refusal):
        return history.read(order_id).order.store
    return ""


def _opening(
    found: Fired | None, submission: Submission, respondent: Respondent, context: Context, now: int
) -> Opening | None:
    """The case that the answer opens, if any. A doubtful answer opens one as well: better asked once too often."""
    if found is None:
        return None
    complaint = Complaint(
        member_id=respondent.member_id,
        kind="complaint",
        dimension=found.dimension,
        severity=found.severity,
        text=found.text,
        channel=submission.channel,
        order_id=context.order_id,
        response_id=respondent.response_id,
        store=context.store,
        locale=context.locale,
        actor=submission.actor,
    )
    return opening.opening(complaint, key=respondent.response_id, now=now)


def _noting(
    submission: Submission, respondent: Respondent, definition: Definition, answers: Answers, now: int
) -> Sequence[Write]:
    """The write that notes with a case how easy its member says it was made."""
    case_id = respondent.invitation.case_id if respondent.invitation else ""
    asked = next((question for question in definition.questions if isinstance(question, Ces)), None)
    answer = answers.get(asked.code) if asked else None
    if not case_id or answer is None or answer.number is None:
        return ()
    try:
        return outcomes.noting(
            case_id, answer.number, response_id=respondent.response_id, actor=submission.actor, now=now
        )
    except outcomes.CaseNotFound:
        return ()


def survey_of(survey_id: str, version: int, *, now: int) -> Survey:
    """A survey, as it is now where somebody has seen a later version of it than this process. Raises SurveyNotFound."""
    survey = defining.read(survey_id, now=now)
    return survey if version <= survey.number else defining.read_now(survey_id)


def answerable(survey: Survey) -> None:
    """Raises SurveyNotOpen or SurveyClosed unless a survey takes answers."""
    if survey.status == "draft":
        raise SurveyNotOpen("The survey is not open yet.", field="survey_id")
    if survey.status == "closed":
        raise SurveyClosed("The survey is closed.", field="survey_id")


def check_invitation(respondent: Respondent, *, now: int) -> None:
    """Raises InvitationAnswered, InvitationWithdrawn or InvitationExpired unless the invitation may be answered."""
    if respondent.invitation is not None:
        inviting.check_open(respondent.invitation, now=now)


def check_invited(respondent: Respondent, definition: Definition) -> None:
    """Raises InvitationRequired for who was not invited, where the survey asks for it."""
    if definition.by_invitation and respondent.invitation is None:
        raise InvitationRequired


def version_of(survey: Survey, version: int, begun: Begun) -> tuple[int, Definition]:
    """The version by which an answer is judged: the one named, that of the draft, or the one in force.

    Raises SurveyNotFound for one that was never open.
    """
    number = version or (begun.draft.definition if begun.draft else survey.number)
    if not survey.opened <= number <= survey.number:
        raise SurveyNotFound
    return number, defining.version(survey.survey_id, number)
