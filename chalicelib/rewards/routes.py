"""Redemptions over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.base.errors import Forbidden
from chalicelib.ledger.posting import Posted
from chalicelib.members import service as members
from chalicelib.rewards import catalogue_routes, fulfilling, history, listing, render, service
from chalicelib.rewards.history import Redemption, RedemptionNotFound
from chalicelib.rewards.schema import (
    RedemptionIn,
    RedemptionOut,
    RedemptionPage,
    RedemptionPosted,
    ShipIn,
    UseIn,
)
from chalicelib.rewards.table import RedemptionStep
from chalicelib.web.room import ACCEPT_LANGUAGE, IDEMPOTENCY_KEY, PAGE, Call, Reply

room = catalogue_routes.room


@room.post(
    "/v1/members/{member_id}/redemptions",
    body=RedemptionIn,
    answer=RedemptionPosted,
    scopes=("redemptions.write",),
    callers=("member", "system"),
    headers=(IDEMPOTENCY_KEY,),
    summary="Spend points as a discount, or for a reward",
    example={"points": 500, "currency": "USD"},
    statuses={201: "The points are spent, or held.", 200: "The same request was answered before."},
    errors=(
        "member_not_found",
        "not_your_account",
        "insufficient_points",
        "too_many_holds",
        "key_reused",
        "idempotency_key_missing",
        "not_redeemable",
        "reward_not_found",
        "reward_not_yet",
        "reward_ended",
        "wrong_tier",
        "reward_not_for_you",
        "limit_reached",
        "price_not_offered",
        "currency_not_offered",
        "sold_out",
        "sold_out_today",
        "cash_unconfirmed",
        "counter_not_found",
        "quantity_not_offered",
        "voucher_batch_not_found",
        "voucher_batch_not_fitting",
        "busy",
    ),
)
def post_redemption(call: Call[RedemptionIn], member_id: str) -> Reply[RedemptionPosted]:
    """Spends the points that expire soonest.

    A discount pays a part of the next order. A reward takes its piece of the stock in the same transaction. Money that
    is paid beside the points is the shop's to confirm: a member may only hold such a reward, and the shop commits it.
    """
    member = members.member_for(call.caller, member_id)
    posted = service.redeem(
        member,
        call.body,
        key=call.idempotency_key,
        actor=call.caller.actor(member),
        now=call.now,
        owner=members.owner_of(call.caller),
        by_member=call.caller.kind == "member",
    )
    body = render.posted(Redemption((posted.record,)), posted, call.locale)
    return Reply(body, status=200 if posted.replayed else 201)


@room.get(
    "/v1/members/{member_id}/redemptions",
    answer=RedemptionPage,
    scopes=("redemptions.write",),
    callers=("member", "staff", "system"),
    summary="A member's redemptions, newest first",
    query=PAGE,
    headers=(ACCEPT_LANGUAGE,),
    statuses={200: "The page."},
    errors=("member_not_found", "not_your_account", "cursor_invalid"),
)
def get_redemptions(call: Call[None], member_id: str) -> Reply[RedemptionPage]:
    """Everything that the member redeemed, with what became of it, and what other members had who were merged in."""
    found = members.member_for(call.caller, member_id)
    page = listing.page(found, after=call.cursor(found), limit=call.limit, now=call.now)
    return Reply(
        RedemptionPage(
            redemptions=tuple(render.shown(redemption, call.now, call.locale) for redemption in page.redemptions),
            next_cursor=call.next_cursor(found, page.after) if page.after else None,
        )
    )


@room.post(
    "/v1/redemptions/{redemption_id}/commit",
    answer=RedemptionPosted,
    scopes=("redemptions.write",),
    callers=("member", "system"),
    summary="Spend the points that a redemption holds",
    statuses={200: "The points are spent."},
    errors=(
        "redemption_not_found",
        "redemption_not_open",
        "hold_over",
        "cash_unconfirmed",
        "voucher_batch_not_found",
        "voucher_batch_not_fitting",
        "busy",
    ),
)
def commit_redemption(call: Call[None], redemption_id: str) -> Reply[RedemptionPosted]:
    """Turns the hold of a checkout into a redemption, until its time is up. Money is confirmed by the shop's system."""
    by_member = call.caller.kind == "member"

    def commit(redemption: Redemption, *, actor: str, now: int) -> Posted[RedemptionStep]:
        return service.commit(redemption, actor=actor, now=now, by_member=by_member)

    return _changed(call, redemption_id, commit)


