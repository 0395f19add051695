"""Whether less came of a cause after something was done about it, or whether that may be chance: pure.

Two questions, for each may mislead alone. **The rate**: of 1,000 cases whose cause is known, how many are of this one?
Its interval is Wilson's, that of the difference Newcombe's (1998, method 10). It falls as well where others grow, and
cannot fall where there is no other. **The pace**: how many come in 30 days? Its interval is Byar's of a Poisson count,
and of all the cases together those of afterwards are held against the share of the days (Wilson). It grows with trade.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import msgspec

MINIMUM: Final = 30
"""Of fewer cases no rate is shown."""

PACE_MINIMUM: Final = 10
"""With fewer cases of a cause before and after in all, nothing is said of their pace."""

MONTHS_MAX: Final = 12

_Z: Final = 1.96

Verdict: TypeAlias = Literal["better", "worse", "no_change_shown", "too_few"]
"""`no_change_shown` is not that nothing has changed: what has may be chance."""


class Figure(msgspec.Struct, frozen=True):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class Side(msgspec.Struct, frozen=True):
    """What was counted before or after: `cases` of the cause, of so many whose cause is `known`, in so many `days`."""

    cases: int
    known: int
    days: int


class Compared(msgspec.Struct, frozen=True):
    """Before against after: None where there is too little to be shown. `change` is after less before."""

    before: Figure | None
    after: Figure | None
    change: Figure | None
    verdict: Verdict


def per_1000(part: int, n: int) -> Figure | None:
    """`part` of `n` per 1,000 with Wilson's interval; None below 30."""
    if n < MINIMUM:
        return None
    low, high = _wilson(part, n)
    return Figure(1_000 * part / n, 1_000 * low, 1_000 * high)


def per_30_days(cases: int, days: int) -> Figure | None:
    """How many come in 30 days, with Byar's interval; None for no days."""
    if not days:
        return None
    low = cases * max(0.0, 1 - 1 / (9 * cases) - _Z / (3 * math.sqrt(cases))) ** 3 if cases else 0.0
    more = cases + 1
    high = more * (1 - 1 / (9 * more) + _Z / (3 * math.sqrt(more))) ** 3
    return Figure(30 * cases / days, 30 * low / days, 30 * high / days)


def rates(before: Side, after: Side) -> Compared:
    """The rates before and after."""
    first, second = per_1000(before.cases, before.known), per_1000(after.cases, after.known)
    if first is None or second is None:
        return Compared(first, second, None, "too_few")
    change = second.value - first.value
    low = change - math.hypot(second.value - second.low, first.high - first.value)
    high = change + math.hypot(second.high - second.value, first.value - first.low)
    return Compared(first, second, Figure(change, low, high), _verdict(low, high, 0))


def paces(before: Side, after: Side) -> Compared:
    """The paces before and after; `change` is left out, for they are compared by their quotient."""
    first, second = per_30_days(before.cases, before.days), per_30_days(after.cases, after.days)
    total = before.cases + after.cases
    if first is None or second is None or total < PACE_MINIMUM:
        return Compared(first, second, None, "too_few")
    low, high = _wilson(after.cases, total)
    return Compared(first, second, None, _verdict(low, high, after.days / (before.days + after.days)))


def months(works_on: str, this_month: int, count: int) -> tuple[list[int], list[int]]:
    """The whole months (year x 12 + month - 1) before and after the day from which an action works, `count` of each.

    The month of that day is neither, unless it begins with it; nor is the one that is not over.
    """
    year, month, day = (int(part) for part in works_on.split("-"))
    at = year * 12 + month - 1
    first = at if day == 1 else at + 1
    return list(range(at - count, at)), list(range(first, min(first + count, this_month)))


def begun(counts: Sequence[int]) -> int:
    """How many months there were before the first with any case: the shop, or this engine, had not begun."""
    return next((index for index, cases in enumerate(counts) if cases), len(counts))


def _verdict(low: float, high: float, same: float) -> Verdict:
    if high < same:
        return "better"
    return "worse" if low > same else "no_change_shown"


def _wilson(part: int, n: int) -> tuple[float, float]:
    p = part / n
    middle = (p + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
    half = _Z / (1 + _Z * _Z / n) * math.sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
    # At the ends the interval begins with the figure itself; a rounding error must not put it beside that.
    return 0.0 if part == 0 else max(0.0, middle - half), 1.0 if part == n else min(1.0, middle + half)
