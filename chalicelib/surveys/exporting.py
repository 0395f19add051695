"""Answers and results as CSV for spreadsheets, in which nothing that people wrote can run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from chalicelib.program.document.parts import localise
from chalicelib.surveys import answers as listing
from chalicelib.surveys.answers import Given, Place
from chalicelib.surveys.document import Answer, AnyQuestion, FreeText, Matrix, Multiple, Single
from chalicelib.surveys.rules.figures import Cell, Figure, QuestionResult, Results
from chalicelib.surveys.rules.spreadsheet import BOM, Value, lines

ANSWERS_MAX: Final = 500
"""So many answers are exported at once."""

CSV_BYTES: Final = 3_000_000
"""So long a page of them is at the most, more or less: an answer of the API is 6 MB."""

_FIXED: Final = ("response_id", "answered_at", "channel", "tier", "segments", "store", "language", "seconds", "flags")
_PERSONAL: Final = ("member_id", "order_id", "case_id")
_RESULTS: Final = ("table", "row", "question", "part", "title", "measure", "answers", "value", "low", "high", "hidden")


class Export(msgspec.Struct, frozen=True):
    """A page of CSV, how many answers it has, and the place after which there are more."""

    csv: str
    answers: int
    after: Place | None


def answers(
    survey_id: str, questions: Sequence[AnyQuestion], months: range, *, after: Place | None, personal: bool
) -> Export:
    """Some answers, newest first, a line each; the first page begins with a line of titles.

    Pages put one behind the other are one file. A question has a column, and so has each row of a matrix. Without
    `personal` there are neither words nor who wrote them.
    """
    found = listing.page(survey_id, months, after=after, limit=ANSWERS_MAX, personal=personal)
    columns = [column for question in questions for column in _columns(question, personal=personal)]
    titles = [*_FIXED, *(_PERSONAL if personal else ()), *(column.title for column in columns)]
    parts, size, place = ["" if after else BOM + lines([titles])], 0, found.after
    for count, given in enumerate(found.answers):
        line = lines([_line(given, columns, personal=personal)])
        size += len(line.encode())
        if size > CSV_BYTES and count:
            place = found.answers[count - 1].place
            break
        parts.append(line)
    return Export("".join(parts), len(parts) - 1, place)


def results(told: Results, locale: str) -> str:
    """All tables of the results, one line a figure; titles in one of the languages."""
    return BOM + lines([_RESULTS, *_rows(told, locale)])


class _Column(msgspec.Struct, frozen=True):
    """A column of the answers: of a question, or of one row of a matrix."""

    title: str
    question: str
    row: str = ""
    is_text: bool = False


def _columns(question: AnyQuestion, *, personal: bool) -> Iterator[_Column]:
    match question:
        case Matrix():
            yield from (_Column(f"{question.code}.{row.code}", question.code, row.code) for row in question.rows)
        case FreeText():
            if personal:
                yield _Column(question.code, question.code, is_text=True)
        case _:
            yield _Column(question.code, question.code)
            if (
                personal
                and isinstance(question, Single | Multiple)
                and any(each.open_text for each in question.options)
            ):
                yield _Column(f"{question.code}.text", question.code, is_text=True)


def _line(given: Given, columns: Sequence[_Column], *, personal: bool) -> Iterator[Value]:
    context = given.context
    yield from (given.response_id, given.answered_at, context.channel, context.tier, " ".join(context.segments))
    yield from (context.store, context.locale, context.seconds or None, " ".join(context.flags))
    if personal:
        yield from (given.member_id, context.order_id, context.case_id)
    for column in columns:
        yield _value(given.answers.get(column.question, Answer()), column)


def _value(answer: Answer, column: _Column) -> Value:
    if column.row:
        return (answer.rows or {}).get(column.row)
    if column.is_text:
        return answer.text
    return answer.number if answer.number is not None else " ".join(answer.options) or None


def _rows(told: Results, locale: str) -> Iterator[Sequence[Value]]:
    for name in ("nps", "csat", "ces"):
        yield from _figure("all", "", "", "", name, getattr(told, name))
        yield from _figure("flagged", "", "", "", name, getattr(told.flagged, name))
    yield from _figure("response_rate", "", "", "", "share", told.funnel.rate)
    for question in told.questions:
        yield from _question(question, locale)
    for dimension in told.dimensions:
        yield from _figure("dimension", dimension.dimension, "", "", "csat", dimension.csat)
    yield from _cells("month", told.months)
    for change in told.changes:
        figures = (None, change.difference, change.low, change.high, None)
        yield ("change", change.month, "", "", "", change.score, *figures)
    for driver in told.drivers.drivers if told.drivers else ():
        n = told.drivers.n if told.drivers else 0
        share, effect = (
            (getattr(driver, f"{name}{end}") for end in ("", "_low", "_high")) for name in ("share", "effect")
        )
        yield ("driver", driver.dimension, "", "", "", "share", n, *share, None)
        yield ("driver", driver.dimension, "", "", "", "effect", n, *effect, None)
    if told.groups:
        yield from _cells(told.groups.by, told.groups.cells)


def _question(question: QuestionResult, locale: str) -> Iterator[Sequence[Value]]:
    title = localise(question.title, locale)
    yield ("question", "", question.code, "", title, "answers", question.answers, None, None, None, None)
    if question.score_is and question.score_is != "mean":
        yield from _figure("question", "", question.code, title, question.score_is, question.score)
    yield from _figure("question", "", question.code, title, "mean", question.mean)
    for count in question.counts:
        named = localise(count.title, locale) if count.title else ""
        yield ("question", "", question.code, count.value, named, "count", count.count, None, None, None, None)
    for row in question.rows:
        named = localise(row.title, locale)
        yield from _figure("question", "", question.code, named, "csat", row.csat, part=row.code)
        yield from _figure("question", "", question.code, named, "mean", row.mean, part=row.code)
        for count in row.counts:
            part = f"{row.code}={count.value}"
            yield ("question", "", question.code, part, named, "count", count.count, None, None, None, None)


def _cells(table: str, cells: Sequence[Cell]) -> Iterator[Sequence[Value]]:
    for cell in cells:
        yield (table, cell.value, "", "", "", "answers", cell.answers, None, None, None, None)
        for name in ("nps", "csat", "ces"):
            yield from _figure(table, cell.value, "", "", name, getattr(cell, name))


def _figure(  # noqa: PLR0917 -- the columns in their order
    table: str, row: str, question: str, title: str, measure: str, figure: Figure | None, *, part: str = ""
) -> Iterator[Sequence[Value]]:
    if figure is not None and figure.n:
        ends = (figure.value, figure.low, figure.high, figure.hidden)
        yield (table, row, question, part, title, measure, figure.n, *ends)
