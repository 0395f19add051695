"""Members over HTTP."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from chalicelib.ledger.posting import Posted
from chalicelib.ledger.schema import account_summary, entry_summary
from chalicelib.members import accounts, adjusting, changing, enrolling, service
from chalicelib.members.account_schema import AccountOut, ProofOut, StatementOut
from chalicelib.members.enrolling import Enrolled
from chalicelib.members.rules import Person, person_of
from chalicelib.members.schema import (
    AdjustmentIn,
    AdjustmentOut,
    AdjustmentPosted,
    MemberIn,
    MemberOut,
    MemberPatch,
    MemberPosted,
    member_out,
)
from chalicelib.members.table import AdjustmentItem, ProfileItem
from chalicelib.web.caller import Caller
from chalicelib.web.room import ACCEPT_LANGUAGE, IDEMPOTENCY_KEY, IF_MATCH, PAGE, Call, Reply, Room, tag_of

room = Room("members")

_READ = ("members.read",)
_WRITE = ("members.write",)
_SYSTEM_KEY = replace(
    IDEMPOTENCY_KEY,
    required=False,
    description=f"{IDEMPOTENCY_KEY.description} Systems must send it; a person is enrolled once whatever they send.",
)


@room.post(
    "/v1/members",
    body=MemberIn,
    answer=MemberPosted,
    scopes=_WRITE,
    callers=("member", "system"),
    headers=(_SYSTEM_KEY,),
    summary="Enrol a member",
    example={
        "phone": "138 0013 8000",
        "region": "CN",
        "mail": "mei@example.com",
        "names": {"given": "梅", "family": "李"},
        "birthday": "1992-02-29",
        "locale": "zh-Hans",
        "external": [{"source": "pos", "id": "88120"}],
        "consents": {"sms": {"granted": True, "source": "store 12"}},
    },
    statuses={201: "The member is enrolled.", 200: "Enrolled by the same request before, or linked to one of before."},
    errors=(
        "phone_invalid",
        "mail_invalid",
        "birthday_invalid",
        "consent_invalid",
        "identity_missing",
        "idempotency_key_missing",
        "identity_unproved",
        "identity_taken",
        "key_reused",
        "busy",
    ),
)
def post_member(call: Call[MemberIn]) -> Reply[MemberPosted]:
    """The programme's welcome points come at once.

    A shop's system enrols anybody. A person enrols with the phone and mail that the token proves, and is linked to the
    member that a shop enrolled with them before, if there is one.
    """
    actor = call.caller.actor()
    if call.caller.kind == "member":
        enrolled = enrolling.enrol_person(call.body, _person(call.caller), actor=actor, now=call.now)
    else:
        key = call.idempotency_key
        enrolled = enrolling.enrol(call.body, client_id=call.caller.client_id, key=key, actor=actor, now=call.now)
    headers = {"Location": f"/v1/members/{enrolled.member_id}"}
    return Reply(_posted(enrolled), 200 if enrolled.replayed else 201, headers)


@room.get(
    "/v1/members/{member_id}",
    answer=MemberOut,
    scopes=_READ,
    summary="Read a profile",
    statuses={200: "The profile; its ETag is its version."},
    errors=("member_not_found", "not_your_account"),
)
def get_member(call: Call[None], member_id: str) -> Reply[MemberOut]:
    """`me` is the caller's own profile."""
    return _profile(service.read(service.member_for(call.caller, member_id)))


@room.patch(
    "/v1/members/{member_id}",
    body=MemberPatch,
    answer=MemberOut,
    scopes=_WRITE,
    callers=("member", "system"),
    headers=(IF_MATCH,),
    summary="Change a profile",
    example={"mail": "mei.li@example.com", "names": {"display": "Mei"}, "gender": None},
    statuses={200: "The profile after the change."},
    errors=(
        "phone_invalid",
        "mail_invalid",
        "birthday_invalid",
        "consent_invalid",
        "identity_missing",
        "if_match_invalid",
        "member_not_found",
        "not_your_account",
        "identity_unproved",
        "identity_taken",
        "version_stale",
        "precondition_required",
        "busy",
    ),
)
def patch_member(call: Call[MemberPatch], member_id: str) -> Reply[MemberOut]:
    """A merge patch (RFC 7396): what is left out stays, null removes.

    A new phone or mail takes the old one's place at once; a person can only set one that the token proves. At least one
    identity must remain.
    """
    found = service.member_for(call.caller, member_id)
    person = _person(call.caller) if call.caller.kind == "member" else None
    wanted = changing.Change(call.body, call.required_match, person, call.now)
    return _profile(changing.change(found, wanted))


