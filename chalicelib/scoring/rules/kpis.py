"""The indicators of a programme: retention, repeat rate, concentration, satisfaction, and how it goes with loyalty."""

from __future__ import annotations

import math
from typing import Final

import msgspec
import numpy as np

from chalicelib.scoring.rules.arrays import Flags, Floats, Ints
from chalicelib.scoring.rules.history import Purchases

_SURE: Final = 1.96
_SPEARMAN_WIDER: Final = 1.03
_ANSWERS_MIN: Final = 30
_MATURE_DAYS: Final = 90
_PAIRS_MIN: Final = 4
_PROMOTER, _PASSIVE = 9, 7


class Estimate(msgspec.Struct, frozen=True):
    """A figure with its 95 % interval, from `n` observations."""

    value: float
    low: float
    high: float
    n: int


class Cohort(msgspec.Struct, frozen=True):
    """Members who first bought in one month, and the share of them who bought again in each month since."""

    month: int
    members: int
    shares: tuple[float, ...]


def nps(answers: Ints) -> Estimate | None:
    """100 × (promoters − detractors) of answers 0 to 10; None below 30 answers, which would say little of one."""
    n = len(answers)
    if n < _ANSWERS_MIN:
        return None
    good, bad = float((answers >= _PROMOTER).mean()), float((answers < _PASSIVE).mean())
    error = _SURE * 100.0 * math.sqrt(max(good + bad - (good - bad) ** 2, 0.0) / n)
    value = 100.0 * (good - bad)
    return Estimate(value, max(value - error, -100.0), min(value + error, 100.0), n)


def proportion(hits: int, n: int) -> Estimate | None:
    """A share with Wilson's interval; None below 30."""
    if n < _ANSWERS_MIN:
        return None
    z2, p = _SURE * _SURE, hits / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _SURE * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Estimate(p, max(centre - half, 0.0), min(centre + half, 1.0), n)


def spearman(first: Floats, second: Floats) -> Estimate | None:
    """The rank correlation with its interval; None below four pairs, or where one side is all alike."""
    n = len(first)
    if n < _PAIRS_MIN or not np.ptp(first) or not np.ptp(second):
        return None
    rho = float(np.corrcoef(_ranked(first), _ranked(second))[0, 1])
    centre, half = math.atanh(max(min(rho, 1 - 1e-12), 1e-12 - 1)), _SURE * _SPEARMAN_WIDER / math.sqrt(n - 3)
    return Estimate(rho, math.tanh(centre - half), math.tanh(centre + half), n)


def _ranked(values: Floats) -> Floats:
    _values, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2.0)[where]
    return ranks


def retention(before: Flags, after: Flags) -> float | None:
    """Of those active in one period, the share who were active in the next; None if nobody was."""
    there = int(before.sum())
    return int((before & after).sum()) / there if there else None


def repeat_rate(repeats: Ints, age_days: Ints, bought: Flags) -> float | None:
    """The share who came back, of those whose first purchase is 90 days ago or longer; None without any."""
    mature = bought & (age_days >= _MATURE_DAYS)
    return float((repeats[mature] > 0).mean()) if mature.any() else None


def pareto(values: Floats, points: int = 100) -> tuple[tuple[float, ...], float]:
    """The share of all value that the top 0 … 100 % of members hold, in equal steps, and that of the top 20 %.

    Nothing is held by nobody: without value the shares are those of equality.
    """
    values = np.maximum(values, 0.0)
    total = float(values.sum())
    if not len(values) or total <= 0.0:
        return tuple((np.arange(points + 1) / points).tolist()), 0.2
    held = np.concatenate([[0.0], np.cumsum(np.sort(values)[::-1])]) / total
    at = np.arange(points + 1) / points * len(values)
    curve = np.interp(at, np.arange(len(values) + 1), held)
    return tuple(curve.tolist()), float(np.interp(0.2 * len(values), np.arange(len(values) + 1), held))


def cohorts(purchases: Purchases, month_of: Ints, first_month: int) -> list[Cohort]:
    """The months since members' first purchases, one row a cohort of at least one member.

    `month_of` is the running month of each purchase, `first_month` the earliest one to show.
    """
    if not len(month_of):
        return []
    begin = np.full(purchases.members, np.iinfo(np.int64).max)
    np.minimum.at(begin, purchases.member, month_of.astype(np.int64))
    last = int(month_of.max())
    rows = []
    for month in range(max(int(month_of.min()), first_month), last + 1):
        of = begin == month
        if not of.any():
            continue
        mine = of[purchases.member]
        pairs = np.unique(purchases.member[mine].astype(np.int64) * (last + 1) + month_of[mine])
        seen = np.bincount(pairs % (last + 1) - month, minlength=last - month + 1)
        rows.append(Cohort(month, int(of.sum()), tuple((seen / int(of.sum())).tolist())))
    return rows


