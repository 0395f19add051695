"""How often members buy and when they stop: MBG/NBD (Batislam 2007) and BG/NBD (Fader, Hardie & Lee 2005).

Time is in weeks inside the likelihood, in whole days in the data. `x` counts repeat purchase days, `t_x` runs from the
first purchase to the last one, `T` from the first one to now.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import msgspec
import numpy as np

from chalicelib.scoring.rules.arrays import DAYS_A_WEEK, Floats, Ints
from chalicelib.scoring.rules.fitting import Fit, fitted
from chalicelib.scoring.rules.special import log_rising, rising_slope

Name: TypeAlias = Literal["bg-nbd", "mbg-nbd"]
NAMES: Final = ("r", "alpha", "a", "b")
REPEATERS_MIN: Final = 30
"""Fewer members who came back than this do not carry four parameters."""

_BITS: Final = 21
_MASK: Final = (1 << _BITS) - 1
_LEAST: Final = {"a": 1e-3}


class Model(msgspec.Struct, frozen=True):
    """Which model, and its four parameters; alpha is in weeks."""

    name: Name
    r: float
    alpha: float
    a: float
    b: float

    @property
    def modified(self) -> bool:
        """Whether members may also stop at once after their first purchase."""
        return self.name == "mbg-nbd"

    def log_odds(self, highest: int) -> Floats:
        """ln(a / (b + x − 1)), for MBG ln(a / (b + x)), by x; −inf where a member cannot have stopped."""
        below = self.b + np.arange(highest + 1) - (0.0 if self.modified else 1.0)
        if not self.modified:
            below[0] = np.inf
        with np.errstate(divide="ignore"):
            return np.log(self.a / below)


class Counts(msgspec.Struct, frozen=True, eq=False):
    """How many members share each (x, t_x, T): all that the likelihood needs. Shards' counts merge."""

    keys: Ints
    members: Ints

    @staticmethod
    def of(x: Ints, t_x_days: Ints, age_days: Ints) -> Counts:
        """The counts of members who have bought."""
        whole = [np.minimum(array, _MASK).astype(np.int64) for array in (x, t_x_days, age_days)]
        keys, members = np.unique((whole[0] << 2 * _BITS) | (whole[1] << _BITS) | whole[2], return_counts=True)
        return Counts(keys, members)

    @staticmethod
    def merged(parts: Iterable[Counts]) -> Counts:
        """The counts of all parts together, the same however members were dealt out to them."""
        found = list(parts)
        if not found:
            return Counts(np.zeros(0, np.int64), np.zeros(0, np.int64))
        keys, where = np.unique(np.concatenate([part.keys for part in found]), return_inverse=True)
        members = np.bincount(where, np.concatenate([part.members for part in found]), len(keys))
        return Counts(keys, members.astype(np.int64))

    @property
    def x(self) -> Ints:
        """Repeat purchase days, by key."""
        return self.keys >> 2 * _BITS

    @property
    def t_x_days(self) -> Ints:
        """Days from first to last purchase, by key."""
        return (self.keys >> _BITS) & _MASK

    @property
    def age_days(self) -> Ints:
        """Days since the first purchase, by key."""
        return self.keys & _MASK


