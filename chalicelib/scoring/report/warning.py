"""Early warning in the report: whom to look after, and who moves."""

from __future__ import annotations

from typing import Final

import numpy as np

from chalicelib.scoring.report.model import Call, MemberAlert, Mover
from chalicelib.scoring.report.since import MOVED, changes
from chalicelib.scoring.rules import alerts, composite, reasons, segments
from chalicelib.scoring.rules.arrays import Flags, Floats
from chalicelib.scoring.rules.history import Purchases, basket_deviation, members_on
from chalicelib.scoring.rules.night import Night
from chalicelib.scoring.rules.scoring import score

SINCE_DAYS: Final = 7
_SHOWN: Final = 12
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
    rows = np.flatnonzero(way >= MOVED)
    order = sorted(rows.tolist(), key=lambda row: (-float(way[row]), names[row]))[:_SHOWN]
    changed = changes(night.standing.part_weights, night.scores, before.scores) * (1.0 if rising else -1.0)
    return tuple(
        Mover(
            names[row],
            float(before.scores.score[row]),
            float(night.scores.score[row]),
            composite.PARTS[int(changed[:, row].argmax())],
        )
        for row in order
    )
