"""Early warning in the report: whom to look after, who moves, and which indicators drift."""

from __future__ import annotations

from typing import Final

import numpy as np

from chalicelib.scoring.report.model import Call, Drifting, MemberAlert, Month, Mover
from chalicelib.scoring.report.tables import month_of
from chalicelib.scoring.rules import alerts, composite, reasons, segments
from chalicelib.scoring.rules.arrays import Flags, Floats
from chalicelib.scoring.rules.history import Purchases, basket_deviation, members_on
from chalicelib.scoring.rules.night import Night
from chalicelib.scoring.rules.scoring import score

SINCE_DAYS: Final = 7
_SHOWN: Final = 12
_MOVED: Final = 5.0
_ALIVE: Final = 0.05


def member_alerts(
    names: tuple[str, ...], purchases: Purchases, night: Night, until: int
) -> tuple[tuple[MemberAlert, ...], dict[str, int]]:
    """What began within the last seven days: those of most value first, and how many there are of each kind."""
    then = members_on(purchases, until - SINCE_DAYS)
    old = score(night.standing, then)[0]
    scores, known = night.scores, old.bought & night.scores.bought
    level = alerts.slowing(purchases, night.standing.model, until)[0]
    before = alerts.slowing(purchases, night.standing.model, until - SINCE_DAYS)[0]
    deviates = (basket_deviation(purchases, until) > alerts.DEVIATION_FROM) & (scores.gap_days < SINCE_DAYS)
    began: dict[str, Flags] = {
        "churn": known & (scores.churn >= alerts.CHURN_FROM) & (old.churn < alerts.CHURN_FROM),
        "overdue": known & (scores.overdue < alerts.OVERDUE_BELOW) & (old.overdue >= alerts.OVERDUE_BELOW),
        "slowing": (level >= alerts.SLOWING_FROM) & (before < alerts.SLOWING_FROM),
        "fluctuation": deviates,
    }
    rows = [(-float(stake), kind, int(row)) for kind, of in began.items() for row, stake in _staked(night, of)]
    shown = tuple(
        MemberAlert(
            names[row],
            kind,
            -stake,
            int(scores.gap_days[row]),
            float(scores.churn[row]),
            reasons.ACTIONS[scores.action[row]],
        )
        for stake, kind, row in sorted(rows, key=lambda item: (item[0], names[item[2]], item[1]))[:_SHOWN]
    )
    return shown, {kind: int(of.sum()) for kind, of in began.items()}


def _staked(night: Night, of: Flags) -> list[tuple[int, float]]:
    rows = np.flatnonzero(of)
    stake = at_stake(night)[rows]
    best = rows[np.argsort(-stake, kind="stable")[: 4 * _SHOWN]]
    return [(int(row), float(at_stake(night)[row])) for row in best]


def at_stake(night: Night) -> Floats:
    """What a member would be worth over 12 months if they are still there; 0 where that is hardly so."""
    scores = night.scores
    there = scores.active > _ALIVE
    return np.where(there, scores.value_12 / np.where(there, scores.active, 1.0), 0.0)


def calls(names: tuple[str, ...], night: Night) -> tuple[Call, ...]:
    """The members at risk who would be worth most."""
    scores, stake = night.scores, at_stake(night)
    rows = np.flatnonzero((scores.behaviour == segments.BEHAVIOURS.index("at_risk")) & (stake > 0.0))
    order = sorted(rows.tolist(), key=lambda row: (-float(stake[row]), names[row]))[:_SHOWN]
    return tuple(
        Call(
            names[row],
            float(stake[row]),
            float(scores.churn[row]),
            int(scores.gap_days[row]),
            reasons.CHURN_REASONS[scores.churn_reason[row]],
            reasons.ACTIONS[scores.action[row]],
        )
        for row in order
    )


def movers(names: tuple[str, ...], night: Night, before: Night | None, *, rising: bool) -> tuple[Mover, ...]:
    """Those whose score has moved most since the day that is compared with, by five points at least."""
    if before is None:
        return ()
    moved = np.where(before.scores.bought & night.scores.bought, night.scores.score - before.scores.score, 0.0)
    way = moved if rising else -moved
    rows = np.flatnonzero(way >= _MOVED)
    order = sorted(rows.tolist(), key=lambda row: (-float(way[row]), names[row]))[:_SHOWN]
    changed = _changes(night, before) * (1.0 if rising else -1.0)
    return tuple(
        Mover(
            names[row],
            float(before.scores.score[row]),
            float(night.scores.score[row]),
            composite.PARTS[int(changed[:, row].argmax())],
        )
        for row in order
    )


def _changes(night: Night, before: Night) -> Floats:
    """By how much each part that purchases make has moved the score, one row a part."""
    parts = []
    for scores in (night.scores, before.scores):
        course = np.clip(0.5 + 0.25 * scores.trend, 0.0, 1.0)
        parts.append(np.array([1.0 - scores.churn, scores.percentile, scores.rfm // 10 % 10 / 4.0, course]))
    weights = np.array(night.standing.part_weights[: len(parts[0])])
    return (parts[0] - parts[1]) * weights[:, None]


def programme_warnings(months: tuple[Month, ...], purchases: Purchases) -> tuple[Drifting, ...]:
    """Indicators by whole months, and whether they leave the band of their past; none before eight months."""
    whole = [month for month in months if month.whole]
    series = {
        "purchases": [float(month.purchases) for month in whole],
        "new_members": [float(month.new_members) for month in whole],
        "basket": [month.spending / month.purchases for month in whole if month.purchases],
        "retention": _returning(purchases, [month.month for month in whole]),
    }
    found = []
    for name, values in series.items():
        drift = alerts.drift(values)
        if drift is not None:
            found.append(Drifting(name, drift.alert, drift.level, drift.low, drift.high, tuple(values)))
    return tuple(found)


def _returning(purchases: Purchases, months: list[int]) -> list[float]:
    """Of those who bought in one month, the share who bought in the next, by the next."""
    which = month_of(purchases.day)
    shares, last = [], None
    for month in months:
        there = np.zeros(purchases.members, bool)
        there[purchases.member[which == month]] = True
        if last is not None and last.any():
            shares.append(float((last & there).sum() / last.sum()))
        last = there
    return shares
