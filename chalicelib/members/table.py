"""Table `members`: profiles, the identities that lead to them, and what was done to them by hand.

All share one hash key: `mem_…` is a profile, `phone#…`, `mail#…`, `ext#…` and `sub#…` are identities, `chg_…` changes
of a profile, `adj_…` adjustments and `mrg_…` merges. An identity is put if absent, so it leads to one member only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from pynamodb.attributes import ListAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from chalicelib.base.dynamo import IntAttribute, is_refused
from chalicelib.base.settings import settings
from chalicelib.ledger.posting import Act, Write
from chalicelib.ledger.records import Record
from chalicelib.members.rules import Profile, born, identity_keys

_PROFILE = msgspec.json.Decoder(Profile)

_NAME = settings().table("members")


class BirthdayIndex(GlobalSecondaryIndex["ProfileItem"]):  # type: ignore[no-untyped-call]
    """The members who have told their birthday, by its month and day; of each the id alone."""

    class Meta:
        index_name = "birthdays"
        projection = KeysOnlyProjection()

    born = UnicodeAttribute(hash_key=True)
    key = UnicodeAttribute(range_key=True)


class ProfileItem(Record):
    """A member, and the record of the enrolment. `subject` is the key of the sign-in that belongs to it, if any.

    `further_subjects` are the sign-ins that came with members merged into this one, whose ids are `absorbed`. A member
    that was itself merged into another keeps nothing but its name, `merged_into`. `segments` are codes that scoring has
    put the member in, and no part of the profile that people see and change. `brought` is what became of the referral
    code that came with the enrolment (JSON). `born` is made from the birthday, for the index alone (`rules.born`):
    whatever writes the profile writes it as well.
    """

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    profile = UnicodeAttribute()
    version = IntAttribute()
    updated_at = UnicodeAttribute()
    subject = UnicodeAttribute(null=True)
    further_subjects: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, null=True)
    merged_into = UnicodeAttribute(null=True)
    absorbed: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, null=True)
    segments: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, null=True)
    brought = UnicodeAttribute(null=True)
    born = UnicodeAttribute(null=True)
    by_birthday = BirthdayIndex()

    @property
    def person(self) -> Profile:
        """The profile in its own form."""
        return _PROFILE.decode(self.profile)

    @property
    def subjects(self) -> list[str]:
        """The keys of all sign-ins that lead to this member."""
        return [*filter(None, [self.subject]), *(self.further_subjects or [])]

    @property
    def identities(self) -> list[str]:
        """The keys of all that leads to this member, sign-ins included."""
        return [*self.subjects, *identity_keys(self.person)]


class IdentityItem(Model):
    """Leads from an identity to its member."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    member_id = UnicodeAttribute()


class LinkItem(Record):
    """The identity of a sign-in that found a member whom a shop had enrolled; it is read as an IdentityItem."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)


class ChangeItem(Record):
    """One accepted change of a profile, named after the version that it was based on."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)


class AdjustmentItem(Record):
    """One adjustment; its entry carries points, reason and actor."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    reason = UnicodeAttribute()
    actor = UnicodeAttribute()
    note = UnicodeAttribute(null=True)


class MergeItem(Record):
    """One merge, named after the member that it closed; its entry is the one of the member who took over."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    closed_id = UnicodeAttribute()
    actor = UnicodeAttribute()
    note = UnicodeAttribute(null=True)


def packed(profile: Profile) -> str:
    """The stored form of a profile."""
    return msgspec.json.encode(profile).decode()


def profile_set(member_id: str, profile: Profile) -> tuple[Action, ...]:
    """The actions that make `profile` a member's: it, and where the member stands in the index of birthdays."""
    place = born(member_id, profile)
    return ProfileItem.profile.set(packed(profile)), ProfileItem.born.set(place) if place else ProfileItem.born.remove()


def read_profile(member_id: str) -> ProfileItem | None:
    """A member's profile as it is now."""
    return next(iter(ProfileItem.query(member_id, consistent_read=True, limit=1)), None)


def peek_profile(member_id: str) -> ProfileItem | None:
    """A member's profile as it was a moment ago, or None. What was put just now is found, with a second read."""
    if not member_id.startswith("mem_"):
        # Other records lie in the same table.
        return None
    for consistent in (False, True):
        try:
            return ProfileItem.get(member_id, consistent_read=consistent)
        except ProfileItem.DoesNotExist:
            continue
    return None


def set_segments(member_id: str, segments: Iterable[str]) -> bool:
    """Put a member into exactly these segments (codes); False where there is no such member any more.

    It is no change of the profile: version and ETag stay.
    """
    put_in: list[Action] = [ProfileItem.segments.set(sorted(set(segments)))]
    is_there = ProfileItem.key.exists() & ProfileItem.merged_into.does_not_exist()
    try:
        ProfileItem(member_id).update(actions=put_in, condition=is_there)
    except UpdateError as error:
        if not is_refused(error):
            raise
        return False
    return True


def read_adjustment(adjustment_id: str) -> AdjustmentItem | None:
    """A recorded adjustment as it is now."""
    return next(iter(AdjustmentItem.query(adjustment_id, consistent_read=True, limit=1)), None)


def read_change(change_id: str) -> ChangeItem | None:
    """A recorded change as it is now."""
    return next(iter(ChangeItem.query(change_id, consistent_read=True, limit=1)), None)


def read_merge(merge_id: str) -> MergeItem | None:
    """A recorded merge as it is now."""
    return next(iter(MergeItem.query(merge_id, consistent_read=True, limit=1)), None)


def find_identity(key: str) -> str | None:
    """The member to whom an identity leads. What was put a moment ago is found, at the price of a second read."""
    for consistent in (False, True):
        try:
            return str(IdentityItem.get(key, consistent_read=consistent).member_id)
        except IdentityItem.DoesNotExist:
            continue
    return None


def holders(keys: Iterable[str]) -> dict[str, str]:
    """The members to whom identities lead now, by key; those that lead nowhere are left out."""
    items = IdentityItem.batch_get(list(keys), consistent_read=True)
    return {item.key: item.member_id for item in items}


def take(key: str, member_id: str) -> Write:
    """The write by which a member takes an identity that nobody has."""
    return Write(IdentityItem(key, member_id=member_id), Act.PUT, IdentityItem.key.does_not_exist())


def give_up(key: str, member_id: str) -> Write:
    """The write by which a member gives an identity up."""
    return Write(IdentityItem(key), Act.DELETE, IdentityItem.member_id == member_id)


def hand_over(key: str, member_id: str, to: str) -> Write:
    """The write by which an identity goes from one member to another."""
    return Write(IdentityItem(key), Act.UPDATE, IdentityItem.member_id == member_id, (IdentityItem.member_id.set(to),))


def still_held(key: str, member_id: str) -> Write:
    """The check that an identity still leads to a member."""
    return Write(IdentityItem(key), Act.CHECK, IdentityItem.member_id == member_id)


def still_free(key: str) -> Write:
    """The check that an identity still leads to nobody."""
    return Write(IdentityItem(key), Act.CHECK, IdentityItem.key.does_not_exist())
