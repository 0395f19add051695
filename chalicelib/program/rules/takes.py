"""What an operation took from the budgets of campaigns, and which vouchers it gave, as its record keeps it."""

from __future__ import annotations

import msgspec


class Take(msgspec.Struct, array_like=True, frozen=True):
    """What an operation takes of one campaign's budgets: `points`, and one award.

    The shards are those of the campaign's two counters, None where it has no budget of that kind.
    """

    campaign: str
    points: int
    points_shard: int | None = None
    awards_shard: int | None = None


class Given(msgspec.Struct, array_like=True, frozen=True):
    """A voucher that a rule gave."""

    rule: str
    batch_id: str
    voucher_id: str
