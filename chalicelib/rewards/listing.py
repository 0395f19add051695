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
    ends = _ends(peek(member_id, now=now).state.redeemed if after is None else after)
    found: list[Redemption] = []
    while ends and len(found) < limit:
        newest = max(ends, key=_age)
        ends.remove(newest)
        found.append(newest)
        ends += _ends(newest.issue.before or ())
    return Page(tuple(found), tuple(end.redemption_id for end in ends) if ends else None)


def _ends(redemption_ids: Sequence[str]) -> list[Redemption]:
    """The redemptions at which the way goes on: one, or after a merge one for each member."""
    return [read(redemption_id) for redemption_id in redemption_ids]


def _age(redemption: Redemption) -> tuple[str, str]:
    return redemption.issue.posted_at, redemption.redemption_id
