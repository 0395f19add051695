"""When a case is due, and when somebody must be told: by the hours of its service level, day and night alike."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from chalicelib.cases.rules.case import Alerted, Case, DeadlineName
from chalicelib.program.document.cases import CasePolicy, Dimension, Severity

HOUR_S: Final = 3_600

REMINDERS_MAX: Final = 30
"""How often somebody is reminded of a deadline: who has not listened by then will not listen to one more."""


class Deadlines(msgspec.Struct, frozen=True):
    """By when a case is given to somebody, and by when it is resolved."""

    assign_by: int
    resolve_by: int


class Alert(msgspec.Struct, frozen=True):
    """Somebody is to be told that a deadline is near, has passed, or that nothing was done since (the n-th time)."""

    name: DeadlineName
    due_at: int
    level: Literal["near", "breach", "reminder"]
    number: int = 0


def deadlines(policy: CasePolicy, severity: Severity, clock_at: int) -> Deadlines:
    """The deadlines of a case whose clock began at `clock_at`. Hours are plain hours: nights and holidays count."""
    level = policy.service_levels[severity]
    return Deadlines(clock_at + level.assign_hours * HOUR_S, clock_at + level.resolve_hours * HOUR_S)


def department_of(policy: CasePolicy, dimension: Dimension) -> str:
    """The department that sees to a dimension, "" where the policy names none."""
    return next((found.code for found in policy.departments if dimension in found.dimensions), "")


def due_at(case: Case) -> int | None:
    """The deadline that comes next: to assign while nobody has it, then to resolve; None for one that is done."""
    if not case.is_open:
        return None
    return case.assign_by if _is_unassigned(case) else case.resolve_by


def alert_at(case: Case) -> int | None:
    """When somebody must be told something next, None for never: as things stand, nothing will be said before."""
    return min((at for at, _alert in _coming(case)), default=None)


def alert_due(case: Case, at: int) -> Alert | None:
    """What is to be told now. Where a late run finds several, the gravest: what has passed need not be called near."""
    due = [alert for instant, alert in _coming(case) if instant <= at]
    passed = [Alert(each.name, each.due_at, "breach") for each in due if each.level == "near" and each.due_at <= at]
    return next(iter([*passed, *due]), None)


def told(case: Case, alert: Alert, at: int) -> Case:
    """The case after an alert."""
    level: Literal["near", "breach"] = "near" if alert.level == "near" else "breach"
    entry = Alerted(name=alert.name, due_at=alert.due_at, level=level, at=at, reminders=alert.number)
    others = tuple(each for each in case.alerted if each.name != alert.name)
    return msgspec.structs.replace(case, alerted=(*others, entry))


def _is_unassigned(case: Case) -> bool:
    return case.state in {"new", "reopened"}


def _coming(case: Case) -> list[tuple[int, Alert]]:
    """The next alert of each deadline that counts, with its instant; the deadline to resolve first."""
    if not case.is_open:
        return []
    found = [_next(case, "resolve", case.resolve_by)]
    # Once it should have been resolved, it is that of which somebody is reminded.
    if _is_unassigned(case) and found[0][1].level != "reminder":
        found.append(_next(case, "assign", case.assign_by))
    return [each for each in found if each[1].number <= REMINDERS_MAX]


def _next(case: Case, name: DeadlineName, due: int) -> tuple[int, Alert]:
    last = next((each for each in case.alerted if (each.name, each.due_at) == (name, due)), None)
    if last is None:
        return case.clock_at + (due - case.clock_at) * case.near_percent // 100, Alert(name, due, "near")
    if last.level == "near":
        return due, Alert(name, due, "breach")
    # Whoever has done something since need not be reminded yet.
    since = max(last.at, case.touched_at)
    return since + case.remind_hours * HOUR_S, Alert(name, due, "reminder", last.reminders + 1)
