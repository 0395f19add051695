"""One member's outcomes from stored state and parameters, without numpy: what a read computes instead of storing it.

The same formulae as in `rules.outcomes`; a test holds the two to one another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

QUARTER_DAYS: Final = 91
_DAYS_A_WEEK: Final = 7
_NEAR_ONE: Final = 1e-4
_TERMS_MAX: Final = 20_000
_PRECISION: Final = 1e-13
LAYER_INPUTS: Final = ("constant", "log_odds", "log_number", "ln_1_and_purchases_28", "ln_1_and_purchases_91")
"""What the weights of a layer are of, in their order."""

_CHANCE_MIN: Final = 1e-6
_NUMBER_MIN: Final = 1e-6
_LINE_MAX: Final = 30.0


class Parameters(msgspec.Struct, frozen=True):
    """The model in use: `bg-nbd` or `mbg-nbd`, alpha in weeks."""

    name: str
    r: float
    alpha: float
    a: float
    b: float


class Standing(msgspec.Struct, frozen=True):
    """A member's repeat purchase days, days from first to last purchase, and days since the first one."""

    repeats: int
    t_x_days: int
    age_days: int


class Tried(msgspec.Struct, frozen=True):
    """A figure of the same past prediction, by the model alone and with the layer over it."""

    model: float
    layer: float


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """What corrects the model's chance of a purchase within 91 days, and the number of them, where that proved better.

    `chance` and `number` are weights: a constant, then those of the model's log-odds, of the logarithm of its number,
    and of ln(1 + n) of the purchases of the last 28 and 91 days; without any the model's own word stands, and `refused`
    or `number_refused` says why. The rest is how both did for `members` on the day that decided, 91 days before.
    """

    chance: tuple[float, ...] = ()
    number: tuple[float, ...] = ()
    refused: tuple[str, ...] = ()
    number_refused: tuple[str, ...] = ()
    members: int = 0
    brier: Tried | None = None
    auc: Tried | None = None
    rmse: Tried | None = None
    mae: Tried | None = None


def overdue(model: Parameters, member: Standing) -> float:
    """The chance of so long a silence if the member is still active."""
    apart = math.log(model.alpha + member.t_x_days / _DAYS_A_WEEK) - math.log(
        model.alpha + member.age_days / _DAYS_A_WEEK
    )
    return math.exp((model.r + member.repeats) * apart)


def active(model: Parameters, member: Standing) -> float:
    """P(active)."""
    if model.name == "bg-nbd" and not member.repeats:
        return 1.0
    silence = overdue(model, member)
    odds = model.a / (model.b + member.repeats - (1.0 if model.name == "bg-nbd" else 0.0))
    return silence / (silence + odds) if silence + odds > 0.0 else 0.0


def churn(model: Parameters, member: Standing, days: int = QUARTER_DAYS) -> float:
    """The chance of no purchase within so many days."""
    weeks = model.alpha + member.age_days / _DAYS_A_WEEK
    comes = -math.expm1((model.r + member.repeats) * math.log(weeks / (weeks + days / _DAYS_A_WEEK)))
    return 1.0 - active(model, member) * comes


def expected(model: Parameters, member: Standing, days: float = QUARTER_DAYS) -> float:
    """Purchases expected within so many days."""
    a = model.a
    if abs(a - 1.0) < _NEAR_ONE:
        a = 1.0 + math.copysign(_NEAR_ONE, a - 1.0)
    shift = model.a + model.b - (1.0 if model.name == "bg-nbd" else 0.0)
    c, ahead = shift + member.repeats, days / _DAYS_A_WEEK
    z = ahead / (model.alpha + member.age_days / _DAYS_A_WEEK + ahead)
    power = model.r + member.repeats
    # Of the two forms of the same function the one that stays finite; `rules.special` says more.
    euler = power >= a - 1.0
    first, second, outer = (c - power, a - 1.0, a - 1.0) if euler else (power, c - a + 1.0, power)
    term = total = 1.0
    for k in range(_TERMS_MAX):
        term *= (first + k) * (second + k) / ((c + k) * (k + 1.0)) * z
        total += term
        if abs(term) < _PRECISION * abs(total):
            break
    future = c / (a - 1.0) * (1.0 - math.exp(outer * math.log1p(-z)) * total)
    return active(model, member) * max(future, 0.0)


def layered(layer: Layer, buys: float, number: float, purchases_28: int, purchases_91: int) -> tuple[float, float]:
    """The chance of a purchase within 91 days, and the number of them, with the layer over the model's own."""
    if not layer.chance and not layer.number:
        return buys, number
    bounded = min(max(buys, _CHANCE_MIN), 1.0 - _CHANCE_MIN)
    seen = (
        1.0,
        math.log(bounded / (1.0 - bounded)),
        math.log(max(number, _NUMBER_MIN)),
        math.log1p(purchases_28),
        math.log1p(purchases_91),
    )
    if layer.chance:
        buys = 1.0 / (1.0 + math.exp(-_line(layer.chance, seen)))
    if layer.number:
        # Purchases are days with one, and who buys at all buys once at least.
        number = min(max(math.exp(_line(layer.number, seen)), buys), float(QUARTER_DAYS))
    return buys, number


def _line(weights: Sequence[float], seen: Sequence[float]) -> float:
    line = sum(weight * value for weight, value in zip(weights, seen, strict=True))
    return min(max(line, -_LINE_MAX), _LINE_MAX)
