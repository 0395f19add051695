"""The special functions that the models need, without scipy.

Frequencies are small integers, so ratios of gamma functions are running sums over them, looked up by frequency.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from chalicelib.scoring.rules.arrays import Floats, Ints

_BLOCK: Final = 1024
_TERMS_MAX: Final = 20_000
_CHECK_EVERY: Final = 8
_PRECISION: Final = 1e-12
_DIGAMMA_FROM: Final = 6.0
_NEAR_ONE: Final = 1e-4


def log_rising(base: float, highest: int) -> Floats:
    """The logarithm of Γ(base + n) / Γ(base) for n = 0 … highest, by n."""
    table = np.zeros(highest + 1)
    np.cumsum(np.log(base + np.arange(highest)), out=table[1:])
    return table


def rising_slope(base: float, highest: int) -> Floats:
    """The derivative of `log_rising` by `base`, by n."""
    table = np.zeros(highest + 1)
    np.cumsum(1.0 / (base + np.arange(highest)), out=table[1:])
    return table


def log_gamma(values: Floats) -> Floats:
    """The logarithm of Γ of each value above 0. One by one: ask for unique values."""
    return np.fromiter(map(math.lgamma, values.tolist()), dtype=np.float64, count=len(values))


def digamma(values: Floats) -> Floats:
    """ψ of each value above 0, to about 2e-15: recurrence up to 6, then the asymptotic series."""
    x = np.array(values, dtype=np.float64)
    result = np.zeros_like(x)
    while (small := x < _DIGAMMA_FROM).any():
        result[small] -= 1.0 / x[small]
        x[small] += 1.0
    f = 1.0 / (x * x)
    series = f * (
        1 / 12
        - f
        * (1 / 120 - f * (1 / 252 - f * (1 / 240 - f * (1 / 132 - f * (691 / 32760 - f * (1 / 12 - f * 3617 / 8160))))))
    )
    return result + np.log(x) - 0.5 / x - series


def future_purchases(  # noqa: PLR0917 - as the formula has them
    x_shift: float, r: float, alpha: float, a: float, x: Ints, age: Floats, ahead: Floats
) -> Floats:
    """Purchases expected within each of the times `ahead` of members who are still active, one row a member.

    `x_shift` is a + b − 1 for BG/NBD and a + b for MBG/NBD; `x` counts repeat purchases, `age` is the time since the
    first one. Of the published 2F1 and its Euler transform, that is taken which stays finite as z comes near 1: as
    printed it overflows for busy members, and transformed for a large a.
    """
    order = np.argsort(age, kind="stable")
    result = np.empty((len(age), len(ahead)))
    # Near 1 the form divides nothing by nothing, and it is continuous there.
    if abs(a - 1.0) < _NEAR_ONE:
        a = 1.0 + math.copysign(_NEAR_ONE, a - 1.0)
    for begin in range(0, len(age), _BLOCK):
        rows = order[begin : begin + _BLOCK]
        c = x_shift + x[rows].astype(np.float64)
        z = ahead / (alpha + age[rows, None] + ahead)
        power = r + x[rows]
        euler = power >= a - 1.0
        inner = _gauss_series(np.where(euler, c - power, power), np.where(euler, a - 1.0, c - a + 1.0), c, z)
        outer = np.exp(np.where(euler, a - 1.0, power)[:, None] * np.log1p(-z))
        result[rows] = (c / (a - 1.0))[:, None] * (1.0 - outer * inner)
    # Where nothing is to be expected, rounding may leave a hair below 0.
    np.maximum(result, 0.0, out=result)
    return result


def _gauss_series(first: Floats, second: Floats, c: Floats, z: Floats) -> Floats:
    """2F1(first, second; c; z) for parameters by row and 0 <= z < 1."""
    term = np.ones_like(z)
    total = np.ones_like(z)
    for k in range(_TERMS_MAX):
        term *= ((first + k) * (second + k) / ((c + k) * (k + 1.0)))[:, None]
        term *= z
        total += term
        if k % _CHECK_EVERY == 0 and np.abs(term).max(initial=0.0) < _PRECISION * np.abs(total).min(initial=1.0):
            break
    return total
