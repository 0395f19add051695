"""Members over HTTP."""

from __future__ import annotations

import msgspec

from chalicelib.base.errors import Invalid
from chalicelib.members import accounts, adjusting, changing, enrolling, render, service, uniting
from chalicelib.members.account_schema import AccountOut, ProofOut, StatementOut
from chalicelib.members.rules import Person, person_of
from chalicelib.members.schema import (
    AdjustmentIn,
    AdjustmentPosted,
    MemberIn,
    MemberOut,
    MemberPatch,
    MemberPosted,
    MergeIn,
    MergePosted,
)
from chalicelib.members.table import ProfileItem
from chalicelib.web.caller import Caller
from chalicelib.web.room import ACCEPT_LANGUAGE, IDEMPOTENCY_KEY, IF_MATCH, PAGE, Call, Reply, Room, tag_of

room = Room("members")

_READ = ("members.read",)
_WRITE = ("members.write",)
_SYSTEM_KEY = msgspec.structs.replace(
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
        "referral": {"code": "7kqm-2vxa", "device": "b1946ac92492d2347c6235b4d2611184"},
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
        "tags_not_yours",
        "identity_taken",
        "key_reused",
        "busy",
    ),
)
def post_member(call: Call[MemberIn]) -> Reply[MemberPosted]:
    """The programme's welcome points come at once.

    A shop's system enrols anybody. A person enrols with the phone and mail that the token proves, and is linked to the
    member that a shop enrolled with them before, if there is one.

    A referral code is claimed in the same transaction. One that cannot be claimed stops no enrolment: the answer says
    why, and another may be claimed afterwards.
    """
    actor = call.caller.actor()
    if call.caller.kind == "member":
        enrolled = enrolling.enrol_person(call.body, _person(call.caller), actor=actor, now=call.now)
    else:
        key = call.idempotency_key
        enrolled = enrolling.enrol(call.body, client_id=call.caller.client_id, key=key, actor=actor, now=call.now)
    headers = {"Location": f"/v1/members/{enrolled.member_id}"}
    return Reply(render.enrolled_member(enrolled), 200 if enrolled.replayed else 201, headers)


@room.get(
    "/v1/members/{member_id}",
    answer=MemberOut,
    scopes=_READ,
    summary="Read a profile",
    statuses={200: "The profile; its ETag is its version."},
    errors=("member_not_found", "not_your_account"),
)
def get_member(call: Call[None], member_id: str) -> Reply[MemberOut]:
    """`me` is the caller's own profile. An id that was merged shows the profile of the member who took over."""
    return _profile(service.read(service.member_for(call.caller, member_id)))


@room.patch(
    "/v1/members/{member_id}",
    body=MemberPatch,
    answer=MemberOut,
    scopes=_WRITE,
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
        "tags_not_yours",
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
    """Points, what is on its way, the tier and what is missing for the next one: read consistently, judged by date.

    An id that was merged shows the account of the member who took over.
    """
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
    """Every entry with its title in the language of Accept-Language.

    An id that was merged shows the statement of the member who took over.
    """
    found, after_seq = _page_of(call, service.member_for(call.caller, member_id))
    page = accounts.statement(found, after_seq=after_seq, limit=call.limit, locale=call.locale, now=call.now)
    lines = page.lines
    # Sequences have no gaps, so the first entry ends the list.
    more = lines and lines[-1].seq > 1
    next_cursor = call.next_cursor(page.member_id, lines[-1].seq) if more else None
    return Reply(StatementOut(entries=tuple(lines), next_cursor=next_cursor))


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
    """The entries with all that their hashes cover, to be checked offline.

    An id that was merged shows its own chain, which ends where it was closed.
    """
    found = service.member_for(call.caller, member_id)
    if member_id == service.ME:
        found = service.survivor_of(found)
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
    return Reply(render.adjusted(posted), 200 if posted.replayed else 201)


@room.post(
    "/v1/members/{member_id}/merge",
    body=MergeIn,
    answer=MergePosted,
    scopes=_WRITE,
    callers=("staff", "system"),
    summary="Merge a member into another",
    example={"into": f"mem_{'a2' * 13}", "note": "One person with two phones."},
    statuses={201: "The members are one.", 200: "They were merged by the same request before."},
    errors=("member_not_found", "same_member", "already_merged", "too_many_holds", "too_many_identities", "busy"),
)
def post_merge(call: Call[MergeIn], member_id: str) -> Reply[MergePosted]:
    """Makes two members one, for good: points go over with their dates, and debts and purchases too.

    All identities and sign-ins lead to the member who takes over, whose blanks are filled from the other profile. The
    id in the path stands for that member from now on, whatever is asked of it; only its chain is shown as it was.
    """
    found = service.member_for(call.caller, member_id)
    posted = uniting.merge(found, call.body, actor=call.caller.actor(), now=call.now)
    return Reply(render.merged(posted), 200 if posted.replayed else 201)


def _page_of(call: Call[None], member_id: str) -> tuple[str, int | None]:
    """The chain that a page is taken from, and the entry after which it begins.

    A sign-in that this process remembers may lead to an id that was merged, while the cursor is the survivor's.
    """
    try:
        return member_id, call.cursor(member_id)
    except Invalid:
        survivor = service.survivor_of(member_id)
        if survivor == member_id:
            raise
        return survivor, call.cursor(survivor)


def _person(caller: Caller) -> Person:
    return person_of(caller.issuer, caller.subject, caller.phone, caller.mail)


def _profile(item: ProfileItem) -> Reply[MemberOut]:
    return Reply(render.profile(item), etag=str(item.version))
