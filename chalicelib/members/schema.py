"""What members look like at the edge."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.ledger.schema import AccountSummary, EntrySummary
from chalicelib.members.rules import Channel, Consent, External, Gender, Names, Profile
from chalicelib.web.fields import Line, Note
from chalicelib.web.languages import Locale

Phone = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=40,
        description="With country code, or together with `region`.",
        examples=["+8613800138000"],
    ),
]
Mail = Annotated[str, Meta(min_length=3, max_length=320, examples=["mei@example.com"])]
Region = Annotated[
    str,
    Meta(
        pattern="^[A-Z]{2}(?!\n)$", description="Where a phone without country code belongs: ISO 3166.", examples=["CN"]
    ),
]
Birthday = Annotated[date, Meta(description="A calendar day, from 1900 on.")]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset.")]
Tag = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}(?!\n)$", description="A code of the merchant's.", examples=["staff"])
]


class _In(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    pass


class NamesIn(_In, frozen=True):
    """What a member is called."""

    given: Line | None = None
    family: Line | None = None
    display: Line | None = None


class ExternalIn(_In, frozen=True):
    """The member's id in another system."""

    source: Line
    id: Line


class ConsentIn(_In, frozen=True):
    """Whether a channel may be used; `at` is now where it is left out, `source` says where the member agreed."""

    granted: bool
    at: Moment | None = None
    source: Line | None = None


class ConsentsIn(_In, frozen=True):
    """Consents by channel; a channel that is not named has none."""

    sms: ConsentIn | None = None
    mail: ConsentIn | None = None
    push: ConsentIn | None = None


Signal = Annotated[str, Meta(max_length=200)]


class ReferralIn(_In, frozen=True):
    """The code of whoever has brought a member.

    `device`, `payment_fingerprint` and `address_hash` are what the shop's systems know them by, or a hash of it; only
    keyed hashes of them are kept.
    """

    code: Line
    device: Signal = ""
    payment_fingerprint: Signal = ""
    address_hash: Signal = ""


Externals = Annotated[tuple[ExternalIn, ...], Meta(max_length=10)]
Tags = Annotated[tuple[Tag, ...], Meta(max_length=50)]


class MemberIn(_In, frozen=True):
    """A member to enrol.

    A system names at least one of phone, mail and external ids. A person is enrolled with what the token proves, and
    may give the rest, except `tags`, which rules and campaigns may ask for. A `referral` whose code cannot be claimed
    stops no enrolment.
    """

    phone: Phone | None = None
    region: Region | None = None
    mail: Mail | None = None
    names: NamesIn = NamesIn()
    birthday: Birthday | None = None
    gender: Gender | None = None
    locale: Locale | None = None
    external: Externals = ()
    consents: ConsentsIn = ConsentsIn()
    # Left out they must not show in the request's fingerprint, for enrolments of before know nothing of them.
    tags: Tags | UnsetType = UNSET
    referral: ReferralIn | UnsetType = UNSET


class NamesPatch(_In, frozen=True):
    """Changes of names."""

    given: Line | UnsetType | None = UNSET
    family: Line | UnsetType | None = UNSET
    display: Line | UnsetType | None = UNSET


class ConsentsPatch(_In, frozen=True):
    """Changes of consents; each that is named replaces the one of its channel whole."""

    sms: ConsentIn | UnsetType | None = UNSET
    mail: ConsentIn | UnsetType | None = UNSET
    push: ConsentIn | UnsetType | None = UNSET


class MemberPatch(_In, frozen=True):
    """A merge patch: what is left out stays, null removes, `external` and `tags` replace the whole list."""

    phone: Phone | UnsetType | None = UNSET
    region: Region | None = None
    mail: Mail | UnsetType | None = UNSET
    names: NamesPatch | UnsetType | None = UNSET
    birthday: Birthday | UnsetType | None = UNSET
    gender: Gender | UnsetType | None = UNSET
    locale: Locale | UnsetType | None = UNSET
    external: Externals | UnsetType | None = UNSET
    consents: ConsentsPatch | UnsetType | None = UNSET
    tags: Tags | UnsetType | None = UNSET


class MemberOut(msgspec.Struct, frozen=True, kw_only=True):
    """A member's profile. `version` is also its ETag.

    The further phones and mails came with members that were merged into this one; they lead to it as the first do.
    """

    id: str
    version: int
    phone: str | None
    mail: str | None
    further_phones: tuple[str, ...]
    further_mails: tuple[str, ...]
    names: Names
    birthday: date | None
    gender: Gender | None
    locale: Locale | None
    external: tuple[External, ...]
    consents: dict[Channel, Consent]
    tags: tuple[str, ...]
    enrolled_at: str
    updated_at: str


BroughtStatus = Literal["joined", "qualified", "paid", "waiting", "refused", "lapsed"]


class BroughtOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the referral code that came with an enrolment, as it stood then.

    Where it was claimed, `id` is the referral's and `status` that of the claim (`waiting` is looked at by the shop).
    Where it was not, both are null, and `refused` is the code for which the same claim would be refused.
    """

    id: str | None
    status: BroughtStatus | None
    refused: str | None


class MemberPosted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an enrolment; `entry` and `account` are null where a sign-in was linked to a member of before.

    `referral` is null where no code was sent.
    """

    member: MemberOut
    referral: BroughtOut | None
    entry: EntrySummary | None
    account: AccountSummary | None


class AdjustmentIn(_In, frozen=True):
    """A correction by hand. `reason` is one of the programme's codes."""

    points: Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000, description="Not 0.", examples=[500, -120])]
    reason: Annotated[str, Meta(min_length=1, max_length=40, examples=["goodwill"])]
    note: Note = ""


class AdjustmentOut(msgspec.Struct, frozen=True, kw_only=True):
    """An adjustment as recorded."""

    id: str
    member_id: str
    points: int
    reason: str
    note: str
    actor: str
    posted_at: str


class AdjustmentPosted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an adjustment."""

    adjustment: AdjustmentOut
    entry: EntrySummary | None
    account: AccountSummary | None


class MergeIn(_In, frozen=True):
    """Which member takes over. The id of one that was merged before stands for whoever took over from it."""

    into: Annotated[str, Meta(pattern="^mem_[a-z2-7]{26}(?!\n)$")]
    note: Note = ""


class MergeOut(msgspec.Struct, frozen=True, kw_only=True):
    """A merge as recorded: `closed` now stands for `into`. `points` is what went over, less what was owed there."""

    id: str
    closed: str
    into: str
    points: int
    note: str
    actor: str
    posted_at: str


class MergePosted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a merge; entry and account are those of the member who took over."""

    merge: MergeOut
    entry: EntrySummary | None
    account: AccountSummary | None


def member_out(member_id: str, profile: Profile, *, version: int, enrolled_at: str, updated_at: str) -> MemberOut:
    """A profile as callers see it."""
    return MemberOut(
        id=member_id,
        version=version,
        phone=profile.phone,
        mail=profile.mail,
        further_phones=profile.further_phones,
        further_mails=profile.further_mails,
        names=profile.names,
        birthday=profile.birthday,
        gender=profile.gender,
        locale=profile.locale,
        external=profile.external,
        consents=profile.consents,
        tags=profile.tags,
        enrolled_at=enrolled_at,
        updated_at=updated_at,
    )
