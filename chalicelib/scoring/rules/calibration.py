"""How good a prediction was, and a layer over the model that is used only where it proves better on later data."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from chalicelib.scoring.rules.arrays import Flags, Floats, Ints

_DECILES: Final = 10
_ROUNDS: Final = 50
_RIDGE: Final = 1e-4
_LOG_MAX: Final = 30.0
_TINY: Final = 1e-9


class Decile(msgspec.Struct, frozen=True):
    """Members of about the same prediction: the mean of what was predicted and of what happened."""

    members: int
    predicted: float
    actual: float


class Quality(msgspec.Struct, frozen=True):
    """How well "buys within 91 days" and the number of purchases were predicted; None where nothing can be said."""

    members: int
    buyers: int
    auc: float | None
    brier: float
    mae: float
    rmse: float
    bias: float | None
    deciles: tuple[Decile, ...]


def auc(scores: Floats, happened: Flags) -> float | None:
    """The chance that one to whom it happened scored higher than one to whom it did not; ties count half."""
    yes = int(happened.sum())
    no = len(happened) - yes
    if not yes or not no:
        return None
    _values, where, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[where]
    return float((ranks[happened].sum() - yes * (yes + 1) / 2.0) / (yes * no))


def quality(buys: Floats, expected: Floats, actual: Ints) -> Quality:
    """From the predicted chance of buying, the predicted number, and the purchases that were made."""
    count, happened = len(buys), actual > 0
    if not count:
        return Quality(0, 0, None, 0.0, 0.0, 0.0, None, ())
    error = expected - actual
    total = float(actual.sum())
    order = np.lexsort((actual, buys))
    deciles = tuple(
        Decile(len(rows), float(buys[rows].mean()), float(happened[rows].mean()))
        for rows in np.array_split(order, min(_DECILES, count))
    )
    return Quality(
        members=count,
        buyers=int(happened.sum()),
        auc=auc(buys, happened),
        brier=float(np.mean((buys - happened) ** 2)),
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt(np.mean(error * error))),
        bias=float(expected.sum()) / total - 1.0 if total else None,
        deciles=deciles,
    )


class Layer(msgspec.Struct, frozen=True):
    """Weights over the model's own prediction and recent counts, after standardising; `kind` says how it was fitted."""

    kind: str
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]


def inputs(buys: Floats, expected: Floats, purchases_28: Ints, purchases_91: Ints) -> Floats:
    """What the layer looks at: the model's log-odds and log-number, and the last 28 and 91 days."""
    chance = np.clip(buys, 1e-6, 1.0 - 1e-6)
    return np.column_stack(
        [
            np.log(chance / (1.0 - chance)),
            np.log(np.maximum(expected, 1e-6)),
            np.log1p(purchases_28),
            np.log1p(purchases_91),
        ]
    )


def trained(kind: str, seen: Floats, target: Floats) -> Layer:
    """A `logistic` layer for whether, or a `poisson` layer for how often, by Newton's method with a slight ridge."""
    mean, spread = seen.mean(axis=0), seen.std(axis=0)
    spread = np.where(spread > _TINY, spread, 1.0)
    design = np.column_stack([np.ones(len(seen)), (seen - mean) / spread])
    weights: Floats = np.zeros(design.shape[1])
    ridge = np.eye(len(weights)) * _RIDGE * len(seen)
    for _round in range(_ROUNDS):
        predicted = _linked(kind, design @ weights)
        certainty = predicted * (1.0 - predicted) if kind == "logistic" else predicted
        slope = design.T @ (target - predicted) - ridge @ weights
        step = np.linalg.solve((design * np.maximum(certainty, _TINY)[:, None]).T @ design + ridge, slope)
        weights = weights + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < _TINY:
            break
    return Layer(kind, tuple(mean.tolist()), tuple(spread.tolist()), tuple(weights.tolist()))


def applied(layer: Layer, seen: Floats) -> Floats:
    """The layer's prediction."""
    weights = np.array(layer.weights)
    return _linked(layer.kind, weights[0] + ((seen - np.array(layer.mean)) / np.array(layer.spread)) @ weights[1:])


def _linked(kind: str, line: Floats) -> Floats:
    bounded = np.clip(line, -_LOG_MAX, _LOG_MAX)
    return 1.0 / (1.0 + np.exp(-bounded)) if kind == "logistic" else np.exp(bounded)


def better(layer: Layer, seen: Floats, model: Floats, actual: Floats) -> bool:
    """The gate: on data later than what it was trained on, the layer's mean squared error (Brier) must be lower."""
    return float(np.mean((applied(layer, seen) - actual) ** 2)) < float(np.mean((model - actual) ** 2))
