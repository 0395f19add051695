"""What tells one person behind several claims: devices, means of payment, addresses, mailboxes, and haste.

Only keyed hashes of them are kept, each under an item of the member who claimed, so no claim waits for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.base import clock, ids
from chalicelib.ledger.posting import Write
from chalicelib.members.rules import Profile
from chalicelib.members.table import ProfileItem
from chalicelib.program.document.referrals import FraudPolicy
from chalicelib.referrals.scoring import Known, Sightings, mailbox
from chalicelib.referrals.table import LeadItem, SeenItem, friends_key

_LOOKED_AT: Final = 5
"""So many of those who used the same thing are looked at; more would make no difference."""

_HOUR_S: Final = 3_600


class Given(msgspec.Struct, frozen=True):
    """What was sent with a claim, as the shop's systems write it; empty for nothing."""

    device: str = ""
    payment: str = ""
    address: str = ""


def known(item: ProfileItem) -> Known:
    """What is known of a member for comparing it with another."""
    profile = item.person
    return Known(
        phones=frozenset(phone for phone in (profile.phone, *profile.further_phones) if phone),
        mails=frozenset(_mails(profile)),
        keys=frozenset(item.subjects),
    )


def look(friend: ProfileItem, referrer_id: str, given: Given, policy: FraudPolicy, *, now: int) -> Sightings:
    """Where what comes with a claim was seen before, and how many have claimed the code lately."""
    of_referrer, of_others = set(), set()
    for kind, key in _keys(friend.person, given):
        found = {str(item.part) for item in SeenItem.query(key, limit=_LOOKED_AT)}
        others = found - {str(friend.key)}
        is_more = len(found) == _LOOKED_AT
        if referrer_id in others or (is_more and list(SeenItem.query(key, SeenItem.part == referrer_id))):
            of_referrer.add(kind)
        if others - {referrer_id}:
            of_others.add(kind)
    hour, day = clock.text(now - _HOUR_S), clock.text(now - clock.DAY_S)
    latest = LeadItem.query(
        friends_key(referrer_id),
        LeadItem.part >= day,
        scan_index_forward=False,
        limit=max(policy.claims_per_day, policy.claims_per_hour),
    )
    claims = [str(item.part) for item in latest]
    return Sightings(frozenset(of_referrer), frozenset(of_others), sum(part >= hour for part in claims), len(claims))


def traces(friend: ProfileItem, given: Given) -> Sequence[Write]:
    """The writes by which later claims find this one."""
    return [Write(SeenItem(key, str(friend.key))) for _kind, key in _keys(friend.person, given)]


def _keys(profile: Profile, given: Given) -> list[tuple[str, str]]:
    """Kinds and keys of all that might be seen again."""
    found = [("device", given.device), ("payment", given.payment), ("address", given.address)]
    found += [("mailbox", mailbox(mail)) for mail in _mails(profile)[:1]]
    return [(kind, f"seen#{ids.keyed_hash('seen', kind, _plain(text))}") for kind, text in found if text.strip()]


def _plain(text: str) -> str:
    """Blanks and case make nothing another one."""
    return " ".join(text.split()).casefold()


def _mails(profile: Profile) -> list[str]:
    return [mail for mail in (profile.mail, *profile.further_mails) if mail]
