"""Making an invitation: once for its occasion, within the contact policy, counted, and listed for who sends it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from chalicelib.base import clock, ids
from chalicelib.base.errors import Conflict, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger.posting import Lost, Posted, Write, put_once, replay
from chalicelib.members.table import ProfileItem
from chalicelib.program.document import Program
from chalicelib.surveys import contact
from chalicelib.surveys.contact import Contact
from chalicelib.surveys.invitation_table import (
    ContactItem,
    InvitationItem,
    SentItem,
    asked_write,
    contacts_write,
    read_contacts,
    read_item,
    sent_key,
)
from chalicelib.surveys.table import STATE

KIND = "survey_invited"


class ContactRefused(Conflict):
    """The contact policy forbids it: `invitation_too_soon` or `invitation_too_many`."""

    code = "invitation_too_soon"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation to be made. `due` is when it should have gone out at the latest, in seconds.

    `fingerprint` is that of a request, if there is one. `overrides` leaves the contact policy aside.
    """

    invitation_id: str
    survey_id: str
    invite: str
    occasion: str
    due: int
    open_days: int
    order_id: str = ""
    case_id: str = ""
    actor: str = ""
    reason: str = ""
    fingerprint: str = "by rule"
    overrides: bool = False


def send(wanted: Wanted, owner: ProfileItem, program: Program, *, now: int) -> Posted[InvitationItem]:
    """Invite a member (`owner`), once. Raises ContactRefused, KeyReused and Unavailable.

    The contact policy is decided on one item of the member's, so that of many invitations at once it lets through as
    many as it should.
    """
    return sent_before(wanted) or make(wanted, owner, program, now=now)


def make(wanted: Wanted, owner: ProfileItem, program: Program, *, now: int) -> Posted[InvitationItem]:
    """Invite a member to whom nothing of this was sent before, as far as the caller knows. Raises as `send` does."""
    owner_id = str(owner.key)
    record = _record(wanted, owner_id, now)
    for _attempt in attempts():
        known = read_contacts([owner_id, *(owner.absorbed or ())])
        contacts = [
            made for item in known.values() for made in item.contacts if made.invitation_id != wanted.invitation_id
        ]
        if not wanted.overrides:
            _check(program, contacts, due=wanted.due, now=now)
        writes = [_contacting(record, known.get(owner_id), now), *_listing(record, program, now)]
        try:
            return put_once(record, writes)
        except Lost:
            # Another invitation of the member's was faster: the policy is asked again.
            continue
    raise Unavailable("The member is being invited by many at once. Send the same request again.", code="busy")


def sent_before(wanted: Wanted) -> Posted[InvitationItem] | None:
    """The invitation that was made for the same request before, if any. Raises KeyReused for another request's."""
    before = read_item(wanted.invitation_id)
    return replay(_record(wanted, "", 0), before.serialize()) if before else None


def _check(program: Program, contacts: Sequence[Contact], *, due: int, now: int) -> None:
    refused = contact.refusal(program.surveys.contact, contacts, due=due, now=now)
    if refused == "too_soon":
        raise ContactRefused("The member was invited a short while ago: the contact policy asks for a longer gap.")
    if refused == "too_many":
        raise ContactRefused(
            "The member was invited as often within a year as the contact policy allows.", code="invitation_too_many"
        )


def _contacting(record: InvitationItem, own: ContactItem | None, now: int) -> Write:
    """The write that remembers an invitation with its member."""
    added = Contact(now, str(record.key), clock.parse(record.expires_at))
    kept = contact.remembered([*(own.contacts if own else ()), added], now)
    return contacts_write(str(record.member_id), kept, own.version + 1 if own else 1)


def _listing(record: InvitationItem, program: Program, now: int) -> list[Write]:
    """The writes that list an invitation with its survey, and count it."""
    month = datetime.fromtimestamp(now, program.zone).strftime("%Y-%m")
    listed = SentItem(sent_key(record.survey_id), f"{clock.text(now)}#{record.key}")
    return [Write(listed), asked_write(record.survey_id, month, str(record.key))]


def invitation_id_of(*key: str) -> str:
    """The id of the invitation that a business key names."""
    return ids.derived("inv", *key)


def _record(wanted: Wanted, owner_id: str, now: int) -> InvitationItem:
    at = clock.text(now)
    return InvitationItem(
        wanted.invitation_id,
        STATE,
        record_id=wanted.invitation_id,
        member_id=owner_id,
        request_hash=wanted.fingerprint,
        kind=KIND,
        occurred_at=clock.text(wanted.due),
        posted_at=at,
        survey_id=wanted.survey_id,
        invite=wanted.invite,
        occasion=wanted.occasion,
        status="open",
        expires_at=clock.text(now + wanted.open_days * clock.DAY_S),
        order_id=wanted.order_id or None,
        case_id=wanted.case_id or None,
        actor=wanted.actor or None,
        reason=wanted.reason or None,
    )
