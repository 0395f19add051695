"""Events, benefits and challenges over HTTP."""

from __future__ import annotations

import msgspec

from chalicelib.base.errors import Forbidden, Invalid
from chalicelib.engagement import benefits, challenges, events, render
from chalicelib.engagement.events import EventNotFound
from chalicelib.engagement.schema import (
    BenefitsOut,
    BenefitUseIn,
    BenefitUsePosted,
    ChallengesOut,
    EventIn,
    EventOut,
    EventPosted,
)
from chalicelib.engagement.table import EventStep
from chalicelib.members import service as members
from chalicelib.web.room import ACCEPT_LANGUAGE, IDEMPOTENCY_KEY, Call, Param, Reply, Room

room = Room("engagement")


@room.post(
    "/v1/events",
    body=EventIn,
    answer=EventPosted,
    scopes=("events.write",),
    summary="Post what a member did beside buying",
    example={
        "source": "app",
        "event_id": "check-in-100231-2026-11-20",
        "type": "check_in",
        "occurred_at": "2026-11-20T18:30:00+08:00",
        "identity": {"mail": "customer-1@example.com"},
        "store": "harbour",
    },
    statuses={201: "The event is posted and counts.", 200: "The same event was posted before."},
    errors=(
        "member_not_found",
        "not_your_account",
        "event_type_unknown",
        "not_self_reported",
        "phone_invalid",
        "mail_invalid",
        "key_reused",
        "occurred_in_future",
        "occurred_too_long_ago",
        "busy",
    ),
)
def post_event(call: Call[EventIn]) -> Reply[EventPosted]:
    """Send an event once; `source` and `event_id` name it for ever, so it may be sent again safely.

    Rules for its type give points, within their caps and cooldowns, and challenges count it. A member's own app may
    post events of the types that the programme calls self-reported, for the member alone.
    """
    owner = members.owner_of(call.caller)
    posted = events.post_event(
        call.body, _reporter(call) if owner else None, owner=owner, actor=call.caller.actor(), now=call.now
    )
    return Reply(render.posted_event([posted.record]), status=200 if posted.replayed else 201)


@room.get(
    "/v1/events/{event_id}",
    answer=EventOut,
    scopes=("events.read",),
    summary="Read an event",
    statuses={200: "The event."},
    errors=("event_not_found",),
)
def get_event(call: Call[None], event_id: str) -> Reply[EventOut]:
    """Shows what an event gave, rule by rule, and whether it was withdrawn."""
    return Reply(render.event(_own(call, event_id)))


@room.post(
    "/v1/events/{event_id}/cancel",
    answer=EventPosted,
    scopes=("events.write",),
    callers=("staff", "system"),
    summary="Withdraw an event",
    statuses={200: "Whatever the event gave has gone back."},
    errors=("event_not_found", "busy"),
)
def cancel_event(call: Call[None], event_id: str) -> Reply[EventPosted]:
    """Takes back points, activity, limits and budgets, and what it counted for in challenges: say, of a fake review."""
    event = events.read(event_id)[0]
    done = events.cancel(event, actor=call.caller.actor(), now=call.now)
    return Reply(render.posted_event([event, done.record]))


@room.get(
    "/v1/members/{member_id}/benefits",
    answer=BenefitsOut,
    scopes=("members.read",),
    headers=(ACCEPT_LANGUAGE,),
    query=(Param("locked", "`true` lists what the next tier would bring as well."),),
    summary="Read a member's benefits",
    statuses={200: "The benefits of the member's tier."},
    errors=("member_not_found", "not_your_account"),
)
def get_benefits(call: Call[None], member_id: str) -> Reply[BenefitsOut]:
    """What the member has beside points, read consistently: what is left of those that are counted is exact."""
    found = members.member_for(call.caller, member_id)
    with_next = call.query("locked")
    if with_next not in {None, "true", "false"}:
        raise Invalid("locked is true or false.", field="locked", code="query_invalid")
    held = benefits.of_member(found, with_next=with_next == "true", now=call.now)
    return Reply(render.benefits(held, call.locale))


@room.post(
    "/v1/members/{member_id}/benefits/{code}/uses",
    body=BenefitUseIn,
    answer=BenefitUsePosted,
    scopes=("benefits.write",),
    callers=("staff", "system"),
    headers=(IDEMPOTENCY_KEY,),
    summary="Record the use of a benefit",
    example={"note": "Lounge, two guests."},
    statuses={201: "The use is recorded.", 200: "The same request was answered before."},
    errors=(
        "member_not_found",
        "benefit_not_found",
        "benefit_not_held",
        "benefit_used_up",
        "benefit_not_open",
        "benefit_not_counted",
        "occurred_in_future",
        "occurred_too_long_ago",
        "idempotency_key_missing",
        "key_reused",
        "busy",
    ),
)
def post_benefit_use(call: Call[BenefitUseIn], member_id: str, code: str) -> Reply[BenefitUsePosted]:
    """For a benefit that may be used so many times in each period; of two uses at once, one more than is left fails."""
    found = members.member_for(call.caller, member_id)
    actor = call.caller.actor()
    posted = benefits.use(found, code, call.body, key=call.idempotency_key, actor=actor, now=call.now)
    return Reply(render.posted_use([posted.record]), status=200 if posted.replayed else 201)


@room.post(
    "/v1/benefit-uses/{use_id}/cancel",
    answer=BenefitUsePosted,
    scopes=("benefits.write",),
    callers=("staff", "system"),
    summary="Cancel the use of a benefit",
    statuses={200: "The benefit may be used once more in that period."},
    errors=("benefit_use_not_found", "busy"),
)
def cancel_benefit_use(call: Call[None], use_id: str) -> Reply[BenefitUsePosted]:
    """Gives the use back to the period in which it was made. Repeated, it answers the same."""
    use = benefits.read_use(use_id)[0]
    done = benefits.cancel_use(use, actor=call.caller.actor(), now=call.now)
    return Reply(render.posted_use([use, done.record]))


@room.get(
    "/v1/members/{member_id}/challenges",
    answer=ChallengesOut,
    scopes=("members.read",),
    headers=(ACCEPT_LANGUAGE,),
    summary="Read a member's challenges",
    statuses={200: "Punch cards, streaks and quests, and the badges earned so far."},
    errors=("member_not_found", "not_your_account"),
)
def get_challenges(call: Call[None], member_id: str) -> Reply[ChallengesOut]:
    """How far the member is in each. Purchases and events show a moment after they were posted."""
    found = members.member_for(call.caller, member_id)
    return Reply(render.challenges(challenges.of_member(found, now=call.now), call.locale))


def _reporter(call: Call[EventIn]) -> str:
    """The member who reports an event."""
    if call.body.identity is not msgspec.UNSET:
        raise Invalid("You are known by your token; leave identity out.", field="identity")
    named = call.body.member_id
    return members.member_for(call.caller, members.ME if named is msgspec.UNSET else named)


def _own(call: Call[None], event_id: str) -> list[EventStep]:
    """An event that the caller may see; to members, another's looks like none at all."""
    steps = events.read(event_id)
    try:
        members.member_for(call.caller, str(steps[0].member_id))
    except Forbidden as error:
        raise EventNotFound from error
    return steps
