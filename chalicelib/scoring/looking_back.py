"""The end of a night looks back: what the programme's past says tonight, what is kept of it, and who is told."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec
import numpy as np

from chalicelib.base import clock, metrics
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger import nights
from chalicelib.ledger.state import NEVER
from chalicelib.program.document import Program
from chalicelib.program.rules import expiry
from chalicelib.scoring import listening, recording
from chalicelib.scoring.finishing import WALK
from chalicelib.scoring.gathering import day_of
from chalicelib.scoring.recording import AlertItem
from chalicelib.scoring.report.model import Drifting, Holdings, Report
from chalicelib.scoring.report.programme import Programme
from chalicelib.scoring.rules import holdings, kpis, past
from chalicelib.scoring.rules.alerts import COOL_DOWN_DAYS
from chalicelib.scoring.rules.holdings import Totals
from chalicelib.scoring.rules.kpis import Breakage
from chalicelib.scoring.rules.past import Closing, Heard, History, PointMonths
from chalicelib.scoring.state import KEPT_DAYS

logger = logging.getLogger(__name__)

OUTSIDE: Final = "ProgramAlerts"
ALERTED: Final = "MemberAlertsPerThousand"
"""The metrics that alarms watch."""

_VISITOR: Final = "score"
_WHOLE_MONTHS_LEAST: Final = 3
_EPOCH: Final = date(1970, 1, 1).toordinal()


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What a night found beside members' purchases: for the report, and to be kept.

    `history` and its `version` are as they were before; `closing` is None after a walk of an earlier version.
    """

    night: str
    day: int
    programme: Programme
    history: History
    version: int
    closing: Closing | None
    heard: tuple[Heard, ...]
    alerts_per_thousand: int


def look_back(night: str, cut: int, program: Program, *, rows: int) -> Looked:
    """Read what the night's walk, surveys, cases and the nights before have found; `rows` members are in the sample.

    Raises Unavailable.
    """
    month = clock.month_of(cut - 1, program.zone)
    day = day_of(cut, program.zone) - 1
    found = [progress.carried.get(_VISITOR, {}) for progress in nights.progress_of(night, WALK)]
    totals = _added_up(found)
    closing = Closing(month, day, night, totals) if totals is not None else None
    history, version = recording.read()
    heard_before = {one.month for one in history.heard}
    listened = listening.listen(month, heard_before, day=day, night=night, zone=program.zone)
    known = _with(history, closing, listened.months)
    points, breakage = (None, None) if closing is None else _points(known, closing, program)
    scored = _sum(found, "scored")
    programme = Programme(
        said=listened.said,
        surveys=listened.surveys,
        heard_since=month - listening.WHOLE_MONTHS,
        heard=tuple(one for one in known.heard if one.month <= month),
        holdings=points,
        breakage=breakage,
        # Purchases are kept by day so long before each member's last one, which may be of today already.
        known_from=day - KEPT_DAYS + 2,
        share=rows / scored if scored > rows > 0 else 1.0,
    )
    return Looked(
        night=night,
        day=day,
        programme=programme,
        history=history,
        version=version,
        closing=closing,
        heard=listened.months,
        alerts_per_thousand=_sum(found, "alerts") * 1000 // scored if scored else 0,
    )


def conclude(looked: Looked, report: Report, *, now: int, is_latest: bool) -> Report:
    """Keep what the night adds to the past, tell of each indicator that leaves its band, once, and publish how many.

    Gives the report with the days since which indicators have been outside. Done again it changes nothing. Raises
    Unavailable.
    """
    outside = [found for found in report.warnings if found.direction]
    history = _kept(looked, outside, now)
    if is_latest:
        metrics.publish(OUTSIDE, len(outside), now=now)
        metrics.publish(ALERTED, looked.alerts_per_thousand, now=now)
    since = {(one.indicator, one.direction): one.since for one in history.outside if one.since <= looked.day}
    warnings = tuple(
        msgspec.structs.replace(found, since=_text(since[place])) if (place := _place(found)) in since else found
        for found in report.warnings
    )
    return msgspec.structs.replace(report, warnings=warnings)


def _kept(looked: Looked, outside: Sequence[Drifting], now: int) -> History:
    for attempt in attempts():
        history, version = recording.read() if attempt else (looked.history, looked.version)
        known = _with(history, looked.closing, looked.heard)
        known = past.judged(known, map(_place, outside), looked.day, cool_down_days=COOL_DOWN_DAYS)
        # Alerts first: a night that dies in between finds them there when it comes again.
        for item in _alerts(looked, known, outside, now):
            if recording.tell(item):
                logger.warning("%s: %s is %s", looked.night, item.part, item.direction)
        if known == history or recording.put(known, version):
            return known
    raise Unavailable("The history is being written by many nights at once.", code="busy")


def _alerts(looked: Looked, known: History, outside: Sequence[Drifting], now: int) -> Iterator[AlertItem]:
    for found in outside:
        if known.told.get(":".join(_place(found))) == looked.day:
            yield AlertItem(
                part=f"{_text(looked.day)}#{found.indicator}",
                direction=found.direction,
                level=round(found.level, 6),
                low=round(found.low, 6),
                high=round(found.high, 6),
                made_in=looked.night,
                put_at=clock.text(now),
            )


def _with(history: History, closing: Closing | None, heard: Sequence[Heard]) -> History:
    known = past.with_heard(history, heard)
    return past.with_points(known, closing) if closing is not None else known


def _added_up(found: Sequence[Mapping[str, Any]]) -> Totals | None:
    """All segments together; None where one of them knows nothing of points."""
    parts = [holdings.read(carried.get("points")) for carried in found]
    together = Totals()
    for part in parts:
        if part is None:
            return None
        together = together.plus(part)
    return together if parts else None


def _sum(found: Sequence[Mapping[str, Any]], name: str) -> int:
    return sum(int(carried.get(name, 0)) for carried in found)


def _points(history: History, tonight: Closing, program: Program) -> tuple[Holdings, Breakage | None]:
    found, totals = past.point_months(history, tonight), tonight.totals
    breakage, unknown = _breakage(found, totals.outstanding, program)
    begin = history.begin or tonight
    told = Holdings(
        outstanding=totals.outstanding,
        available=totals.available,
        pending=totals.pending,
        held=totals.held,
        owed=totals.owed,
        members=totals.members,
        since=_text(begin.day),
        opening=found.opening,
        months=found.months,
        expiry=msgspec.to_builtins(program.expiry)["kind"],
        unknown=unknown,
    )
    return told, breakage


def _breakage(found: PointMonths, outstanding: int, program: Program) -> tuple[Breakage | None, str]:
    """What is expected never to be used, or why that cannot be told."""
    months = found.months
    starts = [clock.month_start(one.month, program.zone) for one in months]
    ends = [expiry.expires_at(program, start) for start in starts]
    if NEVER in ends:
        return None, "never"
    if sum(one.known for one in months[:-1]) < _WHOLE_MONTHS_LEAST:
        return None, "too_young"
    lives = [clock.month_of(end, program.zone) - one.month for one, end in zip(months, ends, strict=True)]
    issued = np.array([one.issued for one in months], np.float64)
    issued[0] += max(found.opening, 0)
    spent = np.array([one.redeemed for one in months], np.float64)
    return kpis.of_outstanding(kpis.breakage(kpis.fifo(issued, spent, np.array(lives))), outstanding)


def _place(found: Drifting) -> tuple[str, str]:
    return found.indicator, found.direction


def _text(day: int) -> str:
    return date.fromordinal(day + _EPOCH).isoformat()
