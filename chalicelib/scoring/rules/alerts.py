"""Early warning: of single members, once when it begins, and of the programme's indicators when they drift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from chalicelib.scoring.rules.arrays import NO_DAY, Flags, Floats, Ints
from chalicelib.scoring.rules.history import Purchases
from chalicelib.scoring.rules.mbgnbd import Model

KINDS: Final = ("churn", "overdue", "slowing", "fluctuation", "expiring")
COOL_DOWN_DAYS: Final = 14
CHURN_FROM: Final = 0.5
OVERDUE_BELOW: Final = 0.01
SLOWING_FROM: Final = 4.0
DEVIATION_FROM: Final = 3.5
WEEKS: Final = 26
_WEEK: Final = 7
_MONTH_WEEKS: Final = 4
_RATE_LEAST: Final = 0.5
_FALL: Final = 0.4
_LAMBDA: Final = 0.2
_LIMIT: Final = 2.962
_SERIES_LEAST: Final = 8
_ONE_IN_A_HUNDRED: Final = 2.576


def onsets(now: Flags, before: Flags, last_alert_day: Ints, today: int) -> Flags:
    """Where a state begins that was not there before, unless the same was told within the last 14 days."""
    return now & ~before & ((last_alert_day == NO_DAY) | (today - last_alert_day >= COOL_DOWN_DAYS))


def slowing_step(level: Floats, bought: Ints, usual: Floats, dispersion: Floats) -> Floats:
    """The next level of a Poisson CUSUM for a fall to 40 % of the usual rate; an alert from 4.

    `bought` is the count of one period, `usual` its mean, `dispersion` variance over mean, at least 1.
    """
    step = (bought * np.log(_FALL) + (1.0 - _FALL) * usual) / np.maximum(dispersion, 1.0)
    return np.maximum(level + step, 0.0)


def slowing(purchases: Purchases, model: Model, now: int) -> tuple[Floats, Floats]:
    """Each member's CUSUM level over the last 26 weeks, and that of a period before.

    The usual rate is what the model made of the member 26 weeks ago. Who bought less than once in two weeks is counted
    by four weeks; who bought less than once in eight, or was not there yet, has 0: being overdue tells of those.
    """
    begin = now - WEEKS * _WEEK
    rate = usual_rates(purchases, model, begin)
    weekly = np.flatnonzero(rate >= _RATE_LEAST)
    monthly = np.flatnonzero((rate < _RATE_LEAST) & (rate * _MONTH_WEEKS >= _RATE_LEAST))
    level, before = np.zeros(purchases.members), np.zeros(purchases.members)
    for members, weeks_each in ((weekly, 1), (monthly, _MONTH_WEEKS)):
        if len(members):
            level[members], before[members] = _levels(purchases, members, rate[members], begin, weeks_each)
    return level, before


def usual_rates(purchases: Purchases, model: Model, day: int) -> Floats:
    """Purchases a week, as the model has each member on a day; 0 for those who had not come back by then."""
    past = purchases.day <= day
    owner, days = purchases.member[past], purchases.day[past]
    count = np.bincount(owner, minlength=purchases.members)
    first = np.full(purchases.members, day)
    np.minimum.at(first, owner, days)
    return np.where(count > 1, (model.r + count - 1) / (model.alpha + (day - first) / _WEEK), 0.0)


def _levels(purchases: Purchases, members: Ints, rate: Floats, begin: int, weeks_each: int) -> tuple[Floats, Floats]:
    periods = WEEKS // weeks_each
    # Whole periods that end today.
    begin += (WEEKS - periods * weeks_each) * _WEEK
    place = np.full(purchases.members, -1)
    place[members] = np.arange(len(members))
    use = (purchases.day > begin) & (place[purchases.member] >= 0)
    period = (purchases.day[use] - begin - 1) // (_WEEK * weeks_each)
    keys = place[purchases.member[use]] * periods + np.minimum(period, periods - 1)
    counts = np.bincount(keys, minlength=len(members) * periods).reshape(len(members), periods)
    usual = rate * weeks_each
    level: Floats = np.zeros(len(members))
    before = level
    for number in range(periods):
        level, before = slowing_step(level, counts[:, number], usual, np.ones(len(members))), level
    return level, before


class Drift(msgspec.Struct, frozen=True):
    """Where an indicator stands against its past: the smoothed value, and the band it should be in."""

    level: float
    low: float
    high: float
    alert: str


def drift(series: Sequence[float | None], *, least_spread: float = 0.0) -> Drift | None:
    """Whether the last value of a series of an indicator tells of a drift: an EWMA of 0.2 within 2.962 deviations.

    The series is by months without a gap, None where one has no data: it counts for nothing, and moves nothing. Centre
    and deviation are those of the first half; the deviation is `least_spread` at the least, which is what chance alone
    would do. Where that half is short, so that little is known of what is usual, the band is wider: by chance alone the
    level is outside one time in a hundred. None with fewer than eight values, four of them in the first half, and where
    the last month has none.
    """
    begin = next((place for place, value in enumerate(series) if value is not None), len(series))
    known = series[begin:]
    past, since = (
        np.array([value for value in half if value is not None], np.float64)
        for half in (known[: len(known) // 2], known[len(known) // 2 :])
    )
    if len(past) + len(since) < _SERIES_LEAST or len(past) < _SERIES_LEAST // 2 or known[-1] is None:
        return None
    centre = float(past.mean())
    wide = max(max(_LIMIT, _student(len(past) - 1)) * float(past.std(ddof=1)), _LIMIT * least_spread)
    level = centre
    for value in since.tolist():
        level += _LAMBDA * (value - level)
    steps = len(since)
    own = _LAMBDA / (2 - _LAMBDA) * (1 - (1 - _LAMBDA) ** (2 * steps))
    # The centre is a mean of few months itself, and the level has moved away from it by so much.
    of_centre = (1 - (1 - _LAMBDA) ** steps) ** 2 / len(past)
    width = wide * float(np.sqrt(own + of_centre))
    low, high = centre - width, centre + width
    apart = 1e-12 + 1e-9 * abs(centre)
    return Drift(level, low, high, "falling" if level < low - apart else "rising" if level > high + apart else "")


def _student(freedom: int) -> float:
    """Student's t that is exceeded, to either side, one time in a hundred: Fisher's expansion about the normal's."""
    z, n = _ONE_IN_A_HUNDRED, float(freedom)
    terms = (
        1.0,
        (z**2 + 1) / (4 * n),
        (5 * z**4 + 16 * z**2 + 3) / (96 * n**2),
        (3 * z**6 + 19 * z**4 + 17 * z**2 - 15) / (384 * n**3),
    )
    return z * sum(terms)
