"""What the earning rules, campaigns and benefits are told of a member."""

from __future__ import annotations

import msgspec

from chalicelib.ledger.posting import Account
from chalicelib.members.table import ProfileItem, peek_profile
from chalicelib.program.document import Program
from chalicelib.program.rules import campaigns, tiers
from chalicelib.program.rules.inputs import Member


class ProfileFacts(msgspec.Struct, frozen=True):
    """What the profile tells the rules; all is empty where the programme never asks for it.

    `birthday` is a date such as "1990-05-17".
    """

    birthday: str = ""
    tags: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


UNASKED = ProfileFacts()


def profile_facts(member_id: str, program: Program, *, asked: bool = False) -> ProfileFacts:
    """The facts in a member's profile, read (0.5 RCU) only where one of the programme's rules, or the caller, asks.

    Of a member that was merged they are those of the member who took over, and of one that is unknown there are none:
    whoever posts is told so by the ledger. Read it once before posting; `decide` is called again and again.
    """
    if not asked and not campaigns.needs_profile(program):
        return UNASKED
    item = _profile(member_id)
    if item is None:
        return UNASKED
    profile = item.person
    return ProfileFacts(
        birthday=profile.birthday.isoformat() if profile.birthday else "",
        tags=profile.tags,
        segments=tuple(item.segments or ()),
    )


def known(account: Account, program: Program, profile: ProfileFacts, *, at: int) -> Member:
    """The facts of a member whose profile was read before, at `at`, the time of posting: pure.

    The tier is the one of `program`'s ladder that the member holds at `at`.
    """
    state = account.state
    return Member(
        member_id=account.member_id,
        tier=tiers.judged(program, state, at)[1],
        segments=profile.segments,
        tags=profile.tags,
        birthday=profile.birthday,
        enrolled_at=state.enrolled_at,
        purchases=state.purchases.count,
        spend_minor=state.purchases.spend_minor,
        limits=state.limits,
        at=at,
    )


def rule_facts(member_id: str, account: Account, program: Program, *, at: int) -> Member:
    """The facts of a member at `at`, the profile read now where the programme asks for it.

    For who decides once, such as a quote or a list of benefits. Whoever posts reads `profile_facts` first and calls
    `known` in `decide`, which then reads nothing.
    """
    return known(account, program, profile_facts(member_id, program), at=at)


def _profile(member_id: str) -> ProfileItem | None:
    item = peek_profile(member_id)
    while item is not None and item.merged_into:
        item = peek_profile(item.merged_into)
    return item
