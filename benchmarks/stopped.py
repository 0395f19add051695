"""How soon alerts tell that a member has stopped, or buys half as often, and how often they tell it of the others.

Complete Journey's households, with a change made on a day that is known: from then on they buy nothing any more, or
every second purchase is left out by lot. Then the nights come, one by one, with the alerts as they are deployed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from benchmarks import crowds
from chalicelib.scoring.rules import alerts, gammagamma, mbgnbd
from chalicelib.scoring.rules.arrays import NO_DAY, Flags, Floats, Ints
from chalicelib.scoring.rules.history import Purchases, members_on
from chalicelib.scoring.rules.mbgnbd import Model
from chalicelib.scoring.rules.night import counted
from chalicelib.scoring.rules.outcomes import outcomes, tables

_CHANGE_DAY: Final = 280
_FOUND_DAYS: Final = 56
_LAST_DAY: Final = 363
_YEAR: Final = 365.25
_SPEND: Final = gammagamma.Spend(6.25, 3.74, 15.45)

State = Callable[[Purchases, Model, int], Flags]


def _slowing(least: float) -> State:
    return lambda purchases, model, now: alerts.slowing(purchases, model, now)[0] >= least


def _overdue(below: float) -> State:
    return lambda purchases, model, now: _outcome(purchases, model, now, "overdue") < below


def _churn(purchases: Purchases, model: Model, now: int) -> Flags:
    return _outcome(purchases, model, now, "churn") >= alerts.CHURN_FROM


def _outcome(purchases: Purchases, model: Model, now: int, name: str) -> Floats:
    members = members_on(purchases, now)
    found: Floats = getattr(outcomes(model, _SPEND, tables(model, members), members), name)
    return found


RULES: Final[dict[str, State]] = {
    "slowing, from 4": _slowing(alerts.SLOWING_FROM),
    "slowing, from 3": _slowing(3.0),
    "overdue, below .01": _overdue(alerts.OVERDUE_BELOW),
    "overdue, below .001": _overdue(0.001),
    "churn, from .5": _churn,
    "slowing from 4, or overdue below .01": lambda purchases, model, now: (
        _slowing(alerts.SLOWING_FROM)(purchases, model, now) | _overdue(alerts.OVERDUE_BELOW)(purchases, model, now)
    ),
}


def main() -> None:
    """Print what each rule finds within eight weeks, and how often it speaks up of households left as they are."""
    purchases = crowds.journey()
    begun = int(purchases.day.min())
    change = begun + _CHANGE_DAY
    members = members_on(purchases, change)
    model = mbgnbd.model("mbg-nbd", mbgnbd.fit("mbg-nbd", counted(members)))
    rates = alerts.usual_rates(purchases, model, change - alerts.WEEKS * 7)
    groups = {
        "every two weeks or more often": rates >= 0.5,
        "every two to eight weeks": (rates < 0.5) & (rates >= 0.125),
    }
    lot = np.random.default_rng(11).random(len(purchases.day)) < 0.5
    crowd = {
        "as they are": purchases,
        "stopped": _left(purchases, purchases.day <= change),
        "halved": _left(purchases, (purchases.day <= change) | lot),
    }
    for group, who in groups.items():
        print(f"\n{int(who.sum()):,} households who bought {group}; found within {_FOUND_DAYS // 7} weeks of nights:\n")
        print("| alert | false, a member and year | false, 100 member-weeks | stop found | halving found |")
        print("|---|--:|--:|--:|--:|")
        for name, state in RULES.items():
            _row(name, state, crowd, model, change, who, begun)


def _left(purchases: Purchases, use: Flags) -> Purchases:
    return Purchases(purchases.members, purchases.member[use], purchases.day[use], purchases.value[use])


def _row(  # noqa: PLR0917 - all that a line tells of
    name: str, state: State, crowd: dict[str, Purchases], model: Model, change: int, who: Flags, begun: int
) -> None:
    last = begun + _LAST_DAY
    began, _held = _nights(state, crowd["as they are"], model, change, last)
    nights = last - change
    false = float(began[:, who].sum()) / int(who.sum())
    shares = []
    for kind in ("stopped", "halved"):
        found, held = _nights(state, crowd[kind], model, change, change + _FOUND_DAYS)
        # Whoever is told of already when the change comes cannot be told of it.
        quiet = who & ~held
        shares.append(float(found[:, quiet].any(axis=0).mean()))
    print(
        f"| {name} | {false * _YEAR / nights:.2f} | {false * 700 / nights:.2f} | {shares[0]:.2f} | {shares[1]:.2f} |",
        flush=True,
    )


def _nights(state: State, purchases: Purchases, model: Model, change: int, last: int) -> tuple[Flags, Flags]:
    """By night after the change and member, whether an alert began; and whether it held when the change came."""
    held = state(purchases, model, change)
    before: Flags = held
    told: Ints = np.full(purchases.members, NO_DAY)
    began = []
    for day in range(change + 1, last + 1):
        now = state(purchases, model, day)
        onset = alerts.onsets(now, before, told, day)
        told = np.where(onset, day, told)
        began.append(onset)
        before = now
    return np.array(began), held


if __name__ == "__main__":
    main()
