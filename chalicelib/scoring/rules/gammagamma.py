"""What a purchase of a member is worth: the Gamma-Gamma model (Fader & Hardie 2013).

It takes the mean value of a member's repeat purchases, and supposes that spending does not depend on frequency.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from chalicelib.scoring.rules.arrays import Floats, Ints
from chalicelib.scoring.rules.fitting import Fit, fitted
from chalicelib.scoring.rules.special import digamma, log_gamma

NAMES: Final = ("p", "q", "gamma")
MEMBERS_MIN: Final = 30
_LEAST: Final = {"p": 1e-2, "q": 1.0}


class Spend(msgspec.Struct, frozen=True):
    """The three parameters; gamma is in the currency's major unit."""

    p: float
    q: float
    gamma: float


class Likelihood:
    """The mean negative log-likelihood and its gradient by ln p, ln q, ln γ; of members with x > 0 and m > 0."""

    def __init__(self, x: Ints, mean: Floats) -> None:
        self.members = max(len(x), 1)
        self.frequencies, where, counts = np.unique(x, return_inverse=True, return_counts=True)
        self.frequencies = self.frequencies.astype(np.float64)
        self.where, self.counts = where, counts.astype(np.float64)
        self.x = x.astype(np.float64)
        self.spent = self.x * mean
        logs = np.log(mean)
        self.x_log = float(self.x @ logs)
        self.log = float(logs.sum())
        self.x_log_x = float(self.counts @ (self.frequencies * np.log(self.frequencies)))
        self.x_sum = float(self.x.sum())

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        """Value and gradient at these logarithms of the parameters."""
        p, q, gamma = np.exp(logs).tolist()
        shape = p * self.frequencies
        below = gamma + self.spent
        log_below = np.log(below)
        power = p * self.x + q
        log_by_x = np.bincount(self.where, log_below, len(self.frequencies))
        value = float(self.counts @ (log_gamma(shape + q) - log_gamma(shape)))
        value += self.members * (q * logs[2] - float(log_gamma(np.array([q]))[0]))
        value += p * self.x_log - self.log + p * self.x_log_x - float(log_by_x @ (shape + q))
        psi_sum, psi_shape = digamma(shape + q), digamma(shape)
        slope = np.array(
            [
                self.counts @ (self.frequencies * (psi_sum - psi_shape))
                + self.x_log
                + self.x_log_x
                - log_by_x @ self.frequencies,
                self.counts @ psi_sum + self.members * (logs[2] - float(digamma(np.array([q]))[0])) - log_below.sum(),
                self.members * q / gamma - (power / below).sum(),
            ]
        )
        return float(-value) / self.members, -slope * np.array([p, q, gamma]) / self.members


def default(mean: float) -> Fit:
    """What a programme starts from whose own members do not carry a fit yet: CDNOW's shape about this mean value."""
    p, q = 6.25, 3.74
    gamma = max(mean, 1e-9) * (q - 1.0) / p
    return Fit(names=NAMES, parameters=(p, q, gamma), log_likelihood=0.0, members=0, source="default")


def fit(x: Ints, mean: Floats, last: Fit | None = None) -> Fit:
    """Tonight's parameters from repeat buyers; those whose refunds left nothing, or less, are not in the fit."""
    use = (x > 0) & (mean > 0.0)
    values = mean[use]
    centre = float(values.mean()) if len(values) else 0.0
    if len(values) < MEMBERS_MIN or float(np.ptp(values)) < 1e-9 * centre:
        refused = "too_few_members" if len(values) < MEMBERS_MIN else "all_alike"
        return msgspec.structs.replace(last or default(centre), members=len(values), refused=(refused,))
    # In units of the mean value, so that it does not matter whether a currency counts in ones or in thousands.
    found = fitted(
        Likelihood(x[use], values / centre),
        NAMES,
        len(values),
        start=np.log([1.0, 2.0, 1.0]),
        last=None if last is None else _scaled(last, 1.0 / centre),
        least=_LEAST,
    )
    return msgspec.structs.replace(
        _scaled(found, centre), log_likelihood=found.log_likelihood - len(values) * float(np.log(centre))
    )


def _scaled(fit: Fit, unit: float) -> Fit:
    p, q, gamma = fit.parameters
    return msgspec.structs.replace(fit, parameters=(p, q, gamma * unit))


def expected_value(spend: Spend, x: Ints, mean: Floats) -> Floats:
    """E[M]: what a further purchase is expected to be worth; without repeat purchases that of the whole programme."""
    shape = spend.p * x
    return spend.p * (spend.gamma + x * np.maximum(mean, 0.0)) / (shape + spend.q - 1.0)
