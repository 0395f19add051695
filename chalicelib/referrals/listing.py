"""What a member sees of referrals: the code, the link, the friends, and what comes next."""

from __future__ import annotations

import msgspec

from chalicelib.ledger.posting import peek
from chalicelib.program.document.referrals import ReferralPolicy, ReferralStep
from chalicelib.referrals import codes, owning, reviewing, rules, terms
from chalicelib.referrals.rules import Referral, Status
from chalicelib.referrals.table import LeadItem, friends_key


class Friend(msgspec.Struct, frozen=True):
    """A friend as the referrer sees it."""

    referral: Referral
    status: Status


class Overview(msgspec.Struct, frozen=True):
    """A member's referrals: a page of friends, newest first, and what the next one brings.

    `left` is for how many more friends the member is paid in this period, None for any number. `following` is the step
    after the one that the next friend is on, and `last` the place of the last friend where there are more.
    """

    member_id: str
    code: str
    link: str
    friends: list[Friend]
    paid_friends: int
    left: int | None
    step: ReferralStep | None
    following: ReferralStep | None
    last: str | None


def link_of(policy: ReferralPolicy, code: str) -> str:
    """The link by which a code is shared."""
    return policy.share_url.replace("{code}", code)


def overview(member_id: str, *, after: str | None, limit: int, now: int) -> Overview:
    """A page of a member's referrals. Raises ReferralsNotOffered, MemberNotFound and Unavailable."""
    current, policy = terms.current(now)
    account = peek(member_id, now=now)
    owner = account.member_id
    code = owning.code_of(owner)
    key = friends_key(owner)
    beyond = LeadItem.part < after if after else None
    items = LeadItem.query(key, beyond, scan_index_forward=False, limit=limit + 1)
    parts = [str(item.part) for item in items]
    friends = [
        Friend(referral, rules.status(referral, terms.policy_of(referral), now))
        for referral in reviewing.shown(parts[:limit])
    ]
    used = account.state.limits
    number = rules.paid_friends(used, now) + 1
    return Overview(
        member_id=owner,
        code=codes.shown(code),
        link=link_of(policy, code),
        friends=friends,
        paid_friends=number - 1,
        left=rules.left_in_period(current.program, policy, used, now),
        step=next((step for step in reversed(policy.referrer) if step.from_friend <= number), None),
        following=next((step for step in policy.referrer if step.from_friend > number), None),
        last=parts[limit - 1] if len(parts) > limit else None,
    )
