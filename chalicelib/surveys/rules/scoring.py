"""From counters to figures: the scores of a cell, hidden where they must be: pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from chalicelib.surveys.document import AnyQuestion, Ces, Csat, Matrix, Nps
from chalicelib.surveys.rules import measures
from chalicelib.surveys.rules.counting import ANSWERS, distribution
from chalicelib.surveys.rules.figures import Cell, Figure
from chalicelib.surveys.rules.hiding import Reason
from chalicelib.surveys.rules.measures import MINIMUM, Distribution, Measure

Counts = Mapping[str, int]
Q = TypeVar("Q")


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


def cell(of: Asked, value: str, counts: Counts, reason: Reason | None = None) -> Cell:
    """The scores of some answers; `reason` says why they are hidden though there may be enough of them."""
    return Cell(
        value=value,
        answers=counts.get(ANSWERS, 0),
        nps=_scored(of.nps, measures.nps, counts, reason),
        csat=_satisfaction(of, counts, reason),
        ces=_scored(of.ces, measures.ces, counts, reason),
    )


def pooled(rated: Sequence[tuple[Csat | Matrix, str]], counts: Counts) -> tuple[Measure | None, int]:
    """Satisfaction over several questions or rows, by people: as many as rated the one that most did; and ratings."""
    spread = [distribution(counts, question, row) for question, row in rated]
    ratings = sum(sum(given.values()) for given in spread)
    people = max((sum(given.values()) for given in spread), default=0)
    satisfied = sum(count for given in spread for number, count in given.items() if number >= measures.SATISFIED)
    found = measures.share(satisfied, ratings, independent=people)
    return (msgspec.structs.replace(found, n=people) if found else None), ratings


def figure(found: Measure | None, *, digits: int = 1, reason: Reason | None = None) -> Figure:
    """A measure as it is told: rounded, or hidden."""
    if found is None:
        return Figure(n=0, value=None, low=None, high=None, hidden=None)
    if found.n < MINIMUM:
        reason = "too_few"
    if reason:
        return Figure(n=found.n, value=None, low=None, high=None, hidden=reason)
    return Figure(
        n=found.n,
        value=round(found.value, digits),
        low=round(found.low, digits),
        high=round(found.high, digits),
        hidden=None,
    )


def _satisfaction(of: Asked, counts: Counts, reason: Reason | None) -> Figure | None:
    """CSAT by the question that asks for it, else over all that is rated from 1 to 5."""
    if of.csat is not None:
        return figure(measures.csat(distribution(counts, of.csat)), reason=reason)
    return figure(pooled(of.rated, counts)[0], reason=reason) if of.rated else None


def _scored(
    question: AnyQuestion | None,
    measure: Callable[[Distribution], Measure | None],
    counts: Counts,
    reason: Reason | None,
) -> Figure | None:
    return figure(measure(distribution(counts, question)), reason=reason) if question is not None else None


def _first(questions: Sequence[AnyQuestion], kind: type[Q]) -> Q | None:
    return next((question for question in questions if isinstance(question, kind)), None)
