"""Invitations over HTTP: for the member, for whoever sends them, for the desk, and for the holder of a link."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from chalicelib.base import clock
from chalicelib.members import service as members
from chalicelib.program import service as programs
from chalicelib.program.document.parts import localise
from chalicelib.surveys import by_hand, invited, inviting
from chalicelib.surveys.by_hand import Request
from chalicelib.surveys.invitation_schema import (
    InvitationIn,
    InvitationOut,
    LinkedOut,
    OpenInvitationOut,
    OpenInvitationsOut,
    SendableOut,
    SendablesOut,
    Status,
)
from chalicelib.surveys.invitation_table import Invitation, told
from chalicelib.surveys.invited import Open, Sendable
from chalicelib.surveys.links import link_of
from chalicelib.web import languages
from chalicelib.web.call import Call, Reply
from chalicelib.web.room import ACCEPT_LANGUAGE, IDEMPOTENCY_KEY, PAGE, Room

room = Room("surveys")

_INVITE: Final = ("surveys.invite",)


@room.get(
    "/v1/survey-invitation",
    answer=LinkedOut,
    callers=("link",),
    summary="Read the invitation that a link is for",
    statuses={200: "The invitation, whether or not it may still be answered."},
    errors=("invitation_not_found",),
)
def get_linked_invitation(call: Call[None]) -> Reply[LinkedOut]:
    """The first thing that a page asks for that a link has opened: it says which survey to show."""
    found = inviting.read(call.caller.subject)
    return Reply(
        LinkedOut(
            id=found.invitation_id,
            survey_id=found.survey_id,
            status=_status(found, call.now),
            expires_at=clock.text(found.expires_at),
        )
    )


@room.get(
    "/v1/members/{member_id}/survey-invitations",
    answer=OpenInvitationsOut,
    scopes=("members.read", *_INVITE),
    headers=(ACCEPT_LANGUAGE,),
    summary="Read what a member may answer now",
    statuses={200: "The member's open invitations, the latest first."},
    errors=("member_not_found", "not_your_account"),
)
def get_member_survey_invitations(call: Call[None], member_id: str) -> Reply[OpenInvitationsOut]:
    """Each with the title of its survey, the points that an answer brings, and its link."""
    found = members.member_for(call.caller, member_id)
    listed = tuple(_open(item, call) for item in invited.open_to(found, now=call.now))
    return Reply(OpenInvitationsOut(invitations=listed), headers=languages.headers(call.locale))


@room.post(
    "/v1/surveys/{survey_id}/invitations",
    body=InvitationIn,
    answer=InvitationOut,
    scopes=_INVITE,
    callers=("staff", "system"),
    headers=(IDEMPOTENCY_KEY,),
    summary="Invite a member to a survey",
    example={"member_id": "mem_abcdefghijklmnopqrstuvwxyz", "open_days": 14},
    statuses={201: "The member is invited.", 200: "The member was invited by the same request before."},
    errors=(
        "idempotency_key_missing",
        "survey_not_found",
        "survey_not_open",
        "survey_closed",
        "member_not_found",
        "order_not_found",
        "case_not_found",
        "invitation_too_soon",
        "invitation_too_many",
        "key_reused",
        "busy",
    ),
)
def post_invitation(call: Call[InvitationIn], survey_id: str) -> Reply[InvitationOut]:
    """By hand. The programme's contact policy holds for it as for any other, unless it is overridden with a reason."""
    body = call.body
    request = Request(
        member_id=body.member_id,
        open_days=body.open_days,
        order_id="" if body.order_id is UNSET else body.order_id,
        case_id="" if body.case_id is UNSET else body.case_id,
        override="" if body.override_reason is UNSET else body.override_reason,
    )
    posted = by_hand.invite(survey_id, request, key=call.idempotency_key, actor=call.caller.actor(), now=call.now)
    return Reply(_shown(told(posted.record), call), status=200 if posted.replayed else 201)


@room.get(
    "/v1/surveys/{survey_id}/invitations",
    answer=SendablesOut,
    scopes=_INVITE,
    callers=("staff", "system"),
    query=PAGE,
    summary="List the invitations that are to be sent",
    statuses={200: "Open invitations since the cursor, oldest first."},
    errors=("survey_not_found", "cursor_invalid"),
)
def get_invitations(call: Call[None], survey_id: str) -> Reply[SendablesOut]:
    """For whoever brings them to members by message. Ask again with the last `next_cursor` for what has come since.

    What nobody can answer any more is left out, so a page may hold fewer than `limit`; `has_more` says whether to go on
    at once. An invitation is listed a minute after it was made.
    """
    page = invited.to_send(survey_id, after=call.cursor(survey_id), limit=call.limit, now=call.now)
    return Reply(
        SendablesOut(
            invitations=tuple(_sendable(item, call) for item in page.found),
            next_cursor=call.next_cursor(survey_id, page.last) if page.last else None,
            has_more=page.has_more,
        )
    )


@room.post(
    "/v1/surveys/{survey_id}/invitations/{invitation_id}/withdraw",
    answer=InvitationOut,
    scopes=_INVITE,
    callers=("staff", "system"),
    summary="Take an invitation back",
    statuses={200: "It can be answered no more."},
    errors=("invitation_not_found", "invitation_answered"),
)
def withdraw_invitation(call: Call[None], survey_id: str, invitation_id: str) -> Reply[InvitationOut]:
    """Its link opens nothing any more. It counts for the contact policy all the same, for it may have been read."""
    found = inviting.withdraw(survey_id, invitation_id, actor=call.caller.actor(), now=call.now)
    return Reply(_shown(found, call))


def _shown(found: Invitation, call: Call[InvitationIn] | Call[None]) -> InvitationOut:
    status = _status(found, call.now)
    return InvitationOut(
        id=found.invitation_id,
        survey_id=found.survey_id,
        member_id=found.member_id,
        invite=found.invite or None,
        status=status,
        created_at=clock.text(found.created_at),
        expires_at=clock.text(found.expires_at),
        order_id=found.order_id or None,
        case_id=found.case_id or None,
        override_reason=found.reason or None,
        link=_link(found, call) if status == "open" else None,
    )


def _open(item: Open, call: Call[None]) -> OpenInvitationOut:
    definition = item.survey.definition
    return OpenInvitationOut(
        id=item.invitation.invitation_id,
        survey_id=item.survey.survey_id,
        title=localise(definition.title, call.locale),
        points=definition.points,
        created_at=clock.text(item.invitation.created_at),
        expires_at=clock.text(item.invitation.expires_at),
        link=_link(item.invitation, call),
    )


def _sendable(item: Sendable, call: Call[None]) -> SendableOut:
    person = item.profile.person
    return SendableOut(
        id=item.invitation.invitation_id,
        member_id=str(item.profile.key),
        locale=person.locale,
        consents={channel: consent.granted for channel, consent in person.consents.items()},
        created_at=clock.text(item.invitation.created_at),
        expires_at=clock.text(item.invitation.expires_at),
        link=_link(item.invitation, call),
    )


def _status(found: Invitation, now: int) -> Status:
    return "expired" if found.status == "open" and now >= found.expires_at else found.status


def _link(found: Invitation, call: Call[InvitationIn] | Call[None]) -> str:
    return link_of(found, programs.in_force(call.now, now=call.now).program.surveys, call.base_url)
