"""Review by staff: what is held, and what they say of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from chalicelib.referrals import changing, settling
from chalicelib.referrals.rules import Referral
from chalicelib.referrals.table import SHARDS, LeadItem, Stored, read_states, sharded


def decide(referral_id: str, verdict: Literal["approved", "refused"], *, actor: str, now: int) -> Stored:
    """Approve or refuse a referral, and settle what follows: a refused one gives back what was paid.

    Repeated, it answers the same; the later of two decisions counts. To approve what nobody doubts changes nothing.
    Raises ReferralNotFound and Unavailable.
    """

    def step(referral: Referral) -> Referral:
        is_so = referral.verdict == verdict or (verdict == "approved" and referral.verdict == "clear")
        if is_so:
            return referral
        return msgspec.structs.replace(referral, verdict=verdict, decided_by=actor, decided_at=now)

    return settling.settle(changing.change(referral_id, step), now=now)


def held(*, after: str | None, limit: int) -> tuple[list[Referral], str | None]:
    """A page of what waits for review, oldest claims first, after a place in the list; and the place of the last.

    The place is None where there is nothing more.
    """
    parts: list[str] = []
    for shard in range(SHARDS):
        beyond = LeadItem.part > after if after else None
        parts += [str(item.part) for item in LeadItem.query(sharded("held", shard), beyond, limit=limit + 1)]
    page = sorted(parts)[:limit]
    return shown(page), page[-1] if len(parts) > limit else None


def shown(parts: Sequence[str]) -> list[Referral]:
    """The referrals that places of a list lead to, in their order."""
    ids = [part.partition("#")[2] for part in parts]
    found = read_states(ids)
    return [found[referral_id] for referral_id in ids if referral_id in found]
