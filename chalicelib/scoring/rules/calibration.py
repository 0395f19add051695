"""How good a prediction was."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from chalicelib.scoring.rules.arrays import Flags, Floats, Ints

_DECILES: Final = 10


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
