"""Merging two members who are one person: one account is closed, the other one takes everything over, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import Conflict, KeyReused, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger import merging
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.effects import apply
from chalicelib.ledger.pairing import AccountClosed, PairPlan, post_pair
from chalicelib.ledger.posting import Account, Act, Lost, Posted, Write, once
from chalicelib.ledger.state import State
from chalicelib.members import service
from chalicelib.members.rules import Profile, united
from chalicelib.members.schema import MergeIn
from chalicelib.members.table import MergeItem, ProfileItem, hand_over, profile_set, read_merge
from chalicelib.program import service as programs
from chalicelib.program.rules import tiers
from chalicelib.program.service import Versioned

IDENTITIES_MAX: Final = 40
"""How many identities a member may have after a merge: with them the next merge still fits one transaction of 100."""


class AlreadyMerged(Conflict):
    """The member was merged into another one than is asked for now."""

    code = "already_merged"

    def __init__(self) -> None:
        super().__init__("This member was merged into another one before. Nothing was changed.")


class SameMember(Conflict):
    """Both ids stand for one member."""

    code = "same_member"

    def __init__(self) -> None:
        super().__init__("Both ids stand for the same member.", field="into")


class TooManyIdentities(Conflict):
    """The two members have more identities than one may have."""

    code = "too_many_identities"

    def __init__(self) -> None:
        super().__init__(
            f"The two members have more than {IDENTITIES_MAX} identities; take some external ids off first."
        )


def merge(member_id: str, body: MergeIn, *, actor: str, now: int) -> Posted[MergeItem]:
    """Merge a member into another one, once; asked for again, it answers the same.

    What the member has goes over: points with their dates, pending points, holds, debts, purchases, tier, identities,
    and of the profile whatever is blank there. The member's own id stands for the other one from now on.

    Raises MemberNotFound, SameMember, AlreadyMerged, HoldsOpen, TooManyIdentities and Unavailable.
    """
    merge_id = ids.derived("mrg", member_id)
    # A note explains the merge and makes no other one of it.
    asked = MergeItem(merge_id, record_id=merge_id, request_hash=ids.request_hash(body.into))
    asked.closed_id, asked.actor, asked.note = member_id, actor, body.note or None
    try:
        return once(asked, lambda: read_merge(merge_id), lambda: _merge(asked, body.into, now=now))
    except KeyReused as error:
        raise AlreadyMerged from error


def _merge(asked: MergeItem, into: str, *, now: int) -> Posted[MergeItem]:
    current = programs.in_force(now, now=now)
    for _attempt in attempts():
        closing = service.read_own(asked.closed_id)
        surviving = service.read(into, field="into")
        if closing.key == surviving.key:
            raise SameMember
        if closing.merged_into:
            raise AlreadyMerged
        writes = _writes(closing, surviving, now)

        def plan(closed: Account, account: Account, writes: Sequence[Write] = writes) -> PairPlan[MergeItem]:
            return PairPlan(
                _closed(asked, closed, account.member_id, current),
                _merged_in(asked, closed, account, current),
                asked,
                writes,
            )

        try:
            return post_pair(closing.key, surviving.key, plan, now=lambda: now)
        except (AccountClosed, Lost):
            # A profile, an identity or an account has changed since it was read.
            continue
    raise Unavailable("The members are being changed by many at once. Send the same request again.", code="busy")


def _closed(asked: MergeItem, closed: Account, into: str, current: Versioned) -> Decision:
    return _decision(
        asked,
        kind=facts.CLOSED,
        at=closed.posted_at,
        program=current.version,
        effect=merging.close(closed.state, into=into),
        tier=tiers.standing(current.program, State(), closed.posted_at).code,
    )


def _merged_in(asked: MergeItem, closed: Account, account: Account, current: Versioned) -> Decision:
    """The entry of the member who takes over, the tier judged on the months of both."""
    at = account.posted_at
    effect = merging.merge_in(account.state, closed.state)
    after = apply(account.state, effect, at)
    records = tiers.judge(current.program, after, at)
    return _decision(
        asked,
        kind=facts.MERGED_IN,
        at=at,
        program=current.version,
        effect=msgspec.structs.replace(effect, tiers=records if records != account.state.tiers else None),
        tier=tiers.standing(current.program, after, at).code,
    )


def _decision(asked: MergeItem, *, kind: str, at: int, **parts: Any) -> Decision:
    return Decision(kind=kind, record=asked.record_id, reason=kind, actor=asked.actor, occurred_at=at, **parts)


def _writes(closing: ProfileItem, surviving: ProfileItem, now: int) -> list[Write]:
    """Both profiles moved on from the versions that were read, and every identity handed over."""
    profile = united(surviving.person, closing.person)
    subjects = [*surviving.subjects, *closing.subjects]
    handed_over = closing.identities
    if len(surviving.identities) + len(handed_over) > IDENTITIES_MAX:
        raise TooManyIdentities
    # Above the versions of both, so that no ETag read under either id before fits the profile after.
    version, at = max(surviving.version, closing.version) + 1, clock.text(now)
    absorbed = [*(surviving.absorbed or []), closing.key, *(closing.absorbed or [])]
    moved = (
        *profile_set(surviving.key, profile),
        *([ProfileItem.subject.set(subjects[0])] if subjects else []),
        *([ProfileItem.further_subjects.set(subjects[1:])] if subjects[1:] else []),
        ProfileItem.absorbed.set(absorbed),
    )
    emptied = (
        *profile_set(closing.key, Profile()),
        ProfileItem.merged_into.set(surviving.key),
        ProfileItem.subject.remove(),
        ProfileItem.further_subjects.remove(),
        ProfileItem.absorbed.remove(),
        ProfileItem.segments.remove(),
    )
    return [
        _moved(closing, version, at, emptied),
        _moved(surviving, version, at, moved),
        *(hand_over(key, closing.key, surviving.key) for key in handed_over),
    ]


def _moved(item: ProfileItem, version: int, at: str, actions: Sequence[Any]) -> Write:
    # A sign-in that is linked does not move the version.
    same_subject = ProfileItem.subject == item.subject if item.subject else ProfileItem.subject.does_not_exist()
    stamped = (*actions, ProfileItem.version.set(version), ProfileItem.updated_at.set(at))
    return Write(ProfileItem(item.key), Act.UPDATE, (ProfileItem.version == item.version) & same_subject, stamped)
