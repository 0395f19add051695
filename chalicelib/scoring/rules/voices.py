"""What the answers to all surveys together say, from how often what was answered: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from chalicelib.scoring.rules.kpis import Estimate
from chalicelib.surveys.document import AnyQuestion, Csat, Matrix
from chalicelib.surveys.rules import measures
from chalicelib.surveys.rules.counting import distribution
from chalicelib.surveys.rules.measures import MINIMUM, Distribution, Measure
from chalicelib.surveys.rules.scoring import asked

DIMENSIONS: Final = ("product", "service", "price", "after_sales")


class Rated(msgspec.Struct, frozen=True):
    """How many `ratings` were satisfied ones, and how many `people` gave them: one may rate several things."""

    satisfied: int = 0
    ratings: int = 0
    people: int = 0

    def plus(self, other: Rated) -> Rated:
        """Both together."""
        return Rated(self.satisfied + other.satisfied, self.ratings + other.ratings, self.people + other.people)

    def estimate(self) -> Estimate | None:
        """The share of the satisfied (0 to 1) with its interval; None below 30 people."""
        return _estimate(measures.share(self.satisfied, self.ratings, independent=self.people), self.people, 100.0)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered: how often each number to NPS, and the ratings of CSAT, CES, and each of `DIMENSIONS`."""

    nps: dict[int, int] = {}
    csat: Rated = Rated()
    ces: Rated = Rated()
    dimensions: dict[str, Rated] = {}

    def plus(self, other: Said) -> Said:
        """Both together."""
        return Said(
            nps={number: self.nps.get(number, 0) + other.nps.get(number, 0) for number in {*self.nps, *other.nps}},
            csat=self.csat.plus(other.csat),
            ces=self.ces.plus(other.ces),
            dimensions={
                name: self.dimensions.get(name, Rated()).plus(other.dimensions.get(name, Rated()))
                for name in DIMENSIONS
                if name in self.dimensions or name in other.dimensions
            },
        )

    def net_promoters(self) -> Estimate | None:
        """The net promoter score (-100 to 100) with its interval; None below 30 answers."""
        return _estimate(measures.nps(self.nps), sum(self.nps.values()), 1.0)


def said(questions: Sequence[AnyQuestion], counts: Mapping[str, int]) -> Said:
    """What the counts of a survey's answers say, by the questions that its own scores are made of."""
    of = asked(questions)
    csat = [(of.csat, "")] if of.csat is not None else list(of.rated)
    return Said(
        nps=distribution(counts, of.nps) if of.nps is not None else {},
        csat=_rated([distribution(counts, question, row) for question, row in csat], measures.SATISFIED),
        ces=_rated([distribution(counts, of.ces)] if of.ces is not None else [], measures.EASY),
        dimensions={
            name: _rated(given, measures.SATISFIED)
            for name in DIMENSIONS
            if (given := [distribution(counts, *pair) for pair in of.rated if _dimension(*pair) == name])
        },
    )


def _rated(given: Sequence[Distribution], least: int) -> Rated:
    return Rated(
        sum(count for spread in given for number, count in spread.items() if number >= least),
        sum(sum(spread.values()) for spread in given),
        max((sum(spread.values()) for spread in given), default=0),
    )


def _dimension(question: Csat | Matrix, row: str) -> str:
    if isinstance(question, Matrix):
        return next(found.dimension for found in question.rows if found.code == row)
    return question.dimension


def _estimate(found: Measure | None, people: int, unit: float) -> Estimate | None:
    if found is None or people < MINIMUM:
        return None
    return Estimate(found.value / unit, found.low / unit, found.high / unit, people)
