"""Changing a profile: by merge patch, against the version that the caller read, identities moving along."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import UnsetType

from chalicelib.base import clock, ids
from chalicelib.base.errors import KeyReused, Unmet
from chalicelib.ledger.posting import Act, Lost, Write, put_once
from chalicelib.members import service
from chalicelib.members.enrolling import IdentityTaken
from chalicelib.members.rules import (
    Channel,
    Consent,
    External,
    Names,
    Person,
    Profile,
    check_proved,
    checked,
    consent,
    identity_keys,
    mail_key,
    normal_mail,
    normal_phone,
)
from chalicelib.members.schema import ConsentIn, MemberPatch, NamesPatch
from chalicelib.members.table import ChangeItem, ProfileItem, give_up, profile_set, read_change, take

T = TypeVar("T")


class VersionStale(Unmet):
    """The profile has changed since the caller read it."""

    code = "version_stale"

    def __init__(self) -> None:
        super().__init__("The profile has changed since you read it. Read it again and repeat your change.")


class Change(msgspec.Struct, frozen=True):
    """A patch, and what it is based on: `version` is the text of the ETag, `person` whoever acts for themselves."""

    patch: MemberPatch
    version: str
    person: Person | None
    now: int


def change(member_id: str, wanted: Change) -> ProfileItem:
    """Change a profile once; the same patch of the same version, sent again, finds itself done.

    Raises Invalid, Forbidden (`identity_unproved`), MemberNotFound, VersionStale, IdentityTaken and Unavailable.
    """
    item = service.read(member_id)
    record = _record(member_id, wanted)
    if str(item.version) != wanted.version:
        done = read_change(record.key)
        if done is None or done.request_hash != record.request_hash:
            raise VersionStale
        return item
    old = item.person
    new = patched(old, wanted)
    if wanted.person:
        check_proved(old, new, wanted.person)
    checked(new, wanted.now, person=bool(item.subjects))
    try:
        put_once(record, _writes(item, old, new, wanted.now))
    except KeyReused as error:
        raise VersionStale from error
    except Lost as lost:
        raise (VersionStale if isinstance(lost.model, ProfileItem) else IdentityTaken) from lost
    return service.read(member_id)


def patched(old: Profile, wanted: Change) -> Profile:
    """What the patch makes of a profile. Raises Invalid."""
    patch = wanted.patch
    phone, mail = _phone(patch, old), _mail(patch, old)
    return Profile(
        phone=phone,
        mail=mail,
        names=_names(old.names, patch.names),
        birthday=_kept(patch.birthday, old.birthday),
        gender=_kept(patch.gender, old.gender),
        locale=_kept(patch.locale, old.locale),
        external=_externals(patch, old),
        consents=_consents(old.consents, wanted),
        tags=old.tags if isinstance(patch.tags, UnsetType) else tuple(dict.fromkeys(patch.tags or ())),
        further_phones=tuple(item for item in old.further_phones if item != phone),
        further_mails=tuple(item for item in old.further_mails if not mail or mail_key(item) != mail_key(mail)),
    )


def _record(member_id: str, wanted: Change) -> ChangeItem:
    key = ids.derived("chg", member_id, wanted.version)
    at = clock.text(wanted.now)
    return ChangeItem(
        key,
        record_id=key,
        request_hash=ids.request_hash(wanted.patch),
        member_id=member_id,
        kind="profile_changed",
        occurred_at=at,
        posted_at=at,
    )


def _writes(item: ProfileItem, old: Profile, new: Profile, now: int) -> list[Write]:
    before, after = identity_keys(old), identity_keys(new)
    actions = (
        *profile_set(item.key, new),
        ProfileItem.version.set(item.version + 1),
        ProfileItem.updated_at.set(clock.text(now)),
    )
    return [
        Write(ProfileItem(item.key), Act.UPDATE, ProfileItem.version == item.version, actions),
        *(give_up(key, item.key) for key in before if key not in after),
        *(take(key, item.key) for key in after if key not in before),
    ]


def _kept(value: T | UnsetType | None, old: T | None) -> T | None:
    return old if isinstance(value, UnsetType) else value


def _phone(patch: MemberPatch, old: Profile) -> str | None:
    phone = _kept(patch.phone, old.phone)
    return normal_phone(phone, patch.region) if phone and phone != old.phone else phone


def _mail(patch: MemberPatch, old: Profile) -> str | None:
    mail = _kept(patch.mail, old.mail)
    return normal_mail(mail) if mail and mail != old.mail else mail


def _names(old: Names, patch: NamesPatch | UnsetType | None) -> Names:
    if patch is None:
        return Names()
    if isinstance(patch, UnsetType):
        return old
    return Names(_kept(patch.given, old.given), _kept(patch.family, old.family), _kept(patch.display, old.display))


def _externals(patch: MemberPatch, old: Profile) -> tuple[External, ...]:
    if isinstance(patch.external, UnsetType):
        return old.external
    return tuple(dict.fromkeys(External(item.source, item.id) for item in patch.external or ()))


def _consents(old: dict[Channel, Consent], wanted: Change) -> dict[Channel, Consent]:
    patch = wanted.patch.consents
    if patch is None:
        return {}
    if isinstance(patch, UnsetType):
        return old
    named: dict[Channel, ConsentIn | UnsetType | None] = {"sms": patch.sms, "mail": patch.mail, "push": patch.push}
    new = dict(old)
    for channel, item in named.items():
        if item is None:
            new.pop(channel, None)
        elif not isinstance(item, UnsetType):
            new[channel] = consent(channel, granted=item.granted, at=item.at, source=item.source, now=wanted.now)
    return new
