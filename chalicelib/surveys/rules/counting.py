"""Which counters an answer adds one to, and what they say together: pure.

A counter is named after its question's code: `nps:9` is a number that was given, `why:price` an option that was chosen,
`rating:staff:4` a row of a matrix. Where what was given does not add up to how many answered, because several may be
chosen or because words cannot be counted, `why#` counts who answered at all. `#n` counts the answers to the survey,
`#channel:app` those that came this way, and `#invited:2026-11` those to an invitation that was sent in that month. The
live totals and the tables of the night use the same names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from chalicelib.surveys.document import (
    Answer,
    Answers,
    AnyQuestion,
    Ces,
    Csat,
    Definition,
    FreeText,
    Matrix,
    Multiple,
    Nps,
    Scale,
    Single,
)
from chalicelib.surveys.rules.context import Context

ANSWERS: Final = "#n"
INVITED: Final = "#invited:"

LIVE_COUNTERS: Final = 300
"""So many counters stand in one item at the most: an answer may add to all of them, by one expression of 4 KB."""

LIVE_BYTES: Final = 8_000
"""So much their names and numbers take at the most, so that an item stays below 10 KB."""

# A number of up to 12 digits, and what DynamoDB adds to it.
_NUMBER_BYTES: Final = 8
# The answers to the survey, its channels, its flags, and the months of the year in which its invitations were sent.
_ITEM_COUNTERS: Final = 24
_ITEM_BYTES: Final = 800
_MATRIX: Final = range(1, 6)

# What a survey is for comes first, where not everything can be counted at once.
_FIRST: Final = (Nps, Csat, Ces)


def values(question: AnyQuestion) -> range:
    """The numbers that may be given to a question, those of each row for a matrix; empty for options and words."""
    match question:
        case Nps():
            return range(11)
        case Csat() | Matrix():
            return _MATRIX
        case Ces():
            return range(1, 8)
        case Scale():
            return range(question.lowest, question.highest + 1)
        case _:
            return range(0)


def names(question: AnyQuestion) -> Iterator[str]:
    """All counters that a question may ever have."""
    match question:
        case Matrix():
            yield from (f"{question.code}:{row.code}:{value}" for row in question.rows for value in _MATRIX)
        case Single():
            yield from (f"{question.code}:{option.code}" for option in question.options)
        case Multiple():
            yield answered(question)
            yield from (f"{question.code}:{option.code}" for option in question.options)
        case FreeText():
            yield answered(question)
        case _:
            yield from (f"{question.code}:{value}" for value in values(question))


def answered(question: AnyQuestion) -> str:
    """The counter of those who answered a question of several options, or in words."""
    return f"{question.code}#"


def live(definition: Definition) -> frozenset[str]:
    """The codes of the questions that are counted with each answer; the others are only counted at night.

    All of them but in the longest surveys. There NPS, CSAT and CES come first, then the others in their order.
    """
    counters, size, found = _ITEM_COUNTERS, _ITEM_BYTES, set()
    for question in sorted(definition.questions, key=lambda question: not isinstance(question, _FIRST)):
        own = [len(name) + _NUMBER_BYTES for name in names(question)]
        if counters + len(own) <= LIVE_COUNTERS and size + sum(own) <= LIVE_BYTES:
            counters, size = counters + len(own), size + sum(own)
            found.add(question.code)
    return frozenset(found)


def added(definition: Definition, answers: Answers, context: Context) -> Iterator[str]:
    """The counters that an answer to the survey adds one to, each once.

    What the definition does not know adds to nothing, so that there are never more counters than it has.
    """
    yield ANSWERS
    yield f"#channel:{context.channel}"
    yield from (f"#{flag}" for flag in context.flags)
    if context.invited:
        yield f"{INVITED}{context.invited}"
    for question in definition.questions:
        answer = answers.get(question.code)
        if answer is not None:
            known = frozenset(names(question))
            yield from (name for name in dict.fromkeys(_added(question, answer)) if name in known)


def _added(question: AnyQuestion, answer: Answer) -> Iterator[str]:
    match question:
        case Matrix():
            yield from (f"{question.code}:{row}:{value}" for row, value in (answer.rows or {}).items())
        case Single():
            yield from (f"{question.code}:{option}" for option in answer.options)
        case Multiple():
            if answer.options:
                yield answered(question)
            yield from (f"{question.code}:{option}" for option in answer.options)
        case FreeText():
            if answer.text and answer.text.strip():
                yield answered(question)
        case _:
            if answer.number is not None:
                yield f"{question.code}:{answer.number}"


def distribution(counts: Mapping[str, int], question: AnyQuestion, row: str = "") -> dict[int, int]:
    """How often each number was given to a question, or to a row of a matrix; all its numbers are there."""
    stem = f"{question.code}:{row}:" if row else f"{question.code}:"
    return {value: counts.get(f"{stem}{value}", 0) for value in values(question)}
