"""Everything that is told of a survey's answers, from the counters of its months: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from chalicelib.surveys.document import (
    AnyQuestion,
    Ces,
    Csat,
    Definition,
    FreeText,
    Matrix,
    Multiple,
    Nps,
    Option,
    Scale,
    Single,
)
from chalicelib.surveys.rules import drivers, measures, trends
from chalicelib.surveys.rules.counting import ANSWERS, answered, distribution
from chalicelib.surveys.rules.crossing import Grouping
from chalicelib.surveys.rules.drivers import DIMENSIONS
from chalicelib.surveys.rules.figures import (
    ChangeOut,
    CountOut,
    DimensionResult,
    DriverOut,
    DriversOut,
    Flagged,
    Funnel,
    Groups,
    QuestionResult,
    Results,
    RowResult,
    Score,
    Source,
)
from chalicelib.surveys.rules.measures import MINIMUM, Distribution, Measure
from chalicelib.surveys.rules.scoring import Asked, Counts, asked, cell, figure, pooled, table
from chalicelib.surveys.rules.trends import Point

_KINDS: Final[dict[type, Literal["nps", "csat", "ces", "scale", "single", "multiple", "matrix", "text"]]] = {
    Nps: "nps",
    Csat: "csat",
    Ces: "ces",
    Scale: "scale",
    Single: "single",
    Multiple: "multiple",
    Matrix: "matrix",
    FreeText: "text",
}
_SCORES: Final[dict[type, tuple[Score, Callable[[Distribution], Measure | None]]]] = {
    Nps: ("nps", measures.nps),
    Csat: ("csat", measures.csat),
    Ces: ("ces", measures.ces),
    Scale: ("mean", measures.mean),
}


class MonthCounts(msgspec.Struct, frozen=True):
    """The counters of a month: of the answers that count, and of those that are flagged."""

    sound: Counts
    flagged: Counts


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """What results are made of.

    `questions` are those of all versions that may have been answered. `months` has the counters of each month that is
    asked for and has any, `sent` the invitations sent in them, and `responded` how many of those were answered.
    `groups` are the cells of a table over all these months.
    """

    survey_id: str
    definition: Definition
    questions: Sequence[AnyQuestion]
    first: str
    last: str
    source: Source
    crossed_at: str | None
    months: Mapping[str, MonthCounts]
    sent: int
    responded: int
    by: Grouping | None = None
    groups: Mapping[str, Counts] = {}


def results(material: Material) -> Results:
    """Everything that is told of these months."""
    of = asked(material.questions)
    sound = _together(month.sound for month in material.months.values())
    flagged = _together(month.flagged for month in material.months.values())
    whole = cell(of, "", sound)
    months = {month: counts.sound for month, counts in sorted(material.months.items()) if counts.sound.get(ANSWERS)}
    return Results(
        survey_id=material.survey_id,
        code=material.definition.code,
        kind=material.definition.kind,
        title=material.definition.title,
        first=material.first,
        last=material.last,
        source=material.source,
        crossed_at=material.crossed_at,
        answers=whole.answers,
        nps=whole.nps,
        csat=whole.csat,
        ces=whole.ces,
        funnel=_funnel(material, sound, flagged),
        questions=tuple(question_result(question, sound) for question in material.questions),
        dimensions=tuple(_dimensions(material.questions, of, sound)),
        months=table([cell(of, month, counts) for month, counts in months.items()], adds_up=True),
        changes=tuple(_changes(of, months)),
        drivers=_drivers(sound),
        groups=grouped(material.questions, material.by, material.groups) if material.by else None,
        flagged=_flagged(of, flagged),
    )


def question_result(question: AnyQuestion, counts: Counts) -> QuestionResult:
    """One question, or what may be told of it."""
    kind, spread = _KINDS[type(question)], distribution(counts, question)
    score_is, measure = _SCORES.get(type(question), (None, measures.mean))
    people = _people(question, counts)
    is_number = bool(spread) and not isinstance(question, Matrix)
    return QuestionResult(
        code=question.code,
        title=question.title,
        kind=kind,
        dimension=question.dimension,
        answers=people,
        score_is=score_is,
        score=figure(measure(spread), digits=2 if score_is == "mean" else 1) if score_is else None,
        mean=figure(measures.mean(spread), digits=2) if is_number else None,
        counts=tuple(_counts(question, counts)) if people >= MINIMUM else (),
        rows=tuple(_rows(question, counts)) if isinstance(question, Matrix) else (),
    )


def grouped(questions: Sequence[AnyQuestion], by: Grouping, cells: Mapping[str, Counts]) -> Groups:
    """One table, from its cells over some months."""
    of = asked(questions)
    adds_up = by != "segment"
    made = sorted(
        (cell(of, value, counts) for value, counts in cells.items()), key=lambda each: (-each.answers, each.value)
    )
    return Groups(by=by, adds_up=adds_up, cells=table(made, adds_up=adds_up))


def _people(question: AnyQuestion, counts: Counts) -> int:
    """How many have answered a question."""
    match question:
        case Matrix():
            return max(sum(distribution(counts, question, row.code).values()) for row in question.rows)
        case Single():
            return sum(counts.get(f"{question.code}:{option.code}", 0) for option in question.options)
        case Multiple() | FreeText():
            return counts.get(answered(question), 0)
        case _:
            return sum(distribution(counts, question).values())


def _counts(question: AnyQuestion, counts: Counts) -> Iterator[CountOut]:
    options: Sequence[Option] = question.options if isinstance(question, Single | Multiple) else ()
    for option in options:
        yield CountOut(value=option.code, title=option.title, count=counts.get(f"{question.code}:{option.code}", 0))
    if not isinstance(question, Matrix):
        yield from _numbers(distribution(counts, question))


def _numbers(spread: Distribution) -> Iterator[CountOut]:
    for number, count in spread.items():
        yield CountOut(value=str(number), title=None, count=count)


def _rows(question: Matrix, counts: Counts) -> Iterator[RowResult]:
    for row in question.rows:
        spread = distribution(counts, question, row.code)
        yield RowResult(
            code=row.code,
            title=row.title,
            dimension=row.dimension,
            csat=figure(measures.csat(spread)),
            mean=figure(measures.mean(spread), digits=2),
            counts=tuple(_numbers(spread)) if sum(spread.values()) >= MINIMUM else (),
        )


def _dimensions(questions: Sequence[AnyQuestion], of: Asked, counts: Counts) -> Iterator[DimensionResult]:
    for dimension in DIMENSIONS:
        rated = [(question, row) for question, row in of.rated if _dimension(question, row) == dimension]
        texts = [
            question for question in questions if isinstance(question, FreeText) and question.dimension == dimension
        ]
        if rated or texts:
            found, ratings = pooled(rated, counts)
            yield DimensionResult(
                dimension=dimension,
                csat=figure(found),
                ratings=ratings,
                texts=sum(_people(question, counts) for question in texts),
            )


def _dimension(question: Csat | Matrix, row: str) -> str:
    if isinstance(question, Matrix):
        return next(found.dimension for found in question.rows if found.code == row)
    return question.dimension


def _changes(of: Asked, months: Mapping[str, Counts]) -> Iterator[ChangeOut]:
    looked_at: tuple[tuple[Literal["nps", "csat", "ces"], AnyQuestion | None, Callable[..., Point]], ...] = (
        ("nps", of.nps, trends.of_nps),
        ("csat", of.csat, trends.of_csat),
        ("ces", of.ces, trends.of_ces),
    )
    for score, question, point in looked_at:
        if question is None:
            continue
        for change in trends.changes(
            [point(month, distribution(counts, question)) for month, counts in months.items()]
        ):
            yield ChangeOut(
                score=score,
                month=change.month,
                before=round(change.before, 1),
                after=round(change.after, 1),
                difference=round(change.difference, 1),
                low=round(change.low, 1),
                high=round(change.high, 1),
                p=float(f"{change.p:.2g}"),
            )


def _drivers(counts: Counts) -> DriversOut | None:
    found = drivers.found(counts)
    if found is None:
        return None
    told = (
        DriverOut(
            dimension=driver.dimension,
            **{name: round(value, 1) for name, value in msgspec.structs.asdict(driver).items() if name != "dimension"},
        )
        for driver in found.drivers
    )
    return DriversOut(n=found.n, explained=round(found.explained, 1), drivers=tuple(told))


def _funnel(material: Material, sound: Counts, flagged: Counts) -> Funnel:
    sent, responded = material.sent, min(material.responded, material.sent)
    return Funnel(
        sent=sent,
        answered=responded,
        rate=figure(measures.share(responded, sent)) if sent else None,
        answers=sound.get(ANSWERS, 0) + flagged.get(ANSWERS, 0),
        sound=sound.get(ANSWERS, 0),
    )


def _flagged(of: Asked, counts: Counts) -> Flagged:
    found = cell(of, "", counts)
    return Flagged(
        answers=found.answers,
        straight_lined=counts.get("#straight_lined", 0),
        speeding=counts.get("#speeding", 0),
        nps=found.nps,
        csat=found.csat,
        ces=found.ces,
    )


def _together(parts: Iterator[Counts]) -> Counter[str]:
    whole: Counter[str] = Counter()
    for part in parts:
        for name, count in part.items():
            whole[name] += count
    return whole
