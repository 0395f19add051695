"""Vouchers over HTTP: their use at the till, and members' lists."""

from __future__ import annotations

from typing import Final

import msgspec

from chalicelib.ledger.posting import Posted
from chalicelib.members import service as members
from chalicelib.vouchers import batch_routes, locking, render, service, undoing, uses, using
from chalicelib.vouchers.guessing import Guesser
from chalicelib.vouchers.looking import Ask
from chalicelib.vouchers.rules import Item, Sketch
from chalicelib.vouchers.schema import (
    MemberVouchersOut,
    VoucherIssued,
    VoucherIssueIn,
    VoucherLockIn,
    VoucherOut,
    VoucherRedeemed,
    VoucherRedeemIn,
    VoucherRollbackIn,
    VoucherSketchIn,
    VoucherUnlocked,
    VoucherUnlockIn,
)
from chalicelib.vouchers.table import UseStep
from chalicelib.vouchers.uses import OrderName
from chalicelib.vouchers.using import Who
from chalicelib.web.room import ACCEPT_LANGUAGE, IDEMPOTENCY_KEY, PAGE, Call, Reply

room = batch_routes.room

_USE: Final = ("vouchers.write",)
_ADMIN: Final = batch_routes.ADMIN
_REFUSALS: Final = (
    "voucher_not_found",
    "voucher_of_another",
    "voucher_attempts_exceeded",
    "voucher_paused",
    "voucher_not_started",
    "voucher_expired",
    "voucher_used_up",
    "voucher_locked",
    "voucher_needs_member",
    "voucher_member_limit",
    "voucher_not_for_tier",
    "voucher_currency",
    "below_minimum",
    "no_eligible_items",
    "voucher_not_combinable",
    "amounts_do_not_add_up",
    "member_not_found",
)
_SKETCH: Final = {
    "currency": "CNY",
    "total_minor": 26_800,
    "shipping_minor": 800,
    "lines": [{"sku": "tea-01", "category": "drinks", "amount_minor": 26_000}],
    "session": "cart-7731",
}


@room.post(
    "/v1/vouchers/{code}/validate",
    body=VoucherSketchIn,
    answer=VoucherOut,
    scopes=_USE,
    callers=("member", "system"),
    headers=(ACCEPT_LANGUAGE,),
    summary="Ask what a voucher is worth for an order",
    example=_SKETCH,
    statuses={200: "It may be used, and this is what it is worth."},
    errors=(*_REFUSALS, "not_your_account"),
)
def validate_voucher(call: Call[VoucherSketchIn], code: str) -> Reply[VoucherOut]:
    """Writes nothing. A refusal's `code` says why it may not be used; an unknown code and another's look alike.

    A member asks for itself.
    """
    found, worth = locking.validate(_ask(call, code), now=call.now)
    return Reply(render.voucher(found, worth, call.body.currency, locale=call.locale))


@room.post(
    "/v1/vouchers/{code}/lock",
    body=VoucherLockIn,
    answer=VoucherOut,
    scopes=_USE,
    callers=("system",),
    headers=(ACCEPT_LANGUAGE,),
    summary="Keep a voucher for a checkout",
    example={**_SKETCH, "ttl_seconds": 600},
    statuses={201: "The session has it.", 200: "The session has had it before, until the same time."},
    errors=(*_REFUSALS, "busy"),
)
def lock_voucher(call: Call[VoucherLockIn], code: str) -> Reply[VoucherOut]:
    """Until it is redeemed or the time is up, no other session can use a single voucher.

    Of a shared one, and of what a batch has in total, one use is kept; when the time is up it is anybody's again.
    """
    found = locking.lock(_ask(call, code), call.body.ttl_seconds, now=call.now)
    return Reply(render.locked(found, call.body.currency, locale=call.locale), 201 if found.is_new else 200)


@room.post(
    "/v1/vouchers/{code}/unlock",
    body=VoucherUnlockIn,
    answer=VoucherUnlocked,
    scopes=_USE,
    callers=("system",),
    summary="Let a voucher go that a checkout has kept",
    example={"session": "cart-7731"},
    statuses={200: "The session does not keep it, or no longer."},
    errors=("voucher_not_found", "voucher_attempts_exceeded", "busy"),
)
def unlock_voucher(call: Call[VoucherUnlockIn], code: str) -> Reply[VoucherUnlocked]:
    """Say, when it is taken out of the cart: it is free at once. Repeated, it answers the same.

    Another session's lock and a use on an order stay as they are.
    """
    session = call.body.session
    guesser = Guesser(call.caller.client_id, session, is_system=True)
    return Reply(render.unlocked(locking.unlock(code, session, guesser, now=call.now)))


