"""Answers as files have them: JSON lines, and CSV with a line of titles; pure.

The columns of a CSV file are `key`, `occurred_at`, `channel`, `member_id`, `phone`, `mail`, `version`, `seconds`,
`store`, `locale`, and one for each answer, named by the code of its question; for a row of a matrix `areas.price`, for
the words that go with an option `reason.text`. Several options are separated by `|`. An empty cell is no answer.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from chalicelib.base.errors import Invalid
from chalicelib.surveys.document import AnyQuestion, Definition, FreeText, Matrix, Multiple, Single

_TEXTS: Final = ("key", "occurred_at", "channel", "member_id", "store", "locale")
_NUMBERS: Final = ("version", "seconds")
_IDENTITIES: Final = ("phone", "mail")
_WORDS: Final = "text"


class Line(msgspec.Struct, frozen=True):
    """A row as plain data with its line (from 1), or the fault for which it is none."""

    number: int
    row: dict[str, Any]
    fault: Invalid | None = None


def json_lines(text: str) -> Iterator[Line]:
    """One JSON object a line; blank lines are passed over."""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield Line(number, msgspec.json.decode(line, type=dict[str, Any]))
        except msgspec.DecodeError as error:
            yield Line(number, {}, Invalid(f"The line is no JSON object: {error}.", code="row_invalid"))


def csv_lines(text: str, definition: Definition) -> Iterator[Line]:
    """The rows of a CSV file. Raises Invalid (`import_invalid`) for a column that means nothing or is there twice."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        titles = [title.strip() for title in next(reader, [])]
        _check_titles(titles, definition)
        known = {question.code: question for question in definition.questions}
        begins = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _line(begins, titles, cells, known)
            begins = reader.line_num + 1
    except csv.Error as error:
        # Behind a broken quotation nobody can tell where a row begins.
        detail = f"Line {reader.line_num} is no CSV: {error}."
        raise Invalid(detail, field="csv", code="import_invalid") from error


def _check_titles(titles: Sequence[str], definition: Definition) -> None:
    known = {*_TEXTS, *_NUMBERS, *_IDENTITIES, *_columns(definition)}
    for index, title in enumerate(titles):
        if title not in known or title in titles[:index]:
            detail = f"The column {title[:100]!r} is unknown, or is there twice."
            raise Invalid(detail, field="csv", code="import_invalid")
    missing = {"key", "occurred_at"} - set(titles)
    if missing:
        raise Invalid(f"There is no column {min(missing)}.", field="csv", code="import_invalid")


def _columns(definition: Definition) -> Iterator[str]:
    for question in definition.questions:
        if isinstance(question, Matrix):
            yield from (f"{question.code}.{row.code}" for row in question.rows)
        else:
            yield question.code
        if isinstance(question, Single | Multiple):
            yield f"{question.code}.{_WORDS}"


def _line(number: int, titles: Sequence[str], cells: Sequence[str], known: dict[str, AnyQuestion]) -> Line:
    if len(cells) != len(titles):
        detail = f"The row has {len(cells)} cells, and there are {len(titles)} columns."
        return Line(number, {}, Invalid(detail, code="row_invalid"))
    row: dict[str, Any] = {"answers": {}}
    try:
        for title, cell in zip(titles, cells, strict=True):
            if cell.strip():
                _put(row, title, cell.strip(), known)
    except Invalid as fault:
        return Line(number, row, fault)
    return Line(number, row)


def _put(row: dict[str, Any], title: str, cell: str, known: dict[str, AnyQuestion]) -> None:
    """Put a cell where it belongs in its row."""
    if title in _IDENTITIES:
        row.setdefault("identity", {})[title] = cell
        return
    code, _dot, part = title.partition(".")
    question = known.get(code)
    if question is None or (title in {*_TEXTS, *_NUMBERS}):
        row[title] = _number(cell, title) if title in _NUMBERS else cell
        return
    answer = row["answers"].setdefault(code, {})
    match question:
        case FreeText():
            answer["text"] = cell
        case Matrix():
            answer.setdefault("rows", {})[part] = _number(cell, title)
        case Single() | Multiple():
            if part == _WORDS:
                answer["text"] = cell
            else:
                answer["options"] = [option.strip() for option in cell.split("|")]
        case _:
            answer["number"] = _number(cell, title)


def _number(cell: str, title: str) -> int:
    if not (cell.isascii() and cell.isdecimal() and len(cell) < _DIGITS_MAX):
        raise Invalid(f"{title} is a whole number, not {cell[:20]!r}.", field=title, code="row_invalid")
    return int(cell)


_DIGITS_MAX: Final = 10
