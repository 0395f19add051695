"""What answers say in figures: NPS, CSAT, CES, means, shares and rates, each with its 95 % interval: pure.

Definitions: NPS is the share of promoters (9, 10) less that of detractors (0 to 6), from -100 to 100, with the interval
of a difference of two shares of one sample, 100(p-d) ± 1.96·100·√((p+d-(p-d)²)/n). CSAT is the share of the satisfied
(4, 5 of 5), CES that of those for whom it was easy (5 to 7 of 7), and rates are shares too; all of these have Wilson's
interval (Wilson 1927, as Newcombe 1998 recommends), which stays within 0 and 1 and holds for few answers.

Point values are exact until the last division; only the interval's root is a float's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

import msgspec

MINIMUM: Final = 30
"""Fewer answers than this say too little, and too much of those who gave them: they are not shown."""

Z: Final = 1.96
"""How many standard errors a 95 % interval goes to either side."""

PROMOTER: Final = 9
DETRACTOR: Final = 6
SATISFIED: Final = 4
EASY: Final = 5

Distribution = Mapping[int, int]
"""How many gave each number."""


class Measure(msgspec.Struct, frozen=True):
    """A figure made of `n` answers, and the 95 % interval that it lies in."""

    n: int
    value: float
    low: float
    high: float


def nps(given: Distribution) -> Measure | None:
    """The net promoter score, -100 to 100; None without answers."""
    n = sum(given.values())
    return _net(promoters(given), detractors(given), n) if n else None


def promoters(given: Distribution) -> int:
    """How many gave 9 or 10."""
    return sum(count for number, count in given.items() if number >= PROMOTER)


def detractors(given: Distribution) -> int:
    """How many gave 6 or less."""
    return sum(count for number, count in given.items() if number <= DETRACTOR)


def csat(given: Distribution) -> Measure | None:
    """The share of the satisfied in percent; None without answers."""
    return share(sum(count for number, count in given.items() if number >= SATISFIED), sum(given.values()))


def ces(given: Distribution) -> Measure | None:
    """The share of those for whom it was easy in percent; None without answers."""
    return share(sum(count for number, count in given.items() if number >= EASY), sum(given.values()))


def share(part: int, n: int, *, independent: int | None = None) -> Measure | None:
    """`part` of `n` in percent, with Wilson's interval; None for nothing of nothing.

    Where several of the n come from one person, `independent` says of how many people they are, and the interval is
    theirs. Raises ValueError for a part that is negative or above n.
    """
    if not n:
        return None
    if not 0 <= part <= n:
        raise ValueError(f"{part} is no part of {n}")
    people, p = independent or n, part / n
    middle = (p + Z * Z / (2 * people)) / (1 + Z * Z / people)
    half = Z / (1 + Z * Z / people) * math.sqrt(p * (1 - p) / people + Z * Z / (4 * people * people))
    # At the ends the interval begins with the figure itself; a rounding error must not put it beside that.
    low = 0.0 if part == 0 else max(0.0, middle - half)
    high = 1.0 if part == n else min(1.0, middle + half)
    return Measure(n, float(Fraction(100 * part, n)), 100 * low, 100 * high)


def mean(given: Distribution) -> Measure | None:
    """The mean of the numbers given, with the interval of a large sample; None without answers.

    Of one answer, or of answers that are all the same, nothing is known of how they vary: the interval goes from the
    lowest number that could be given to the highest, or as far as Wilson's would for the share that gave another.
    """
    n = sum(given.values())
    if not n:
        return None
    total = sum(number * count for number, count in given.items())
    squares = sum(number * number * count for number, count in given.items())
    value, spread = float(Fraction(total, n)), n * squares - total * total
    lowest, highest = min(given), max(given)
    if n == 1 or not spread:
        other = Z * Z / (n + Z * Z)
        return Measure(n, value, value - other * (value - lowest), value + other * (highest - value))
    half = Z * math.sqrt(spread / (n * (n - 1)) / n)
    return Measure(n, value, max(lowest, value - half), min(highest, value + half))


def variance_of_nps(given: Distribution) -> float:
    """The variance of a net promoter score (of 100 x 100) that these answers lead to; of a hundred at the least.

    For the comparison of two scores: where all answers are of one kind it is as if one in the middle were not.
    """
    n, plus, minus = sum(given.values()), promoters(given), detractors(given)
    spread = n * (plus + minus) - (plus - minus) ** 2
    return 10_000 * max(spread, n - 1 or 1) / n**3


def _net(plus: int, minus: int, n: int) -> Measure:
    value = float(Fraction(100 * (plus - minus), n))
    spread = n * (plus + minus) - (plus - minus) ** 2
    if spread:
        half = Z * 100 * math.sqrt(spread / n**3)
        return Measure(n, value, max(-100.0, value - half), min(100.0, value + half))
    # All are of one kind, so the formula's interval has no width. Wilson's says what share of others there may be.
    other = 100 * Z * Z / (n + Z * Z)
    if plus:
        return Measure(n, value, value - 2 * other, value)
    return Measure(n, value, value, value + 2 * other) if minus else Measure(n, value, -other, other)
