"""RFM, and the segments that a member belongs to: by value, by behaviour, by stage of life.

Every function takes arrays of one length and gives codes; the tuples of names say what each code means.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from chalicelib.scoring.rules.arrays import Codes, Flags, Floats, Ints
from chalicelib.scoring.rules.history import QUARTER_DAYS
from chalicelib.scoring.rules.quantiles import BINS, COUNT_BINS, DAY_BINS, Histogram, value_bins

VALUES: Final = ("low", "mid", "high", "gold")
BEHAVIOURS: Final = ("none", "new", "active", "at_risk", "lapsed", "won_back")
STAGES: Final = ("prospect", "onboarding", "growing", "mature", "declining", "dormant", "reactivated")

HIGH_FROM, HIGH_LEAVE = 0.80, 0.75
MID_FROM, MID_LEAVE = 0.50, 0.45
NEW_DAYS: Final = 30
RISK_ENTER, RISK_LEAVE = 0.50, 0.45
LAPSED_ENTER, LAPSED_LEAVE = 0.90, 0.85
LAPSED_GAP_DAYS: Final = 180
OVERDUE: Final = 0.05
RETURN_DAYS: Final = 90
RETURN_GAPS: Final = 3.0
TREND_DAYS: Final = 2 * QUARTER_DAYS
DECLINE, GROWTH = -0.4, 0.25
_SURE: Final = 1.96


class Ranks(msgspec.Struct, frozen=True, eq=False):
    """The programme's distributions, as tables by bin: quintiles for RFM, percentiles for the 12-month value."""

    recency: npt.NDArray[np.int8]
    frequency: npt.NDArray[np.int8]
    monetary: npt.NDArray[np.int8]
    value: Floats

    @staticmethod
    def of(gap_days: Histogram, purchases: Histogram, spent: Histogram, value: Histogram) -> Ranks:
        """From histograms of days since the last purchase, of purchases and spending in 365 days, of 12-month value."""
        return Ranks(gap_days.fifths(falling=True), purchases.fifths(), spent.fifths(), value.ranks())

    @staticmethod
    def unknown() -> Ranks:
        """What the first night begins with: everybody in the middle."""
        middle = np.full(1, 3, np.int8)
        return Ranks(
            np.repeat(middle, DAY_BINS), np.repeat(middle, COUNT_BINS), np.repeat(middle, BINS), np.full(BINS, 0.5)
        )

    def percentile(self, value_12: Floats) -> Floats:
        """The share of members whose 12-month value is lower, and half of those whose is the same."""
        return self.value[value_bins(value_12)]


class Last(msgspec.Struct, frozen=True, eq=False):
    """What was last told of members, as places in VALUES (−1 for nothing) and BEHAVIOURS.

    One leaves a segment later than one enters it, so nobody flutters, and little is written.
    """

    value: Ints
    behaviour: Codes

    def part(self, rows: slice) -> Last:
        """These members only."""
        return Last(self.value[rows], self.behaviour[rows])


class Trend(msgspec.Struct, frozen=True, eq=False):
    """ln of the last 91 days' purchases against the 91 days before; known after 182 days, significant at 95 %."""

    value: Floats
    known: Flags
    significant: Flags


def rfm(ranks: Ranks, gap_days: Ints, purchases_365: Ints, value_365: Floats, bought: Flags) -> Ints:
    """R·100 + F·10 + M, each 1 to 5 and independent of one another.

    F and M rank those who bought within 365 days; the others have 1.
    """
    r = ranks.recency[np.minimum(gap_days, DAY_BINS - 1)].astype(np.int16)
    f = np.where(purchases_365 > 0, ranks.frequency[np.minimum(purchases_365, COUNT_BINS - 1)], 1)
    m = np.where(value_365 > 0.0, ranks.monetary[value_bins(value_365)], 1)
    return np.where(bought, r * 100 + f * 10 + m, 111).astype(np.int16)


