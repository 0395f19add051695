"""What a merge makes of referrals: one person has one, brings nobody twice, and never brings itself."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.members import service as members
from chalicelib.referrals import changing, hearing
from chalicelib.referrals.rules import Order, Referral
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


def unite(closed_id: str, *, now: int) -> list[str]:
    """Put what a member who was merged has of referrals to the one who took over; gives the referrals to be settled.

    Of two referrals of one person the earlier stands. One whose referrer is the friend by now is refused. Whatever the
    person has bought in time counts, on whichever account: notices of it may have come before that of the merge, when
    nobody knew that they are one.
    """
    accounts = _gather(closed_id)
    survivor = accounts[0]
    _move_friends(closed_id, survivor)
    found = [stored.referral for stored in map(read_state, referrals_of(survivor)) if stored is not None]
    found.sort(key=lambda referral: (referral.claimed_at, referral.referral_id))
    orders = hearing.orders_since(accounts, found[0].claimed_at) if found else []
    for place, referral in enumerate(found):
        is_doubled = bool(place) or members.survivor_of(referral.referrer_id) == survivor
        _change(referral.referral_id, orders, now=now, is_doubled=is_doubled)
    return [referral.referral_id for referral in found]


def _gather(closed_id: str) -> tuple[str, ...]:
    """Lead from the survivor to the referrals of all accounts that have become one; gives these, the survivor first."""
    accounts: tuple[str, ...] = ()
    # Where the survivor was merged meanwhile, whoever hears of that may not have found what was put here.
    while (by_now := members.ids_of(closed_id)) != accounts:
        accounts = by_now
        own = referral_id_of(accounts[0])
        for member_id in accounts[1:]:
            for referral_id in referrals_of(member_id):
                if referral_id != own:
                    StateItem(own, f"{STATE}#{referral_id}").save()
    return accounts


def _change(referral_id: str, orders: Sequence[Order], *, now: int, is_doubled: bool) -> None:
    def step(current: Referral) -> Referral:
        current = hearing.told(current, orders)
        if not is_doubled or _SAME_PERSON in current.reasons:
            # Staff who have approved it since are not overruled by a notice that comes again.
            return current
        current = msgspec.structs.replace(current, reasons=(*current.reasons, _SAME_PERSON))
        if current.verdict == "refused":
            return current
        return msgspec.structs.replace(current, verdict="refused", decided_by=ACTOR, decided_at=now)

    changing.change(referral_id, step)


def _move_friends(closed_id: str, survivor: str) -> None:
    """The friends of the one are shown to the other; those that were moved before are put once more, alike."""
    with LeadItem.batch_write() as batch:
        for item in LeadItem.query(friends_key(closed_id), consistent_read=True):
            batch.save(LeadItem(friends_key(survivor), item.part))
