"""What a merge makes of referrals: one person has one, brings nobody twice, and never brings itself."""

from __future__ import annotations

import msgspec

from chalicelib.members import service as members
from chalicelib.referrals import changing
from chalicelib.referrals.rules import Referral
from chalicelib.referrals.table import (
    STATE,
    LeadItem,
    StateItem,
    friends_key,
    read_state,
    referral_id_of,
    referrals_of,
)

_SAME_PERSON = "same_person"
ACTOR = "system:referrals"


def unite(member_id: str, closed_id: str, *, now: int) -> list[str]:
    """Put what a member who was merged has of referrals to the one who took over; gives the referrals to be settled.

    Of two referrals of one person the earlier stands. One whose referrer is the friend by now is refused.
    """
    survivor = members.survivor_of(member_id)
    own = referral_id_of(survivor)
    for referral_id in referrals_of(closed_id):
        if referral_id != own:
            StateItem(own, f"{STATE}#{referral_id}").save()
    _move_friends(closed_id, survivor)
    found = [stored.referral for stored in map(read_state, referrals_of(survivor)) if stored is not None]
    found.sort(key=lambda referral: (referral.claimed_at, referral.referral_id))
    for place, referral in enumerate(found):
        if place or members.survivor_of(referral.referrer_id) == survivor:
            _refuse(referral, now)
    return [referral.referral_id for referral in found]


def _refuse(referral: Referral, now: int) -> None:
    def step(current: Referral) -> Referral:
        if current.verdict == "refused":
            return current
        reasons = (*current.reasons, _SAME_PERSON)
        return msgspec.structs.replace(current, verdict="refused", reasons=reasons, decided_by=ACTOR, decided_at=now)

    changing.change(referral.referral_id, step)


def _move_friends(closed_id: str, survivor: str) -> None:
    """The friends of the one are shown to the other; those that were moved before are put once more, alike."""
    with LeadItem.batch_write() as batch:
        for item in LeadItem.query(friends_key(closed_id), consistent_read=True):
            batch.save(LeadItem(friends_key(survivor), item.part))
