"""Referrals over HTTP."""

from __future__ import annotations

from typing import Literal

from chalicelib.base.errors import Invalid
from chalicelib.members import service as members
from chalicelib.members.schema import ReferralIn
from chalicelib.referrals import changing, claiming, codes, enrolling, listing, owning, qr, render, reviewing, terms
from chalicelib.referrals.schema import (
    ReferralClaimed,
    ReferralCodeOut,
    ReferralOut,
    ReferralPage,
    ReferralsOut,
)
from chalicelib.web.room import PAGE, Call, Param, Reply, Room

room = Room("referrals")

_REVIEW = ("referrals.review",)
_HELD = "held"


@room.get(
    "/v1/members/{member_id}/referral-code",
    answer=ReferralCodeOut,
    scopes=("members.read",),
    summary="Read a member's referral code",
    statuses={200: "The code, its link, and the link as a QR picture."},
    errors=("member_not_found", "not_your_account", "referrals_not_offered", "busy"),
)
def get_referral_code(call: Call[None], member_id: str) -> Reply[ReferralCodeOut]:
    """The code is made when it is first asked for and never changes. `qr_svg` is an SVG document, to be shown as is."""
    found = members.member_for(call.caller, member_id)
    policy = terms.current(call.now)[1]
    code = owning.code_of(found)
    link = listing.link_of(policy, code)
    return Reply(ReferralCodeOut(member_id=found, code=codes.shown(code), link=link, qr_svg=qr.svg(link)))


@room.post(
    "/v1/members/{member_id}/referral",
    body=ReferralIn,
    answer=ReferralClaimed,
    scopes=("referrals.write",),
    summary="Claim a referral code",
    example={"code": "7kqm-2vxa", "device": "b1946ac92492d2347c6235b4d2611184"},
    statuses={201: "The claim is taken.", 200: "The member had claimed this code before."},
    errors=(
        "member_not_found",
        "not_your_account",
        "referrals_not_offered",
        "referral_code_unknown",
        "referral_own_code",
        "referral_not_newer",
        "referral_too_late",
        "referral_not_new",
        "referral_already_claimed",
        "referral_attempts_exceeded",
        "busy",
    ),
)
def post_referral(call: Call[ReferralIn], member_id: str) -> Reply[ReferralClaimed]:
    """By the new member, some days after enrolling at the latest, and once: the first code stands.

    Case, blanks, hyphens and look-alikes in the code make no difference. A claim that looks like fraud is held for
    review or refused; what the friend buys meanwhile counts if it is approved.
    """
    found = members.member_for(call.caller, member_id)
    posted = claiming.claim(found, call.body.code, enrolling.given_of(call.body), now=call.now)
    shown = render.claimed(changing.read(posted.record.key).referral, call.now)
    return Reply(shown, status=200 if posted.replayed else 201)


@room.get(
    "/v1/members/{member_id}/referrals",
    answer=ReferralsOut,
    scopes=("members.read",),
    query=PAGE,
    summary="Read a member's referrals",
    statuses={200: "The member's code, the friends who have claimed it, and what comes next."},
    errors=("member_not_found", "not_your_account", "referrals_not_offered", "cursor_invalid", "busy"),
)
def get_referrals(call: Call[None], member_id: str) -> Reply[ReferralsOut]:
    """Friends are told of by an initial and how far they are. What is held for review shows as `waiting`."""
    found = members.member_for(call.caller, member_id)
    listed = listing.overview(found, after=call.cursor(found), limit=call.limit, now=call.now)
    return Reply(render.overview(listed, call.next_cursor(found, listed.last) if listed.last else None))


@room.get(
    "/v1/referrals",
    answer=ReferralPage,
    scopes=_REVIEW,
    callers=("staff", "system"),
    query=(Param("state", "`held`: what waits for review.", Literal["held"], required=True), *PAGE),
    summary="List referrals that wait for review",
    statuses={200: "Referrals held for review, oldest claims first."},
    errors=("cursor_invalid",),
)
def list_referrals(call: Call[None]) -> Reply[ReferralPage]:
    """Each with its score and the reasons for it."""
    if call.query("state") != _HELD:
        raise Invalid("state is held.", field="state", code="query_invalid")
    found, last = reviewing.held(after=call.cursor(_HELD), limit=call.limit)
    cursor = call.next_cursor(_HELD, last) if last else None
    return Reply(ReferralPage(referrals=tuple(render.referral(item, call.now) for item in found), next_cursor=cursor))


@room.get(
    "/v1/referrals/{referral_id}",
    answer=ReferralOut,
    scopes=_REVIEW,
    callers=("staff", "system"),
    summary="Read a referral",
    statuses={200: "The referral."},
    errors=("referral_not_found",),
)
def get_referral(call: Call[None], referral_id: str) -> Reply[ReferralOut]:
    """Shows who brought whom, how suspicious that is and why, and what was paid."""
    return Reply(render.referral(changing.read(referral_id).referral, call.now))


@room.post(
    "/v1/referrals/{referral_id}/approve",
    answer=ReferralOut,
    scopes=_REVIEW,
    callers=("staff", "system"),
    summary="Approve a referral",
    statuses={200: "It counts like any other; what is due is paid."},
    errors=("referral_not_found", "busy"),
)
def approve_referral(call: Call[None], referral_id: str) -> Reply[ReferralOut]:
    """For one that is held for review, or was refused. Repeated, it answers the same."""
    return _decided(call, referral_id, "approved")


@room.post(
    "/v1/referrals/{referral_id}/refuse",
    answer=ReferralOut,
    scopes=_REVIEW,
    callers=("staff", "system"),
    summary="Refuse a referral",
    statuses={200: "It counts no more; what was paid has gone back."},
    errors=("referral_not_found", "busy"),
)
def refuse_referral(call: Call[None], referral_id: str) -> Reply[ReferralOut]:
    """Takes back what both were paid, if anything. Repeated, it answers the same."""
    return _decided(call, referral_id, "refused")


def _decided(call: Call[None], referral_id: str, verdict: Literal["approved", "refused"]) -> Reply[ReferralOut]:
    stored = reviewing.decide(referral_id, verdict, actor=call.caller.actor(), now=call.now)
    return Reply(render.referral(stored.referral, call.now))