@room.post(
    "/v1/redemptions/{redemption_id}/release",
    answer=RedemptionPosted,
    scopes=("redemptions.write",),
    callers=("member", "system"),
    summary="Give back the points that a redemption holds",
    statuses={200: "The points are available again."},
    errors=("redemption_not_found", "redemption_not_open", "hold_over", "busy"),
)
def release_redemption(call: Call[None], redemption_id: str) -> Reply[RedemptionPosted]:
    """Ends the hold of a checkout early; left alone, it lapses by itself."""
    return _changed(call, redemption_id, service.release)


@room.post(
    "/v1/redemptions/{redemption_id}/cancel",
    answer=RedemptionPosted,
    scopes=("redemptions.write",),
    callers=("member", "system"),
    summary="Cancel a redemption",
    statuses={200: "The points are back, in the lots that they were taken from."},
    errors=("redemption_not_found", "redemption_not_open", "busy"),
)
def cancel_redemption(call: Call[None], redemption_id: str) -> Reply[RedemptionPosted]:
    """Puts back exactly what the redemption took: points, stock and limits.

    One that was shipped, used, or paid an order, is cancelled only by the shop's system.
    """
    even_used = call.caller.kind != "member"

    def cancel(redemption: Redemption, *, actor: str, now: int) -> Posted[RedemptionStep]:
        return service.cancel(redemption, actor=actor, even_used=even_used, now=now)

    return _changed(call, redemption_id, cancel)


@room.post(
    "/v1/redemptions/{redemption_id}/ship",
    body=ShipIn,
    answer=RedemptionPosted,
    scopes=("redemptions.write",),
    callers=("staff", "system"),
    summary="Say that what was redeemed is on its way",
    example={"tracking": "SF1234567890"},
    statuses={200: "It is shipped."},
    errors=("redemption_not_found", "redemption_not_open", "not_fulfilled_so", "busy"),
)
def ship_redemption(call: Call[ShipIn], redemption_id: str) -> Reply[RedemptionPosted]:
    """From `issued` only, and only what is to be sent."""
    body = call.body
    return _changed(call, redemption_id, lambda redemption, **by: fulfilling.ship(redemption, body, **by))


@room.post(
    "/v1/redemptions/{redemption_id}/use",
    body=UseIn,
    answer=RedemptionPosted,
    scopes=("redemptions.write",),
    callers=("staff", "system"),
    summary="Say that what was redeemed is handed over",
    example={"store": "shanghai-1"},
    statuses={200: "It is used."},
    errors=("redemption_not_found", "redemption_not_open", "not_fulfilled_so", "busy"),
)
def use_redemption(call: Call[UseIn], redemption_id: str) -> Reply[RedemptionPosted]:
    """A till's word, once: the same till asking again hears the same, every other one that it is used already."""
    body = call.body
    return _changed(call, redemption_id, lambda redemption, **by: fulfilling.use(redemption, body, **by))


@room.get(
    "/v1/redemptions/{redemption_id}",
    answer=RedemptionOut,
    scopes=("redemptions.write",),
    callers=("member", "staff", "system"),
    summary="Read a redemption",
    headers=(ACCEPT_LANGUAGE,),
    statuses={200: "The redemption."},
    errors=("redemption_not_found",),
)
def get_redemption(call: Call[None], redemption_id: str) -> Reply[RedemptionOut]:
    """Shows what a redemption is worth and everything that became of it."""
    return Reply(render.shown(_own(call, redemption_id), call.now, call.locale))


def _changed(
    call: Call[Any], redemption_id: str, change: Callable[..., Posted[RedemptionStep]]
) -> Reply[RedemptionPosted]:
    """Change a redemption of the caller's and answer from its terms and the step that was put."""
    redemption = _own(call, redemption_id)
    posted = change(redemption, actor=call.caller.actor(redemption.member_id), now=call.now)
    if posted.record.step > redemption.next_step:
        # Other steps came in between.
        redemption = history.read(redemption_id, consistent=True)
    earlier = [step for step in redemption.steps if step.step < posted.record.step]
    return Reply(render.posted(Redemption((*earlier, posted.record)), posted, call.locale))


def _own(call: Call[Any], redemption_id: str) -> Redemption:
    """A redemption that the caller may see; to members, another's looks like none at all."""
    redemption = history.read(redemption_id)
    try:
        members.member_for(call.caller, redemption.member_id)
    except Forbidden as error:
        raise RedemptionNotFound("No redemption has this id.", field="redemption_id") from error
    return redemption
