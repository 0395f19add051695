"""Members who bring friends: how a friend qualifies, what both get, and what makes a referral suspicious."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from chalicelib.program.document.parts import BatchId, Part, Points, PositiveMinor

Days: TypeAlias = Annotated[int, Meta(ge=1, le=366)]
Score: TypeAlias = Annotated[int, Meta(ge=1, le=1_000)]


class ReferralReward(Part, frozen=True, kw_only=True):
    """Points, a voucher of a batch of single-use codes, or both."""

    points: Points = 0
    voucher_batch: BatchId | None = None


class ReferralStep(ReferralReward, frozen=True, kw_only=True):
    """What the referrer gets for a friend, from the `from_friend`-th on that is paid for."""

    from_friend: Annotated[int, Meta(ge=1, le=10_000)] = 1


class ReferralCap(Part, frozen=True, kw_only=True):
    """For how many friends a referrer is paid in each period of the programme's zone; a week begins on Monday."""

    per: Literal["day", "week", "month", "year", "ever"]
    friends: Annotated[int, Meta(ge=1, le=1_000_000)]


class FraudPolicy(Part, frozen=True, kw_only=True):
    """From which score on a referral is held for review, and from which it is refused.

    `claims_per_hour` and `claims_per_day` are how many claims of one code are nothing unusual.
    """

    hold_at: Score = 50
    refuse_at: Score = 100
    claims_per_hour: Annotated[int, Meta(ge=1, le=200)] = 20
    claims_per_day: Annotated[int, Meta(ge=1, le=200)] = 100


class ReferralPolicy(Part, frozen=True, kw_only=True):
    """Both are rewarded once the friend has bought: anything, or `minimum_minor` of the base currency in all.

    A friend claims a code up to `claim_days` after enrolling and buys up to `qualify_days` after the claim; the rewards
    are paid `return_days` after the purchase that qualified. `share_url` is a link with `{code}` in it. With
    `new_customers_only` nobody who has bought before may claim.
    """

    share_url: Annotated[str, Meta(max_length=300)]
    claim_days: Days = 14
    qualify_days: Days = 90
    minimum_minor: PositiveMinor | None = None
    return_days: Annotated[int, Meta(ge=0, le=366)] = 0
    new_customers_only: bool = True
    referrer: Annotated[tuple[ReferralStep, ...], Meta(max_length=20)] = ()
    friend: ReferralReward = ReferralReward()
    cap: ReferralCap | None = None
    fraud: FraudPolicy = FraudPolicy()
