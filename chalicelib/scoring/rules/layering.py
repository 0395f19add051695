"""A layer over the model's word, trained on what members did after it, and used only where it proves better later.

The model says of a day 182 days ago what members do in the 91 days after it; a layer is trained on what they did. Then
it has to foresee, better than the model alone, the 91 days until today. What is used today is the same layer trained
anew on the later day, whose outcome is known as well by now.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec
import numpy as np

from chalicelib.scoring.closed_form import Layer, Tried
from chalicelib.scoring.rules.arrays import NO_DAY, Flags, Floats, Ints
from chalicelib.scoring.rules.calibration import auc
from chalicelib.scoring.rules.gammagamma import Spend
from chalicelib.scoring.rules.history import QUARTER_DAYS, Members
from chalicelib.scoring.rules.mbgnbd import Model
from chalicelib.scoring.rules.outcomes import Outcomes, outcomes, tables

Kind: TypeAlias = Literal["chance", "number"]

MEMBERS_MIN: Final = 300
EITHER_MIN: Final = 30
"""Fewer members, or fewer of those who bought or did not, say nothing of a layer."""

AUC_BAND: Final = 0.001
"""A layer that is in use may rank worse by so little before it goes; a new one by nothing."""

_CERTAIN: Final = 1.96
_TRUST: Final = 10.0
"""How many members' evidence the model's own word counts as, against that of the members."""

_ROUNDS: Final = 50
_STEP_MAX: Final = 2.0
_STEP_MIN: Final = 1e-9
_TINY: Final = 1e-9
_LINE_MAX: Final = 30.0
_CHUNK: Final = 32_768
_CHANCE_MIN: Final = 1e-6
_NUMBER_MIN: Final = 1e-6
_NO_SPEND: Final = Spend(1.0, 2.0, 0.0)


class Foreseen(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What the model said on a past day of all who had bought by then, and the purchases of their 91 days after it."""

    buys: Floats
    number: Floats
    purchases_28: Ints
    purchases_91: Ints
    actual: Ints

    def parts(self) -> list[Foreseen]:
        """The same by some members at a time, so that what is worked out of them needs little memory."""
        names = self.__struct_fields__
        rows = (slice(begin, begin + _CHUNK) for begin in range(0, max(len(self.actual), 1), _CHUNK))
        return [Foreseen(**{name: getattr(self, name)[some] for name in names}) for some in rows]

    @property
    def happened(self) -> Floats:
        """1 for those who bought, 0 for the others."""
        return (self.actual > 0).astype(np.float64)


class Layers(msgspec.Struct, frozen=True):
    """The layer for today, and the one that would have been used 91 days ago: of one kind, trained a quarter apart."""

    now: Layer
    then: Layer


def foreseen(model: Model, members: Members, actual: Ints) -> Foreseen:
    """What the model says of members on their day, beside the purchases that they made in the 91 days after it."""
    there, table = members.first_day != NO_DAY, tables(model, members)
    buys, number = np.zeros(len(members)), np.zeros(len(members))
    for begin in range(0, len(members), _CHUNK):
        rows = slice(begin, begin + _CHUNK)
        found = outcomes(model, _NO_SPEND, table, members.part(rows))
        buys[rows], number[rows] = 1.0 - found.churn, found.expected
    return Foreseen(
        buys=buys[there],
        number=number[there],
        purchases_28=members.purchases_28[there],
        purchases_91=members.purchases_91[there],
        actual=actual[there],
    )


def layers(early: Foreseen | None, then: Foreseen | None, last: Layer) -> Layers:
    """The layers by the days 182 and 91 days ago; `last` is the layer that is in use until now.

    None stands for a day on which nobody had bought yet.
    """
    if early is None or then is None or not len(early.actual):
        return _none("too_young")
    reason = _too_little(early) or _too_little(then)
    if reason:
        return _none(reason)
    chance, number = trained("chance", early), trained("number", early)
    told = _chance_tried(chance, then, was_used=bool(last.chance))
    by_chance = not told.refused
    before = Layer(chance=chance if by_chance else (), number=number)
    told = msgspec.structs.replace(told, **_number_tried(before, then, was_used=bool(last.number)))
    by_number = not told.number_refused
    return Layers(
        msgspec.structs.replace(
            told,
            chance=trained("chance", then) if by_chance else (),
            number=trained("number", then) if by_number else (),
        ),
        before if by_number else Layer(chance=before.chance),
    )


def _none(reason: str) -> Layers:
    layer = Layer(refused=(reason,), number_refused=(reason,))
    return Layers(layer, layer)


def _too_little(seen: Foreseen) -> str:
    bought = int((seen.actual > 0).sum())
    if len(seen.actual) < MEMBERS_MIN:
        return "too_few_members"
    return "too_few_outcomes" if min(bought, len(seen.actual) - bought) < EITHER_MIN else ""


def _chance_tried(weights: tuple[float, ...], then: Foreseen, *, was_used: bool) -> Layer:
    """How the chance did on the later day."""
    happened = then.happened
    chance = applied(Layer(chance=weights), then)[0]
    model, layer = (then.buys - happened) ** 2, (chance - happened) ** 2
    ranked = Tried(auc(then.buys, happened > 0.0) or 0.0, auc(chance, happened > 0.0) or 0.0)
    refused = []
    if not _better(model - layer, was_used=was_used):
        refused.append("not_better")
    if ranked.layer < ranked.model - (AUC_BAND if was_used else 0.0):
        refused.append("ranks_worse")
    return Layer(
        members=len(happened),
        brier=Tried(float(model.mean()), float(layer.mean())),
        auc=ranked,
        refused=tuple(refused),
    )