def trend(now: Ints, before: Ints, age_days: Ints) -> Trend:
    """The trend of purchase days in 91 days against those in the 91 days before."""
    highest = int(max(now.max(initial=0), before.max(initial=0)))
    logs = np.log(np.arange(highest + 1) + 0.5)
    known = age_days >= TREND_DAYS
    apart = now - before
    significant = known & (apart * apart > _SURE * _SURE * (now + before))
    return Trend(np.where(known, logs[now] - logs[before], 0.0), known, significant)


def value_segment(percentile: Floats, value_12: Floats, churn: Floats, last: Ints | None = None) -> Codes:
    """High is the top 20 % by 12-month value, mid the next 30 %; gold is high and more likely to buy than not.

    Who was in one of them by `last` leaves it five points lower, and who was not gold becomes it below a churn of .45.
    """
    high_from: Floats | float = HIGH_FROM
    mid_from: Floats | float = MID_FROM
    gold_below: Floats | float = RISK_ENTER
    if last is not None:
        high_from = np.where(last >= 2, HIGH_LEAVE, HIGH_FROM)  # noqa: PLR2004 - codes of VALUES
        mid_from = np.where(last >= 1, MID_LEAVE, MID_FROM)
        gold_below = np.where((last == 3) | (last < 0), RISK_ENTER, RISK_LEAVE)  # noqa: PLR2004
    mid = (percentile >= mid_from) & (value_12 > 0.0)
    high = (percentile >= high_from) & (value_12 > 0.0)
    return mid.astype(np.uint8) + high + (high & (churn < gold_below))


def usual_gap_days(repeats: Ints, ln_gaps: Floats, last_gap_days: Ints) -> Floats:
    """The geometric mean of a member's gaps but the last one; 0 where there is none.

    It stands for the median gap, which cannot be kept up to date without keeping every gap.
    """
    others = np.maximum(repeats - 1, 1)
    return np.where(repeats > 1, np.exp((ln_gaps - np.log(np.maximum(last_gap_days, 1))) / others), 0.0)


def won_back(repeats: Ints, ln_gaps: Floats, last_gap_days: Ints, gap_days: Ints) -> Flags:
    """Who came back at most 90 days ago after a silence of 180 days and three usual gaps."""
    result = (repeats > 0) & (gap_days <= RETURN_DAYS) & (last_gap_days >= LAPSED_GAP_DAYS)
    few = np.flatnonzero(result)
    usual = usual_gap_days(repeats[few], ln_gaps[few], last_gap_days[few])
    result[few] = last_gap_days[few] >= RETURN_GAPS * usual
    return result


def behaviour(
    *,
    bought: Flags,
    returned: Flags,
    age_days: Ints,
    gap_days: Ints,
    churn: Floats,
    overdue: Floats,
    last: Codes | None = None,
) -> Codes:
    """The first that fits of won back, new, lapsed, at risk, active.

    Who was at risk or lapsed by `last` leaves at a lower churn than that at which one enters, so nobody flutters.
    """
    risk: Floats | float = RISK_ENTER
    gone: Floats | float = LAPSED_ENTER
    if last is not None:
        risk = np.where((last == 3) | (last == 4), RISK_LEAVE, RISK_ENTER)  # noqa: PLR2004 - codes of BEHAVIOURS
        gone = np.where(last == 4, LAPSED_LEAVE, LAPSED_ENTER)  # noqa: PLR2004
    result = np.full(len(churn), 2, np.uint8)
    result[(churn > risk) | (overdue < OVERDUE)] = 3
    result[(churn > gone) & (gap_days > LAPSED_GAP_DAYS)] = 4
    result[age_days <= NEW_DAYS] = 1
    result[returned] = 5
    result[~bought] = 0
    return result


_STAGE_BY_BEHAVIOUR: Final = np.array([0, 1, 3, 4, 5, 6], np.uint8)


def stage(behaviours: Codes, age_days: Ints, course: Trend) -> Codes:
    """The stage of life: what behaviour says, and for the active ones whether they buy more or less than before."""
    result = _STAGE_BY_BEHAVIOUR[behaviours]
    live = behaviours == 2  # noqa: PLR2004 - active
    growing = live & ((age_days <= LAPSED_GAP_DAYS) | (course.significant & (course.value > GROWTH)))
    result[growing] = 2
    result[live & course.significant & (course.value < DECLINE)] = 4
    return result