@room.get(
    "/v1/members/{member_id}/account",
    answer=AccountOut,
    scopes=_READ,
    headers=(ACCEPT_LANGUAGE,),
    summary="Read an account",
    statuses={200: "The account as it is now."},
    errors=("member_not_found", "not_your_account"),
)
def get_account(call: Call[None], member_id: str) -> Reply[AccountOut]:
    """Points, what is on its way, the tier and what is missing for the next one: read consistently, judged by date."""
    found = service.member_for(call.caller, member_id)
    account = accounts.account(found, locale=call.locale, now=call.now)
    # The instant of the reading alone makes no new account.
    return Reply(account, etag=tag_of(msgspec.structs.replace(account, as_of="")))


@room.get(
    "/v1/members/{member_id}/entries",
    answer=StatementOut,
    scopes=_READ,
    query=PAGE,
    headers=(ACCEPT_LANGUAGE,),
    summary="Read a statement",
    statuses={200: "A page of entries, newest first."},
    errors=("member_not_found", "cursor_invalid", "not_your_account"),
)
def get_entries(call: Call[None], member_id: str) -> Reply[StatementOut]:
    """Every entry with its title in the language of Accept-Language."""
    found = service.member_for(call.caller, member_id)
    after_seq = call.cursor(found)
    entries = accounts.statement(found, after_seq=after_seq, limit=call.limit, locale=call.locale, now=call.now)
    # Sequences have no gaps, so the first entry ends the list.
    more = entries and entries[-1].seq > 1
    return Reply(
        StatementOut(entries=tuple(entries), next_cursor=call.next_cursor(found, entries[-1].seq) if more else None)
    )


@room.get(
    "/v1/members/{member_id}/proof",
    answer=ProofOut,
    scopes=_READ,
    query=PAGE,
    summary="Read the chain",
    statuses={200: "A page of the chain, oldest first."},
    errors=("member_not_found", "cursor_invalid", "not_your_account"),
)
def get_proof(call: Call[None], member_id: str) -> Reply[ProofOut]:
    """The entries with all that their hashes cover, to be checked offline."""
    found = service.member_for(call.caller, member_id)
    links = accounts.proof(found, after_seq=call.cursor(found), limit=call.limit)
    more = len(links) == call.limit
    return Reply(ProofOut(entries=tuple(links), next_cursor=call.next_cursor(found, links[-1].seq) if more else None))


@room.post(
    "/v1/members/{member_id}/adjustments",
    body=AdjustmentIn,
    answer=AdjustmentPosted,
    scopes=("adjustments.write",),
    callers=("staff", "system"),
    headers=(IDEMPOTENCY_KEY,),
    summary="Adjust points by hand",
    example={"points": 500, "reason": "goodwill", "note": "The parcel came late."},
    statuses={201: "The points are adjusted.", 200: "The same request was answered before."},
    errors=(
        "points_invalid",
        "reason_invalid",
        "idempotency_key_missing",
        "member_not_found",
        "insufficient_points",
        "key_reused",
        "busy",
    ),
)
def post_adjustment(call: Call[AdjustmentIn], member_id: str) -> Reply[AdjustmentPosted]:
    """Adds points, which expire as if they were earned now, or takes some of those that are available."""
    found = service.member_for(call.caller, member_id)
    key, actor = call.idempotency_key, call.caller.actor(found)
    posted = adjusting.adjust(found, call.body, key=key, actor=actor, now=call.now)
    return Reply(_adjusted(posted), 200 if posted.replayed else 201)


def _person(caller: Caller) -> Person:
    return person_of(caller.issuer, caller.subject, caller.phone, caller.mail)


def _profile(item: ProfileItem) -> Reply[MemberOut]:
    body = member_out(
        item.key, item.person, version=item.version, enrolled_at=item.posted_at, updated_at=item.updated_at
    )
    return Reply(body, etag=str(item.version))


def _posted(enrolled: Enrolled) -> MemberPosted:
    member = member_out(
        enrolled.member_id,
        enrolled.profile,
        version=enrolled.version,
        enrolled_at=enrolled.enrolled_at,
        updated_at=enrolled.updated_at,
    )
    record = enrolled.record
    return MemberPosted(
        member=member,
        entry=entry_summary(record) if record else None,
        account=account_summary(record) if record else None,
    )


def _adjusted(posted: Posted[AdjustmentItem]) -> AdjustmentPosted:
    record = posted.record
    adjustment = AdjustmentOut(
        id=record.key,
        member_id=record.member_id or "",
        points=record.points or 0,
        reason=record.reason,
        note=record.note or "",
        actor=record.actor,
        posted_at=record.posted_at,
    )
    return AdjustmentPosted(adjustment=adjustment, entry=entry_summary(record), account=account_summary(record))