def _number_tried(before: Layer, then: Foreseen, *, was_used: bool) -> dict[str, Tried | tuple[str, ...]]:
    """How the number did on it, never less than the chance that is told beside it."""
    model, layer = then.number - then.actual, applied(before, then)[1] - then.actual
    errors = Tried(float(np.abs(model).mean()), float(np.abs(layer).mean()))
    refused = []
    if not _better(model**2 - layer**2, was_used=was_used):
        refused.append("not_better")
    if errors.layer > errors.model:
        refused.append("errors_larger")
    rmse = Tried(float(np.sqrt((model**2).mean())), float(np.sqrt((layer**2).mean())))
    return {"rmse": rmse, "mae": errors, "number_refused": tuple(refused)}


def _better(gained: Floats, *, was_used: bool) -> bool:
    """Whether squared errors fall by more than chance has them fall; for what is in use, whether they do not rise."""
    mean = float(gained.mean())
    if was_used:
        return mean >= 0.0
    return mean > _CERTAIN * float(gained.std()) / float(np.sqrt(len(gained))) and mean > 0.0


def trained(kind: Kind, seen: Foreseen) -> tuple[float, ...]:
    """The weights of a layer: logistic for the chance, Poisson for the number, by Newton's method.

    It begins with the model's own word, and a ridge draws it back there: few members, or what all have alike, change
    little of it.
    """
    parts = seen.parts()
    mean, spread = _scales(parts)
    own = 0 if kind == "chance" else 1
    model: Floats = np.zeros(1 + len(mean))
    model[0], model[1 + own] = mean[own], spread[own]
    weights = model
    for _round in range(_ROUNDS):
        slope, curve = -_TRUST * (weights - model), np.eye(len(model)) * _TRUST
        for part in parts:
            design = _design(part, mean, spread)
            predicted = _linked(kind, design @ weights)
            certainty = predicted * (1.0 - predicted) if kind == "chance" else predicted
            slope += design.T @ ((part.happened if kind == "chance" else part.actual) - predicted)
            curve += (design * np.maximum(certainty, _TINY)[:, None]).T @ design
        step = np.linalg.solve(curve, slope)
        largest = float(np.abs(step).max())
        weights = weights + step * min(1.0, _STEP_MAX / max(largest, _TINY))
        if largest < _STEP_MIN:
            break
    rest = weights[1:] / spread
    return (float(weights[0] - rest @ mean), *rest.tolist())


def _scales(parts: list[Foreseen]) -> tuple[Floats, Floats]:
    """Mean and deviation of each column; 1 for what all have alike."""
    count = max(sum(len(part.actual) for part in parts), 1)
    mean = np.sum([_seen(part).sum(axis=0) for part in parts], axis=0) / count
    spread = np.sqrt(np.sum([((_seen(part) - mean) ** 2).sum(axis=0) for part in parts], axis=0) / count)
    return mean, np.where(spread > _TINY, spread, 1.0)


def _seen(part: Foreseen) -> Floats:
    return np.column_stack(_columns(part.buys, part.number, part.purchases_28, part.purchases_91))


def _design(part: Foreseen, mean: Floats, spread: Floats) -> Floats:
    return np.column_stack([np.ones(len(part.actual)), (_seen(part) - mean) / spread])


def applied(layer: Layer, seen: Foreseen) -> tuple[Floats, Floats]:
    """The chance and the number with the layer over the model's own, as `closed_form.layered` has it for one member."""
    return _applied(layer, seen.buys, seen.number, seen.purchases_28, seen.purchases_91)


def layered(layer: Layer, found: Outcomes, members: Members, bought: Flags) -> Outcomes:
    """The model's word with the layer over it: churn and the number of purchases of who has bought at all.

    Active and overdue stay the model's, for nobody ever sees whether they were right; so does what twelve months are
    worth, for the layer is trained on 91 days.
    """
    if not layer.chance and not layer.number:
        return found
    chance, number = _applied(layer, 1.0 - found.churn, found.expected, members.purchases_28, members.purchases_91)
    return msgspec.structs.replace(
        found, churn=np.where(bought, 1.0 - chance, 1.0), expected=np.where(bought, number, 0.0)
    )


def _applied(
    layer: Layer, buys: Floats, number: Floats, purchases_28: Ints, purchases_91: Ints
) -> tuple[Floats, Floats]:
    columns = _columns(buys, number, purchases_28, purchases_91)
    if layer.chance:
        buys = _linked("chance", _line(layer.chance, columns))
    if layer.number:
        number = np.minimum(np.maximum(_linked("number", _line(layer.number, columns)), buys), float(QUARTER_DAYS))
    return buys, number


def _columns(buys: Floats, number: Floats, purchases_28: Ints, purchases_91: Ints) -> list[Floats]:
    chance = np.minimum(np.maximum(buys, _CHANCE_MIN), 1.0 - _CHANCE_MIN)
    # Purchases within so many days are few: their logarithms are a table.
    logs = np.log1p(np.arange(max(int(purchases_28.max(initial=0)), int(purchases_91.max(initial=0))) + 1))
    return [
        np.log(chance / (1.0 - chance)),
        np.log(np.maximum(number, _NUMBER_MIN)),
        logs[purchases_28],
        logs[purchases_91],
    ]


def _line(weights: tuple[float, ...], columns: list[Floats]) -> Floats:
    line = weights[0] + weights[1] * columns[0]
    for weight, column in zip(weights[2:], columns[1:], strict=True):
        line += weight * column
    return line


def _linked(kind: Kind, line: Floats) -> Floats:
    bounded = np.minimum(np.maximum(line, -_LINE_MAX), _LINE_MAX)
    return 1.0 / (1.0 + np.exp(-bounded)) if kind == "chance" else np.exp(bounded)
