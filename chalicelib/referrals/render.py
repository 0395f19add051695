"""How referrals are shown: to members without saying who is who, to staff with all that is known."""

from __future__ import annotations

from typing import Literal

from chalicelib.base import clock
from chalicelib.program.document.referrals import ReferralReward, ReferralStep
from chalicelib.referrals import rules, terms
from chalicelib.referrals.listing import Overview
from chalicelib.referrals.rules import Paid, Referral, Status
from chalicelib.referrals.schema import (
    FriendOut,
    ReferralClaimed,
    ReferralOut,
    ReferralRewardOut,
    ReferralsOut,
    ReferralStepOut,
)

Told = Literal["joined", "qualified", "paid", "waiting", "refused", "lapsed"]


def claimed(referral: Referral, now: int) -> ReferralClaimed:
    """A referral as the friend sees it."""
    policy = terms.policy_of(referral)
    return ReferralClaimed(
        id=referral.referral_id,
        status=told(rules.status(referral, policy, now)),
        claimed_at=clock.text(referral.claimed_at),
        buy_until=clock.text(rules.buys_until(referral, policy)),
        minimum_minor=policy.minimum_minor,
        reward=_reward(policy.friend),
    )


def overview(found: Overview, next_cursor: str | None) -> ReferralsOut:
    """A member's referrals as the member sees them."""
    return ReferralsOut(
        member_id=found.member_id,
        code=found.code,
        link=found.link,
        paid_friends=found.paid_friends,
        friends_left=found.left,
        next_reward=_step(found.step),
        following_step=_step(found.following),
        friends=tuple(
            FriendOut(
                initial=friend.referral.initial,
                status=told(friend.status),
                joined_at=clock.text(friend.referral.claimed_at),
                points=_points(friend.referral.referrer),
            )
            for friend in found.friends
        ),
        next_cursor=next_cursor,
    )


def referral(found: Referral, now: int) -> ReferralOut:
    """A referral as staff see it."""
    policy = terms.policy_of(found)
    return ReferralOut(
        id=found.referral_id,
        status=rules.status(found, policy, now),
        referrer_id=found.referrer_id,
        friend_id=found.friend_id,
        claimed_at=clock.text(found.claimed_at),
        score=found.score,
        reasons=found.reasons,
        decided_by=found.decided_by or None,
        decided_at=clock.text(found.decided_at) if found.decided_at else None,
        qualified_at=_instant(rules.qualified_at(found, policy)),
        due_at=_instant(rules.due_at(found, policy)),
        referrer_points=_points(found.referrer),
        friend_points=_points(found.friend),
    )


def told(status: Status) -> Told:
    """How far a referral is, as members are told: that it is held, they are not."""
    return "waiting" if status == "held" else status


def _points(paid: Paid | None) -> int:
    return paid.points if paid else 0


def _reward(reward: ReferralReward) -> ReferralRewardOut:
    return ReferralRewardOut(points=reward.points, voucher=reward.voucher_batch is not None)


def _step(step: ReferralStep | None) -> ReferralStepOut | None:
    if step is None:
        return None
    return ReferralStepOut(from_friend=step.from_friend, points=step.points, voucher=step.voucher_batch is not None)


def _instant(at: int | None) -> str | None:
    return None if at is None else clock.text(at)
