"""The report's tables by month, by cohort and by RFM."""

from __future__ import annotations

from typing import Final

import numpy as np

from chalicelib.scoring.report.model import Month
from chalicelib.scoring.rules import kpis
from chalicelib.scoring.rules.arrays import Ints
from chalicelib.scoring.rules.history import Purchases
from chalicelib.scoring.rules.scoring import Scores

_EPOCH_MONTH: Final = 1970 * 12
_MONTHS_MAX: Final = 36
_COHORTS_MAX: Final = 18
_FIVE: Final = 5


def month_of(days: Ints) -> Ints:
    """The running month (year x 12 + month − 1) of each day since the epoch."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + _EPOCH_MONTH


def last_whole_month(until: int) -> int:
    """The last month that was over at the end of a day."""
    return int(month_of(np.array([until + 1]))[0]) - 1


def months(purchases: Purchases, until: int, known_from: int | None = None) -> tuple[Month, ...]:
    """The last 36 calendar months, the present one included; a month is whole once its last day has come.

    Where purchases are only known in full from the day `known_from` on, none that begins before.
    """
    if not len(purchases.day):
        return ()
    which = month_of(purchases.day)
    ends = int(month_of(np.array([until]))[0])
    begins = max(int(which.min()), ends - _MONTHS_MAX + 1, _first_known(known_from))
    use = which >= begins
    size = ends - begins + 1
    first = np.ones(len(purchases.day), bool)
    first[1:] = purchases.member[1:] != purchases.member[:-1]
    count = np.bincount(which[use] - begins, minlength=size)
    new = np.bincount(which[use & first] - begins, minlength=size)
    spent = np.bincount(which[use] - begins, purchases.value[use], size)
    whole = last_whole_month(until) == ends
    return tuple(
        Month(begins + place, int(count[place]), int(new[place]), float(spent[place]), place < size - 1 or whole)
        for place in range(size)
    )


def _first_known(known_from: int | None) -> int:
    """The first month of which all purchases are known."""
    return 0 if known_from is None else int(month_of(np.array([known_from - 1]))[0]) + 1


def cohorts(purchases: Purchases, until: int, known_from: int | None = None) -> list[kpis.Cohort]:
    """The last 18 months of first purchases, and who bought again in each month since; `known_from` as in `months`."""
    ends = int(month_of(np.array([until]))[0])
    return kpis.cohorts(purchases, month_of(purchases.day), max(ends - _COHORTS_MAX + 1, _first_known(known_from)))


def rfm_grid(scores: Scores) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[float, ...], ...]]:
    """Members, and their mean 12-month value, by R (rows, 5 first) and F (columns, 1 first)."""
    rfm = scores.rfm[scores.bought]
    place = (_FIVE - rfm // 100) * _FIVE + rfm // 10 % 10 - 1
    count = np.bincount(place, minlength=_FIVE * _FIVE).reshape(_FIVE, _FIVE)
    value = np.bincount(place, scores.value_12[scores.bought], _FIVE * _FIVE).reshape(_FIVE, _FIVE)
    mean = value / np.maximum(count, 1)
    return tuple(map(tuple, count.tolist())), tuple(map(tuple, mean.tolist()))