class Likelihood:
    """The mean negative log-likelihood and its gradient by ln r, ln α, ln a, ln b."""

    def __init__(self, name: Name, counts: Counts) -> None:
        self.shift = 0 if name == "mbg-nbd" else 1
        x, age, weights = counts.x, counts.age_days, counts.members.astype(np.float64)
        self.members = max(float(weights.sum()), 1.0)
        self.highest = int(x.max(initial=0))
        self.days = int(age.max(initial=0))
        # What depends on one of the three only is summed once, by that one.
        self.by_x = np.bincount(x, weights, self.highest + 1)
        self.by_age = np.bincount(age, weights, self.days + 1)
        self.x_by_age = np.bincount(age, weights * x, self.days + 1)
        may_stop = slice(None) if name == "mbg-nbd" else x > 0
        self.x, self.age = x[may_stop].astype(np.intp), age[may_stop].astype(np.intp)
        self.t_x = counts.t_x_days[may_stop].astype(np.intp)
        self.weights = weights[may_stop]
        self.weeks = np.arange(self.days + 1) / DAYS_A_WEEK
        self.frequency = np.arange(self.highest + 1, dtype=np.float64)

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        """Value and gradient at these logarithms of the parameters."""
        r, alpha, a, b = np.exp(logs).tolist()
        log_week, inverse_week = np.log(alpha + self.weeks), 1.0 / (alpha + self.weeks)
        below = b + self.frequency - self.shift
        with np.errstate(divide="ignore", invalid="ignore"):
            log_odds, inverse_below = np.log(a / below), 1.0 / below
        apart = log_week[self.age] - log_week[self.t_x]
        power = r + self.x
        q = log_odds[self.x] + power * apart
        small = np.exp(-np.abs(q))
        stopped = self.weights * (np.where(q > 0, 1.0, small) / (1.0 + small))
        value = float(self.weights @ (np.maximum(q, 0.0) + np.log1p(small)))
        steps = self.highest + 1 - self.shift
        up = slice(1 - self.shift, None)
        value += float(self.by_x @ (log_rising(r, self.highest) + r * np.log(alpha)))
        value += float(self.by_x @ (log_rising(b, steps)[up] - log_rising(a + b, steps)[up]))
        value -= float(log_week @ (r * self.by_age + self.x_by_age))
        slope_ab = float(self.by_x @ rising_slope(a + b, steps)[up])
        slope = np.array(
            [
                self.by_x @ rising_slope(r, self.highest)
                + self.members * np.log(alpha)
                - log_week @ self.by_age
                + stopped @ apart,
                self.members * r / alpha
                - inverse_week @ (r * self.by_age + self.x_by_age)
                + (stopped * power) @ (inverse_week[self.age] - inverse_week[self.t_x]),
                stopped.sum() / a - slope_ab,
                self.by_x @ rising_slope(b, steps)[up] - slope_ab - stopped @ inverse_below[self.x],
            ]
        )
        return float(-value) / self.members, -slope * np.array([r, alpha, a, b]) / self.members


def default(name: Name) -> Fit:
    """What a programme starts from whose own members do not carry a fit yet: those of CDNOW over 39 weeks."""
    parameters = {
        "bg-nbd": (0.24259, 4.41360, 0.79293, 2.42594),
        "mbg-nbd": (0.52484, 6.18308, 0.89136, 1.61400),
    }[name]
    return Fit(names=NAMES, parameters=parameters, log_likelihood=0.0, members=0, source="default")


def fit(name: Name, counts: Counts, last: Fit | None = None) -> Fit:
    """Tonight's parameters; `refused` is filled where they must not be used."""
    likelihood = Likelihood(name, counts)
    members = int(counts.members.sum())
    if int(counts.members[counts.x > 0].sum()) < REPEATERS_MIN:
        return msgspec.structs.replace(last or default(name), members=members, refused=("too_few_members",))
    # Shops differ in their pace by more than in anything else, and alpha goes with it.
    mean = float(counts.age_days @ counts.members) / members / DAYS_A_WEEK
    around = np.array([0.0, np.log(1.0 + mean), 0.0, 0.0])
    return fitted(likelihood, NAMES, members, start=np.zeros(len(NAMES)), last=last, least=_LEAST, around=around)


def model(name: Name, fit_in_use: Fit) -> Model:
    """The model with these parameters."""
    return Model(name, *fit_in_use.parameters)


def paced(name: Name, counts: Counts) -> Fit:
    """The default's shape at these members' own pace: only alpha is fitted, which few members carry as well."""
    base = default(name)
    if not int((counts.members * counts.x).sum()):
        return base
    likelihood = Likelihood(name, counts)
    logs = np.log(base.parameters)
    grid = logs[1] + np.linspace(-5.0, 5.0, 201)
    values = [likelihood(np.array([logs[0], at, logs[2], logs[3]]))[0] for at in grid]
    alpha = float(np.exp(grid[int(np.argmin(values))]))
    parameters = (base.parameters[0], alpha, *base.parameters[2:])
    members = int(counts.members.sum())
    value = -min(values) * members
    return msgspec.structs.replace(base, parameters=parameters, log_likelihood=value, members=members)
