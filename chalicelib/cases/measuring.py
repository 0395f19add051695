"""What there was in a month, and what came of a cause after something was done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.base import clock
from chalicelib.base.errors import Conflict, Invalid
from chalicelib.cases import acting, tallies
from chalicelib.cases.action_table import Action
from chalicelib.cases.rules import counting, effect
from chalicelib.cases.rules.causes import ActionNotFound
from chalicelib.cases.rules.effect import Compared, Side
from chalicelib.program import service as programs

MONTHS_MAX: Final = 24
MONTHS: Final = 6


class Counted(msgspec.Struct, frozen=True):
    """What was counted in some whole months."""

    months: tuple[str, ...]
    days: int
    counts: Counter[str]


class Outcome(msgspec.Struct, frozen=True):
    """A cause before and after an action."""

    action: Action
    before: Counted
    after: Counted
    rates: Compared
    paces: Compared


def statistics(first: str | None, last: str | None, *, now: int) -> Mapping[str, Counter[str]]:
    """The counts of each month from `first` to `last` (`2026-11`), of the last six without them.

    Raises Invalid (`query_invalid`) and Unavailable.
    """
    this_month = clock.month_of(now, zone_at(now))
    end = this_month if last is None else month_number(last, "to")
    begin = end - MONTHS + 1 if first is None else month_number(first, "from")
    if not 0 <= end - begin < MONTHS_MAX:
        raise Invalid(f"Ask for 1 to {MONTHS_MAX} months, the first one first.", field="from", code="query_invalid")
    return tallies.read([clock.month_text(month) for month in range(begin, end + 1)])


def outcome(cause: str, action_id: str, count: int, *, now: int) -> Outcome:
    """A cause in `count` whole months before an action worked, and in as many afterwards as there are.

    Raises ActionNotFound (also where it is against another cause), Conflict (`action_open`) and Unavailable.
    """
    action = acting.read_one(action_id)
    if action.cause != cause:
        raise ActionNotFound
    if not action.done_at:
        raise Conflict("The action is not done yet, so that nothing can have come of it.", code="action_open")
    zone = zone_at(now)
    earlier, later = effect.months(action.works_on, clock.month_of(now, zone), count)
    read = tallies.read([clock.month_text(month) for month in (*earlier, *later)])
    begun = effect.begun([read[clock.month_text(month)][counting.CASES] for month in earlier])
    before, after = (_counted(months, read, zone) for months in (earlier[begun:], later))
    sides = [_side(cause, found) for found in (before, after)]
    return Outcome(action, before, after, effect.rates(*sides), effect.paces(*sides))


def mean(counts: Mapping[str, int], rated: str, effort: str) -> float | None:
    """How easy it was made in the mean of the answers; None below 30 of them."""
    n = counts.get(rated, 0)
    return counts.get(effort, 0) / n if n >= effect.MINIMUM else None


def codes(counts: Iterable[str], prefix: str) -> Sequence[str]:
    """The codes that are counted under a prefix, such as all causes."""
    return sorted(name.removeprefix(prefix) for name in counts if name.startswith(prefix))


def month_number(text: str, field: str) -> int:
    """`2026-11` as year x 12 + month - 1. Raises Invalid."""
    year, _, month = text.partition("-")
    is_month = text.isascii() and len(text) == len("2026-11") and year.isdecimal() and month.isdecimal()
    if not is_month or not 1 <= int(month) <= 12 or not int(year):  # noqa: PLR2004 -- months of a year
        raise Invalid("A month is such as 2026-11.", field=field, code="query_invalid")
    return int(year) * 12 + int(month) - 1


def zone_at(now: int) -> ZoneInfo:
    """The programme's zone."""
    return programs.in_force(now, now=now).program.zone


def _counted(months: Sequence[int], read: Mapping[str, Counter[str]], zone: ZoneInfo) -> Counted:
    names = tuple(clock.month_text(month) for month in months)
    days = 0
    if months:
        # Where clocks were put forward, a month is an hour short of its days.
        days = round((clock.month_start(months[-1] + 1, zone) - clock.month_start(months[0], zone)) / clock.DAY_S)
    counts: Counter[str] = Counter()
    for name in names:
        counts.update(read[name])
    return Counted(names, days, counts)


def _side(cause: str, found: Counted) -> Side:
    return Side(found.counts[counting.cause(cause)], found.counts[counting.KNOWN], found.days)
