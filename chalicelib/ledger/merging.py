"""Two accounts of one person made one: pure arithmetic on states that were folded to now."""

from __future__ import annotations

import msgspec

from chalicelib.base.errors import Conflict
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.points import repaid_first, soonest
from chalicelib.ledger.state import HOLDS_MAX, Lifetime, Limit, Month, Purchases, State, TierRecord


class HoldsOpen(Conflict):
    """The two accounts have more holds than one may have."""

    code = "too_many_holds"


def close(state: State, *, into: str) -> Effect:
    """Everything leaves an account, which from now on stands for `into`.

    What lapsed before stays with the closed account's history, and so does what it ever earned: only what it holds and
    owes goes over, so that the two movements are each other's inverse.
    """
    return Effect(
        debits=state.lots,
        unpended=state.pending,
        unheld=state.holds,
        repaid=state.owed,
        absorbed=state.expired,
        months=tuple(_negative(month) for month in state.months),
        tiers=(),
        purchases=Purchases(-state.purchases.count, -state.purchases.spend_minor),
        lifetime=Lifetime(merged=-state.total),
        closed_into=into,
        limits=tuple(Limit(limit.limit_id, limit.until, -limit.count, -limit.points) for limit in state.limits),
    )


def merge_in(state: State, closed: State) -> Effect:
    """What the other account held comes in: its lots, pending points, holds, debt, months and purchases.

    `closed` is the other account before it was closed. Its lots repay what is owed here, and this account's lots repay
    what is owed there, as for every inflow. The better tier record of each level stays, what both have used of a limit
    counts together, and the member is as old as the older account. Raises HoldsOpen.
    """
    if len(state.holds) + len(closed.holds) > HOLDS_MAX:
        raise HoldsOpen(f"The two accounts have more than {HOLDS_MAX} holds; release some first.")
    inflow = repaid_first(state, closed.lots)
    debits = soonest(state.lots, min(closed.owed, sum(lot.points for lot in state.lots)))
    return msgspec.structs.replace(
        inflow,
        debits=debits,
        borrowed=closed.owed - sum(lot.points for lot in debits),
        pended=closed.pending,
        held=closed.holds,
        lapsed=closed.expired,
        months=closed.months,
        tiers=_united(state.tiers, closed.tiers),
        purchases=closed.purchases,
        lifetime=Lifetime(merged=closed.total),
        extended_to=closed.active_until,
        limits=closed.limits,
        enrolled_at=closed.enrolled_at,
        redeemed=state.redeemed + closed.redeemed,
    )


def _united(tiers: tuple[TierRecord, ...], others: tuple[TierRecord, ...]) -> tuple[TierRecord, ...]:
    """The records of both, of each tier the one that lasts longer."""
    lasting: dict[str, TierRecord] = {}
    for record in (*tiers, *others):
        known = lasting.get(record.code)
        if known is None or known.until < record.until:
            lasting[record.code] = record
    return tuple(lasting.values())


def _negative(month: Month) -> Month:
    return Month(month.month, -month.points, -month.spend_minor, -month.purchases, -month.activity)
