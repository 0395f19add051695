"""A referral code that comes with an enrolment: judged before it, claimed in its transaction."""

from __future__ import annotations

from chalicelib.base import clock
from chalicelib.base.dynamo import absent
from chalicelib.base.errors import Refusal, Unavailable
from chalicelib.ledger.posting import Act, Write
from chalicelib.members.bringing import Brought, Judged
from chalicelib.members.rules import identity_keys
from chalicelib.members.schema import ReferralIn
from chalicelib.members.table import ProfileItem
from chalicelib.orders import waiting
from chalicelib.referrals import changing, claiming, render, rules, terms
from chalicelib.referrals.claiming import CodeUnknown
from chalicelib.referrals.rules import Referral
from chalicelib.referrals.sightings import Given
from chalicelib.referrals.table import ClaimStep


def judge(friend: ProfileItem, sent: ReferralIn, *, now: int) -> Judged:
    """What becomes of the code of somebody who is not enrolled yet; see `members.bringing`. Raises Unavailable.

    The fraud checks and the writes are those of any claim. A wrong code is counted once the member is there.
    """
    try:
        found = claiming.judge(friend, sent.code, given_of(sent), _has_bought, now=now)
    except Unavailable:
        raise
    except CodeUnknown as unknown:
        friend_id = str(friend.key)
        return Judged(
            Brought(refused=unknown.reason_code),
            afterwards=lambda: claiming.missed(friend_id, sent.code, now=now),
        )
    except Refusal as refusal:
        return Judged(Brought(refused=refusal.reason_code))
    record = Write(found.record, Act.PUT, absent(ClaimStep))
    return Judged(_brought(found.referral, now), (record, *found.writes))


def claim(member_id: str, sent: ReferralIn, *, now: int) -> Brought:
    """Claim a code for a member who was there before; see `members.bringing`. Raises Unavailable."""
    try:
        posted = claiming.claim(member_id, sent.code, given_of(sent), now=now)
    except Unavailable:
        raise
    except Refusal as refusal:
        return Brought(refused=refusal.reason_code)
    return _brought(changing.read(str(posted.record.key)).referral, now)


def given_of(sent: ReferralIn) -> Given:
    """What was sent with a code."""
    return Given(sent.device, sent.payment_fingerprint, sent.address_hash)


def _brought(referral: Referral, now: int) -> Brought:
    status = rules.status(referral, terms.policy_of(referral), now)
    return Brought(referral.referral_id, render.told(status))


def _has_bought(friend: ProfileItem) -> bool:
    return waiting.has_waiting(identity_keys(friend.person), now=clock.now())
