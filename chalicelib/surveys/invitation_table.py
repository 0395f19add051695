"""Invitations in the table `surveys`: each one's item, the members' contacts, what goes out later, what has gone out.

- `inv_…`, `state`: an invitation, the one item on which it is decided.
- `contact#mem_…`, `contact`: when a member was invited lately and to what: the one item on which the contact policy is
  decided. A member who was merged keeps it, and whoever took over is judged by both.
- `due#{shard}`, `{instant}#{invitation's id}`: what goes out later.
- `sent#{survey's id}`, `{instant}#{invitation's id}`: the invitations to a survey by their time, for who sends them.
- `asked#{survey's id}#{month}`, `{shard}`: how many were sent in a month.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import msgspec
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from chalicelib.base import clock
from chalicelib.base.dynamo import IntAttribute
from chalicelib.ledger.posting import Act, Write
from chalicelib.ledger.records import Record
from chalicelib.surveys.contact import Contact
from chalicelib.surveys.table import NAME, STATE, shard_of

CONTACT: Final = "contact"

DUE_SHARDS: Final = 8
"""Over how many partitions the list of what goes out later is spread."""

Status: TypeAlias = Literal["open", "answered", "withdrawn"]

_CONTACTS = msgspec.json.Decoder(tuple[Contact, ...])


class InvitationItem(Record):
    """An invitation that was sent. `invite` is the rule's code, empty for one made by hand (by `actor`, for `reason`).

    `occasion` is what it is about: an order, a case, an alert, an entry, a quarter, or the key of a request.
    """

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    survey_id = UnicodeAttribute()
    invite = UnicodeAttribute()
    occasion = UnicodeAttribute()
    status = UnicodeAttribute()
    expires_at = UnicodeAttribute()
    order_id = UnicodeAttribute(null=True)
    case_id = UnicodeAttribute(null=True)
    actor = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    response_id = UnicodeAttribute(null=True)
    ended_at = UnicodeAttribute(null=True)
    ended_by = UnicodeAttribute(null=True)


class ContactItem(Model):
    """When a member was invited lately (`body`, JSON). `version` counts the changes, each made on that before."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    version = IntAttribute()
    body = UnicodeAttribute()

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """What it says."""
        return _CONTACTS.decode(self.body)


class DueItem(Model):
    """Something that goes out later (`body`, JSON); `part` is `{instant}#{invitation's id}`."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    body = UnicodeAttribute()


class SentItem(Model):
    """Leads from a survey to an invitation; `part` is `{instant}#{invitation's id}`."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)

    @property
    def invitation_id(self) -> str:
        """The invitation that it leads to."""
        return str(self.part).partition("#")[2]


class AskedItem(Model):
    """One shard of how many invitations were sent in a month."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    sent = IntAttribute()


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation as it is now; instants are seconds. What it is not about is empty."""

    invitation_id: str
    survey_id: str
    member_id: str
    invite: str
    occasion: str
    created_at: int
    expires_at: int
    status: Status
    order_id: str = ""
    case_id: str = ""
    actor: str = ""
    reason: str = ""
    response_id: str = ""
    ended_at: int = 0


def read_item(invitation_id: str) -> InvitationItem | None:
    """The item of an invitation as it is now."""
    if not invitation_id.startswith("inv_"):
        # Other things lie in the same table.
        return None
    items = InvitationItem.query(invitation_id, InvitationItem.part == STATE, consistent_read=True)
    return next(iter(items), None)


def read_invitation(invitation_id: str) -> Invitation | None:
    """An invitation as it is now."""
    item = read_item(invitation_id)
    return told(item) if item else None


def read_invitations(invitation_ids: Iterable[str], *, consistent: bool = True) -> dict[str, Invitation]:
    """Invitations by their ids, as they are now (or were a moment ago); those that are not there are left out."""
    items = InvitationItem.batch_get([(found, STATE) for found in invitation_ids], consistent_read=consistent)
    return {str(item.key): told(item) for item in items}


def told(item: InvitationItem) -> Invitation:
    """What an item says."""
    return Invitation(
        invitation_id=item.key,
        survey_id=item.survey_id,
        member_id=item.member_id,
        invite=item.invite,
        occasion=item.occasion,
        created_at=clock.parse(item.posted_at),
        expires_at=clock.parse(item.expires_at),
        status=item.status,  # type: ignore[arg-type]
        order_id=item.order_id or "",
        case_id=item.case_id or "",
        actor=item.actor or "",
        reason=item.reason or "",
        response_id=item.response_id or "",
        ended_at=clock.parse(item.ended_at) if item.ended_at else 0,
    )


def read_contacts(member_ids: Iterable[str]) -> dict[str, ContactItem]:
    """What is remembered of the contacts of members, as it is now; of those never invited there is nothing."""
    keys = [(contact_key(member_id), CONTACT) for member_id in member_ids]
    items = ContactItem.batch_get(keys, consistent_read=True)
    return {str(item.key).partition("#")[2]: item for item in items}


def contacts_write(member_id: str, contacts: tuple[Contact, ...], version: int) -> Write:
    """The write that puts a member's contacts in their next `version`; it fails where another was faster."""
    body = msgspec.json.encode(contacts).decode()
    item = ContactItem(contact_key(member_id), CONTACT, version=version, body=body)
    unchanged = ContactItem.version == version - 1 if version > 1 else ContactItem.key.does_not_exist()
    return Write(item, Act.PUT, unchanged)


def asked_write(survey_id: str, month: str, invitation_id: str) -> Write:
    """The write that counts an invitation in its month."""
    part = f"{shard_of(invitation_id):02d}"
    return Write(AskedItem(asked_key(survey_id, month), part), Act.UPDATE, None, (AskedItem.sent.add(1),))


def contact_key(member_id: str) -> str:
    """The key of a member's contacts."""
    return f"contact#{member_id}"


def sent_key(survey_id: str) -> str:
    """The list of a survey's invitations."""
    return f"sent#{survey_id}"


def asked_key(survey_id: str, month: str) -> str:
    """The counts of a month, such as `2026-11`."""
    return f"asked#{survey_id}#{month}"


def due_key(shard: int) -> str:
    """One partition of what goes out later."""
    return f"due#{shard}"


def due_item(invitation_id: str, instant: int, body: str) -> DueItem:
    """The item of something that goes out at an instant."""
    # Any part of a keyed hash is as good as another for spreading.
    shard = sum(invitation_id.encode()) % DUE_SHARDS
    return DueItem(due_key(shard), f"{clock.text(instant)}#{invitation_id}", body=body)
