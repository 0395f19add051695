"""Invitations: what one is, when it may be answered, taking one back, and how many were sent."""

from __future__ import annotations

from collections.abc import Iterable

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from chalicelib.base import clock
from chalicelib.base.dynamo import is_refused
from chalicelib.base.errors import Conflict, NotFound
from chalicelib.ledger.posting import Act, Write
from chalicelib.surveys.invitation_table import AskedItem, Invitation, InvitationItem, asked_key, read_invitation
from chalicelib.surveys.table import STATE

__all__ = ["Invitation", "answering", "check_open", "read", "sent_counts", "withdraw"]


class InvitationNotFound(NotFound):
    """No invitation has this id."""

    code = "invitation_not_found"

    def __init__(self) -> None:
        super().__init__("No invitation has this id.", field="invitation_id")


class InvitationExpired(Conflict):
    """The time for an answer is over."""

    code = "invitation_expired"

    def __init__(self) -> None:
        super().__init__("The time for an answer to this invitation is over.")


class InvitationAnswered(Conflict):
    """The invitation was answered; each is answered once."""

    code = "invitation_answered"

    def __init__(self) -> None:
        super().__init__("This invitation was answered before; each is answered once.")


class InvitationWithdrawn(Conflict):
    """The invitation was taken back."""

    code = "invitation_withdrawn"

    def __init__(self) -> None:
        super().__init__("This invitation was taken back.")


def read(invitation_id: str) -> Invitation:
    """An invitation as it is now. Raises InvitationNotFound."""
    found = read_invitation(invitation_id)
    if found is None:
        raise InvitationNotFound
    return found


def check_open(invitation: Invitation, *, now: int) -> None:
    """Raises InvitationAnswered, InvitationWithdrawn or InvitationExpired unless it may be answered at `now`."""
    if invitation.status == "answered":
        raise InvitationAnswered
    if invitation.status == "withdrawn":
        raise InvitationWithdrawn
    if now >= invitation.expires_at:
        raise InvitationExpired


def answering(invitation: Invitation, response_id: str, *, now: int) -> Write:
    """The write that makes an open invitation an answered one; it fails where somebody was faster.

    Raises InvitationAnswered, InvitationWithdrawn and InvitationExpired.
    """
    check_open(invitation, now=now)
    return Write(
        InvitationItem(invitation.invitation_id, STATE),
        Act.UPDATE,
        InvitationItem.status == "open",
        (
            InvitationItem.status.set("answered"),
            InvitationItem.response_id.set(response_id),
            InvitationItem.ended_at.set(clock.text(now)),
        ),
    )


def withdraw(survey_id: str, invitation_id: str, *, actor: str, now: int) -> Invitation:
    """Take an invitation back; one that was taken back stays so. Raises InvitationNotFound and InvitationAnswered."""
    if read(invitation_id).survey_id != survey_id:
        raise InvitationNotFound
    actions: list[Action] = [
        InvitationItem.status.set("withdrawn"),
        InvitationItem.ended_at.set(clock.text(now)),
        InvitationItem.ended_by.set(actor),
    ]
    try:
        InvitationItem(invitation_id, STATE).update(actions=actions, condition=InvitationItem.status == "open")
    except UpdateError as error:
        if not is_refused(error):
            raise
    after = read(invitation_id)
    if after.status == "answered":
        raise InvitationAnswered
    return after


def sent_counts(survey_id: str, months: Iterable[str]) -> dict[str, int]:
    """How many invitations to a survey were sent in each of these months, such as `2026-11` (in the programme's zone).

    Those that were taken back since are counted as well: they may have been read.
    """
    return {month: _sent(survey_id, month) for month in months}


def _sent(survey_id: str, month: str) -> int:
    return sum(item.sent for item in AskedItem.query(asked_key(survey_id, month), consistent_read=True))