class Lots(msgspec.Struct, frozen=True, eq=False):
    """Points of a whole programme by month of issue (rows) and age in months at redemption (columns).

    `issued` and `redeemed` are points; `redeemed` beyond a lot's present age is not looked at. `lives` says of each lot
    after how many months it expires, the one of its issue among them.
    """

    issued: Floats
    redeemed: Floats
    lives: Ints


class Breakage(msgspec.Struct, frozen=True):
    """What is outstanding, and which part of it is expected never to be redeemed; hazards by age in months."""

    outstanding_points: float
    expected_breakage_points: float
    ultimate_redemption_rate: float
    hazards: tuple[float, ...]


def breakage(lots: Lots) -> Breakage:
    """From the chance, at each age, that a point still there is redeemed in that month, over all lots that got so old.

    The last row is the lot of this month, of age 0. An age that no lot has been through yet has the mean chance of the
    ages that some have.
    """
    count, ages = lots.redeemed.shape
    old, age = np.arange(count)[::-1], np.arange(ages)
    observed = age[None, :] <= np.minimum(old, lots.lives - 1)[:, None]
    redeemed = np.where(observed, lots.redeemed, 0.0)
    at_start = lots.issued[:, None] - (np.cumsum(redeemed, axis=1) - redeemed)
    # The present month is not over: its lots have not had a whole month at this age.
    whole = observed & (age[None, :] < old[:, None])
    exposed = np.where(whole, at_start, 0.0).sum(axis=0)
    used = np.where(whole, redeemed, 0.0).sum(axis=0)
    total = float(exposed.sum())
    hazards: Floats = np.full(ages, float(used.sum()) / total if total > 0.0 else 0.0)
    np.divide(used, exposed, out=hazards, where=exposed > 0.0)
    hazards = np.clip(hazards, 0.0, 1.0)
    left = np.where(old < lots.lives, np.maximum(lots.issued - redeemed.sum(axis=1), 0.0), 0.0)
    ahead = (age[None, :] >= old[:, None]) & (age[None, :] < lots.lives[:, None])
    never = np.where(ahead, 1.0 - hazards[None, :], 1.0).prod(axis=1)
    return Breakage(
        float(left.sum()), float(left @ never), 1.0 - float(np.prod(1.0 - hazards)), tuple(hazards.tolist())
    )


def of_outstanding(found: Breakage, outstanding: int) -> tuple[Breakage | None, str]:
    """The same share of what is outstanding by exact count; None and `older` where the estimate has nothing left."""
    if found.outstanding_points <= 0.0 < outstanding:
        return None, "older"
    share = found.expected_breakage_points / found.outstanding_points if outstanding > 0 else 0.0
    exact = msgspec.structs.replace(
        found, outstanding_points=float(outstanding), expected_breakage_points=outstanding * share
    )
    return exact, ""


def fifo(issued: Floats, spent: Floats, lives: Ints | int) -> Lots:
    """Lots of a programme from points issued and redeemed by month: what is redeemed comes off the oldest live lot.

    `lives` as in `Lots`, one number for all lots that live alike.
    """
    each: Ints = np.broadcast_to(np.asarray(lives, np.int64), issued.shape)
    redeemed = np.zeros((len(issued), int(each.max(initial=1))))
    left = np.maximum(issued.astype(np.float64), 0.0)
    for month, points in enumerate(spent.tolist()):
        rest = max(points, 0.0)
        for lot in range(month + 1):
            if month - lot >= each[lot]:
                continue
            taken = min(rest, left[lot])
            redeemed[lot, month - lot] += taken
            left[lot] -= taken
            rest -= taken
    return Lots(np.maximum(issued.astype(np.float64), 0.0), redeemed, each)


def concentration(values: Floats, share: float) -> float:
    """The share of members, the richest first, who hold `share` of all value."""
    ordered = np.sort(np.maximum(values, 0.0))[::-1]
    total = float(ordered.sum())
    if total <= 0.0:
        return share
    return float(np.searchsorted(np.cumsum(ordered), share * total) + 1) / len(ordered)
