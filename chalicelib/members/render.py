"""How members are shown. An answer to a posting is made from its record alone, so that a replay shows the same."""

from __future__ import annotations

import msgspec

from chalicelib.ledger.posting import Posted
from chalicelib.ledger.schema import account_summary, entry_summary
from chalicelib.members.bringing import Brought
from chalicelib.members.enrolling import Enrolled
from chalicelib.members.schema import (
    AdjustmentOut,
    AdjustmentPosted,
    BroughtOut,
    BroughtStatus,
    MemberOut,
    MemberPosted,
    MergeOut,
    MergePosted,
    member_out,
)
from chalicelib.members.table import AdjustmentItem, MergeItem, ProfileItem


def profile(item: ProfileItem) -> MemberOut:
    """A profile as it is stored."""
    return member_out(
        item.key, item.person, version=item.version, enrolled_at=item.posted_at, updated_at=item.updated_at
    )


def enrolled_member(enrolled: Enrolled) -> MemberPosted:
    """The answer to an enrolment."""
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
        referral=_brought(enrolled.brought),
        entry=entry_summary(record) if record else None,
        account=account_summary(record) if record else None,
    )


def _brought(brought: Brought | None) -> BroughtOut | None:
    if brought is None:
        return None
    status = msgspec.convert(brought.status or None, BroughtStatus | None)
    return BroughtOut(id=brought.referral_id or None, status=status, refused=brought.refused or None)


def adjusted(posted: Posted[AdjustmentItem]) -> AdjustmentPosted:
    """The answer to an adjustment."""
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


def merged(posted: Posted[MergeItem]) -> MergePosted:
    """The answer to a merge."""
    record = posted.record
    merge = MergeOut(
        id=record.key,
        closed=record.closed_id,
        into=record.member_id or "",
        points=record.points or 0,
        note=record.note or "",
        actor=record.actor,
        posted_at=record.posted_at,
    )
    return MergePosted(merge=merge, entry=entry_summary(record), account=account_summary(record))
