"""What is told of answers: figures, tables and what stands beside them, as plain data.

Figures are rounded to tenths (means to hundredths). A figure that is made of too few answers, or would give away one
that is, says so in `hidden` and has no value.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from chalicelib.program.document.cases import Dimension
from chalicelib.program.document.parts import Texts
from chalicelib.surveys.document import Kind
from chalicelib.surveys.rules.crossing import Grouping
from chalicelib.surveys.rules.hiding import Reason

Source: TypeAlias = Literal["live", "nightly"]
Score: TypeAlias = Literal["nps", "csat", "ces", "mean"]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of `n` answers with its 95 % interval: NPS from -100 to 100, CSAT and CES in percent, or a mean."""

    n: int
    value: float | None
    low: float | None
    high: float | None
    hidden: Reason | None


class CountOut(msgspec.Struct, frozen=True, kw_only=True):
    """How many gave a number or chose an option (`value`); `title` is there for an option."""

    value: str
    title: Texts | None
    count: int


class RowResult(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a matrix: the share of 4 and 5 in percent, the mean, and what was given."""

    code: str
    title: Texts
    dimension: Dimension
    csat: Figure
    mean: Figure
    counts: tuple[CountOut, ...]


class QuestionResult(msgspec.Struct, frozen=True, kw_only=True):
    """A question: `answers` have answered it. `score` is its NPS, CSAT, CES or mean, where it has one.

    `counts` is empty for words, for a matrix, which has `rows`, and where too few have answered.
    """

    code: str
    title: Texts
    kind: Literal["nps", "csat", "ces", "scale", "single", "multiple", "matrix", "text"]
    dimension: Dimension
    answers: int
    score_is: Score | None
    score: Figure | None
    mean: Figure | None
    counts: tuple[CountOut, ...]
    rows: tuple[RowResult, ...]


class DimensionResult(msgspec.Struct, frozen=True, kw_only=True):
    """A dimension: satisfaction over all its questions of 1 to 5 and rows, how often it was rated, and texts on it.

    `csat.n` are people, and the interval is for so many; `ratings` are more where one person rates several rows.
    """

    dimension: Dimension
    csat: Figure
    ratings: int
    texts: int


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a table: a month, or a tier, channel, store, segment or language (empty where it is not known)."""

    value: str
    answers: int
    nps: Figure | None
    csat: Figure | None
    ces: Figure | None


class ChangeOut(msgspec.Struct, frozen=True, kw_only=True):
    """From `month` on a score is another one: by `difference`, which lies between `low` and `high`; `p` of the test."""

    score: Literal["nps", "csat", "ces"]
    month: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float


class DriverOut(msgspec.Struct, frozen=True, kw_only=True):
    """How much of what moves NPS is due to a dimension (`share`, percent), and NPS points for a step of five more.

    `score` is the dimension's mean, 0 to 100.
    """

    dimension: Dimension
    score: float
    share: float
    share_low: float
    share_high: float
    effect: float
    effect_low: float
    effect_high: float


class DriversOut(msgspec.Struct, frozen=True, kw_only=True):
    """Which dimensions move NPS, the strongest first; together they explain `explained` percent of its variance."""

    n: int
    explained: float
    drivers: tuple[DriverOut, ...]


class Funnel(msgspec.Struct, frozen=True, kw_only=True):
    """Invitations sent in these months, how many of them were answered until today, and the response rate in percent.

    `answers` are all that came in, with or without an invitation, and `sound` those that are not flagged.
    """

    sent: int
    answered: int
    rate: Figure | None
    answers: int
    sound: int


class Flagged(msgspec.Struct, frozen=True, kw_only=True):
    """Answers that are left out everywhere else: all rows alike, or too fast. An answer may be both."""

    answers: int
    straight_lined: int
    speeding: int
    nps: Figure | None
    csat: Figure | None
    ces: Figure | None


class Groups(msgspec.Struct, frozen=True, kw_only=True):
    """A table by what is known of answers, most answers first; `adds_up` unless one answer may be in several rows."""

    by: Grouping
    adds_up: bool
    cells: tuple[Cell, ...]


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """What the answers of some months say.

    `source` is `live` (every answer until now) or `nightly` (the tables of the night, the oldest of which is of
    `crossed_at`). `months` are those with answers, and `changes` what changed among them. `drivers` and `groups` are
    made at night.
    """

    survey_id: str
    code: str
    kind: Kind
    title: Texts
    first: str
    last: str
    source: Source
    crossed_at: str | None
    answers: int
    nps: Figure | None
    csat: Figure | None
    ces: Figure | None
    funnel: Funnel
    questions: tuple[QuestionResult, ...]
    dimensions: tuple[DimensionResult, ...]
    months: tuple[Cell, ...]
    changes: tuple[ChangeOut, ...]
    drivers: DriversOut | None
    groups: Groups | None
    flagged: Flagged
