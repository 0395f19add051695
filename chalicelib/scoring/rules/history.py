"""From purchases to members: same-day purchases are one, refunds come off, days are those of the programme's zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from chalicelib.scoring.rules.arrays import NO_DAY, Floats, Ints

RECENT_DAYS: Final = 28
QUARTER_DAYS: Final = 91
YEAR_DAYS: Final = 365
LONG_AGO: Final = ("first_day", "last_day", "repeats", "purchases_28", "purchases_91")
"""What is asked of members as they were 182 days ago."""

_NOTHING: Final = 1e-9


class Purchases(msgspec.Struct, frozen=True, eq=False):
    """Purchase days of members 0 … members − 1, sorted by member and day, one row a day, with what was paid on it.

    `value` is in the currency's major unit, less refunds, never below 0. `refunds_unmatched` counts refunds of more
    than the member had bought until then.
    """

    members: int
    member: Ints
    day: Ints
    value: Floats
    refunds_unmatched: int = 0


class Members(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What scoring knows of each member's purchases on one day: all arrays have the same length.

    Days count from the epoch; a member who has bought nothing has NO_DAY for both. `repeats` counts purchase days after
    the first one, `mean_repeat` is their mean value (0 without any), `ln_gaps` the sum of the logarithms of the gaps.
    """

    now: int
    first_day: Ints
    last_day: Ints
    repeats: Ints
    last_gap_days: Ints
    ln_gaps: Floats
    mean_repeat: Floats
    value: Floats
    purchases_28: Ints
    purchases_91: Ints
    purchases_before_91: Ints
    purchases_365: Ints
    value_365: Floats

    def __len__(self) -> int:
        return len(self.first_day)

    def part(self, rows: slice) -> Members:
        """The members of a slice."""
        arrays = {name: getattr(self, name)[rows] for name in self.__struct_fields__ if name != "now"}
        return Members(now=self.now, **arrays)


def partly(now: int, arrays: Mapping[str, Ints]) -> Members:
    """Members of whom only some arrays are known; the others are zeros, all of which share one place in memory."""
    nothing = np.broadcast_to(np.zeros(1, np.int64), len(arrays["first_day"]))
    return Members(now=now, **{name: arrays.get(name, nothing) for name in Members.__struct_fields__ if name != "now"})


def purchase_days(members: int, member: Ints, day: Ints, amount: Floats) -> Purchases:
    """Rows in any order, of which negative amounts are refunds, as purchase days.

    A refund comes off the member's latest purchase day on or before it, then off earlier ones. A day of which nothing
    is left was no purchase; a purchase of 0 is one.
    """
    bought = amount >= 0.0
    span = int(day.max(initial=0)) - int(day.min(initial=0)) + 1
    begin = int(day.min(initial=0))
    keys, where = np.unique(member[bought].astype(np.int64) * span + (day[bought] - begin), return_inverse=True)
    value = np.bincount(where, amount[bought], len(keys))
    owner, when = keys // span, keys % span + begin
    back = np.flatnonzero(~bought)
    if not len(back):
        return Purchases(members, owner, when, value)
    before, unmatched = value.copy(), 0
    back = back[np.lexsort((amount[back], day[back], member[back]))]
    starts = np.searchsorted(owner, member[back])
    ends = np.searchsorted(keys, member[back].astype(np.int64) * span + (day[back] - begin), "right")
    for start, end, paid in zip(starts.tolist(), ends.tolist(), amount[back].tolist(), strict=True):
        left, place = -paid, end - 1
        while left > _NOTHING and place >= start:
            taken = min(left, float(value[place]))
            value[place] -= taken
            left -= taken
            place -= 1
        unmatched += left > _NOTHING
    kept = (value > _NOTHING) | (before <= _NOTHING)
    return Purchases(members, owner[kept], when[kept], value[kept], unmatched)


