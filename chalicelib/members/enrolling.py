"""Enrolment: a profile, its identities and the first entry of its chain, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import UnsetType

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import Conflict
from chalicelib.ledger import points
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.posting import Account, Act, Lost, Plan, Write, once, post, put_once, replay
from chalicelib.members import bringing, service
from chalicelib.members.bringing import Brought
from chalicelib.members.rules import (
    Channel,
    Consent,
    External,
    Names,
    Person,
    Profile,
    born,
    check_proved,
    checked,
    consent,
    normal_mail,
    normal_phone,
)
from chalicelib.members.schema import ConsentIn, MemberIn
from chalicelib.members.table import LinkItem, ProfileItem, holders, packed, read_profile, still_held, take
from chalicelib.program import service as programs
from chalicelib.program.rules import expiry, tiers


class IdentityTaken(Conflict):
    """An identity leads to another member.

    It is said in the same words whichever it is and whoever asks, so nobody learns who is a member.
    """

    code = "identity_taken"

    def __init__(self) -> None:
        super().__init__("One of these identities cannot be used. Nothing was changed.")


class Enrolled(msgspec.Struct, frozen=True):
    """A member after an enrolment.

    For a system, `profile` is as the request made it, whatever has become of it since; for a person as it is now.
    `record` is None where a person was linked to a member that a shop had enrolled, or was merged into another since.
    `brought` is what became of the referral code that came with it.
    """

    member_id: str
    profile: Profile
    enrolled_at: str
    version: int
    updated_at: str
    replayed: bool
    record: ProfileItem | None
    brought: Brought | None


def enrol(body: MemberIn, *, client_id: str, key: str, actor: str, now: int) -> Enrolled:
    """Enrol a member for a system, once for the Idempotency-Key `key` of this client.

    Raises Invalid, IdentityTaken, KeyReused and Unavailable.
    """
    member_id = ids.derived("mem", client_id, key)
    try:
        return _enrol(member_id, body, person=None, actor=actor, now=now)
    except Lost as lost:
        raise IdentityTaken from lost


def enrol_person(body: MemberIn, person: Person, *, actor: str, now: int) -> Enrolled:
    """Enrol a person, once, with what the token proves; or link the sign-in to the member that a shop enrolled before.

    Raises Invalid, Forbidden (`identity_unproved`), IdentityTaken, KeyReused and Unavailable.
    """
    member_id = ids.derived("mem", "sub", person.issuer, person.subject)
    try:
        enrolled = _enrol(member_id, body, person=person, actor=actor, now=now)
    except Lost as lost:
        member_id = _linked_before(lost, person) or _link(person, now)
        brought = bringing.claim(member_id, body.referral, now=now)
        enrolled = _stored(service.read(member_id), replayed=True, record=None, brought=brought)
    service.remember(person, enrolled.member_id)
    return enrolled


def profile_of(body: MemberIn, person: Person | None, now: int) -> Profile:
    """The profile that a request asks for, with the identities that a person's token proves.

    Raises Invalid and Forbidden (`identity_unproved`, `tags_not_yours`).
    """
    phone = normal_phone(body.phone, body.region) if body.phone else None
    mail = normal_mail(body.mail) if body.mail else None
    profile = Profile(
        phone=phone or (person.phone if person else None),
        mail=mail or (person.mail if person else None),
        names=Names(body.names.given, body.names.family, body.names.display),
        birthday=body.birthday,
        gender=body.gender,
        locale=body.locale,
        external=tuple(dict.fromkeys(External(item.source, item.id) for item in body.external)),
        consents=_consents({"sms": body.consents.sms, "mail": body.consents.mail, "push": body.consents.push}, now),
        tags=() if isinstance(body.tags, UnsetType) else tuple(dict.fromkeys(body.tags)),
    )
    if person:
        check_proved(Profile(), profile, person)
    return checked(profile, now, person=person is not None)


def _enrol(member_id: str, body: MemberIn, *, person: Person | None, actor: str, now: int) -> Enrolled:
    request_hash = ids.request_hash(body)
    asked = ProfileItem(member_id, record_id=member_id, request_hash=request_hash)

    def act() -> Any:
        before = read_profile(member_id) if body.referral else None
        if before:
            # Else a code would be looked at, and perhaps counted as wrong, as often as the request is sent.
            return replay(asked, before.serialize())
        item = _item(member_id, profile_of(body, person, now), person, request_hash, now)
        judged = bringing.judge(item, body.referral, now=now)
        if judged:
            item.brought = bringing.packed(judged.brought)
        plan = _plan(item, judged.writes if judged else (), actor, now)
        posted = post(member_id, plan, opening=True, now=lambda: now)
        if judged and not posted.replayed:
            judged.afterwards()
        return posted

    posted = once(asked, lambda: read_profile(member_id), act)
    brought = bringing.stored(posted.record)
    if person:
        # What a token proves may change from one request to the next, so only what is stored can be the answer.
        if posted.record.merged_into:
            return _stored(service.read(member_id), replayed=True, record=None, brought=brought)
        return _stored(posted.record, replayed=posted.replayed, record=posted.record, brought=brought)
    enrolled_at = posted.record.posted_at
    return Enrolled(
        member_id=member_id,
        profile=profile_of(body, None, clock.parse(enrolled_at)),
        enrolled_at=enrolled_at,
        version=1,
        updated_at=enrolled_at,
        replayed=posted.replayed,
        record=posted.record,
        brought=brought,
    )


def _item(member_id: str, profile: Profile, person: Person | None, request_hash: str, now: int) -> ProfileItem:
    at = clock.text(now)
    return ProfileItem(
        member_id,
        request_hash=request_hash,
        profile=packed(profile),
        born=born(member_id, profile),
        version=1,
        posted_at=at,
        updated_at=at,
        subject=person.key if person else None,
    )


def _plan(item: ProfileItem, writes: Sequence[Write], actor: str, now: int) -> Callable[[Account], Plan[ProfileItem]]:
    current = programs.in_force(now, now=now)

    def plan(account: Account) -> Plan[ProfileItem]:
        at = account.posted_at
        welcome = points.earn(
            account.state, current.program.welcome_points, expires_at=expiry.expires_at(current.program, at)
        )
        decision = Decision(
            kind=facts.ENROLLED,
            record=account.member_id,
            reason=facts.ENROLLED,
            actor=actor,
            program=current.version,
            occurred_at=at,
            effect=msgspec.structs.replace(welcome, enrolled_at=at),
            tier=tiers.standing(current.program, account.state, at).code,
        )
        # The sign-in comes first, for where it is taken the person is known, whatever else is.
        return Plan(decision, item, lambda entry: [*(take(key, entry.member_id) for key in item.identities), *writes])

    return plan


def _linked_before(lost: Lost, person: Person) -> str | None:
    """The member to whom this sign-in was linked before, where that is what stood in the way."""
    if lost.found.get("key", {}).get("S") == person.key:
        return str(lost.found["member_id"]["S"])
    return None


def _link(person: Person, now: int) -> str:
    """Link a sign-in to the one member that its identities lead to, provided that it has none yet.

    Raises IdentityTaken.
    """
    held = holders(person.proved_keys)
    members = set(held.values())
    if len(members) != 1:
        raise IdentityTaken
    member_id = members.pop()
    at = clock.text(now)
    link = LinkItem(
        person.key,
        record_id=person.key,
        request_hash=person.key,
        member_id=member_id,
        kind="linked",
        occurred_at=at,
        posted_at=at,
    )
    own: Sequence[Write] = [still_held(key, member_id) for key in held]
    first = ProfileItem.key.exists() & ProfileItem.subject.does_not_exist()
    join = Write(ProfileItem(member_id), Act.UPDATE, first, (ProfileItem.subject.set(person.key),))
    try:
        return str(put_once(link, [*own, join]).record.member_id)
    except Lost as lost:
        raise IdentityTaken from lost


def _stored(item: ProfileItem, *, replayed: bool, record: ProfileItem | None, brought: Brought | None) -> Enrolled:
    return Enrolled(
        member_id=item.key,
        profile=item.person,
        enrolled_at=item.posted_at,
        version=item.version,
        updated_at=item.updated_at,
        replayed=replayed,
        record=record,
        brought=brought,
    )


def _consents(given: dict[Channel, ConsentIn | None], now: int) -> dict[Channel, Consent]:
    return {
        channel: consent(channel, granted=item.granted, at=item.at, source=item.source, now=now)
        for channel, item in given.items()
        if item is not None
    }
