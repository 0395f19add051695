"""What a night tells of members: their scores by the basis in use, against what had been told of them before."""

from __future__ import annotations

import numpy as np

from chalicelib.scoring.basis import Basis
from chalicelib.scoring.parts import Rows
from chalicelib.scoring.report.since import Earlier, Said
from chalicelib.scoring.rules import rows as tables
from chalicelib.scoring.rules.history import members_on
from chalicelib.scoring.rules.scoring import Scores, Standing, score


def scored(basis: Basis, rows: Rows) -> tuple[Scores, Standing]:
    """The scores of members by a basis, with what had been told of them before: the same in the walk and after it."""
    standing = tables.standing_of(basis)
    signals = tables.signals_of(basis.usual, rows.raw, rows.now.now)
    return score(standing, rows.now, signals, rows.last)[0], standing


def against(last: Basis | None, rows: Rows) -> Earlier | None:
    """What is told tonight against what was told in the night of the last basis; None where there was none before.

    Segments are told whenever they change, so what was told last is what they were. A score is told more seldom where
    time alone moves it, so it is reckoned how far the days since have moved it. An answer moves it from what was told.
    """
    if last is None or last.day >= rows.now.now:
        return None
    scores, standing = scored(last, rows)
    there = np.ones(len(rows.names), bool)
    old, new = (score(standing, members_on(rows.purchases, day))[0].score for day in (last.day, rows.now.now))
    then = np.where(rows.raw.said_day > last.day, rows.score, scores.score - (new - old))
    return Earlier(last.day, Said(rows.score >= 0, rows.value, rows.behaviour, then), Said.of(scores, there), standing)
