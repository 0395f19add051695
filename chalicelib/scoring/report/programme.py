"""What an installation knows of its programme beside its members' purchases, and what a report makes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from chalicelib.scoring.report.model import Holdings, Month, Satisfied
from chalicelib.scoring.rules.kpis import Breakage
from chalicelib.scoring.rules.past import Heard
from chalicelib.scoring.rules.voices import Said
from chalicelib.surveys.rules import measures

_LEAST_SHARE: Final = 0.01
"""Shares that move by less than one point in a hundred tell of nothing."""

_PASSIVE: Final = 8


class Programme(msgspec.Struct, frozen=True, kw_only=True):
    """What all surveys, cases and accounts say.

    `said` are the answers to `surveys` surveys since the month `heard_since`; `heard` is by month. Purchases are known
    in full from the day `known_from` on, of `share` of all members.
    """

    said: Said = Said()
    surveys: int = 0
    heard_since: int = 0
    heard: tuple[Heard, ...] = ()
    holdings: Holdings | None = None
    breakage: Breakage | None = None
    known_from: int = 0
    share: float = 1.0

    def satisfied(self) -> tuple[Satisfied, ...]:
        """Satisfaction by dimension, of those that enough people have rated."""
        found = ((name, rated.estimate()) for name, rated in self.said.dimensions.items())
        return tuple(Satisfied(name, share) for name, share in found if share is not None)


class Series(msgspec.Struct, frozen=True):
    """An indicator by whole months from `first_month` on, None where one has no data; what chance alone would move."""

    indicator: str
    first_month: int
    values: tuple[float | None, ...]
    least_spread: float = 0.0


def series(programme: Programme, months: Sequence[Month], last_whole: int) -> tuple[Series, ...]:
    """NPS, redemption and complaints by month, up to the last whole one; without a month for what has no data."""
    heard = {one.month: one for one in programme.heard}
    bought = {month.month: month.purchases / programme.share for month in months if month.whole}
    points = {one.month: one for one in (programme.holdings.months if programme.holdings else ()) if one.known}
    nps = {month: _nps(one) for month, one in heard.items()}
    redeemed = {month: max(one.redeemed, 0) / one.issued if one.issued > 0 else None for month, one in points.items()}
    complaints = {
        month: 100.0 * heard[month].complaints / count for month, count in bought.items() if month in heard and count
    }
    chance = _chance(months, programme, heard)
    found = (
        _series("nps", nps, last_whole, _spread([heard[month] for month, value in nps.items() if value is not None])),
        _series("redemption", redeemed, last_whole, _LEAST_SHARE),
        _series("complaint_rate", complaints, last_whole, chance),
    )
    return tuple(one for one in found if one.values)


def _series(name: str, values: Mapping[int, float | None], last_whole: int, least_spread: float) -> Series:
    known = [month for month, value in values.items() if value is not None and month <= last_whole]
    if not known:
        return Series(name, last_whole, ())
    first = min(known)
    return Series(name, first, tuple(values.get(month) for month in range(first, last_whole + 1)), least_spread)


def _nps(one: Heard) -> float | None:
    """A month's NPS; None of fewer answers than are ever shown."""
    if one.answers < measures.MINIMUM:
        return None
    return 100.0 * (one.promoters - one.detractors) / one.answers


def _spread(months: Sequence[Heard]) -> float:
    """The mean standard error of a month's NPS."""
    errors = [
        math.sqrt(
            measures.variance_of_nps(
                {
                    measures.PROMOTER: one.promoters,
                    _PASSIVE: one.answers - one.promoters - one.detractors,
                    measures.DETRACTOR: one.detractors,
                }
            )
        )
        for one in months
    ]
    return sum(errors) / len(errors) if errors else 0.0


def _chance(months: Sequence[Month], programme: Programme, heard: Mapping[int, Heard]) -> float:
    """How far a month's complaint rate moves by chance: by the root of the mean number of complaints, one at least."""
    both = [month for month in months if month.whole and month.month in heard and month.purchases]
    if not both:
        return 0.0
    complaints = sum(heard[month.month].complaints for month in both) / len(both)
    purchases = sum(month.purchases for month in both) / len(both) / programme.share
    return 100.0 * math.sqrt(max(complaints, 1.0)) / purchases
