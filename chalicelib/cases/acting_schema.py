"""What causes, corrective actions and what came of them look like at the edge."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.cases.rules.effect import Verdict
from chalicelib.cases.schema import CaseWorkLineOut, Department, Spoken, Words
from chalicelib.program.document.parts import Code


class _In(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    pass


class CauseIn(_In, frozen=True, kw_only=True):
    """What a case is put down to: one of the programme's `cases.causes`."""

    cause: Code
    note: Words = ""


class ActionIn(_In, frozen=True, kw_only=True):
    """What a department does by a day, in the programme's zone, so that the cause does not come again."""

    department: Department
    what: Annotated[str, Meta(max_length=1_000, pattern=r"\S")]
    due_on: date


class ActionDoneIn(_In, frozen=True, kw_only=True):
    """That an action is done, and the first day on which it works; today without it."""

    note: Spoken
    works_on: date | UnsetType = UNSET


class ActionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A corrective action against a cause. `case_id` is the case with which it was planned."""

    id: str
    case_id: str
    cause: str
    department: str
    what: str
    due_on: str
    state: Literal["open", "done"]
    overdue: bool
    planned_by: str
    planned_at: str
    done_by: str | None
    done_at: str | None
    works_on: str | None
    note: str


class ActionMade(msgspec.Struct, frozen=True, kw_only=True):
    """An action and its case."""

    action: ActionOut
    case: CaseWorkLineOut


class ActionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some actions: open ones by the day on which they are due, done ones the latest first."""

    actions: tuple[ActionOut, ...]
    next_cursor: str | None


class FigureOut(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class ComparedOut(msgspec.Struct, frozen=True, kw_only=True):
    """A figure before and after; null where there are too few cases. `verdict` heeds chance, at 95 %."""

    before: FigureOut | None
    after: FigureOut | None
    change: FigureOut | None
    verdict: Verdict


class SideOut(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted in whole months: `cases` of the cause, of so many of which the cause is `known`.

    `rated` is of how many of them the member said how easy it was made (1 to 7), `ces` the mean; null below 30.
    """

    months: tuple[str, ...]
    days: int
    cases: int
    known: int
    all_cases: int
    rated: int
    ces: float | None


class OutcomeOut(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a cause after something was done about it.

    `per_1000` are cases of the cause in 1,000 whose cause is known, `per_30_days` how many there are in 30 days.
    """

    cause: str
    action: ActionOut
    before: SideOut
    after: SideOut
    per_1000: ComparedOut
    per_30_days: ComparedOut


class CountedOut(msgspec.Struct, frozen=True, kw_only=True):
    """How many, and how many in 1,000; null below 30 of those."""

    cases: int
    per_1000: FigureOut | None


class MonthOut(msgspec.Struct, frozen=True, kw_only=True):
    """The cases that were opened in a month, as they are now, without those that became part of others.

    Complaints are counted in 1,000 cases, causes in 1,000 cases of which the cause is known.
    """

    month: str
    cases: int
    kinds: dict[str, int]
    complaints: CountedOut
    complaints_by_dimension: dict[str, CountedOut]
    known_causes: int
    causes: dict[str, CountedOut]
    rated: int
    ces: float | None


class StatisticsOut(msgspec.Struct, frozen=True, kw_only=True):
    """Months, the earliest first."""

    months: tuple[MonthOut, ...]
