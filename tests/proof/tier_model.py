"""Tiers by the model: a list of terms reached, and what the months bear out of them. Cf. docs/decisions/0004."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.proof.calendar import month_of, month_start
from tests.proof.rules_model import KEEP_MONTHS, LADDER, WINDOW_MONTHS


@dataclass(frozen=True)
class Term:
    """A tier (its place on the ladder) reached at `since` and given until `until`."""

    place: int
    since: int
    until: int


def window(months: dict[int, int], last: int) -> int:
    """Qualifying points of the window of months that ends with `last`."""
    return sum(months.get(last - back, 0) for back in range(WINDOW_MONTHS))


def reached(months: dict[int, int], last: int) -> int:
    """The place of the highest tier that the window pays for."""
    have = window(months, last)
    return [place for place, (_code, needed, _rate) in enumerate(LADDER) if needed <= have or place == 0][-1]


def borne(months: dict[int, int], term: Term, at: int) -> Term | None:
    """The term as its months bear it out: moved to the first month that pays for it, or None where none does."""
    first = month_of(term.since)
    for month in range(first, max(month_of(at), first) + 1):
        if window(months, month) >= LADDER[term.place][1]:
            if month == first:
                return term
            return Term(term.place, month_start(month), month_start(month_of(term.until) + month - first))
    return None


def best(months: dict[int, int], terms: list[Term], at: int) -> Term | None:
    """The highest term that is borne out, over or not; of equals the one that lasts longer."""
    found = [held for term in terms if (held := borne(months, term, at))]
    found.sort(key=lambda term: (-term.place, -term.until))
    return found[0] if found else None


def judged(months: dict[int, int], terms: list[Term], at: int) -> list[Term]:
    """The terms at an instant: those over are renewed by their months or fall, and what is reached now is added."""
    terms = list(terms)
    while (top := best(months, terms, at)) and top.until <= at:
        last_second = top.until - 1
        fitting = range(1, reached(months, month_of(last_second)) + 1)
        terms = with_terms([term for term in terms if term.until > top.until], fitting, last_second)
    terms = [term for term in terms if term.until > at or borne(months, term, at)]
    top = best(months, terms, at)
    above = range((top.place if top else 0) + 1, reached(months, month_of(at)) + 1)
    return with_terms(terms, above, at)


def with_terms(terms: list[Term], places: range, since: int) -> list[Term]:
    """Terms with new ones for these places, which replace those that end no later."""
    until = month_start(month_of(since) + KEEP_MONTHS + 1)
    kept = [term for term in terms if term.place not in places or term.until > until]
    return kept + [Term(place, since, until) for place in places]


def code(months: dict[int, int], terms: list[Term], at: int) -> str:
    """The tier held at an instant."""
    top = best(months, judged(months, terms, at), at)
    return LADDER[top.place if top else 0][0]


def longest(terms: list[Term], others: list[Term]) -> list[Term]:
    """The terms of two accounts made one: of each tier that which lasts longer."""
    kept: dict[int, Term] = {}
    for term in [*terms, *others]:
        if term.place not in kept or kept[term.place].until < term.until:
            kept[term.place] = replace(term)
    return list(kept.values())