def members_on(purchases: Purchases, now: int) -> Members:
    """The members as they are on the day `now`, purchases of that day included and later ones left out."""
    use = purchases.day <= now
    owner, day, value = purchases.member[use], purchases.day[use].astype(np.int64), purchases.value[use]
    count = purchases.members
    bought = np.bincount(owner, minlength=count)
    has = bought > 0
    ends = np.cumsum(bought)
    starts = ends - bought
    first, last = np.full(count, NO_DAY), np.full(count, NO_DAY)
    first[has], last[has] = day[starts[has]], day[ends[has] - 1]
    again = bought > 1
    gap = np.zeros(count, np.int64)
    gap[again] = day[ends[again] - 1] - day[ends[again] - 2]
    follows = np.zeros(len(owner), bool)
    follows[1:] = owner[1:] == owner[:-1]
    gaps = np.where(follows, day - np.concatenate([day[:1], day[:-1]]), 1)
    total = np.bincount(owner, value, count)
    first_value = np.zeros(count)
    first_value[has] = value[starts[has]]
    since = now - day

    def counted(oldest: int, newest: int = 0) -> Ints:
        return np.bincount(owner[(since < oldest) & (since >= newest)], minlength=count)

    year = since < YEAR_DAYS
    return Members(
        now=now,
        first_day=first,
        last_day=last,
        repeats=np.maximum(bought - 1, 0),
        last_gap_days=gap,
        ln_gaps=np.bincount(owner, np.log(gaps), count),
        mean_repeat=np.where(again, (total - first_value) / np.maximum(bought - 1, 1), 0.0),
        value=total,
        purchases_28=counted(RECENT_DAYS),
        purchases_91=counted(QUARTER_DAYS),
        purchases_before_91=counted(2 * QUARTER_DAYS, QUARTER_DAYS),
        purchases_365=counted(YEAR_DAYS),
        value_365=np.bincount(owner[year], value[year], count),
    )


def bought_between(purchases: Purchases, after: int, until: int) -> Ints:
    """How many purchase days each member had after the day `after`, up to and with `until`."""
    use = (purchases.day > after) & (purchases.day <= until)
    return np.bincount(purchases.member[use], minlength=purchases.members)


def basket_deviation(purchases: Purchases, now: int, *, least: int = 6) -> Floats:
    """How far each member's latest basket is from the ones before, as a robust z of its logarithm.

    0 where there are fewer than `least` baskets of a value. Where half of them or more are alike, the mean absolute
    deviation stands in for the median one; where all are, 0.
    """
    use = (purchases.day <= now) & (purchases.value > 0.0)
    owner, logs = purchases.member[use], np.log(purchases.value[use])
    result = np.zeros(purchases.members)
    counts = np.bincount(owner, minlength=purchases.members)
    busy = np.flatnonzero(counts >= least)
    if not len(busy):
        return result
    last = np.cumsum(counts)[owner] - 1 == np.arange(len(owner))
    latest = np.zeros(purchases.members)
    latest[owner[last]] = logs[last]
    past = ~last & (counts >= least)[owner]
    owner, logs = owner[past], logs[past]
    middle = _medians(owner, logs, purchases.members)
    apart = np.abs(logs - middle[owner])
    mad = _medians(owner, apart, purchases.members)
    mean = np.bincount(owner, apart, purchases.members) / np.maximum(counts - 1, 1)
    scale = np.where(mad > _NOTHING, mad / 0.6745, 1.2533 * mean)[busy]
    known = scale > _NOTHING
    result[busy[known]] = (latest[busy] - middle[busy])[known] / scale[known]
    return result


def _medians(owner: Ints, values: Floats, members: int) -> Floats:
    """The median of each member's values, 0 for members without any; `owner` is sorted."""
    result = np.zeros(members)
    if len(owner):
        ordered = values[np.lexsort((values, owner))]
        counts = np.bincount(owner, minlength=members)
        starts, has = np.cumsum(counts) - counts, counts > 0
        low, high = (starts + (counts - 1) // 2)[has], (starts + counts // 2)[has]
        result[has] = (ordered[low] + ordered[high]) / 2.0
    return result
