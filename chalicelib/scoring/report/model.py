"""What a report says, as plain data: `report.json` is this, and the page is drawn from this."""

from __future__ import annotations

from typing import Final

import msgspec

from chalicelib.scoring.closed_form import Layer
from chalicelib.scoring.rules.calibration import Quality
from chalicelib.scoring.rules.kpis import Breakage, Cohort, Estimate
from chalicelib.scoring.rules.past import PointMonth

FORMAT: Final = 1


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """A model as it was used: `source` is fitted, kept (of an earlier night) or default; `refused` says why so."""

    name: str
    parameters: dict[str, float]
    standard_errors: dict[str, float]
    log_likelihood: float
    members: int
    source: str
    refused: tuple[str, ...] = ()


class Change(msgspec.Struct, frozen=True):
    """A figure now and on the day that it is compared with; None where it cannot be told."""

    now: float | None
    before: float | None = None


class Satisfied(msgspec.Struct, frozen=True):
    """The share of the satisfied with one dimension: product, service, price, after_sales."""

    dimension: str
    share: Estimate


class Indicators(msgspec.Struct, frozen=True, kw_only=True):
    """The handbooks' indicator system: satisfaction, loyal behaviour, retention, value, and how the two go together.

    Where `surveys` were asked, satisfaction is of all their answers since the month `heard_since` (`2026-05`).
    """

    nps: Estimate | None = None
    csat: Estimate | None = None
    ces: Estimate | None = None
    score: Change
    repeat_rate: Change
    retention: Change
    churn: Change
    value_12_mean: Change
    value_12_total: float
    expected_purchases: float
    satisfaction_loyalty: Estimate | None = None
    spend_frequency: Estimate | None = None
    dimensions: tuple[Satisfied, ...] = ()
    surveys: int = 0
    heard_since: str = ""


class Flow(msgspec.Struct, frozen=True):
    """How many members went from one behaviour segment to another; `before` is `not_there` for who came since."""

    before: str
    now: str
    members: int


class Pareto(msgspec.Struct, frozen=True):
    """The share of spending held by the top 0, 1 … 100 % of members, and who holds 80 % of it."""

    curve: tuple[float, ...]
    top_20_share: float
    holders_of_80: float


class Persona(msgspec.Struct, frozen=True):
    """A group of members who are alike, with the means of what they were grouped by."""

    name: str
    members: int
    value_12: float
    recency: float
    frequency: float
    monetary: float
    trend: float


class Month(msgspec.Struct, frozen=True):
    """What happened in a calendar month (year x 12 + month − 1)."""

    month: int
    purchases: int
    new_members: int
    spending: float
    whole: bool = True


class Drifting(msgspec.Struct, frozen=True):
    """An indicator by whole months, its smoothed level, the band of its past; `rising` or `falling` if outside.

    The series begins with `first_month` and has None where a month has no data. `since` is the day since which it has
    been outside, where that is known.
    """

    indicator: str
    direction: str
    level: float
    low: float
    high: float
    series: tuple[float | None, ...]
    first_month: int = 0
    since: str = ""


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """The points of all members together, exact: what they hold (`outstanding`) and what came and went by month.

    `opening` is what they held, less what they owed, before the first of the months, as of the night after `since`.
    `expiry` is the programme's kind of expiry; `unknown` says why there is no expected breakage: `never` (nothing
    expires) or `too_young`, or nothing where there is one.
    """

    outstanding: int
    available: int
    pending: int
    held: int
    owed: int
    members: int
    since: str
    opening: int
    months: tuple[PointMonth, ...]
    expiry: str
    unknown: str = ""


class MemberAlert(msgspec.Struct, frozen=True):
    """An alert that began within the last days; `at_stake` as in Call."""

    member: str
    kind: str
    at_stake: float
    gap_days: int
    churn: float
    action: str


class Mover(msgspec.Struct, frozen=True):
    """A member whose score has moved far, and the part of it that has moved most."""

    member: str
    before: float
    now: float
    reason: str


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """What has changed since the night of `day`: of so many members, how many stayed (by kind of segment) and came.

    The flows are of those who moved, newcomers among them. Movers are those whose score was told anew, or would be.
    """

    day: str
    members: int
    came: int
    stayed: dict[str, int]
    behaviour: tuple[Flow, ...]
    value: tuple[Flow, ...]
    risers: tuple[Mover, ...]
    fallers: tuple[Mover, ...]


class CareDay(msgspec.Struct, frozen=True):
    """A day of the care calendar: members by occasion, and the points that may be used for the last time."""

    day: str
    birthday: int
    anniversary: int
    expiring: int
    tier_ending: int
    points: int


class Call(msgspec.Struct, frozen=True):
    """A member who may be leaving, with what they would be worth in 12 months if they stay, and what to do."""

    member: str
    at_stake: float
    churn: float
    gap_days: int
    reason: str
    action: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One night, or one file, scored. Amounts are in the major unit of whatever currency the purchases are in."""

    format: int = FORMAT
    source: str
    until: str
    compared_with: str
    first_day: str
    members: int
    bought: int
    purchases: int
    spending: float
    model: Fitted
    spend: Fitted
    economy: dict[str, float]
    indicators: Indicators
    scores: tuple[int, ...]
    segments: dict[str, dict[str, int]]
    value_by_segment: dict[str, float]
    flows: tuple[Flow, ...]
    pareto: Pareto
    rfm: tuple[tuple[int, ...], ...]
    rfm_value: tuple[tuple[float, ...], ...]
    cohorts: tuple[Cohort, ...]
    prediction: Quality | None
    personas: tuple[Persona, ...]
    months: tuple[Month, ...]
    warnings: tuple[Drifting, ...]
    alert_counts: dict[str, int]
    alerts: tuple[MemberAlert, ...]
    calls: tuple[Call, ...]
    risers: tuple[Mover, ...]
    fallers: tuple[Mover, ...]
    points: Breakage | None = None
    notes: tuple[tuple[str, dict[str, str]], ...] = ()
    layer: Layer | None = None
    since: Since | None = None
    care: tuple[CareDay, ...] = ()
    holdings: Holdings | None = None
