"""Who answers: the key under which an answer lies, so that each is given once.

Without an invitation a member answers a survey once; an invitation is answered once; a row of an import is taken once.
A member who took over from others has answered what they have answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.base import ids
from chalicelib.ledger.posting import Act, MemberNotFound, Write
from chalicelib.members.table import ProfileItem, read_profile
from chalicelib.surveys import inviting
from chalicelib.surveys.invitation_table import Invitation
from chalicelib.surveys.table import DRAFT, RESPONSE, DraftItem, ResponseItem, StandInItem

_EARLIER_MAX: Final = 50
"""So many members who became one are looked at; a transaction has its bounds."""


class Respondent(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever answers. `response_id` names the answer for ever; `member_id` is None for somebody unknown.

    `earlier` are the names of the answers of members that were merged into this one, `stand_in` the name under which
    the member's own answer would lie, for an answer that was read in from elsewhere.
    """

    response_id: str
    member_id: str | None
    invitation: Invitation | None = None
    earlier: tuple[str, ...] = ()
    stand_in: str = ""
    segments: tuple[str, ...] = ()

    def writes(self) -> list[Write]:
        """What an answer is written with, so that there is only one; these fail where there is another."""
        found = [
            Write(ResponseItem(name, RESPONSE), Act.CHECK, ResponseItem.key.does_not_exist()) for name in self.earlier
        ]
        if self.stand_in:
            item = StandInItem(self.stand_in, RESPONSE, record_id=self.response_id)
            found.append(Write(item, Act.PUT, StandInItem.key.does_not_exist()))
        return found


class Begun(msgspec.Struct, frozen=True):
    """What there is of an answer: its record, or what was saved of it so far."""

    response: ResponseItem | None = None
    draft: DraftItem | None = None


def of_member(survey_id: str, member_id: str, invitation_id: str = "") -> Respondent:
    """A member, with an invitation or without one. Raises MemberNotFound, and InvitationNotFound for another's."""
    profile = _profile(member_id)
    if invitation_id:
        return _invited(survey_id, invitation_id, profile)
    return Respondent(
        response_id=_own(survey_id, profile.key),
        member_id=profile.key,
        earlier=_earlier(survey_id, profile),
        segments=tuple(profile.segments or ()),
    )


def of_link(survey_id: str, invitation_id: str) -> Respondent:
    """Whoever holds the link of an invitation. Raises InvitationNotFound for one to another survey."""
    invitation = inviting.read(invitation_id)
    if invitation.survey_id != survey_id:
        raise inviting.InvitationNotFound
    profile = _profile(invitation.member_id)
    return Respondent(
        response_id=ids.derived("rsp", invitation_id),
        member_id=profile.key,
        invitation=invitation,
        segments=tuple(profile.segments or ()),
    )


def of_row(survey_id: str, source: str, key: str, member_id: str | None) -> Respondent:
    """Whoever gave an answer that a system brings in as `key`. Raises MemberNotFound."""
    response_id = ids.derived("rsp", survey_id, "row", source, key)
    if member_id is None:
        return Respondent(response_id=response_id, member_id=None)
    own = of_member(survey_id, member_id)
    return msgspec.structs.replace(own, response_id=response_id, stand_in=own.response_id)


def is_current(respondent: Respondent, survey_id: str) -> bool:
    """Whether the member has taken nobody over since it was looked up.

    Asked after the account was read, it holds until the commit: a merge is an entry of the account, which then fails.
    """
    if respondent.invitation is not None or respondent.member_id is None:
        return True
    return _earlier(survey_id, _profile(respondent.member_id)) == respondent.earlier


def refreshed(respondent: Respondent) -> Respondent:
    """The same respondent with the invitation as it is now."""
    if respondent.invitation is None:
        return respondent
    return msgspec.structs.replace(respondent, invitation=inviting.read(respondent.invitation.invitation_id))


def begun(respondent: Respondent, *, now: int) -> Begun:
    """What there is of an answer, as it was a moment ago; a draft whose time is up is none."""
    # Drafts and records of one answer lie side by side, so one read tells both.
    items = list(ResponseItem.query(respondent.response_id))
    response = next((item for item in items if item.part == RESPONSE), None)
    if response is not None:
        return Begun(response=_followed(respondent.response_id, response))
    if not any(item.part == DRAFT for item in items):
        return Begun()
    draft = read_draft(respondent.response_id, now=now)
    return Begun(draft=draft)


def read_draft(response_id: str, *, now: int) -> DraftItem | None:
    """What was saved of an answer, as it is now."""
    items = DraftItem.query(response_id, DraftItem.part == DRAFT, consistent_read=True)
    # What is due to go is gone by itself, though up to two days later.
    return next((item for item in items if item.gone_at > now), None)


def read_response(response_id: str) -> ResponseItem | None:
    """The answer of this name as it is now, or the one that it leads to."""
    items = ResponseItem.query(response_id, ResponseItem.part == RESPONSE, consistent_read=True)
    found = next(iter(items), None)
    return _followed(response_id, found) if found is not None else None


def recorded(respondent: Respondent) -> list[ResponseItem]:
    """The answers that this respondent has given: its own, and those of members merged into it."""
    names: Sequence[str] = (respondent.response_id, *filter(None, [respondent.stand_in]), *respondent.earlier)
    return [found for found in map(read_response, names) if found is not None]


def _followed(response_id: str, found: ResponseItem) -> ResponseItem | None:
    return found if found.record_id == response_id else read_response(found.record_id)


def _invited(survey_id: str, invitation_id: str, profile: ProfileItem) -> Respondent:
    respondent = of_link(survey_id, invitation_id)
    if respondent.member_id != profile.key:
        # In the same words whether or not there is such an invitation.
        raise inviting.InvitationNotFound
    return respondent


def _earlier(survey_id: str, profile: ProfileItem) -> tuple[str, ...]:
    return tuple(_own(survey_id, absorbed) for absorbed in (profile.absorbed or ())[:_EARLIER_MAX])


def _own(survey_id: str, member_id: str) -> str:
    return ids.derived("rsp", survey_id, member_id)


def _profile(member_id: str) -> ProfileItem:
    """The profile of a member, or of who took over from it."""
    # As it is now: what the members have answered whom it took over from a moment ago counts as its own.
    item = read_profile(member_id)
    while item is not None and item.merged_into:
        item = read_profile(item.merged_into)
    if item is None:
        raise MemberNotFound("No member has this id.", field="member_id")
    return item
