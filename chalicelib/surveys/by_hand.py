"""Inviting a member by hand: somebody of the shop, or one of its systems, asks for it."""

from __future__ import annotations

from typing import Final

import msgspec

from chalicelib.base import ids
from chalicelib.cases import table as cases
from chalicelib.cases.outcomes import CaseNotFound
from chalicelib.ledger.posting import Posted
from chalicelib.members import service as members
from chalicelib.members.table import ProfileItem
from chalicelib.orders import history
from chalicelib.orders.history import OrderNotFound
from chalicelib.program import service as programs
from chalicelib.surveys import defining, preparing, sending
from chalicelib.surveys.invitation_table import InvitationItem
from chalicelib.surveys.sending import Wanted

NO_RULE: Final = ""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to invite, and what about. With an `override` (why) the contact policy is left aside."""

    member_id: str
    open_days: int
    order_id: str = ""
    case_id: str = ""
    override: str = ""


def invite(survey_id: str, request: Request, *, key: str, actor: str, now: int) -> Posted[InvitationItem]:
    """Invite a member, once for `key`.

    Raises SurveyNotFound, SurveyNotOpen, SurveyClosed, MemberNotFound, OrderNotFound and CaseNotFound (for another
    member's as well), ContactRefused, KeyReused and Unavailable.
    """
    wanted = Wanted(
        invitation_id=sending.invitation_id_of("by hand", survey_id, key),
        survey_id=survey_id,
        invite=NO_RULE,
        occasion=key,
        due=now,
        open_days=request.open_days,
        order_id=request.order_id,
        case_id=request.case_id,
        actor=actor,
        reason=request.override,
        fingerprint=ids.request_hash(request),
        overrides=bool(request.override),
    )
    before = sending.sent_before(wanted)
    if before is not None:
        return before
    preparing.answerable(defining.read_now(survey_id))
    owner = members.read(request.member_id)
    _check_about(request, owner)
    return sending.make(wanted, owner, programs.in_force(now, now=now).program, now=now)


def _check_about(request: Request, owner: ProfileItem) -> None:
    """Raises OrderNotFound and CaseNotFound unless what it is about is the member's."""
    if request.order_id:
        buyer = history.read(request.order_id, consistent=True).member_id
        if buyer is None or not members.is_one(buyer, str(owner.key)):
            raise OrderNotFound("The member has no such order.", field="order_id")
    if request.case_id:
        stored = cases.read_head(request.case_id)
        of = stored.case.member_id if stored else None
        if of is None or not members.is_one(of, str(owner.key)):
            raise CaseNotFound
