"""What a profile may hold, how identities are written, and what a change makes of a profile: pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Final, Literal

import msgspec

from chalicelib.base import clock
from chalicelib.base.errors import Forbidden, Invalid

Gender = Literal["female", "male", "other", "undisclosed"]
Channel = Literal["sms", "mail", "push"]

AHEAD_S: Final = 300
"""How far a clock elsewhere may run ahead of ours."""

_OLDEST_BIRTHDAY = date(1900, 1, 1)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_LOCAL_PART = re.compile(r"[^\s@()<>,;:\\\"\[\]\x00-\x1f\x7f-\x9f]{1,64}")
_DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class Names(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a member is called."""

    given: str | None = None
    family: str | None = None
    display: str | None = None


class External(msgspec.Struct, frozen=True):
    """A member's id in another system."""

    source: str
    id: str


class Consent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether a channel may be used, since when (RFC 3339), and where the member said so."""

    granted: bool
    at: str
    source: str | None = None


class Profile(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """All that is kept of a person. Phone is E.164, mail has its domain in lower case.

    A profile has one phone and one mail; the further ones came with members that were merged into this one. `tags` are
    codes that the merchant's systems and staff have set.
    """

    phone: str | None = None
    mail: str | None = None
    names: Names = Names()
    birthday: date | None = None
    gender: Gender | None = None
    locale: Literal["en", "zh-Hans", "zh-Hant"] | None = None
    external: tuple[External, ...] = ()
    consents: dict[Channel, Consent] = {}
    further_phones: tuple[str, ...] = ()
    further_mails: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


BORN_SHARDS: Final = 4
"""In how many parts the members lie who share a birthday, so that a day can be worked off side by side."""


def born(member_id: str, profile: Profile) -> str | None:
    """Where a member stands in the index of birthdays, None where no birthday is known."""
    if profile.birthday is None:
        return None
    # Ids are hashes, so any digest of them spreads evenly.
    return born_on(f"{profile.birthday:%m-%d}", sum(member_id.encode()) % BORN_SHARDS)


def born_on(month_day: str, shard: int) -> str:
    """The key of one shard of a day such as "05-17"."""
    return f"{month_day}#{shard}"


class Person(msgspec.Struct, frozen=True):
    """Someone acting for themselves: who the token says they are, and the identities that it proves."""

    issuer: str
    subject: str
    phone: str | None = None
    mail: str | None = None

    @property
    def key(self) -> str:
        """The identity that every token of this person proves."""
        return f"sub#{self.issuer}#{self.subject}"

    @property
    def proved_keys(self) -> list[str]:
        """The identities, beside the token's own, by which a shop may have enrolled this person."""
        return identity_keys(Profile(phone=self.phone, mail=self.mail))


def person_of(issuer: str, subject: str, phone: str | None, mail: str | None) -> Person:
    """Who a token says somebody is; what it proves without being a phone or a mail is passed over."""
    return Person(issuer, subject, _proved_phone(phone) if phone else None, _proved_mail(mail) if mail else None)


def normal_phone(text: str, region: str | None = None, *, field: str = "phone") -> str:
    """A phone number in any usual form as E.164; without a country code it is read as one of `region` (ISO 3166).

    Raises Invalid (`phone_invalid`) for what no telephone network would connect.
    """
    # 20 ms of import that only requests naming a phone have to pay for.
    import phonenumbers  # noqa: PLC0415

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise _bad_phone(field) from error
    if number.extension or not phonenumbers.is_valid_number(number):
        raise _bad_phone(field)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal_mail(text: str, *, field: str = "mail") -> str:
    """A mail address without blanks around it, its domain in lower case and ASCII.

    Raises Invalid (`mail_invalid`).
    """
    local, _, domain = unicodedata.normalize("NFC", text.strip()).rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode().lower()
    except UnicodeError:
        ascii_domain = ""
    local_fits = _LOCAL_PART.fullmatch(local) and ".." not in local and not local.startswith(".")
    if not local_fits or local.endswith(".") or not _DOMAIN.fullmatch(ascii_domain):
        raise Invalid("This is not a mail address.", field=field, code="mail_invalid")
    return f"{local}@{ascii_domain}"


def phone_key(phone: str) -> str:
    """The key under which an E.164 number leads to its member."""
    return f"phone#{phone}"


def mail_key(mail: str) -> str:
    """The key under which a mail address leads to its member.

    No provider tells addresses apart by case, so neither does the key; the profile keeps what was written.
    """
    return f"mail#{mail.lower()}"