@room.post(
    "/v1/vouchers/{code}/redeem",
    body=VoucherRedeemIn,
    answer=VoucherRedeemed,
    scopes=_USE,
    callers=("system",),
    headers=(IDEMPOTENCY_KEY,),
    summary="Use a voucher on an order",
    example={**_SKETCH, "source": "shop", "order_id": "100231"},
    statuses={201: "The voucher is used.", 200: "It was used by the same request before."},
    errors=(*_REFUSALS, "voucher_on_order", "key_reused", "idempotency_key_missing", "busy"),
)
def redeem_voucher(call: Call[VoucherRedeemIn], code: str) -> Reply[VoucherRedeemed]:
    """Once for the order and the key; a session that has the voucher names itself, others may redeem it directly.

    A voucher for points credits them in the same transaction. After a rollback the order may use it again, with
    another key; the old key is answered with the use that was rolled back.
    """
    order = OrderName(call.body.source, call.body.order_id)
    who = Who(call.idempotency_key, call.caller.actor(), call.now)
    return _used(using.redeem(_ask(call, code), order, who), order)


@room.post(
    "/v1/vouchers/{code}/rollback",
    body=VoucherRollbackIn,
    answer=VoucherRedeemed,
    scopes=_USE,
    callers=("system",),
    summary="Take back the use of a voucher",
    example={"source": "shop", "order_id": "100231"},
    statuses={201: "The voucher may be used again.", 200: "The use was taken back before."},
    errors=("voucher_use_not_found", "busy"),
)
def roll_back_voucher(call: Call[VoucherRollbackIn], code: str) -> Reply[VoucherRedeemed]:
    """Gives back what the use took: the voucher, the batch's total, the member's count, and takes back its points."""
    body = call.body
    order = OrderName(body.source, body.order_id)
    use_id = None if body.redemption_id is msgspec.UNSET else body.redemption_id
    posted = undoing.roll_back(code, order, redemption_id=use_id, actor=call.caller.actor(), now=call.now)
    step = posted.record
    return Reply(render.redeemed(step, step.posted_at, step), 200 if posted.replayed else 201)


@room.get(
    "/v1/members/{member_id}/vouchers",
    answer=MemberVouchersOut,
    scopes=_USE,
    query=PAGE,
    headers=(ACCEPT_LANGUAGE,),
    summary="List a member's vouchers",
    statuses={200: "A page of vouchers, newest first."},
    errors=("member_not_found", "cursor_invalid", "not_your_account"),
)
def get_member_vouchers(call: Call[None], member_id: str) -> Reply[MemberVouchersOut]:
    """What was issued to the member, and to those merged into it, with codes: open, used and expired."""
    every_id = members.ids_of(members.member_for(call.caller, member_id))
    member = every_id[0]
    found = service.held_by(*every_id, after=call.cursor(member), limit=call.limit, now=call.now)
    more = len(found) == call.limit
    return Reply(
        MemberVouchersOut(
            vouchers=tuple(render.held(each, locale=call.locale) for each in found),
            next_cursor=call.next_cursor(member, found[-1].item.step) if more else None,
        )
    )


@room.post(
    "/v1/members/{member_id}/vouchers",
    body=VoucherIssueIn,
    answer=VoucherIssued,
    scopes=_ADMIN,
    callers=("staff", "system"),
    headers=(IDEMPOTENCY_KEY,),
    summary="Issue a voucher to a member",
    example={"batch_id": f"vbt_{'a2' * 13}"},
    statuses={201: "The voucher is issued.", 200: "It was issued by the same request before."},
    errors=(
        "member_not_found",
        "voucher_batch_not_found",
        "voucher_batch_not_fitting",
        "key_reused",
        "idempotency_key_missing",
        "busy",
    ),
)
def issue_voucher(call: Call[VoucherIssueIn], member_id: str) -> Reply[VoucherIssued]:
    """Say, as a compensation. The member finds it in its list."""
    member = str(members.read(members.member_for(call.caller, member_id)).key)
    posted = service.issue(call.body.batch_id, member, f"api#{call.idempotency_key}", now=call.now)
    return Reply(render.issued(posted.record), 200 if posted.replayed else 201)


def _ask(call: Call[VoucherSketchIn] | Call[VoucherLockIn] | Call[VoucherRedeemIn], code: str) -> Ask:
    """What the caller asks of a voucher, and by whom failures are counted."""
    body, caller = call.body, call.caller
    member = None if body.member_id is msgspec.UNSET else body.member_id
    session = None if body.session is msgspec.UNSET else body.session
    is_member = caller.kind == "member"
    if is_member:
        member = members.member_for(caller, member or members.ME)
        guesser = Guesser(f"{caller.issuer}#{caller.subject}")
    else:
        guesser = Guesser(caller.client_id, member or session or "", is_system=True)
    return Ask(
        code=code,
        sketch=Sketch(
            currency=body.currency,
            total_minor=body.total_minor,
            shipping_minor=body.shipping_minor,
            items=tuple(Item(line.sku, line.category, line.amount_minor) for line in body.lines),
        ),
        guesser=guesser,
        session=session,
        member_id=member,
        is_member=is_member,
        others=body.other_codes,
    )


def _used(posted: Posted[UseStep], order: OrderName) -> Reply[VoucherRedeemed]:
    use = posted.record
    # What became of it since only a replay has to look up.
    rolled_back_at = uses.rolled_back_at(uses.uses_of(order)[0], use) if posted.replayed else None
    return Reply(render.redeemed(use, rolled_back_at, use), 200 if posted.replayed else 201)
