"""What a night tells of members: their scores by the basis in use, against what had been told of them before."""

from __future__ import annotations

from typing import Final

import numpy as np

from chalicelib.scoring.basis import Basis
from chalicelib.scoring.parts import Rows
from chalicelib.scoring.report.since import Earlier, Said
from chalicelib.scoring.rules import rows as tables
from chalicelib.scoring.rules.arrays import Floats
from chalicelib.scoring.rules.history import Purchases, members_on
from chalicelib.scoring.rules.scoring import Scores, Standing, score

_AT_ONCE: Final = 100_000


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
    now, standing = _said(last, rows)
    moved = _scores_on(standing, rows, rows.now.now)
    moved -= _scores_on(standing, rows, last.day)
    then = np.where(rows.raw.said_day > last.day, rows.score, now.score - moved)
    return Earlier(last.day, Said(rows.score >= 0, rows.value, rows.behaviour, then), now, standing)


def _said(basis: Basis, rows: Rows) -> tuple[Said, Standing]:
    scores, standing = scored(basis, rows)
    return Said.of(scores, np.ones(len(rows.names), bool)), standing


def _scores_on(standing: Standing, rows: Rows, day: int) -> Floats:
    """The scores alone, by some members at a time: of a million, all that goes with them would fill the memory."""
    bought, found = rows.purchases, []
    for first in range(0, bought.members, _AT_ONCE):
        count = min(_AT_ONCE, bought.members - first)
        of = slice(*np.searchsorted(bought.member, (first, first + count)).tolist())
        some = Purchases(count, bought.member[of] - first, bought.day[of], bought.value[of])
        found.append(score(standing, members_on(some, day))[0].score)
    return np.concatenate(found) if found else np.zeros(0)
