"""What is kept of the programme from night to night, and what follows from it: pure, and exact to the point.

Whatever happens to nights (one runs twice, falls out, comes late, or is one of two of a day), the history comes out the
same as if they had come in their order, each once: every part of it is the greatest of what nights have to say, by a
rule that does not ask when they say it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import msgspec

from chalicelib.scoring.rules.holdings import Totals

MONTHS: Final = 36
"""So many months are kept."""


class Closing(msgspec.Struct, array_like=True, frozen=True):
    """All members' points as found in the night after `day`; `month` (year x 12 + month − 1) is that day's."""

    month: int
    day: int
    night: str
    totals: Totals


class Heard(msgspec.Struct, array_like=True, frozen=True):
    """What was said in a month, as it was known in the night after `day`: answers to NPS, and complaints."""

    month: int
    day: int
    night: str
    promoters: int = 0
    detractors: int = 0
    answers: int = 0
    complaints: int = 0


class Outside(msgspec.Struct, array_like=True, frozen=True):
    """An indicator that is outside its band, in which direction, and since the night after which day."""

    indicator: str
    direction: str
    since: int


class History(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept.

    `begin` is the earliest night of all. `closings` has for each month the first night after its latest day that was
    scored: the one nearest to that day's end. `outside` is as of the night after the day `judged`, and `told` is the
    day on which each alert (`nps:falling`) was told the last time.
    """

    begin: Closing | None = None
    closings: tuple[Closing, ...] = ()
    heard: tuple[Heard, ...] = ()
    judged: int = -1
    outside: tuple[Outside, ...] = ()
    told: dict[str, int] = {}


class PointMonth(msgspec.Struct, frozen=True):
    """Points given, redeemed and expired in a month, each less what went back; not `known` where no night closed it.

    What happened in months that are not known counts in the next one that is.
    """

    month: int
    issued: int
    redeemed: int
    expired: int
    known: bool = True


class PointMonths(msgspec.Struct, frozen=True):
    """The months without a gap, and what members held on balance before the first of them."""

    opening: int
    months: tuple[PointMonth, ...]


def with_points(history: History, closing: Closing) -> History:
    """The history with what a night found of members' points."""
    begin = min(filter(None, (history.begin, closing)), key=lambda one: (one.day, one.night))
    # The first night of a day is the one nearest to its end.
    first = _latest([*history.closings, closing], lambda one: one.night, backwards=True)
    return msgspec.structs.replace(history, begin=begin, closings=first[-MONTHS - 1 :])


def with_heard(history: History, heard: Iterable[Heard]) -> History:
    """The history with what is known of what was said in some months; what is known later holds."""
    return msgspec.structs.replace(
        history, heard=_latest([*history.heard, *heard], lambda one: one.night, backwards=False)[-MONTHS:]
    )


Kept = TypeVar("Kept", Closing, Heard)


def _latest(found: list[Kept], name: Callable[[Kept], str], *, backwards: bool) -> tuple[Kept, ...]:
    """Of each month the one of the latest day, and of those the one whose night comes last, or first."""
    ordered = sorted(found, key=name, reverse=backwards)
    best: dict[int, Kept] = {}
    for one in sorted(ordered, key=lambda one: one.day):
        best[one.month] = one
    return tuple(best[month] for month in sorted(best))


def point_months(history: History, tonight: Closing) -> PointMonths:
    """What came and went in each month up to tonight's, of which tonight's figures hold."""
    closings = [one for one in history.closings if one.month < tonight.month][-MONTHS:]
    before = history.begin if history.begin is not None and history.begin.day <= tonight.day else tonight
    if closings and before.month < closings[0].month:
        # The beginning lies further back than the months that are kept.
        before, closings = closings[0], closings[1:]
        first = before.month + 1
    else:
        first = before.month
    known = {one.month: one.totals for one in [*closings, tonight]}
    months, last = [], before.totals
    for month in range(first, tonight.month + 1):
        now = known.get(month, last)
        months.append(
            PointMonth(
                month,
                now.issued - last.issued,
                now.used - last.used,
                now.expired - last.expired,
                known=month in known,
            )
        )
        last = now
    return PointMonths(before.totals.net, tuple(months))


def judged(history: History, outside: Iterable[tuple[str, str]], day: int, *, cool_down_days: int) -> History:
    """The history after the night of `day`, which found these indicators outside their bands, and in which direction.

    What is told now is in its `told` with this very day: what was not outside in the same direction in the night
    before, and was not told within the cool-down. A night that is judged again, or comes late, changes nothing of it.
    """
    if day <= history.judged:
        return history
    since = {(one.indicator, one.direction): one.since for one in history.outside}
    now = tuple(Outside(name, direction, since.get((name, direction), day)) for name, direction in outside)
    begun = [f"{one.indicator}:{one.direction}" for one in now if one.since == day]
    fresh = {name: at for name, at in history.told.items() if day - at < cool_down_days}
    return msgspec.structs.replace(history, judged=day, outside=now, told={**dict.fromkeys(begun, day), **fresh})
