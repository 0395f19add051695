"""The engine's models and those of `lifetimes`, on the same rows, turn by turn; run by `scoring` and `accuracy`."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks import crowds, layers
from chalicelib.scoring.rules import calibration, gammagamma, mbgnbd
from chalicelib.scoring.rules.history import Members, Purchases, bought_between, members_on
from chalicelib.scoring.rules.night import counted
from chalicelib.scoring.rules.outcomes import ages, outcomes, tables
from chalicelib.scoring.rules.scoring import CHUNK
from chalicelib.scoring.rules.special import future_purchases

_TURNS = 3
_WEEK = 7.0
_LARGE = 500_000
DAY_39_WEEKS = 272


def main(what: str) -> None:
    """Print the tables of `speed` or of `accuracy`."""
    {"speed": _speed, "accuracy": _accuracy}[what]()


def _lowest(turns: int, *kinds: Callable[[], Any]) -> list[float]:
    """The lowest CPU seconds of each, one after the other in every turn."""
    best = [float("inf")] * len(kinds)
    for _turn in range(turns):
        for place, kind in enumerate(kinds):
            begun = time.process_time()
            kind()
            best[place] = min(best[place], time.process_time() - begun)
    return best


def _frame(members: Members) -> Any:
    """What lifetimes takes: weeks."""
    return importlib.import_module("pandas").DataFrame(
        {
            "x": members.repeats.astype(float),
            "t_x": (members.last_day - members.first_day) / _WEEK,
            "T": (members.now - members.first_day) / _WEEK,
            "m": members.mean_repeat,
        }
    )


def _speed() -> None:
    lifetimes = importlib.import_module("lifetimes")
    found = {"CDNOW 1/10": _at(crowds.cdnow(whole=False)), "CDNOW": _at(crowds.cdnow(whole=True))}
    found |= {"simulated": crowds.simulated(100_000), "simulated ": crowds.simulated(1_000_000)}
    print("| CPU seconds, BG/NBD | members | fit | lifetimes | ratio | scoring | lifetimes | ratio |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, members in found.items():
        frame, count = _frame(members), len(members)
        beta = lifetimes.BetaGeoFitter()
        spend = lifetimes.GammaGammaFitter()
        turns = 1 if count > _LARGE else _TURNS
        ours, theirs = _lowest(
            turns,
            partial(_fit, members),
            partial(beta.fit, frame["x"], frame["t_x"], frame["T"]),
        )
        again = frame[(frame["x"] > 0) & (frame["m"] > 0)]
        spend.fit(again["x"], again["m"])
        # The parameters are found once, before the clock runs.
        _scored(members)
        scored = _lowest(
            turns,
            partial(_scored, members),
            partial(_scored_by_lifetimes, frame, beta, spend),
        )
        print(
            f"| {name.strip()} | {count:,} | {ours:.4f} | {theirs:.3f} | {theirs / ours:.0f}x"
            f" | {scored[0]:.4f} | {scored[1]:.3f} | {scored[1] / scored[0]:.0f}x |",
            flush=True,
        )


def _fit(members: Members) -> Any:
    return mbgnbd.fit("bg-nbd", counted(members))


_FITTED: dict[int, tuple[mbgnbd.Model, gammagamma.Spend]] = {}


def _scored(members: Members) -> Any:
    """P(active), purchases in 13 weeks, basket, 12-month value, and the churn that lifetimes does not have."""
    if len(members) not in _FITTED:
        fit = mbgnbd.fit("bg-nbd", counted(members))
        spend = gammagamma.fit(members.repeats, members.mean_repeat)
        _FITTED[len(members)] = mbgnbd.model("bg-nbd", fit), gammagamma.Spend(*spend.parameters)
    model, spend_in_use = _FITTED[len(members)]
    table = tables(model, members)
    return [
        outcomes(model, spend_in_use, table, members.part(slice(begin, begin + CHUNK)))
        for begin in range(0, len(members), CHUNK)
    ]


def _scored_by_lifetimes(frame: Any, beta: Any, spend: Any) -> None:
    x, t_x, age, value = frame["x"], frame["t_x"], frame["T"], frame["m"]
    beta.conditional_probability_alive(x, t_x, age)
    beta.conditional_expected_number_of_purchases_up_to_time(13, x, t_x, age)
    spend.conditional_expected_average_profit(x, value)
    spend.customer_lifetime_value(beta, x, t_x, age, value, time=12, discount_rate=0.0117, freq="W")


def _at(purchases: Purchases, day: int | None = None) -> Members:
    begun = int(purchases.day.min())
    return members_on(purchases, begun + (DAY_39_WEEKS if day is None else day))


def _accuracy() -> None:
    _published()
    whole, grocery = crowds.cdnow(whole=True), crowds.journey()
    print("\n| holdout | model | MAE | correlation | AUC, buys in holdout | bias |\n|---|---|--:|--:|--:|--:|")
    _holdout("CDNOW, 39 → 39 weeks", whole, 273)
    _holdout("Complete Journey, 39 → 13 weeks", grocery, 91)
    print("\n| churn in 91 days, by the model alone | AUC | Brier | RMSE | bias | AUC of 1 − P(active) |")
    print("|---|--:|--:|--:|--:|--:|")
    days = (("CDNOW, day 272", whole, 272), ("CDNOW, day 454", whole, 454), ("Complete Journey, day 272", grocery, 272))
    for name, purchases, day in days:
        _churn(name, purchases, day)
    layers.main({"CDNOW": whole, "CDNOW 1/10": crowds.cdnow(whole=False), "Complete Journey": grocery})


def _published() -> None:
    members = _at(crowds.cdnow(whole=False))
    bg, spend = mbgnbd.fit("bg-nbd", counted(members)), gammagamma.fit(members.repeats, members.mean_repeat)
    print("| CDNOW 1/10, 39 weeks | parameters | log-likelihood | published |\n|---|---|--:|---|")
    for name, fit, known in (
        ("BG/NBD", bg, ".2426, 4.4136, .7929, 2.4259; −9582.43"),
        ("Gamma-Gamma", spend, "6.25, 3.74, 15.45; −4055.92"),
    ):
        values = ", ".join(f"{value:.4f}" for value in fit.parameters)
        print(f"| {name} | {values} | {fit.log_likelihood:.3f} | {known} |")


def _holdout(name: str, purchases: Purchases, days: int) -> None:
    members = _at(purchases)
    there = members.first_day >= 0
    actual = bought_between(purchases, members.now, members.now + days)[there]
    predicted = {kind: _expected(kind, members, days)[there] for kind in ("bg-nbd", "mbg-nbd")}
    beta = importlib.import_module("lifetimes").BetaGeoFitter()
    frame = _frame(members)[there]
    beta.fit(frame["x"], frame["t_x"], frame["T"])
    predicted["lifetimes BG/NBD"] = np.array(
        beta.conditional_expected_number_of_purchases_up_to_time(days / _WEEK, frame["x"], frame["t_x"], frame["T"])
    )
    for kind, expected in predicted.items():
        found = calibration.quality(expected, expected, actual)
        correlation = np.corrcoef(expected, actual)[0, 1]
        auc = calibration.auc(expected, actual > 0)
        print(f"| {name} | {kind} | {found.mae:.3f} | {correlation:.3f} | {auc:.4f} | {found.bias:+.1%} |")


def _expected(kind: Any, members: Members, days: int) -> Any:
    """Purchases expected over any number of days."""
    model = mbgnbd.model(kind, mbgnbd.fit(kind, counted(members)))
    shift = model.a + model.b - (0.0 if model.modified else 1.0)
    weeks = np.where(members.first_day >= 0, ages(members), 0) / _WEEK
    future = future_purchases(shift, model.r, model.alpha, model.a, members.repeats, weeks, np.array([days / _WEEK]))
    return future[:, 0] * outcomes(model, gammagamma.Spend(6.25, 3.74, 15.45), tables(model, members), members).active


def _churn(name: str, purchases: Purchases, day: int) -> None:
    members = _at(purchases, day)
    there = members.first_day >= 0
    model = mbgnbd.model("mbg-nbd", mbgnbd.fit("mbg-nbd", counted(members)))
    found = outcomes(model, gammagamma.Spend(6.25, 3.74, 15.45), tables(model, members), members)
    actual = bought_between(purchases, members.now, members.now + 91)[there]
    told = calibration.quality(1.0 - found.churn[there], found.expected[there], actual)
    alive = calibration.auc(found.active[there], actual > 0)
    print(f"| {name} | {told.auc:.3f} | {told.brier:.4f} | {told.rmse:.3f} | {told.bias:+.1%} | {alive:.3f} |")


if __name__ == "__main__":
    main(sys.argv[1])
