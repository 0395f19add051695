"""Members' states as arrays, and the basis of a night as the tables that arrays are scored with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np

from chalicelib.scoring.basis import Basis, Groups, Steps, Usual, runs
from chalicelib.scoring.rules import loyalty, personas
from chalicelib.scoring.rules.arrays import NO_DAY, Floats, Ints
from chalicelib.scoring.rules.gammagamma import Spend
from chalicelib.scoring.rules.history import LONG_AGO, QUARTER_DAYS, RECENT_DAYS, YEAR_DAYS, Members, partly
from chalicelib.scoring.rules.mbgnbd import Model
from chalicelib.scoring.rules.outcomes import Economy
from chalicelib.scoring.rules.quantiles import BINS, COUNT_BINS, DAY_BINS
from chalicelib.scoring.rules.scoring import Standing
from chalicelib.scoring.rules.segments import Ranks
from chalicelib.scoring.state import State

_UNHAPPY_DAYS: Final = 90
_DETRACTOR: Final = 6
_LIVELY: Final = 1e-6
_FINE: Final = 1_000
"""Ranks are kept to a thousandth, which keeps the basis small."""


def members_of(states: Sequence[State], today: int, minor_units: int = 100) -> Members:
    """The arrays of some members on a day; `minor_units` are those of one of the base currency."""
    windows = [(RECENT_DAYS, 0), (QUARTER_DAYS, 0), (2 * QUARTER_DAYS, QUARTER_DAYS), (YEAR_DAYS, 0)]
    counted = [[state.bought_since(today, *window) for window in windows] for state in states]
    bought = np.array(counted, np.int64).reshape(len(states), len(windows), 2)
    repeats = _ints(states, lambda state: state.repeats)
    repeated = _ints(states, lambda state: state.value_minor - state.first_minor) / minor_units
    return Members(
        now=today,
        first_day=_ints(states, lambda state: state.first_day),
        last_day=_ints(states, lambda state: state.last_day),
        repeats=repeats,
        last_gap_days=_ints(states, lambda state: state.last_gap_days),
        ln_gaps=np.array([state.ln_gaps for state in states], np.float64),
        mean_repeat=repeated / np.maximum(repeats, 1),
        value=_ints(states, lambda state: state.value_minor) / minor_units,
        purchases_28=bought[:, 0, 0],
        purchases_91=bought[:, 1, 0],
        purchases_before_91=bought[:, 2, 0],
        purchases_365=bought[:, 3, 0],
        value_365=bought[:, 3, 1] / minor_units,
    )


def members_long_ago(states: Sequence[State], day: int) -> Members:
    """The arrays that a layer is trained on, of some members on a day up to 182 days ago; the others are zeros.

    By what is known now, as `State.as_on` has it, which takes longer.
    """
    told = np.array([_long_ago(state, day) for state in states], np.int32).reshape(len(states), len(LONG_AGO))
    return partly(day, dict(zip(LONG_AGO, told.T, strict=True)))


def _long_ago(state: State, day: int) -> tuple[int, int, int, int, int]:
    """First day, last day, repeats, purchases of 28 and of 91 days."""
    if state.first_day == NO_DAY or state.first_day > day:
        return NO_DAY, NO_DAY, 0, 0, 0
    since = day - state.last_day
    later = recent = quarter = 0
    last_day = NO_DAY
    for distance in state.recent:
        ago = since + distance
        if ago < 0:
            later += 1
            continue
        if last_day == NO_DAY:
            last_day = day - ago
        if ago >= QUARTER_DAYS:
            break
        quarter += 1
        recent += ago < RECENT_DAYS
    return state.first_day, last_day, state.repeats - later, recent, quarter


class Raw(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What members said and did beside buying, as arrays; a signal is made of it once the programme's means are known.

    `active` is as of the day, `earned` and `redeemed` are the account's points.
    """

    said: Ints
    said_day: Ints
    satisfied: Ints
    rated: Ints
    active: Floats
    friends: Ints
    discounted_days: Ints
    purchase_days: Ints
    earned: Ints
    redeemed: Ints

    @staticmethod
    def of(states: Sequence[State], earned: Sequence[int], redeemed: Sequence[int], today: int) -> Raw:
        """The arrays of some members on a day."""
        return Raw(
            said=_ints(states, lambda state: state.said.nps),
            said_day=_ints(states, lambda state: state.said.nps_day),
            satisfied=_ints(states, lambda state: state.said.satisfied),
            rated=_ints(states, lambda state: state.said.rated),
            active=np.array([state.active_on(today) for state in states], np.float64),
            friends=_ints(states, lambda state: state.friends),
            discounted_days=_ints(states, lambda state: state.discounted_days),
            purchase_days=_ints(states, lambda state: state.purchase_days),
            earned=np.array(earned, np.int64),
            redeemed=np.array(redeemed, np.int64),
        )


def usual_of(raw: Raw) -> Usual:
    """What is usual in a programme; the median of activity is that of those who do anything at all."""
    answered, rated = raw.said_day != NO_DAY, int(raw.rated.sum())
    lively = raw.active[raw.active > _LIVELY]
    return Usual(
        nps=float(raw.said[answered].mean()) / 10.0 if answered.any() else None,
        csat=int(raw.satisfied.sum()) / rated if rated else None,
        activity=float(np.median(lively)) if len(lively) else None,
        friends=bool((raw.friends > 0).any()),
        discounts=bool((raw.discounted_days > 0).any()),
        redemptions=bool((raw.redeemed > 0).any()),
    )


def signals_of(usual: Usual, raw: Raw, today: int) -> loyalty.Signals:
    """What is known of some members beside purchases, on a day."""
    age, answered = today - raw.said_day, raw.said_day != NO_DAY
    discounted = raw.discounted_days / np.maximum(raw.purchase_days, 1)
    redeemed = np.where(raw.earned > 0, np.minimum(raw.redeemed / np.maximum(raw.earned, 1), 1.0), 0.0)
    return loyalty.Signals(
        engagement=None if usual.activity is None else loyalty.engagement(raw.active, usual.activity),
        nps=None if usual.nps is None else loyalty.nps_signal(raw.said.astype(np.float64), age, answered, usual.nps),
        csat=None if usual.csat is None else loyalty.csat_signal(raw.satisfied, raw.rated, usual.csat),
        advocacy=loyalty.advocacy(np.maximum(raw.friends, 0), np.zeros_like(raw.friends)) if usual.friends else None,
        discounted_share=discounted if usual.discounts else None,
        redeemed_share=redeemed if usual.redemptions else None,
        answered=answered | (raw.rated > 0),
        unhappy=answered & (raw.said <= _DETRACTOR) & (age <= _UNHAPPY_DAYS),
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
        layer=basis.layer,
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
