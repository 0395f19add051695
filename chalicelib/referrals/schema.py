"""What referrals look like at the edge."""

from __future__ import annotations

from typing import Literal

import msgspec


class ReferralRewardOut(msgspec.Struct, frozen=True, kw_only=True):
    """Points, a voucher, or both."""

    points: int
    voucher: bool


class ReferralClaimed(msgspec.Struct, frozen=True, kw_only=True):
    """A claim: the friend's first purchase until `buy_until` brings the reward. `waiting` is looked at by the shop."""

    id: str
    status: Literal["joined", "qualified", "paid", "waiting", "refused", "lapsed"]
    claimed_at: str
    buy_until: str
    minimum_minor: int | None
    reward: ReferralRewardOut


class ReferralCodeOut(msgspec.Struct, frozen=True, kw_only=True):
    """A member's code, the link that carries it, and the link as a QR picture (an SVG document)."""

    member_id: str
    code: str
    link: str
    qr_svg: str


class FriendOut(msgspec.Struct, frozen=True, kw_only=True):
    """A friend, of whom no more than an initial is told. `points` are what the referrer was paid for the friend."""

    initial: str
    status: Literal["joined", "qualified", "paid", "waiting", "refused", "lapsed"]
    joined_at: str
    points: int


class ReferralStepOut(ReferralRewardOut, frozen=True, kw_only=True):
    """What the referrer gets for a friend from the `from_friend`-th on."""

    from_friend: int


class ReferralsOut(msgspec.Struct, frozen=True, kw_only=True):
    """A member's code and friends, newest first.

    `next_reward` is for the next friend, `following_step` the step after it; `friends_left` is for how many more the
    member is paid in this period (null for any number).
    """

    member_id: str
    code: str
    link: str
    paid_friends: int
    friends_left: int | None
    next_reward: ReferralStepOut | None
    following_step: ReferralStepOut | None
    friends: tuple[FriendOut, ...]
    next_cursor: str | None


class ReferralOut(msgspec.Struct, frozen=True, kw_only=True):
    """A referral as staff see it: how suspicious it is and why, who has decided on it, and what was paid."""

    id: str
    status: Literal["joined", "qualified", "paid", "held", "refused", "lapsed"]
    referrer_id: str
    friend_id: str
    claimed_at: str
    score: int
    reasons: tuple[str, ...]
    decided_by: str | None
    decided_at: str | None
    qualified_at: str | None
    due_at: str | None
    referrer_points: int
    friend_points: int


class ReferralPage(msgspec.Struct, frozen=True, kw_only=True):
    """Referrals that wait for review, oldest claims first."""

    referrals: tuple[ReferralOut, ...]
    next_cursor: str | None
