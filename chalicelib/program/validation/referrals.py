"""Whether the referral policy fits together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chalicelib.program.document import Program
from chalicelib.program.document.referrals import ReferralReward
from chalicelib.program.validation.problem import Problem

PLACEHOLDER: Final = "{code}"


def check_referrals(program: Program) -> Iterator[Problem]:
    """The link leads somewhere, steps rise from the first friend, and somebody gets something."""
    policy = program.referrals
    if policy is None:
        return
    if not policy.share_url.startswith("https://") or policy.share_url.count(PLACEHOLDER) != 1:
        yield Problem("referrals.share_url", "The link begins with https:// and has {code} in it once.")
    elif not (policy.share_url.isascii() and policy.share_url.isprintable() and " " not in policy.share_url):
        yield Problem("referrals.share_url", "The link has only characters that a link may have.")
    places = [step.from_friend for step in policy.referrer]
    if places and places[0] != 1:
        yield Problem("referrals.referrer[0].from_friend", "The first step begins with the first friend.")
    for index in range(1, len(places)):
        if places[index] <= places[index - 1]:
            yield Problem(f"referrals.referrer[{index}].from_friend", "Each step begins later than the one before.")
    if not any(_gives(reward) for reward in (policy.friend, *policy.referrer)):
        yield Problem("referrals", "Either the referrer or the friend gets something.")
    if policy.fraud.hold_at > policy.fraud.refuse_at:
        yield Problem("referrals.fraud.hold_at", "What is refused is held before, so this is no higher than refuse_at.")


def _gives(reward: ReferralReward) -> bool:
    return reward.points > 0 or reward.voucher_batch is not None
