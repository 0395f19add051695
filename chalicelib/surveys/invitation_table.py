"""Invitations in the table `surveys`: each one's item, the members' contacts, what goes out later, and what has gone out.

- `inv_…`, `state`: an invitation, the one item on which it is decided.
- `contact#mem_…`, `contact`: when a member was invited lately, and to what: one item, on which the contact policy is
  decided.
- `due#{shard}`, `{instant}#{invitation's id}`: what goes out later.
- `sent#{survey's id}`, `{instant}#{invitation's id}`: the invitations of a survey, by their time, for who sends them.
- `asked#{survey's id}#{month}`, `{shard}`: how many were sent in a month.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from chalicelib.base import clock
from chalicelib.base.dynamo import IntAttribute
from chalicelib.surveys.table import NAME, STATE

Status: TypeAlias = Literal["open", "answered", "withdrawn"]


class InvitationItem(Model):
    """An invitation that was sent. `invite` is the rule's code, empty for one made by hand (by `actor`).

    `occasion` is what it is about: an order, a case, an alert, an entry, a quarter, or the key of a request.
    """

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    survey_id = UnicodeAttribute()
    member_id = UnicodeAttribute()
    invite = UnicodeAttribute()
    occasion = UnicodeAttribute()
    status = UnicodeAttribute()
    created_at = UnicodeAttribute()
    expires_at = UnicodeAttribute()
    order_id = UnicodeAttribute(null=True)
    case_id = UnicodeAttribute(null=True)
    actor = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    response_id = UnicodeAttribute(null=True)
    ended_at = UnicodeAttribute(null=True)
    ended_by = UnicodeAttribute(null=True)


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation as it is now; instants are seconds. `order_id` and `case_id` are empty where it is about neither."""

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


def read_invitation(invitation_id: str) -> Invitation | None:
    """An invitation as it is now."""
    if not invitation_id.startswith("inv_"):
        # Other things lie in the same table.
        return None
    items = InvitationItem.query(invitation_id, InvitationItem.part == STATE, consistent_read=True)
    return next((told(item) for item in items), None)


def told(item: InvitationItem) -> Invitation:
    """What an item says."""
    return Invitation(
        invitation_id=item.key,
        survey_id=item.survey_id,
        member_id=item.member_id,
        invite=item.invite,
        occasion=item.occasion,
        created_at=clock.parse(item.created_at),
        expires_at=clock.parse(item.expires_at),
        status=item.status,  # type: ignore[arg-type]
        order_id=item.order_id or "",
        case_id=item.case_id or "",
        actor=item.actor or "",
        reason=item.reason or "",
        response_id=item.response_id or "",
    )
