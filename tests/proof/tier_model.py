"""Tiers by the model: a list of terms reached, and what the months bear out of them. Cf. docs/decisions/0004."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.proof.calendar import month_of, month_start
from tests.proof.rules_model import CODES, KEEP_MONTHS, WINDOW_MONTHS, Ladder

Months = dict[tuple[int, str], int]
"""What counted, by month and metric."""


@dataclass(frozen=True)
class Term:
    """A tier (its place on the ladder) reached at `since` and given until `until`.

    What it needed lay in the months `opened` to that of `since`. `year` is the month with which a year began that
    counted, -1 where months rolled.
    """

    place: int
    since: int
    until: int
    opened: int
    ladder: Ladder
    year: int


def year_begun(month: int, year: int) -> int:
    """The first month of the year in which a month lies, where years begin with the month `year` (0 for January)."""
    while month % 12 != year:
        month -= 1
    return month


def sum_of(months: Months, metric: str, first: int, last: int) -> int:
    """How much of a metric lies in the months from `first` to `last`."""
    return sum(months.get((month, metric), 0) for month in range(first, last + 1))


def pays(months: Months, ladder: Ladder, place: int, first: int, last: int) -> bool:
    """Whether these months pay for a tier."""
    met = [sum_of(months, metric, first, last) >= needed for metric, needed in ladder.needs(place)]
    return any(met) if ladder.any_of and place else all(met)


def reached(months: Months, ladder: Ladder, first: int, last: int) -> int:
    """The place of the highest tier that these months pay for."""
    return [place for place in range(len(CODES)) if pays(months, ladder, place, first, last)][-1]


def borne(months: Months, term: Term, at: int) -> Term | None:
    """The term as its months bear it out: moved to the first month that pays for it, or None where none does."""
    first = month_of(term.since)
    if pays(months, term.ladder, term.place, term.opened, first):
        return term
    for month in range(first + 1, month_of(at) + 1):
        if term.year < 0:
            opened, until = term.opened + month - first, month_of(term.until) + month - first
        else:
            opened = year_begun(month, term.year)
            until = opened + 24
        if pays(months, term.ladder, term.place, opened, month):
            return replace(term, since=month_start(month), until=month_start(until), opened=opened)
    return None


def best(months: Months, terms: list[Term], at: int) -> Term | None:
    """The highest term that is borne out, over or not; of equals the one that lasts longer."""
    found = [held for term in terms if (held := borne(months, term, at))]
    found.sort(key=lambda term: (-term.place, -term.until))
    return found[0] if found else None


@dataclass(frozen=True)
class Judge:
    """The ladder in force, and the month with which the member's year begins (-1 where months roll)."""

    ladder: Ladder
    year: int

    @classmethod
    def of(cls, ladder: Ladder, enrolled_at: int) -> Judge:
        """Whose year it is, the programme says."""
        if ladder.period == "rolling":
            return cls(ladder, -1)
        return cls(ladder, month_of(enrolled_at) % 12 if ladder.period == "membership_year" else ladder.year_start - 1)

    def judged(self, months: Months, terms: list[Term], at: int) -> list[Term]:
        """The terms at an instant: those over are renewed by their months or fall, and what is reached is added."""
        terms, span = list(terms), WINDOW_MONTHS if self.year < 0 else 12
        while (top := best(months, terms, at)) and top.until <= at:
            last = month_of(top.until - 1)
            until = last + 1 + KEEP_MONTHS if self.year < 0 else year_begun(last + 1, self.year) + 12
            fitting = range(1, reached(months, self.ladder, last - span + 1, last) + 1)
            later = [term for term in terms if term.until > top.until]
            terms = self._with(later, fitting, top.until - 1, month_start(until), last - span + 1)
        terms = [term for term in terms if term.until > at or borne(months, term, at)]
        month = month_of(at)
        if self.year >= 0:
            begun = year_begun(month, self.year)
            last_year = self._above(months, terms, at, begun - 12, begun - 1)
            terms = self._with(terms, last_year, month_start(begun) - 1, month_start(begun + 12), begun - 12)
        opened = month - span + 1 if self.year < 0 else year_begun(month, self.year)
        until = month + KEEP_MONTHS + 1 if self.year < 0 else opened + 24
        above = self._above(months, terms, at, opened, month)
        return self._with(terms, above, at, month_start(until), opened)

    def code(self, months: Months, terms: list[Term], at: int) -> str:
        """The tier held at an instant."""
        top = best(months, self.judged(months, terms, at), at)
        return CODES[top.place if top else 0]

    def _above(self, months: Months, terms: list[Term], at: int, first: int, last: int) -> range:
        top = best(months, terms, at)
        return range((top.place if top else 0) + 1, reached(months, self.ladder, first, last) + 1)

    def _with(self, terms: list[Term], places: range, since: int, until: int, opened: int) -> list[Term]:
        """Terms with new ones for these places, which replace those that end no later."""
        kept = [term for term in terms if term.place not in places or term.until > until]
        return kept + [Term(place, since, until, opened, self.ladder, self.year) for place in places]


def longest(terms: list[Term], others: list[Term]) -> list[Term]:
    """The terms of two accounts made one: of each tier that which lasts longer."""
    kept: dict[int, Term] = {}
    for term in [*terms, *others]:
        if term.place not in kept or kept[term.place].until < term.until:
            kept[term.place] = term
    return list(kept.values())
