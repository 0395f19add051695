"""A member's redemptions, newest first: from the account's latest one, each leads to the one before it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.ledger.posting import peek
from chalicelib.rewards.history import Redemption, read


class Page(msgspec.Struct, frozen=True):
    """A page of a member's redemptions, and where the next one begins (None: there is none)."""

    redemptions: tuple[Redemption, ...]
    after: tuple[str, ...] | None


def page(member_id: str, *, after: Sequence[str] | None, limit: int, now: int) -> Page:
    """A page of a member's redemptions, those of members merged into this one included.

    One read of the account's tail (on later pages none), and one small read for each redemption, one after the other:
    nothing is written for the list's sake, and it does not grow with what else the member does. Raises MemberNotFound.
    """
    # One, or after a merge one for each of the members.
    ends = dict.fromkeys(peek(member_id, now=now).state.redeemed if after is None else after)
    known: dict[str, Redemption] = {}
    found: list[Redemption] = []
    while ends and len(found) < limit:
        known |= {name: read(name) for name in ends if name not in known}
        newest = max((known[name] for name in ends), key=_age)
        del ends[newest.redemption_id]
        found.append(newest)
        ends |= dict.fromkeys(newest.issue.before or ())
    return Page(tuple(found), tuple(ends) or None)


def _age(redemption: Redemption) -> tuple[str, str]:
    return redemption.issue.posted_at, redemption.redemption_id
