"""Which dimension moves NPS: key drivers, from sums that add up over answers, shards and months: pure.

Each dimension's score is the mean of what an answer gave to its questions and rows, from 0 to 1000. NPS (100 for a
promoter, -100 for a detractor) is regressed on them. How much of the explained variance is due to a dimension is its
share by Lindeman, Merenda and Gold (1980): what it adds to R², averaged over all orders of the dimensions, which is the
Shapley value and stays sensible though dimensions go together (Grömping 2006). Its effect is the regression's slope:
how many points NPS is higher where the score is a step of five higher.

How sure that is comes from the delete-a-group jackknife (Kott 2001): answers lie in 16 random groups, all is reckoned
16 times with one left out, and the interval is Student's. Only sums are kept for it, of whole numbers: exact, whatever
the order in which answers came.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from chalicelib.program.document.cases import Dimension
from chalicelib.surveys.document import Answer, Answers, AnyQuestion, Definition, Matrix, Nps
from chalicelib.surveys.rules.counting import values
from chalicelib.surveys.rules.measures import DETRACTOR, PROMOTER

DIMENSIONS: Final[tuple[Dimension, ...]] = ("product", "service", "price", "after_sales", "other")

ANSWERS_MIN: Final = 100
"""Fewer answers, to NPS and all the dimensions together, do not tell what moves it."""

GROUPS_MIN: Final = 12
_COVERAGE: Final = 0.5
_FULL: Final = 1_000
_STEP: Final = 250
# Student's t for 97.5 %, by degrees of freedom from 11 on: one less than there are groups.
_STUDENT: Final = {11: 2.201, 12: 2.179, 13: 2.160, 14: 2.145, 15: 2.131}
_SINGULAR: Final = 1e-9

Sums = dict[tuple[int, int], int]
"""By pairs of places, 0 for what is always one, 1 for NPS, then the dimensions: sums of products."""


class Driver(msgspec.Struct, frozen=True, kw_only=True):
    """A dimension: its mean score (0 to 100), its share of what is explained in percent, and its effect on NPS.

    `effect` is how many points NPS is higher for a score that is a step of five higher; intervals are of 95 %.
    """

    dimension: Dimension
    score: float
    share: float
    share_low: float
    share_high: float
    effect: float
    effect_low: float
    effect_high: float


class Drivers(msgspec.Struct, frozen=True):
    """What moves NPS, the greatest share first, by `n` answers; `explained` is R² in percent."""

    n: int
    explained: float
    drivers: tuple[Driver, ...]


def added(definition: Definition, answers: Answers, group: int) -> Iterator[tuple[str, int]]:
    """What an answer adds to the sums; `group` (0 to 15) is the random group that it is in.

    A sum is named `drivers:{the dimensions that were answered, as bits}:{group}:{place}:{place}`.
    """
    nps = _nps(definition, answers)
    scores = _scores(definition, answers)
    if nps is None or not scores:
        return
    mask = sum(1 << DIMENSIONS.index(dimension) for dimension in scores)
    known = {0: 1, 1: nps} | {DIMENSIONS.index(dimension) + 2: score for dimension, score in scores.items()}
    for one, other in itertools.combinations_with_replacement(sorted(known), 2):
        yield f"drivers:{mask}:{group}:{one}:{other}", known[one] * known[other]


def found(counts: Mapping[str, int]) -> Drivers | None:
    """What moves NPS, by the sums of many answers; None where there are too few to tell.

    Dimensions that fewer than half of the answers speak of are left out, and further ones, the least spoken of first,
    until enough answers speak of all that are left.
    """
    sums = _read(counts)
    chosen = _chosen(sums)
    if not chosen:
        return None
    groups = [_merged(sums, chosen, group) for group in sorted({group for _mask, group in sums})]
    groups = [group for group in groups if group.get((0, 0))]
    whole = _together(groups)
    full = _fit(whole, chosen)
    if full is None or len(groups) < GROUPS_MIN:
        return None
    parts = [_fit(_without(whole, group), chosen) for group in groups]
    fits = [part for part in parts if part is not None]
    if len(fits) < len(parts):
        return None
    t = _STUDENT[len(fits) - 1]
    drivers = [
        Driver(
            dimension=DIMENSIONS[place - 2],
            score=whole[0, place] / whole[0, 0] * 100 / _FULL,
            **_interval("share", [fit.shares[at] for fit in fits], full.shares[at], t),
            **_interval("effect", [fit.slopes[at] for fit in fits], full.slopes[at], t),
        )
        for at, place in enumerate(chosen)
    ]
    return Drivers(whole[0, 0], 100 * full.explained, tuple(sorted(drivers, key=lambda driver: -driver.share)))


def lmg(correlations: Sequence[Sequence[float]]) -> list[float]:
    """Each regressor's part of R², from the correlations of the response (first) and the regressors."""
    count = len(correlations) - 1
    explained = {
        subset: _explained(correlations, subset)
        for size in range(count + 1)
        for subset in itertools.combinations(range(1, count + 1), size)
    }
    shares = [0.0] * count
    for subset, without in explained.items():
        for place in set(range(1, count + 1)) - {*subset}:
            weight = math.factorial(len(subset)) * math.factorial(count - len(subset) - 1) / math.factorial(count)
            shares[place - 1] += weight * (explained[tuple(sorted((*subset, place)))] - without)
    return shares


class _Fit(msgspec.Struct, frozen=True):
    explained: float
    shares: tuple[float, ...]
    slopes: tuple[float, ...]


def _nps(definition: Definition, answers: Answers) -> int | None:
    question = next((question for question in definition.questions if isinstance(question, Nps)), None)
    answer = answers.get(question.code) if question else None
    if answer is None or answer.number is None:
        return None
    return 100 * ((answer.number >= PROMOTER) - (answer.number <= DETRACTOR))


