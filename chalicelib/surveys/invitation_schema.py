"""What invitations look like at the edge."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.members.rules import Channel
from chalicelib.orders.schema import MemberId

Status = Literal["open", "answered", "withdrawn", "expired"]
OrderId = Annotated[str, Meta(pattern=r"^ord_[a-z2-7]{26}(?!\n)$")]
CaseId = Annotated[str, Meta(pattern=r"^cse_[a-z2-7]{26}(?!\n)$")]
Reason = Annotated[str, Meta(max_length=500, pattern=r"\S")]


class InvitationIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Whom to invite by hand, about which order or case, and for how long.

    With an `override_reason` the member is invited though the contact policy forbids it; it is kept with who did so.
    """

    member_id: MemberId
    open_days: Annotated[int, Meta(ge=1, le=366)] = 30
    order_id: OrderId | UnsetType = UNSET
    case_id: CaseId | UnsetType = UNSET
    override_reason: Reason | UnsetType = UNSET


class InvitationOut(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation. `invite` is the code of the programme's rule, null for one by hand; `link` is there while open."""

    id: str
    survey_id: str
    member_id: str
    invite: str | None
    status: Status
    created_at: str
    expires_at: str
    order_id: str | None
    case_id: str | None
    override_reason: str | None
    link: str | None


class OpenInvitationOut(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that the member may answer now: by its `link`, or in the app with its `id` as `invitation_id`."""

    id: str
    survey_id: str
    title: str
    points: int
    created_at: str
    expires_at: str
    link: str


class OpenInvitationsOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a member may answer now, the latest first."""

    invitations: tuple[OpenInvitationOut, ...]


class SendableOut(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation to be brought to a member. `consents` says by channel whether that may be used (unknown: absent).

    `member_id` is who takes the invitation now, though it was made for a member merged into this one since.
    """

    id: str
    member_id: str
    locale: str | None
    consents: dict[Channel, bool]
    created_at: str
    expires_at: str
    link: str


class SendablesOut(msgspec.Struct, frozen=True, kw_only=True):
    """Invitations to be sent, oldest first. Keep `next_cursor`: what comes later is found after it."""

    invitations: tuple[SendableOut, ...]
    next_cursor: str | None
    has_more: bool


class LinkedOut(msgspec.Struct, frozen=True, kw_only=True):
    """The invitation that a link is for."""

    id: str
    survey_id: str
    status: Status
    expires_at: str