def external_key(source: str, external_id: str) -> str:
    """The key under which an id of another system leads to its member."""
    # The source is escaped, so that no two pairs share a key.
    escaped = _text(source).replace("%", "%25").replace("#", "%23")
    return f"ext#{escaped}#{_text(external_id)}"


def identity_keys(profile: Profile) -> list[str]:
    """The keys of all identities in a profile, each once."""
    keys = [phone_key(phone) for phone in (profile.phone, *profile.further_phones) if phone]
    keys.extend(mail_key(mail) for mail in (profile.mail, *profile.further_mails) if mail)
    keys.extend(external_key(item.source, item.id) for item in profile.external)
    return list(dict.fromkeys(keys))


def united(into: Profile, closed: Profile) -> Profile:
    """The profile of a member into whom another was merged: blanks are filled, and every identity and tag is kept.

    Of two consents for one channel the later decision counts, and of two at the same moment the refusal.
    """
    phones = (into.phone, closed.phone, *into.further_phones, *closed.further_phones)
    mails = (into.mail, closed.mail, *into.further_mails, *closed.further_mails)
    phone, mail = into.phone or closed.phone, into.mail or closed.mail
    names, others = into.names, closed.names
    return Profile(
        phone=phone,
        mail=mail,
        names=Names(names.given or others.given, names.family or others.family, names.display or others.display),
        birthday=into.birthday or closed.birthday,
        gender=into.gender or closed.gender,
        locale=into.locale or closed.locale,
        external=tuple(dict.fromkeys((*into.external, *closed.external))),
        consents=_latest(into.consents, closed.consents),
        further_phones=tuple(item for item in phones if item and item != phone),
        further_mails=tuple(item for item in mails if item and item != mail),
        tags=tuple(dict.fromkeys((*into.tags, *closed.tags))),
    )


def _latest(consents: dict[Channel, Consent], others: dict[Channel, Consent]) -> dict[Channel, Consent]:
    found = dict(consents)
    for channel, item in others.items():
        known = found.get(channel)
        if known is None or (known.at, not known.granted) < (item.at, not item.granted):
            found[channel] = item
    return found


def checked(profile: Profile, now: int, *, person: bool) -> Profile:
    """A profile whose fields fit together. Raises Invalid: `birthday_invalid`, `identity_missing`.

    A person is known by the token, and so needs no other identity.
    """
    latest = datetime.fromtimestamp(now + clock.DAY_S, UTC).date()
    if profile.birthday and not _OLDEST_BIRTHDAY <= profile.birthday <= latest:
        raise Invalid("The birthday lies in the future or before 1900.", field="birthday", code="birthday_invalid")
    if not person and not identity_keys(profile):
        raise Invalid("A member needs a phone, a mail or an external id.", code="identity_missing")
    return profile


def check_proved(old: Profile, new: Profile, person: Person) -> None:
    """Raises Forbidden where a person changes what is not a person's to change.

    `identity_unproved` is an identity that the token does not prove, `tags_not_yours` a tag.
    """
    if new.tags != old.tags:
        raise Forbidden("Tags are set by the shop's systems and staff.", field="tags", code="tags_not_yours")
    phone_unproved = new.phone not in {None, old.phone, person.phone}
    mail_unproved = new.mail not in {None, old.mail, person.mail}
    if phone_unproved or mail_unproved or new.external != old.external:
        raise Forbidden(
            "You can only set a phone or mail that your token proves; external ids are set by the shop's systems.",
            field="phone" if phone_unproved else "mail" if mail_unproved else "external",
            code="identity_unproved",
        )


def consent(channel: Channel, *, granted: bool, at: datetime | None, source: str | None, now: int) -> Consent:
    """A consent given (or refused) at `at`, by default now. Raises Invalid (`consent_invalid`) for a future one."""
    instant = clock.seconds(at) if at else now
    if not 0 <= instant <= now + AHEAD_S:
        raise Invalid("This consent lies in the future.", field=f"consents.{channel}.at", code="consent_invalid")
    return Consent(granted, clock.text(instant), source)


def _bad_phone(field: str) -> Invalid:
    return Invalid(
        "This is not a phone number. Write it with its country code (+86 …), or name its region.",
        field=field,
        code="phone_invalid",
    )


def _proved_phone(text: str) -> str | None:
    try:
        return normal_phone(text)
    except Invalid:
        # The issuer has reached this number, so it may be newer than our list of networks.
        return text if _E164.fullmatch(text) else None


def _proved_mail(text: str) -> str | None:
    try:
        return normal_mail(text)
    except Invalid:
        return None


def _text(value: str) -> str:
    return unicodedata.normalize("NFC", value).strip()
