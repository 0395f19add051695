"""Early warning in the report: which of the programme's indicators leave the band of their past."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from chalicelib.scoring.report.model import Drifting, Month
from chalicelib.scoring.report.programme import Programme, Series, series
from chalicelib.scoring.report.tables import last_whole_month, month_of
from chalicelib.scoring.rules import alerts
from chalicelib.scoring.rules.history import Purchases


def programme_warnings(
    months: Sequence[Month], purchases: Purchases, until: int, programme: Programme | None = None
) -> tuple[Drifting, ...]:
    """Indicators by whole months, and whether they leave the band of their past; none before eight months."""
    found = []
    beside = series(programme, months, last_whole_month(until)) if programme is not None else ()
    for one in (*_bought(months, purchases), *beside):
        drift = alerts.drift(one.values, least_spread=one.least_spread)
        if drift is not None:
            levels = (drift.level, drift.low, drift.high)
            found.append(Drifting(one.indicator, drift.alert, *levels, one.values, first_month=one.first_month))
    return tuple(found)


def _bought(months: Sequence[Month], purchases: Purchases) -> tuple[Series, ...]:
    """What purchases tell. Numbers that are all alike may still move by chance, by the root of their mean."""
    whole = [month for month in months if month.whole]
    if not whole:
        return ()
    counts = {
        "purchases": tuple(float(month.purchases) for month in whole),
        "new_members": tuple(float(month.new_members) for month in whole),
    }
    baskets = tuple(month.spending / month.purchases if month.purchases else None for month in whole)
    first = whole[0].month
    return (
        *(Series(name, first, values, max(float(np.mean(values)), 1.0) ** 0.5) for name, values in counts.items()),
        Series("basket", first, baskets),
        _returning(purchases, [month.month for month in whole]),
    )


def _returning(purchases: Purchases, months: list[int]) -> Series:
    """Of those who bought in one month, the share who bought in the next, by the next."""
    which = month_of(purchases.day)
    shares: list[float | None] = []
    sizes, last = [], None
    for month in months:
        there = np.zeros(purchases.members, bool)
        there[purchases.member[which == month]] = True
        if last is not None:
            size = int(last.sum())
            shares.append(float((last & there).sum() / size) if size else None)
            sizes += [size] if size else []
        last = there
    share = float(np.mean([one for one in shares if one is not None])) if sizes else 0.0
    size_mean = float(np.mean(sizes)) if sizes else 1.0
    chance = math.sqrt(max(share * (1.0 - share), 1.0 / size_mean) / size_mean) if sizes else 0.0
    return Series("retention", months[0] + 1, tuple(shares), chance)
