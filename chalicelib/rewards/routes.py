"""Redemptions over HTTP."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.base import clock, facts
from chalicelib.base.errors import Forbidden
from chalicelib.ledger.posting import Posted
from chalicelib.ledger.schema import account_summary, entry_summary
from chalicelib.members import service as members
from chalicelib.rewards import history, service
from chalicelib.rewards.history import USED, Redemption, RedemptionNotFound
from chalicelib.rewards.schema import RedemptionIn, RedemptionOut, RedemptionPosted
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
        "busy",
    ),
)
def post_redemption(call: Call[RedemptionIn], member_id: str) -> Reply[RedemptionPosted]:
    """Spends the points that expire soonest. The answer names the redemption that pays a part of the next order."""
    member = members.member_for(call.caller, member_id)
    posted = service.redeem(
        member,
        call.body,
        key=call.idempotency_key,
        actor=call.caller.actor(member),
        now=call.now,
        owner=members.owner_of(call.caller),
    )
    body = _posted(Redemption((posted.record,)), posted)
    return Reply(body, status=200 if posted.replayed else 201)


@room.post(
    "/v1/redemptions/{redemption_id}/commit",
    answer=RedemptionPosted,
    scopes=("redemptions.write",),
    callers=("member", "system"),
    summary="Spend the points that a redemption holds",
    statuses={200: "The points are spent."},
    errors=("redemption_not_found", "redemption_not_open", "hold_over", "busy"),
)
def commit_redemption(call: Call[None], redemption_id: str) -> Reply[RedemptionPosted]:
    """Turns the hold of a checkout into a redemption, until its time is up."""
    return _changed(call, redemption_id, service.commit)


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
    """Puts back exactly what the redemption took. One that paid an order is cancelled only by the shop's system."""
    even_used = call.caller.kind != "member"

    def cancel(redemption: Redemption, *, actor: str, now: int) -> Posted[RedemptionStep]:
        return service.cancel(redemption, actor=actor, even_used=even_used, now=now)

    return _changed(call, redemption_id, cancel)


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
    return Reply(_out(_own(call, redemption_id), call.now))


def _changed(
    call: Call[None], redemption_id: str, change: Callable[..., Posted[RedemptionStep]]
) -> Reply[RedemptionPosted]:
    """Change a redemption of the caller's and answer from its terms and the step that was put."""
    redemption = _own(call, redemption_id)
    posted = change(redemption, actor=call.caller.actor(redemption.member_id), now=call.now)
    earlier = [step for step in redemption.steps if step.step < posted.record.step]
    return Reply(_posted(Redemption((*earlier, posted.record)), posted))


def _own(call: Call[None], redemption_id: str) -> Redemption:
    """A redemption that the caller may see; to members, another's looks like none at all."""
    redemption = history.read(redemption_id)
    try:
        members.member_for(call.caller, redemption.member_id)
    except Forbidden as error:
        raise RedemptionNotFound("No redemption has this id.", field="redemption_id") from error
    return redemption


def _posted(redemption: Redemption, posted: Posted[RedemptionStep]) -> RedemptionPosted:
    """An answer as of the moment when its step was put, so that a replay shows the same."""
    return RedemptionPosted(
        redemption=_out(redemption, clock.parse(posted.record.posted_at)),
        entry=entry_summary(posted.record),
        account=account_summary(posted.record),
    )


def _out(redemption: Redemption, at: int) -> RedemptionOut:
    issue = redemption.issue
    use, cancellation = redemption.find(USED), redemption.find(facts.REDEMPTION_CANCELLED)
    return RedemptionOut(
        id=redemption.redemption_id,
        status=redemption.status(at),
        member_id=redemption.member_id,
        points=issue.spent_points,
        amount_minor=issue.amount_minor,
        currency=issue.currency,
        issued_at=issue.posted_at,
        held_until=issue.held_until,
        returned_points=redemption.returned_points,
        order_id=use.order_id if use else None,
        cancelled_at=cancellation.posted_at if cancellation else None,
    )
