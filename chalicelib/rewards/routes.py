"""Redemptions over HTTP."""

from __future__ import annotations

from chalicelib.base.errors import Forbidden
from chalicelib.ledger.posting import Posted
from chalicelib.ledger.schema import account_summary, entry_summary
from chalicelib.members import service as members
from chalicelib.rewards import service
from chalicelib.rewards.schema import RedemptionIn, RedemptionOut, RedemptionPosted
from chalicelib.rewards.service import Redemption
from chalicelib.rewards.table import RedemptionStep
from chalicelib.web.room import IDEMPOTENCY_KEY, Call, Reply, Room

room = Room("rewards")


@room.post(
    "/v1/members/{member_id}/redemptions",
    body=RedemptionIn,
    answer=RedemptionPosted,
    scopes=("redemptions.write",),
    callers=("member", "system"),
    headers=(IDEMPOTENCY_KEY,),
    summary="Spend points as a discount",
    statuses={201: "The points are spent.", 200: "The same request was answered before."},
    errors=(
        "member_not_found",
        "not_your_account",
        "insufficient_points",
        "key_reused",
        "idempotency_key_missing",
        "not_redeemable",
        "busy",
    ),
)
def post_redemption(call: Call[RedemptionIn], member_id: str) -> Reply[RedemptionPosted]:
    """Spends the points that expire soonest. The answer names the redemption that pays a part of the next order."""
    member = members.member_for(call.caller, member_id)
    posted = service.redeem(member, call.body, key=call.idempotency_key, actor=call.caller.actor(member), now=call.now)
    body = _posted(Redemption((posted.record,)), posted)
    return Reply(body, status=200 if posted.replayed else 201)


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
    """Puts back exactly what the redemption took. One that paid an order is cancelled only by the shop's system."""
    redemption = _own(call, redemption_id)
    posted = service.cancel(
        redemption,
        actor=call.caller.actor(redemption.member_id),
        even_used=call.caller.kind != "member",
        now=call.now,
    )
    return Reply(_posted(Redemption((*redemption.steps, posted.record)), posted))


@room.get(
    "/v1/redemptions/{redemption_id}",
    answer=RedemptionOut,
    scopes=("redemptions.write",),
    callers=("member", "system"),
    summary="Read a redemption",
    statuses={200: "The redemption."},
    errors=("redemption_not_found",),
)
def get_redemption(call: Call[None], redemption_id: str) -> Reply[RedemptionOut]:
    """Shows what a redemption is worth and what became of it."""
    return Reply(_out(_own(call, redemption_id)))


def _own(call: Call[None], redemption_id: str) -> Redemption:
    """A redemption that the caller may see; to members, another's looks like none at all."""
    redemption = service.read(redemption_id)
    try:
        members.member_for(call.caller, redemption.member_id)
    except Forbidden as error:
        raise service.RedemptionNotFound("No redemption has this id.", field="redemption_id") from error
    return redemption


def _posted(redemption: Redemption, posted: Posted[RedemptionStep]) -> RedemptionPosted:
    return RedemptionPosted(
        redemption=_out(redemption), entry=entry_summary(posted.record), account=account_summary(posted.record)
    )


def _out(redemption: Redemption) -> RedemptionOut:
    issue, use, cancellation = redemption.issue, redemption.use, redemption.cancellation
    return RedemptionOut(
        id=issue.redemption_id,
        status="cancelled" if cancellation else "used" if use else "issued",
        member_id=redemption.member_id,
        points=issue.spent_points,
        amount_minor=issue.amount_minor,
        currency=issue.currency,
        issued_at=issue.posted_at,
        order_id=use.order_id if use else None,
        cancelled_at=cancellation.posted_at if cancellation else None,
    )
