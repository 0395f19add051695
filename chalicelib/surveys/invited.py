"""Lists of invitations: what a member may answer now, and what a sender is to bring to members."""

from __future__ import annotations

from typing import Final

import msgspec

from chalicelib.base import clock
from chalicelib.ledger.posting import MemberNotFound
from chalicelib.members import service as members
from chalicelib.members.table import ProfileItem
from chalicelib.surveys import defining
from chalicelib.surveys.defining import Survey
from chalicelib.surveys.invitation_table import Invitation, SentItem, read_contacts, read_invitations, sent_key

SETTLED_S: Final = 60
"""A list of what was sent ends this long ago: by then nothing comes in between that is dated earlier."""


class Open(msgspec.Struct, frozen=True):
    """An invitation that may be answered, and its survey."""

    invitation: Invitation
    survey: Survey


class Sendable(msgspec.Struct, frozen=True):
    """An invitation that is to be brought to a member, and what is known of who that is."""

    invitation: Invitation
    profile: ProfileItem


class Page(msgspec.Struct, frozen=True):
    """A part of what was sent. `last` is the place after which the next part begins (None: nothing was there)."""

    found: list[Sendable]
    last: str | None
    has_more: bool


def open_to(member_id: str, *, now: int) -> list[Open]:
    """What a member may answer now, the latest invitation first; of members merged into it as well.

    Raises MemberNotFound.
    """
    owner = members.read(member_id)
    contacts = read_contacts([str(owner.key), *(owner.absorbed or ())])
    wanted = [made.invitation_id for item in contacts.values() for made in item.contacts if now < made.expires_at]
    if not wanted:
        return []
    invitations = [found for found in read_invitations(wanted).values() if found.status == "open"]
    invitations.sort(key=lambda found: (-found.created_at, found.invitation_id))
    listed = [Open(found, defining.read(found.survey_id, now=now)) for found in invitations]
    return [found for found in listed if found.survey.status == "open"]


def to_send(survey_id: str, *, after: str | None, limit: int, now: int) -> Page:
    """The invitations to a survey after a place in its list, oldest first, without those that nobody can answer now.

    Raises SurveyNotFound.
    """
    defining.read(survey_id, now=now)
    beyond = SentItem.part > after if after else None
    leads = list(SentItem.query(sent_key(survey_id), beyond, limit=limit))
    settled = [lead for lead in leads if str(lead.part) < clock.text(now - SETTLED_S)]
    known = read_invitations([lead.invitation_id for lead in settled], consistent=False)
    invitations = [item for lead in settled if (item := known.get(lead.invitation_id)) and _is_open(item, now)]
    profiles = _profiles({found.member_id for found in invitations})
    found = [Sendable(item, profiles[item.member_id]) for item in invitations if item.member_id in profiles]
    last = str(settled[-1].part) if settled else after
    return Page(found, last, has_more=len(settled) == limit)


def _is_open(invitation: Invitation, now: int) -> bool:
    return invitation.status == "open" and now < invitation.expires_at


def _profiles(member_ids: set[str]) -> dict[str, ProfileItem]:
    """The profiles of members, or of who took over from them; of those who have left there is none."""
    found = {str(item.key): item for item in ProfileItem.batch_get(sorted(member_ids))} if member_ids else {}
    for member_id in [member_id for member_id, item in found.items() if item.merged_into]:
        try:
            found[member_id] = members.read(member_id)
        except MemberNotFound:
            del found[member_id]
    return found
