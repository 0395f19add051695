"""Since when a figure is another one: changes in a series of months: pure.

Binary segmentation (Scott & Knott 1974; Vostrikova 1981): of all ways to cut the series in two, the one whose sides
differ most is tested by the two-sample z statistic, whose p value is multiplied by the number of ways (Bonferroni), for
the best of many looks good by chance. A series that changed is cut there, and both sides are looked at again.

Months differ by more than chance alone, because other people answer in other months. As Laney's charts do (2002), the
variance is widened by how much neighbouring months differ beyond what their answers explain; the median of those
differences is used, so that one real change does not hide itself.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from chalicelib.surveys.rules.measures import DETRACTOR, EASY, MINIMUM, PROMOTER, SATISFIED, Z

ALPHA: Final = 0.05
"""How often a series in which nothing changes is said to have changed, at the most."""

_MEDIAN_OF_NORMAL: Final = 0.6745
_DIFFERENCES_MIN: Final = 5


class Point(msgspec.Struct, frozen=True):
    """A month: how many answers, the sum of their scores and of the squares of these."""

    month: str
    n: int
    total: int
    squares: int


class Change(msgspec.Struct, frozen=True):
    """From `month` on the figure is another one; with the 95 % interval of the difference, and the p value of the test.

    `before` and `after` are the means between this change and the ones beside it.
    """

    month: str
    before: float
    after: float
    low: float
    high: float
    p: float

    @property
    def difference(self) -> float:
        """By how much it changed."""
        return self.after - self.before


class _Side(msgspec.Struct, frozen=True):
    n: int
    mean: float
    variance: float


def of_nps(month: str, given: Mapping[int, int]) -> Point:
    """A month of NPS: a promoter scores 100, a detractor -100."""
    plus = sum(count for number, count in given.items() if number >= PROMOTER)
    minus = sum(count for number, count in given.items() if number <= DETRACTOR)
    return Point(month, sum(given.values()), 100 * (plus - minus), 10_000 * (plus + minus))


def of_csat(month: str, given: Mapping[int, int]) -> Point:
    """A month of CSAT: the satisfied score 100."""
    return _of_share(month, given, SATISFIED)


def of_ces(month: str, given: Mapping[int, int]) -> Point:
    """A month of CES: those for whom it was easy score 100."""
    return _of_share(month, given, EASY)


def changes(points: Sequence[Point]) -> tuple[Change, ...]:
    """Where a series changed, in the order of the months; months of fewer than 30 answers say nothing."""
    known = [point for point in points if point.n >= MINIMUM]
    widening = _widening(known)
    cuts = sorted(_cuts(known, 0, len(known), widening))
    bounds = [0, *(cut for cut, _p in cuts), len(known)]
    found = []
    for place, (cut, p) in enumerate(cuts, start=1):
        before = _side(known[bounds[place - 1] : cut])
        after = _side(known[cut : bounds[place + 1]])
        half = Z * math.sqrt(widening * (before.variance + after.variance))
        difference = after.mean - before.mean
        found.append(Change(known[cut].month, before.mean, after.mean, difference - half, difference + half, p))
    return tuple(found)


def _of_share(month: str, given: Mapping[int, int], from_number: int) -> Point:
    part = sum(count for number, count in given.items() if number >= from_number)
    return Point(month, sum(given.values()), 100 * part, 10_000 * part)


def _cuts(points: Sequence[Point], begin: int, end: int, widening: float) -> list[tuple[int, float]]:
    best, statistic = 0, 0.0
    ways = range(begin + 1, end)
    for cut in ways:
        before, after = _side(points[begin:cut]), _side(points[cut:end])
        z = abs(after.mean - before.mean) / math.sqrt(widening * (before.variance + after.variance))
        if z > statistic:
            best, statistic = cut, z
    p = min(1.0, len(ways) * math.erfc(statistic / math.sqrt(2)))
    if not ways or p >= ALPHA:
        return []
    return [*_cuts(points, begin, best, widening), (best, p), *_cuts(points, best, end, widening)]


def _side(points: Sequence[Point]) -> _Side:
    n = sum(point.n for point in points)
    total = sum(point.total for point in points)
    squares = sum(point.squares for point in points)
    # Where all are of one kind, it is as if one were not: nothing is known to vary as little as that.
    spread = max(n * squares - total * total, 10_000 * max(1, n - 1))
    return _Side(n, total / n, spread / n**3)


def _widening(points: Sequence[Point]) -> float:
    """How much more the months vary than their answers explain; 1 where they do not, or nobody can tell yet."""
    if len(points) <= _DIFFERENCES_MIN:
        return 1.0
    sides = [_side([point]) for point in points]
    apart = sorted(
        abs(after.mean - before.mean) / math.sqrt(before.variance + after.variance)
        for before, after in itertools.pairwise(sides)
    )
    middle = (apart[(len(apart) - 1) // 2] + apart[len(apart) // 2]) / 2
    return max(1.0, (middle / _MEDIAN_OF_NORMAL) ** 2)