def _scores(definition: Definition, answers: Answers) -> dict[Dimension, int]:
    given: dict[Dimension, list[int]] = {}
    for question in definition.questions:
        answer = answers.get(question.code)
        if answer is None or isinstance(question, Nps):
            continue
        for dimension, number in _ratings(question, answer):
            possible = values(question)
            if number in possible:
                score = _FULL * (number - possible[0]) // (possible[-1] - possible[0])
                given.setdefault(dimension, []).append(score)
    return {dimension: sum(scores) // len(scores) for dimension, scores in given.items()}


def _ratings(question: AnyQuestion, answer: Answer) -> Iterator[tuple[Dimension, int]]:
    if isinstance(question, Matrix):
        rows = {row.code: row.dimension for row in question.rows}
        yield from ((rows[code], number) for code, number in (answer.rows or {}).items() if code in rows)
    elif answer.number is not None:
        yield question.dimension, answer.number


def _read(counts: Mapping[str, int]) -> dict[tuple[int, int], Sums]:
    sums: dict[tuple[int, int], Sums] = {}
    for name, value in counts.items():
        if name.startswith("drivers:"):
            mask, group, one, other = (int(part) for part in name.split(":")[1:])
            sums.setdefault((mask, group), {})[one, other] = value
    return sums


def _chosen(sums: Mapping[tuple[int, int], Sums]) -> list[int]:
    """The places of the dimensions that enough answers speak of together."""
    total = sum(part[0, 0] for part in sums.values())

    def speaking(places: Sequence[int]) -> int:
        bits = sum(1 << (place - 2) for place in places)
        return sum(part[0, 0] for (mask, _group), part in sums.items() if mask & bits == bits)

    places = range(2, 2 + len(DIMENSIONS))
    chosen = [place for place in places if total and speaking([place]) >= _COVERAGE * total]
    while chosen and speaking(chosen) < ANSWERS_MIN:
        chosen.remove(min(chosen, key=lambda place: speaking([place])))
    return chosen


def _merged(sums: Mapping[tuple[int, int], Sums], chosen: Sequence[int], group: int) -> Sums:
    bits, places = sum(1 << (place - 2) for place in chosen), {0, 1, *chosen}
    return _together(
        [
            {pair: value for pair, value in part.items() if places.issuperset(pair)}
            for (mask, own), part in sums.items()
            if own == group and mask & bits == bits
        ]
    )


def _together(parts: Sequence[Sums]) -> Sums:
    whole: Sums = {}
    for part in parts:
        for pair, value in part.items():
            whole[pair] = whole.get(pair, 0) + value
    return whole


def _without(whole: Sums, part: Sums) -> Sums:
    return {pair: value - part.get(pair, 0) for pair, value in whole.items()}


def _fit(sums: Sums, chosen: Sequence[int]) -> _Fit | None:
    """The regression of NPS; None where NPS, or a dimension, is the same in all answers."""
    places = [1, *chosen]
    covariances = [[sums[0, 0] * sums[min(a, b), max(a, b)] - sums[0, a] * sums[0, b] for b in places] for a in places]
    if not all(covariances[place][place] for place in range(len(places))):
        return None
    spreads = [math.sqrt(covariances[place][place]) for place in range(len(places))]
    matrix = [
        [value / one / other for value, other in zip(row, spreads, strict=True)]
        for row, one in zip(covariances, spreads, strict=True)
    ]
    parts = lmg(matrix)
    explained = sum(parts)
    slopes = _solved(matrix)
    return _Fit(
        explained,
        tuple(100 * part / explained if explained > _SINGULAR else 100 / len(parts) for part in parts),
        tuple(slope * spreads[0] / spread * _STEP for slope, spread in zip(slopes, spreads[1:], strict=True)),
    )


def _explained(correlations: Sequence[Sequence[float]], subset: Sequence[int]) -> float:
    """R² of the regression on a subset: what elimination takes from the response's own variance."""
    rows = [[correlations[a][b] for b in (*subset, 0)] for a in (*subset, 0)]
    _eliminate(rows)
    return min(1.0, max(0.0, 1.0 - rows[-1][-1]))


def _solved(correlations: Sequence[Sequence[float]]) -> list[float]:
    """The standardised slopes; 0 for a regressor that says no more than those before it."""
    order = (*range(1, len(correlations)), 0)
    rows = [[correlations[a][b] for b in order] for a in order]
    count = len(rows) - 1
    kept = _eliminate(rows)
    slopes = [0.0] * count
    for place in reversed(range(count)):
        if kept[place]:
            rest = sum(rows[place][later] * slopes[later] for later in range(place + 1, count))
            slopes[place] = (rows[place][-1] - rest) / rows[place][place]
    return slopes


def _eliminate(rows: list[list[float]]) -> list[bool]:
    """Bring a symmetric matrix to steps, all but its last row; says which rows were more than those before them."""
    kept = []
    for place in range(len(rows) - 1):
        pivot = rows[place][place]
        kept.append(pivot > _SINGULAR)
        if kept[-1]:
            for row in rows[place + 1 :]:
                factor = row[place] / pivot
                row[:] = [value - factor * above for value, above in zip(row, rows[place], strict=True)]
    return kept


def _interval(name: str, others: Sequence[float], value: float, t: float) -> dict[str, float]:
    count, middle = len(others), sum(others) / len(others)
    half = t * math.sqrt((count - 1) / count * sum((other - middle) ** 2 for other in others))
    low, high = value - half, value + half
    if name == "share":
        low, high = max(0.0, low), min(100.0, high)
    return {name: value, f"{name}_low": low, f"{name}_high": high}
