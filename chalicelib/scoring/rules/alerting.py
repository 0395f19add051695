"""Which alerts hold for each member on a day; a night tells of those that begin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chalicelib.scoring.rules import alerts
from chalicelib.scoring.rules.history import Purchases, basket_deviation
from chalicelib.scoring.rules.mbgnbd import Model
from chalicelib.scoring.rules.scoring import Scores

_LATELY_DAYS = 7


def holds(
    scores: Scores, purchases: Purchases, model: Model, today: int, *, expiring: Sequence[bool]
) -> list[tuple[bool, ...]]:
    """For each member, in the order of `alerts.KINDS`: churn, overdue, slowing, fluctuation, expiring.

    Nothing but expiry is told of members who have bought nothing.
    """
    level = alerts.slowing(purchases, model, today)[0]
    deviates = (basket_deviation(purchases, today) > alerts.DEVIATION_FROM) & (scores.gap_days < _LATELY_DAYS)
    columns = (
        scores.bought & (scores.churn >= alerts.CHURN_FROM),
        scores.bought & (scores.overdue < alerts.OVERDUE_BELOW),
        level >= alerts.SLOWING_FROM,
        deviates,
        np.array(expiring, bool),
    )
    return [tuple(row) for row in np.array(columns).T.tolist()]
