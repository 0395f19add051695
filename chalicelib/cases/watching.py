"""Telling somebody that a deadline is near, or has passed: by walking what is due, never all cases."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, get_args

from chalicelib.base import clock, ids, metrics
from chalicelib.base.errors import Conflict
from chalicelib.cases.changing import Doing, Turn, change, read
from chalicelib.cases.rules import due, steps
from chalicelib.cases.rules.case import Case, DeadlineName
from chalicelib.cases.rules.due import Alert
from chalicelib.cases.rules.steps import Said
from chalicelib.cases.table import SHARDS, LeadItem, sharded, step_id_of

logger = logging.getLogger(__name__)


class NotDue(Conflict):
    """Somebody has done something meanwhile: there is nothing to be told any more."""

    code = "not_due"


ACTOR: Final = "system:watch"

_AT_ONCE: Final = 25
_METRICS: Final = {"near": "CasesNearBreach", "breach": "CasesBreached", "reminder": "CaseReminders"}


def watch(*, now: int, has_time: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Write every alert that is due by now, and publish how many; gives their numbers by level.

    An alert is a step of its case, written once for a deadline however often this runs. What there is no time for is
    still due at the next run, earliest first; `left` says whether there is such. A case that cannot be told of is
    logged, and holds up no other.
    """
    counts: Counter[str] = Counter()
    failed = left = 0
    for lead in _due(now):
        if not has_time():
            left = 1
            break
        try:
            for alert in _alerts(lead.case_id, now):
                counts[alert.level] += 1
        except Exception:
            logger.exception("%s could not be watched", lead.case_id)
            failed += 1
    for level, name in _METRICS.items():
        if counts[level]:
            metrics.publish(name, counts[level], now=now)
    return {**{level: counts[level] for level in _METRICS}, "failed": failed, "left": left}


def _due(now: int) -> Iterator[LeadItem]:
    """What is due by now: some of each shard in turn, so that none waits for another."""
    after: dict[int, str | None] = dict.fromkeys(range(SHARDS))
    until = clock.text(now + 1)
    while after:
        for shard, place in list(after.items()):
            condition = LeadItem.part.between(f"{place} " if place else "0", until)
            query = LeadItem.query(
                sharded("watch", shard), condition, limit=_AT_ONCE, page_size=_AT_ONCE, consistent_read=True
            )
            leads = list(query)
            yield from leads
            if len(leads) < _AT_ONCE:
                del after[shard]
            else:
                after[shard] = str(leads[-1].part)


def _alerts(case_id: str, now: int) -> Iterator[Alert]:
    """Write what is due for a case, one alert for each deadline at the most; gives what was not written before."""
    for _deadline in get_args(DeadlineName):
        alert = due.alert_due(read(case_id).case, now)
        if alert is None:
            return
        if _tell(case_id, alert, now):
            yield alert


def _tell(case_id: str, alert: Alert, now: int) -> bool:
    """Write an alert; False where it was written before, or is due no more."""
    name = (alert.name, clock.text(alert.due_at), alert.level, str(alert.number))
    doing = Doing(
        case_id=case_id,
        step_id=step_id_of(case_id, "alert", *name),
        request_hash=ids.request_hash(name),
        kind=steps.ALERTED,
        actor=ACTOR,
        now=now,
    )

    def rule(case: Case) -> Turn:
        if due.alert_due(case, now) != alert:
            raise NotDue("There is nothing to be told.")
        said = Said(deadline=alert.name, due_at=alert.due_at, level=alert.level, number=alert.number)
        return Turn(case=due.told(case, alert, now), said=said)

    try:
        changed = change(doing, rule)
    except NotDue:
        return False
    if not changed.replayed:
        _log(changed.case, alert)
    return not changed.replayed


def _log(case: Case, alert: Alert) -> None:
    """A line that a log's filter, or a person, can find a case by; nothing that somebody wrote is in it."""
    line = {
        "event": "case_alert",
        "case_id": case.case_id,
        "deadline": alert.name,
        "due_at": clock.text(alert.due_at),
        "level": alert.level,
        "state": case.state,
        "severity": case.severity,
        "department": case.department,
        "owner": case.owner,
    }
    metrics.write(line)
