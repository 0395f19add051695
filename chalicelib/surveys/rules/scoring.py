"""From counters to figures: the scores of a cell, hidden where they must be: pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from chalicelib.surveys.document import AnyQuestion, Ces, Csat, Matrix, Nps
from chalicelib.surveys.rules import measures
from chalicelib.surveys.rules.counting import ANSWERS, distribution
from chalicelib.surveys.rules.figures import Cell, Figure
from chalicelib.surveys.rules.hiding import hidden
from chalicelib.surveys.rules.measures import MINIMUM, Distribution, Measure

Counts = Mapping[str, int]
Q = TypeVar("Q")

_SCORES: Final = ("nps", "csat", "ces")


class Asked(msgspec.Struct, frozen=True):
    """The questions that a survey's scores are made of: the first of each kind, and all that is rated from 1 to 5."""

    nps: Nps | None
    csat: Csat | None
    ces: Ces | None
    rated: tuple[tuple[Csat | Matrix, str], ...]
    """Questions of 1 to 5, and rows of matrices by their codes."""


def asked(questions: Sequence[AnyQuestion]) -> Asked:
    """What a survey's scores are made of."""
    rated: list[tuple[Csat | Matrix, str]] = []
    for question in questions:
        if isinstance(question, Csat):
            rated.append((question, ""))
        elif isinstance(question, Matrix):
            rated += [(question, row.code) for row in question.rows]
    return Asked(_first(questions, Nps), _first(questions, Csat), _first(questions, Ces), tuple(rated))


def cell(of: Asked, value: str, counts: Counts) -> Cell:
    """The scores of some answers."""
    return Cell(
        value=value,
        answers=counts.get(ANSWERS, 0),
        nps=_scored(of.nps, measures.nps, counts),
        csat=_satisfaction(of, counts),
        ces=_scored(of.ces, measures.ces, counts),
    )


def table(cells: Sequence[Cell], *, adds_up: bool) -> tuple[Cell, ...]:
    """The cells of one table, without the scores that would give away what is hidden in others.

    Each score is looked at by itself, for where few were asked for it, others were answered often enough.
    """
    made = list(cells)
    for name in _SCORES:
        scores: dict[str, Figure] = {
            each.value: getattr(each, name) for each in made if getattr(each, name) is not None
        }
        unseen = hidden({value: score.n for value, score in scores.items()}, adds_up=adds_up)
        for place, each in enumerate(made):
            if each.value in unseen:
                bare = Figure(n=scores[each.value].n, value=None, low=None, high=None, hidden=unseen[each.value])
                made[place] = msgspec.structs.replace(each, **{name: bare})
    return tuple(made)


def pooled(rated: Sequence[tuple[Csat | Matrix, str]], counts: Counts) -> tuple[Measure | None, int]:
    """Satisfaction over several questions or rows, by people: as many as rated the one that most did; and ratings."""
    spread = [distribution(counts, question, row) for question, row in rated]
    ratings = sum(sum(given.values()) for given in spread)
    people = max((sum(given.values()) for given in spread), default=0)
    satisfied = sum(count for given in spread for number, count in given.items() if number >= measures.SATISFIED)
    found = measures.share(satisfied, ratings, independent=people)
    return (msgspec.structs.replace(found, n=people) if found else None), ratings


def figure(found: Measure | None, *, digits: int = 1) -> Figure:
    """A measure as it is told: rounded, or hidden."""
    if found is None:
        return Figure(n=0, value=None, low=None, high=None, hidden=None)
    if found.n < MINIMUM:
        return Figure(n=found.n, value=None, low=None, high=None, hidden="too_few")
    return Figure(
        n=found.n,
        value=round(found.value, digits),
        low=round(found.low, digits),
        high=round(found.high, digits),
        hidden=None,
    )


def _satisfaction(of: Asked, counts: Counts) -> Figure | None:
    """CSAT by the question that asks for it, else over all that is rated from 1 to 5."""
    if of.csat is not None:
        return figure(measures.csat(distribution(counts, of.csat)))
    return figure(pooled(of.rated, counts)[0]) if of.rated else None


def _scored(
    question: AnyQuestion | None, measure: Callable[[Distribution], Measure | None], counts: Counts
) -> Figure | None:
    return figure(measure(distribution(counts, question))) if question is not None else None


def _first(questions: Sequence[AnyQuestion], kind: type[Q]) -> Q | None:
    return next((question for question in questions if isinstance(question, kind)), None)
