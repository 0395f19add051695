"""What a referral goes by: the policy of the programme's version at the claim."""

from __future__ import annotations

from chalicelib.base.errors import Conflict
from chalicelib.program import service as programs
from chalicelib.program.document.referrals import ReferralPolicy
from chalicelib.program.service import Versioned
from chalicelib.referrals.rules import Referral


class ReferralsNotOffered(Conflict):
    """The programme in force has no referrals."""

    code = "referrals_not_offered"

    def __init__(self) -> None:
        super().__init__("The programme has no referrals.")


def current(now: int) -> tuple[Versioned, ReferralPolicy]:
    """The programme in force and its policy. Raises ReferralsNotOffered."""
    found = programs.in_force(now, now=now)
    if found.program.referrals is None:
        raise ReferralsNotOffered
    return found, found.program.referrals


def policy_of(referral: Referral) -> ReferralPolicy:
    """The policy that a referral goes by."""
    policy = programs.version(referral.program).program.referrals
    # A claim is only taken where there is one, and no version ever changes.
    if policy is None:
        raise ReferralsNotOffered
    return policy
