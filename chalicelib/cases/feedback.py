"""Feedback as it comes in: from a member, from an agent for one, or from somebody unknown. It opens a case, once."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from chalicelib.base import facts, ids
from chalicelib.base.errors import Forbidden, Invalid
from chalicelib.cases import opening
from chalicelib.cases.changing import decided, read
from chalicelib.cases.opening import Complaint
from chalicelib.cases.rules.case import Case, Kind
from chalicelib.cases.schema import FeedbackIn
from chalicelib.cases.table import StepItem, read_step, step_part
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.posting import Account, MemberNotFound, Plan, Posted, once, post, put_once
from chalicelib.members import service as members
from chalicelib.orders import history
from chalicelib.orders.history import OrderNotFound
from chalicelib.orders.service import named
from chalicelib.program.document.cases import Severity

_SEVERITIES: Final[dict[Kind, Severity]] = {"praise": "low", "suggestion": "low"}
"""How grave feedback is that nobody has judged, where that is not normal."""


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends feedback: `member_id` and `owner` (the sign-in) are a person's own; `key` is the Idempotency-Key."""

    actor: str
    key: str | None
    member_id: str | None = None
    owner: str = ""
    locale: str = ""


class Received(msgspec.Struct, frozen=True):
    """The case that feedback has opened, and whether it had done so before."""

    case: Case
    replayed: bool


def receive(body: FeedbackIn, sender: Sender, *, now: int) -> Received:
    """Open a case for feedback, once for its `source` and `feedback_id`, or else for the sender's key.

    Raises Invalid (who is meant, `feedback_key_missing`), Forbidden (`feedback_not_yours` for what only the shop may
    say), MemberNotFound, OrderNotFound, KeyReused and Unavailable.
    """
    case_id = _case_id(body, sender)
    asked = StepItem(case_id, step_part(case_id), record_id=case_id, request_hash=ids.request_hash(body))
    posted = once(asked, lambda: read_step(case_id), lambda: _open(body, sender, case_id, now))
    return Received(read(case_id).case, posted.replayed)


def _case_id(body: FeedbackIn, sender: Sender) -> str:
    # What a person sends never takes the name of a system's feedback.
    owner = [sender.owner] if sender.owner else []
    if body.source is not UNSET and body.feedback_id is not UNSET:
        return opening.case_id_of("feedback", body.source, body.feedback_id, *owner)
    if sender.key is None:
        raise Invalid(
            "Send source and feedback_id, or an Idempotency-Key header, so that a repetition is known for one.",
            code="feedback_key_missing",
        )
    return opening.case_id_of("key", sender.owner or sender.actor, sender.key)


def _open(body: FeedbackIn, sender: Sender, case_id: str, now: int) -> Posted[StepItem]:
    member_id = _member_of(body, sender)
    order_id = _order_of(body, member_id)
    request_hash = ids.request_hash(body)

    def complaint(found: str | None) -> Complaint:
        return Complaint(
            member_id=found,
            kind=body.kind,
            dimension=body.dimension,
            severity=_SEVERITIES.get(body.kind, "normal") if body.severity is UNSET else body.severity,
            text=body.text,
            channel=_given(body.channel) or ("app" if sender.owner else "other"),
            order_id=order_id,
            response_id=_given(body.response_id),
            store=body.store,
            locale=_given(body.locale) or sender.locale,
            source=_given(body.source),
            url=_given(body.url),
            actor=sender.actor,
        )

    if member_id is None:
        found = opening.prepared(complaint(None), case_id, request_hash=request_hash, now=now)
        return put_once(found.record, found.writes)

    def plan(account: Account) -> Plan[StepItem]:
        made = opening.prepared(complaint(account.member_id), case_id, request_hash=request_hash, now=now)
        decision = decided(account, made.case, facts.CASE_OPENED, case_id, Effect(), actor=sender.actor, now=now)
        return Plan(decision, made.record, lambda _entry: made.writes)

    return post(member_id, plan, now=lambda: now)


def _member_of(body: FeedbackIn, sender: Sender) -> str | None:
    """Whom the feedback is from, None for somebody unknown."""
    if sender.owner:
        judged = (body.member_id, body.identity, body.severity, body.response_id)
        if any(given is not UNSET for given in judged):
            raise Forbidden(
                "Your feedback is your own: leave out member_id, identity, severity and response_id.",
                code="feedback_not_yours",
            )
        return sender.member_id
    if body.identity is not UNSET:
        if body.member_id is not UNSET:
            raise Invalid("Name the member by member_id or by identity, not by both.", field="identity")
        kind, value, source = named(body.identity)
        found = members.find(members.identity_key(kind, value, source))
        if found is None:
            raise MemberNotFound("This identity leads to no member; leave it out for somebody unknown.")
        return found
    return None if body.member_id is UNSET else body.member_id


def _order_of(body: FeedbackIn, member_id: str | None) -> str:
    """The order that the feedback is about. That it is another member's is said in the words of an unknown one."""
    if body.order_id is UNSET:
        return ""
    owner = history.read(body.order_id).member_id
    if member_id and owner and not members.is_one(owner, member_id):
        raise OrderNotFound("No order of this member has this id.", field="order_id")
    return body.order_id


def _given(value: str | UnsetType) -> str:
    return "" if value is UNSET else value
