"""Reading what a survey's answers say: of all answers until now, or from the tables of the night."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from chalicelib.base import clock
from chalicelib.base.errors import Conflict, Invalid
from chalicelib.program import service as programs
from chalicelib.surveys import defining, inviting, tallies
from chalicelib.surveys.defining import Survey
from chalicelib.surveys.document import AnyQuestion
from chalicelib.surveys.result_table import ChunkItem, CrossedItem, chunks_key, read_all_crossed, read_crossed
from chalicelib.surveys.rules import assembling
from chalicelib.surveys.rules.assembling import Material, MonthCounts
from chalicelib.surveys.rules.counting import INVITED
from chalicelib.surveys.rules.crossing import FLAGGED, SOUND, Cells, Grouping, Tables, unpacked
from chalicelib.surveys.rules.figures import Groups, Results, Source

MONTHS_MAX: Final = 36
"""So many months one answer is about at the most."""

MONTHS: Final = 12
"""So many it is about unless somebody says otherwise, the present one the last."""

_ANSWERED_MONTHS: Final = 12
_VERSIONS_MAX: Final = 20
_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


class TablesChanging(Conflict):
    """The tables were replaced while they were read."""

    code = "tables_changing"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which results are asked for: months from `first` to `last` such as `2026-11`, empty for the last twelve.

    Tables `by` something are only made at night.
    """

    first: str = ""
    last: str = ""
    source: Source = "live"
    by: Grouping | None = None


def read(survey_id: str, wanted: Wanted, *, now: int) -> Results:
    """What the answers of some months say. Raises SurveyNotFound, Invalid (`query_invalid`) and TablesChanging."""
    if wanted.by and wanted.source == "live":
        raise Invalid("Tables are made at night: ask for source=nightly.", field="source", code="query_invalid")
    material, crossed = _material(survey_id, wanted, now)
    if wanted.by:
        material = msgspec.structs.replace(material, by=wanted.by, groups=_cells(survey_id, crossed, wanted.by))
    return assembling.results(material)


def read_all(survey_id: str, wanted: Wanted, by: Iterable[Grouping], *, now: int) -> tuple[Results, list[Groups]]:
    """The same with several tables of the night. Raises as `read` does."""
    material, crossed = _material(survey_id, wanted, now)
    groups = [assembling.grouped(material.questions, each, _cells(survey_id, crossed, each)) for each in by]
    return assembling.results(material), groups


def _material(survey_id: str, wanted: Wanted, now: int) -> tuple[Material, list[CrossedItem]]:
    """What results are made of, and the months that the night has made tables of."""
    survey = defining.read(survey_id, now=now)
    present = _present(now)
    months = months_of(wanted, present)
    later = _months(months[-1] + 1, min(present, months[-1] + _ANSWERED_MONTHS))
    asked = [clock.month_text(month) for month in months]
    if wanted.source == "live":
        crossed: list[CrossedItem] = []
        found = _live(survey_id, [*asked, *later])
    else:
        crossed = read_all_crossed(survey_id, asked[0], later[-1] if later else asked[-1])
        found = {str(item.part): _counts(item) for item in crossed if item.run}
    mine = [item for item in crossed if item.run and str(item.part) in asked]
    material = Material(
        survey_id=survey_id,
        definition=survey.definition,
        questions=questions_of(survey),
        first=asked[0],
        last=asked[-1],
        source=wanted.source,
        crossed_at=min((item.crossed_at for item in mine if item.crossed_at), default=None),
        months={month: counts for month, counts in found.items() if month in asked},
        sent=sum(inviting.sent_counts(survey_id, asked).values()),
        responded=_responded(found.values(), asked),
    )
    return material, mine


def months_asked(wanted: Wanted, *, now: int) -> range:
    """The months asked for, counted as year x 12 + month - 1. Raises Invalid (`query_invalid`)."""
    return months_of(wanted, _present(now))


def months_of(wanted: Wanted, present: int) -> range:
    """The months asked for, where `present` is this month. Raises Invalid (`query_invalid`)."""
    last = _number(wanted.last, "to") if wanted.last else present
    first = _number(wanted.first, "from") if wanted.first else last - MONTHS + 1
    if not 0 <= last - first < MONTHS_MAX:
        raise Invalid(f"Ask for 1 to {MONTHS_MAX} months, the first one first.", field="from", code="query_invalid")
    return range(first, last + 1)


def questions_of(survey: Survey) -> tuple[AnyQuestion, ...]:
    """The questions of all versions that may have been answered; where several have one, it is as in the newest."""
    found = {question.code: question for question in survey.definition.questions}
    oldest = max(survey.opened or survey.number, survey.number - _VERSIONS_MAX + 1)
    for number in range(survey.number - 1, oldest - 1, -1):
        for question in defining.version(survey.survey_id, number).questions:
            found.setdefault(question.code, question)
    return tuple(found.values())


def _present(now: int) -> int:
    return clock.month_of(now, programs.in_force(now, now=now).program.zone)


def _number(text: str, field: str) -> int:
    match = _MONTH.fullmatch(text)
    if match:
        return int(match[1]) * 12 + int(match[2]) - 1
    raise Invalid("A month looks like 2026-11.", field=field, code="query_invalid")


def _months(first: int, last: int) -> list[str]:
    return [clock.month_text(month) for month in range(first, last + 1)]


def _live(survey_id: str, months: Sequence[str]) -> dict[str, MonthCounts]:
    read = tallies.read(survey_id, months)
    return {month: MonthCounts(totals.sound, totals.flagged) for month, totals in read.items()}


def _counts(item: CrossedItem) -> MonthCounts:
    cells = unpacked(item.all)
    return MonthCounts(cells.get(SOUND, {}), cells.get(FLAGGED, {}))


def _responded(months: Iterable[MonthCounts], asked: Sequence[str]) -> int:
    """How many invitations that were sent in these months were answered, whenever that was."""
    return sum(
        counts.get(f"{INVITED}{month}", 0)
        for found in months
        for counts in (found.sound, found.flagged)
        for month in asked
    )


def _cells(survey_id: str, crossed: Iterable[CrossedItem], by: Grouping) -> Cells:
    """The cells of a table over some months."""
    tables = Tables()
    for item in crossed:
        for cells in _chunks(survey_id, item, by):
            tables.merge(by, cells)
    return tables.cells.get(by, {})


def _chunks(survey_id: str, item: CrossedItem, by: Grouping) -> Iterator[dict[str, dict[str, int]]]:
    """The chunks of a month's table. Raises TablesChanging if the night has replaced them since the item was read."""
    month = str(item.part)
    part = f"{item.run}#{by}#"
    chunks = list(ChunkItem.query(chunks_key(survey_id, month), ChunkItem.part.startswith(part)))
    if not chunks and _counts(item).sound:
        newer = read_crossed(survey_id, month)
        if newer is None or newer.run != item.run:
            raise TablesChanging("The tables are just being replaced. Send the same request again.")
    for chunk in chunks:
        yield unpacked(chunk.cells)
