"""What the fitted model says of members: active, churn, overdue, purchases to come, and what they will be worth."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from chalicelib.scoring.rules.arrays import DAYS_A_WEEK, NO_DAY, Floats, Ints
from chalicelib.scoring.rules.gammagamma import Spend, expected_value
from chalicelib.scoring.rules.history import QUARTER_DAYS, Members
from chalicelib.scoring.rules.mbgnbd import Model
from chalicelib.scoring.rules.special import future_purchases

MONTH_DAYS: Final = 30.4375
MONTHS: Final = 12
_DENSE_CELLS: Final = 32_000_000


class Economy(msgspec.Struct, frozen=True):
    """How purchases become value: the margin on them, and what a year's waiting costs."""

    margin: float = 1.0
    discount_a_year: float = 0.15


class Outcomes(msgspec.Struct, frozen=True, eq=False):
    """By member. Without a purchase nothing is known: active and value are 0 there, churn and overdue 1.

    `churn` is the chance of no purchase in 91 days, never 1 − P(active): that one ranks one-time buyers first.
    `overdue` is the chance of so long a silence if the member is still active. `expected` counts purchases in 91 days.
    """

    active: Floats
    churn: Floats
    overdue: Floats
    expected: Floats
    basket: Floats
    value_12: Floats


class Tables(msgspec.Struct, frozen=True, eq=False):
    """Everything that depends on (x, T) or on days alone, worked out once for all members who share it."""

    log_week: Floats
    odds: Floats
    place_of_x: Ints
    pairs: Ints
    comes: Floats
    expected: Floats
    yearly: Floats
    width: int


def ages(members: Members) -> Ints:
    """Days since each member's first purchase; 0 without one."""
    return np.where(members.first_day == NO_DAY, 0, np.maximum(members.now - members.first_day, 0))


def tables(model: Model, members: Members, economy: Economy | None = None) -> Tables:
    """The tables for these members, and for any others whose pairs of x and T are among theirs."""
    economy = economy or Economy()
    x, age = members.repeats, ages(members)
    width = int(age.max(initial=0)) + 1
    used = np.flatnonzero(np.bincount(x, minlength=1))
    place_of_x = np.zeros(int(used[-1]) + 1, np.int64) if len(used) else np.zeros(1, np.int64)
    place_of_x[used] = np.arange(len(used))
    cells = max(len(used), 1) * width
    keys = place_of_x[x] * width + age
    if cells > _DENSE_CELLS:
        found, pairs = np.unique(keys), np.zeros(0, np.int64)
    else:
        seen = np.zeros(cells, bool)
        seen[keys] = True
        found = np.flatnonzero(seen)
        pairs = np.zeros(cells, np.int32)
        pairs[found] = np.arange(len(found))
    xs, weeks = used[found // width] if len(used) else found, (found % width) / DAYS_A_WEEK
    ahead = np.concatenate([[QUARTER_DAYS], np.arange(1, MONTHS + 1) * MONTH_DAYS]) / DAYS_A_WEEK
    shift = model.a + model.b - (0.0 if model.modified else 1.0)
    future = future_purchases(shift, model.r, model.alpha, model.a, xs, weeks, ahead)
    discount = (1.0 + economy.discount_a_year) ** (-np.arange(1, MONTHS + 1) / MONTHS)
    months = np.diff(future[:, 1:], axis=1, prepend=0.0)
    log_week = np.log(model.alpha + np.arange(width + QUARTER_DAYS) / DAYS_A_WEEK)
    day = found % width
    return Tables(
        log_week=log_week,
        odds=np.exp(model.log_odds(int(x.max(initial=0)))),
        place_of_x=place_of_x,
        pairs=pairs if cells <= _DENSE_CELLS else found,
        comes=-np.expm1((model.r + xs) * (log_week[day] - log_week[day + QUARTER_DAYS])),
        expected=future[:, 0],
        yearly=economy.margin * (months @ discount),
        width=width,
    )


def outcomes(model: Model, spend: Spend, table: Tables, members: Members) -> Outcomes:
    """The model's word on members who are in the tables."""
    x, age = members.repeats, ages(members)
    bought = members.first_day != NO_DAY
    t_x = np.where(bought, members.last_day - members.first_day, 0)
    keys = table.place_of_x[x] * table.width + age
    pair = table.pairs[keys] if len(table.pairs) != len(table.comes) else np.searchsorted(table.pairs, keys)
    # A chance of so long a gap; where it is 0, so is the chance of being active.
    overdue = np.exp((model.r + x) * (table.log_week[t_x] - table.log_week[age]))
    odds = table.odds[x]
    total = overdue + odds
    active = np.where(total > 0.0, overdue / np.where(total > 0.0, total, 1.0), 0.0)
    basket = expected_value(spend, x, members.mean_repeat)
    if not bought.all():
        active, overdue = np.where(bought, active, 0.0), np.where(bought, overdue, 1.0)
        basket = np.where(bought, basket, 0.0)
    return Outcomes(
        active=active,
        churn=1.0 - active * table.comes[pair],
        overdue=overdue,
        expected=active * table.expected[pair],
        basket=basket,
        value_12=active * table.yearly[pair] * basket,
    )
