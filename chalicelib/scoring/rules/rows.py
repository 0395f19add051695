"""Members' states as arrays, and the basis of a night as the tables that arrays are scored with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from chalicelib.scoring.basis import Basis, Groups, Steps, runs
from chalicelib.scoring.rules import loyalty, personas
from chalicelib.scoring.rules.arrays import NO_DAY, Floats, Ints
from chalicelib.scoring.rules.gammagamma import Spend
from chalicelib.scoring.rules.history import QUARTER_DAYS, RECENT_DAYS, YEAR_DAYS, Members
from chalicelib.scoring.rules.mbgnbd import Model
from chalicelib.scoring.rules.outcomes import Economy
from chalicelib.scoring.rules.quantiles import BINS, COUNT_BINS, DAY_BINS
from chalicelib.scoring.rules.scoring import Standing
from chalicelib.scoring.rules.segments import Ranks
from chalicelib.scoring.state import State

MINOR: Final = 100.0
"""Minor units of the base currency in the unit in which the models reckon."""

_UNHAPPY_DAYS: Final = 90
_DETRACTOR: Final = 6
_FINE: Final = 1_000
"""Ranks are kept to a thousandth, which keeps the basis small."""


def members_of(states: Sequence[State], today: int) -> Members:
    """The arrays of some members on a day."""
    windows = [(RECENT_DAYS, 0), (QUARTER_DAYS, 0), (2 * QUARTER_DAYS, QUARTER_DAYS), (YEAR_DAYS, 0)]
    counted = [[state.bought_since(today, *window) for window in windows] for state in states]
    bought = np.array(counted, np.int64).reshape(len(states), len(windows), 2)
    repeats = _ints(states, lambda state: state.repeats)
    repeated = _ints(states, lambda state: state.value_minor - state.first_minor) / MINOR
    return Members(
        now=today,
        first_day=_ints(states, lambda state: state.first_day),
        last_day=_ints(states, lambda state: state.last_day),
        repeats=repeats,
        last_gap_days=_ints(states, lambda state: state.last_gap_days),
        ln_gaps=np.array([state.ln_gaps for state in states], np.float64),
        mean_repeat=repeated / np.maximum(repeats, 1),
        value=_ints(states, lambda state: state.value_minor) / MINOR,
        purchases_28=bought[:, 0, 0],
        purchases_91=bought[:, 1, 0],
        purchases_before_91=bought[:, 2, 0],
        purchases_365=bought[:, 3, 0],
        value_365=bought[:, 3, 1] / MINOR,
    )


def signals_of(basis: Basis, states: Sequence[State], earned: Ints, redeemed: Ints, today: int) -> loyalty.Signals:
    """What is known of some members beside purchases, on a day; `earned` and `redeemed` are points."""
    usual = basis.usual
    said_day = _ints(states, lambda state: state.said.nps_day)
    said = _ints(states, lambda state: state.said.nps)
    age, answered = today - said_day, said_day != NO_DAY
    nps = None if usual.nps is None else loyalty.nps_signal(said.astype(np.float64), age, answered, usual.nps)
    satisfied = _ints(states, lambda state: state.said.satisfied).astype(np.float64)
    rated = _ints(states, lambda state: state.said.rated).astype(np.float64)
    csat = None if usual.csat is None else loyalty.csat_signal(satisfied, rated, usual.csat)
    active = np.array([state.active_on(today) for state in states], np.float64)
    friends = np.maximum(_ints(states, lambda state: state.friends), 0)
    discounted = _ints(states, lambda state: state.discounted_days)
    days = np.maximum(_ints(states, lambda state: state.purchase_days), 1)
    return loyalty.Signals(
        engagement=None if usual.activity is None else loyalty.engagement(active, usual.activity),
        nps=nps,
        csat=csat,
        advocacy=loyalty.advocacy(friends, np.zeros(len(states), np.int64)) if usual.friends else None,
        discounted_share=discounted / days if usual.discounts else None,
        redeemed_share=np.where(earned > 0, np.minimum(redeemed / np.maximum(earned, 1), 1.0), 0.0)
        if usual.redemptions
        else None,
        answered=answered | (rated > 0),
        unhappy=answered & (said <= _DETRACTOR) & (age <= _UNHAPPY_DAYS),
    )


def standing_of(basis: Basis) -> Standing:
    """The tables to score with."""
    model = basis.model
    groups = basis.groups
    return Standing(
        model=Model("mbg-nbd" if model.name == "mbg-nbd" else "bg-nbd", model.r, model.alpha, model.a, model.b),
        spend=Spend(*basis.spend),
        ranks=Ranks(
            table(basis.r, DAY_BINS).astype(np.int8),
            table(basis.f, COUNT_BINS).astype(np.int8),
            table(basis.m, BINS).astype(np.int8),
            table(basis.value, BINS),
        ),
        means=np.array(basis.means),
        personas=personas.Personas(groups.mean, groups.spread, groups.centroids),
        economy=Economy(basis.margin, basis.discount_a_year),
        part_weights=basis.weights,
    )


def table(steps: Steps, bins: int) -> Floats:
    """Steps as a table by bin."""
    lengths = np.diff([*steps.begins, bins]) if steps.begins else np.zeros(0, np.int64)
    before = np.zeros(steps.begins[0] if steps.begins else bins)
    return np.concatenate([before, np.repeat(np.array(steps.values), lengths)])


def steps_of(ranks: Ranks) -> dict[str, Steps]:
    """The distributions as a basis keeps them; the shares of 12-month value to a thousandth."""
    return {
        "r": runs(ranks.recency.tolist()),
        "f": runs(ranks.frequency.tolist()),
        "m": runs(ranks.monetary.tolist()),
        "value": runs((np.round(ranks.value * _FINE) / _FINE).tolist()),
    }


def groups_of(found: personas.Personas) -> Groups:
    """Personas as a basis keeps them."""
    return Groups(found.mean, found.spread, found.centroids, tuple(personas.names(found)))


def _ints(states: Sequence[State], of: Callable[[State], int]) -> Ints:
    return np.array([of(state) for state in states], np.int64)
