"""Answers over HTTP: from the app, by link, on behalf of somebody, and in bulk; drafts, and reading answers."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from chalicelib.base import clock
from chalicelib.base.errors import Invalid, NotFound
from chalicelib.ledger.posting import MemberNotFound
from chalicelib.members import service as members
from chalicelib.orders.schema import Identity
from chalicelib.orders.service import named
from chalicelib.surveys import defining, drafting, render, respondents, responding
from chalicelib.surveys.defining_routes import INVITATION, READ, respondent_of, room
from chalicelib.surveys.preparing import Submission
from chalicelib.surveys.respondents import Respondent
from chalicelib.surveys.schema import (
    DraftIn,
    DraftOut,
    ImportedOut,
    ImportIn,
    ImportRowOut,
    ResponseIn,
    ResponseOut,
    ResponsePosted,
)
from chalicelib.web import languages
from chalicelib.web.call import Call, Reply
from chalicelib.web.room import ACCEPT_LANGUAGE, Param

__all__ = ["room"]

WRITE: Final = ("surveys.write",)
_DRAFT_MATCH: Final = Param("If-Match", "The ETag of the draft that was read; left out for the first one.")
_ANSWERS: Final = (
    "answers_invalid",
    "question_unknown",
    "question_not_asked",
    "answer_required",
    "option_unknown",
    "options_too_many",
    "row_unknown",
    "text_too_long",
    "control_character",
)
_INVITATIONS: Final = (
    "invitation_not_found",
    "invitation_required",
    "invitation_expired",
    "invitation_answered",
    "invitation_withdrawn",
)
_SURVEYS: Final = ("survey_not_found", "survey_not_open", "survey_closed")


class ResponseNotFound(NotFound):
    """No answer to this survey has this id."""

    code = "response_not_found"


@room.post(
    "/v1/surveys/{survey_id}/responses",
    body=ResponseIn,
    answer=ResponsePosted,
    scopes=WRITE,
    callers=("member", "link", "staff", "system"),
    headers=(ACCEPT_LANGUAGE,),
    summary="Answer a survey",
    example={
        "version": 1,
        "seconds": 42,
        "answers": {
            "recommend": {"number": 9},
            "like": {"text": "The jasmine tea."},
            "areas": {"rows": {"product": 5, "service": 5, "price": 4, "after_sales": 4}},
        },
    },
    statuses={201: "The answer is taken.", 200: "The same answer was taken before."},
    errors=(
        *_SURVEYS,
        *_ANSWERS,
        *_INVITATIONS,
        "answered_before",
        "member_not_found",
        "not_your_account",
        "phone_invalid",
        "mail_invalid",
        "occurred_in_future",
        "occurred_too_long_ago",
        "busy",
    ),
)
def post_response(call: Call[ResponseIn], survey_id: str) -> Reply[ResponsePosted]:
    """An answer, its fact in the ledger and the points for it are recorded together, once.

    A member answers a survey once, and each invitation once. The same answer sent again is answered alike, another one
    is refused. Who answers on behalf of a member is recorded.
    """
    body, caller = call.body, call.caller
    is_own = caller.kind in {"member", "link"}
    respondent = _own(call, survey_id) if is_own else _on_behalf(body, survey_id)
    submission = Submission(
        survey_id=survey_id,
        answers=body.answers,
        channel="link" if caller.kind == "link" else "app" if is_own else body.channel or "phone",
        actor=caller.actor(),
        occurred_at=call.now if body.occurred_at is UNSET else clock.seconds(body.occurred_at),
        version=body.version or 0,
        seconds=body.seconds,
        store=body.store or "",
        locale=body.locale or (call.locale if is_own else ""),
    )
    posted = responding.respond(submission, respondent, now=call.now)
    shown = render.posted(posted, locale=call.locale, by_link=caller.kind == "link")
    return Reply(shown, 200 if posted.replayed else 201, headers=languages.headers(call.locale))


@room.get(
    "/v1/surveys/{survey_id}/responses/draft",
    answer=DraftOut,
    callers=("member", "link"),
    query=(INVITATION,),
    summary="Read what is saved of an answer",
    statuses={200: "The draft, with the ETag that saving it again needs."},
    errors=("draft_not_found", "answered_before", "member_not_found", "invitation_not_found"),
)
def get_draft(call: Call[None], survey_id: str) -> Reply[DraftOut]:
    """Whatever device it was saved on. A draft goes by itself 30 days after it was last saved."""
    found = drafting.read(respondent_of(call, survey_id, call.query("invitation_id") or ""), now=call.now)
    return Reply(render.draft(survey_id, found), etag=str(found.version))


@room.post(
    "/v1/surveys/{survey_id}/responses/draft",
    body=DraftIn,
    answer=DraftOut,
    callers=("member", "link"),
    headers=(_DRAFT_MATCH,),
    summary="Save an answer that is not finished",
    example={"version": 1, "answers": {"recommend": {"number": 9}}},
    statuses={200: "The draft is saved."},
    errors=(
        *_SURVEYS,
        *_ANSWERS,
        *_INVITATIONS,
        "draft_changed",
        "answered_before",
        "member_not_found",
        "if_match_invalid",
    ),
)
def post_draft(call: Call[DraftIn], survey_id: str) -> Reply[DraftOut]:
    """Required questions may be missing; what is there must fit. It takes the place of the draft that was read."""
    body = call.body
    respondent = respondent_of(call, survey_id, body.invitation_id or "")
    found = drafting.save(
        survey_id, respondent, body.answers, number=body.version or 0, based_on=call.if_match, now=call.now
    )
    return Reply(render.draft(survey_id, found), etag=str(found.version))


@room.get(
    "/v1/surveys/{survey_id}/responses/{response_id}",
    answer=ResponseOut,
    scopes=READ,
    callers=("staff", "system"),
    summary="Read an answer",
    statuses={200: "The answer."},
    errors=("response_not_found",),
)
def get_response(_call: Call[None], survey_id: str, response_id: str) -> Reply[ResponseOut]:
    """What was answered, by whom and how, and what it brought. Texts are as they were written: escape them."""
    found = respondents.read_response(response_id) if response_id.startswith("rsp_") else None
    if found is None or found.survey_id != survey_id:
        raise ResponseNotFound("No answer to this survey has this id.", field="response_id")
    return Reply(render.response(found))


@room.post(
    "/v1/surveys/{survey_id}/imports",
    body=ImportIn,
    answer=ImportedOut,
    scopes=WRITE,
    callers=("staff", "system"),
    summary="Bring in answers from a call centre or from paper",
    example={
        "source": "call-centre",
        "csv": "key,occurred_at,channel,phone,recommend,improve\n"
        'c-1,2026-11-20T10:00:00+08:00,phone,+8613800138000,6,"Longer opening hours"\n',
    },
    statuses={200: "Every row is taken, or named with the reason why it is not."},
    errors=(*_SURVEYS, "import_invalid"),
)
def post_import(call: Call[ImportIn], survey_id: str) -> Reply[ImportedOut]:
    """Up to 200 rows at once; send a longer file in parts. Rows that were taken before add nothing.

    A row that names nobody, or somebody unknown, is kept without a fact in any account.
    """
    # Few answers are brought in.
    from chalicelib.surveys import importing  # noqa: PLC0415

    body, survey = call.body, defining.read(survey_id, now=call.now)
    lines = importing.lines_of(survey, csv=body.csv or None, json_lines=body.json_lines or None)
    done = importing.bring_in(survey, lines, source=body.source, actor=call.caller.actor(), now=call.now)
    refused = (
        ImportRowOut(line=row.line, key=row.key, code=row.code, field=row.field, detail=row.detail)
        for row in done.refused
    )
    return Reply(ImportedOut(survey_id=survey_id, taken=done.taken, repeated=done.repeated, refused=tuple(refused)))


def _own(call: Call[ResponseIn], survey_id: str) -> Respondent:
    """Whoever answers for themselves. Raises Invalid for what is not theirs to say."""
    body = call.body
    for name in ("member_id", "identity", "channel", "occurred_at", "store", "locale"):
        if getattr(body, name) is not UNSET:
            raise Invalid("Only who answers on behalf of a member says this.", field=name)
    if call.caller.kind == "link" and body.invitation_id not in {UNSET, call.caller.subject}:
        raise Invalid("A link is for its own invitation.", field="invitation_id")
    return respondent_of(call, survey_id, body.invitation_id or "")


def _on_behalf(body: ResponseIn, survey_id: str) -> Respondent:
    """The member on whose behalf somebody answers. Raises Invalid unless one is named, and MemberNotFound."""
    member_id = body.member_id or None
    if (member_id is None) == (body.identity is UNSET):
        raise Invalid("Name the member either by member_id or by identity.", field="member_id")
    if body.identity is not UNSET:
        member_id = _found(body.identity)
    return respondents.of_member(survey_id, member_id or "", body.invitation_id or "")


def _found(identity: Identity) -> str:
    member_id = members.find(members.identity_key(*named(identity)))
    if member_id is None:
        raise MemberNotFound("No member has this identity.", field="identity")
    return member_id
