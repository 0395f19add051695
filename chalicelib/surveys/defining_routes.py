"""Surveys over HTTP: defining, opening and closing them, and showing them to who is asked."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET

from chalicelib.base.errors import Invalid
from chalicelib.members import service as members
from chalicelib.surveys import changing, defining, preparing, render, respondents
from chalicelib.surveys.defining import SurveyNotFound
from chalicelib.surveys.document import Definition
from chalicelib.surveys.respondents import Respondent
from chalicelib.surveys.rules import asking
from chalicelib.surveys.schema import SurveyDefinedOut, SurveyIn, SurveyOut, SurveyPatch, SurveysOut
from chalicelib.web import languages
from chalicelib.web.call import Call, Reply
from chalicelib.web.room import ACCEPT_LANGUAGE, IF_MATCH, PAGE, Param, Room

room = Room("surveys")
"""The room of surveys and their answers; `routes.py` adds the answers."""

ADMIN: Final = ("surveys.admin",)
READ: Final = ("surveys.read",)
INVITATION: Final = Param("invitation_id", "The invitation that a member follows; of a link it is known.")
_NUMBER_MAX: Final = 1_000_000


@room.post(
    "/v1/surveys",
    body=SurveyIn,
    answer=SurveyDefinedOut,
    scopes=ADMIN,
    callers=("staff", "system"),
    summary="Make a survey",
    example={"template": "relationship_nps", "code": "nps_2026", "points": 50},
    statuses={201: "The draft is made.", 200: "It was made by the same request before."},
    errors=("survey_invalid", "key_reused", "busy"),
)
def post_survey(call: Call[SurveyIn]) -> Reply[SurveyDefinedOut]:
    """Begin a survey as a draft, from a template or from nothing; its code names it for ever.

    Everything that is wrong with it is told at once. The same request again finds the survey made.
    """
    found, is_replayed = changing.create(_definition(call.body), actor=call.caller.actor(), now=call.now)
    return Reply(render.defined(found), 200 if is_replayed else 201, etag=str(found.version))


@room.get(
    "/v1/surveys",
    answer=SurveysOut,
    scopes=READ,
    callers=("staff", "system"),
    query=PAGE,
    headers=(ACCEPT_LANGUAGE,),
    summary="List surveys",
    statuses={200: "A page of surveys, newest first."},
    errors=("cursor_invalid",),
)
def get_surveys(call: Call[None]) -> Reply[SurveysOut]:
    """All surveys: drafts, open and closed ones."""
    found = defining.listed(after=call.cursor(""), limit=call.limit)
    return Reply(
        SurveysOut(
            surveys=tuple(render.line(survey, call.locale) for _place, survey in found),
            next_cursor=call.next_cursor("", found[-1][0]) if len(found) == call.limit else None,
        ),
        headers=languages.headers(call.locale),
    )


@room.get(
    "/v1/surveys/{survey_id}",
    answer=SurveyOut,
    scopes=READ,
    callers=("member", "link", "staff", "system"),
    query=(INVITATION,),
    headers=(ACCEPT_LANGUAGE,),
    summary="Read a survey as it is asked",
    statuses={200: "The survey in one language."},
    errors=("survey_not_found", "member_not_found", "not_your_account", "invitation_not_found"),
)
def get_survey(call: Call[None], survey_id: str) -> Reply[SurveyOut]:
    """The questions in the order in which this respondent is asked them; who comes back finds the same order.

    Ask a question only if its `show_if` holds. Send `version` with the answers: whoever has begun a draft sees the
    version on which it was begun. Staff sees the questions as they were written.
    """
    survey = defining.read(survey_id, now=call.now)
    if call.caller.kind in {"staff", "system"}:
        shown = render.shown(
            survey, survey.number, survey.definition, seed=asking.AS_WRITTEN, locale=call.locale, answer=None
        )
        return Reply(shown, headers=languages.headers(call.locale))
    if survey.status == "draft":
        raise SurveyNotFound
    respondent = respondent_of(call, survey_id, call.query("invitation_id") or "")
    begun = respondents.begun(respondent, now=call.now)
    number, definition = preparing.version_of(survey, begun.response.definition if begun.response else 0, begun)
    shown = render.shown(
        survey,
        number,
        definition,
        seed=asking.seed_of(survey_id, respondent.response_id),
        locale=call.locale,
        answer="given" if begun.response else "begun" if begun.draft else "none",
    )
    return Reply(shown, headers=languages.headers(call.locale))


@room.get(
    "/v1/surveys/{survey_id}/definition",
    answer=SurveyDefinedOut,
    scopes=READ,
    callers=("staff", "system"),
    query=(Param("version", "One of its versions; without it the one in force."),),
    summary="Read a survey's definition",
    statuses={200: "The definition in every language, with the ETag that a change needs."},
    errors=("survey_not_found",),
)
def get_survey_definition(call: Call[None], survey_id: str) -> Reply[SurveyDefinedOut]:
    """Everything that was defined, conditions and rules for cases included. Old versions are kept for ever."""
    found = defining.read_now(survey_id)
    return Reply(render.defined(found, _number(call.query("version"))), etag=str(found.version))


@room.patch(
    "/v1/surveys/{survey_id}",
    body=SurveyPatch,
    answer=SurveyDefinedOut,
    scopes=ADMIN,
    callers=("staff", "system"),
    headers=(IF_MATCH,),
    summary="Change a survey",
    example={"points": 100, "minimum_seconds": 5},
    statuses={200: "The next version is in force."},
    errors=(
        "survey_not_found",
        "survey_invalid",
        "survey_code_fixed",
        "survey_closed",
        "survey_changed",
        "precondition_required",
        "if_match_invalid",
        "busy",
    ),
)
def patch_survey(call: Call[SurveyPatch], survey_id: str) -> Reply[SurveyDefinedOut]:
    """What is given replaces what was there, and makes the survey's next version, which takes its place at once.

    Answers that were begun on an earlier version are judged by that one, and get the points that it promised.
    """
    based_on = call.required_match
    merged = _merged(defining.read_now(survey_id).definition, call.body)
    found = changing.change(survey_id, merged, based_on=based_on, actor=call.caller.actor(), now=call.now)
    return Reply(render.defined(found), etag=str(found.version))


@room.post(
    "/v1/surveys/{survey_id}/open",
    answer=SurveyDefinedOut,
    scopes=ADMIN,
    callers=("staff", "system"),
    summary="Open a survey",
    statuses={200: "The survey takes answers."},
    errors=("survey_not_found", "busy"),
)
def open_survey(call: Call[None], survey_id: str) -> Reply[SurveyDefinedOut]:
    """Let a draft take answers, or a closed survey again; one that is open stays so."""
    found = changing.set_status(survey_id, "open", actor=call.caller.actor(), now=call.now)
    return Reply(render.defined(found), etag=str(found.version))


@room.post(
    "/v1/surveys/{survey_id}/close",
    answer=SurveyDefinedOut,
    scopes=ADMIN,
    callers=("staff", "system"),
    summary="Close a survey",
    statuses={200: "The survey takes no answers any more."},
    errors=("survey_not_found", "survey_not_open", "busy"),
)
def close_survey(call: Call[None], survey_id: str) -> Reply[SurveyDefinedOut]:
    """Answers that come later are refused within seconds; those given before are answered as they were."""
    found = changing.set_status(survey_id, "closed", actor=call.caller.actor(), now=call.now)
    return Reply(render.defined(found), etag=str(found.version))


def respondent_of(call: Call[Any], survey_id: str, invitation_id: str) -> Respondent:
    """The member, or the holder of a link, who asks for themselves.

    Raises MemberNotFound for who is no member, and InvitationNotFound for an invitation of somebody else's.
    """
    if call.caller.kind == "link":
        return respondents.of_link(survey_id, call.caller.subject)
    return respondents.of_member(survey_id, members.member_for(call.caller, members.ME), invitation_id)


def _definition(body: SurveyIn) -> Definition:
    """The definition that is meant: the template's with what is given. Raises Invalid for what is missing."""
    if body.template is not UNSET:
        # Few surveys are made, and fewer from a template.
        from chalicelib.surveys import templates  # noqa: PLC0415

        return _merged(templates.definition(body.template), body)
    for name in ("code", "kind", "title", "questions"):
        if getattr(body, name) is UNSET:
            raise Invalid(f"A survey without a template has {name}.", field=name)
    return Definition(**_given(body))


def _merged(before: Definition, body: SurveyPatch) -> Definition:
    return msgspec.structs.replace(before, **_given(body))


def _given(body: SurveyPatch) -> dict[str, Any]:
    names = (field.name for field in msgspec.structs.fields(Definition))
    return {name: value for name in names if (value := getattr(body, name)) is not UNSET}


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < len(str(_NUMBER_MAX)) and int(text)):
        raise Invalid("version is a number from 1.", field="version", code="query_invalid")
    return int(text)
