"""What members answered in surveys, as indicators and as signals."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from chalicelib.scoring.rules import kpis, loyalty
from chalicelib.scoring.rules.arrays import Floats, Ints
from chalicelib.scoring.rules.kpis import Estimate
from chalicelib.scoring.rules.loyalty import Signals

KINDS: Final = ("nps", "csat", "ces")
RANGES: Final = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
_LATELY_DAYS: Final = 182
_SATISFIED: Final = {"csat": 4, "ces": 5}
_DETRACTOR: Final = 6


class Answers(msgspec.Struct, frozen=True, eq=False):
    """Answers in any order: whose, on which day, to which of KINDS (by place), and how."""

    member: Ints
    day: Ints
    kind: Ints
    value: Ints

    def of(self, kind: str, until: int, days: int | None = None) -> tuple[Ints, Ints, Ints]:
        """Members, days and values of one kind up to a day, those of the last `days` days only, in order of time."""
        use = (self.kind == KINDS.index(kind)) & (self.day <= until)
        if days is not None:
            use &= self.day > until - days
        order = np.flatnonzero(use)[np.lexsort((self.value[use], self.day[use]))]
        return self.member[order], self.day[order], self.value[order]


def heard(answers: Answers, members: int, until: int) -> Signals:
    """The answers as signals of each member; who has not answered has the programme's mean."""
    who, when, value = answers.of("nps", until)
    nps = unhappy = None
    if len(who):
        last, age = np.zeros(members), np.zeros(members, np.int64)
        has = np.zeros(members, bool)
        last[who], age[who], has[who] = value, until - when, True
        nps = loyalty.nps_signal(last, age, has, float(value.mean()) / 10.0)
        unhappy = has & (last <= _DETRACTOR) & (age < _LATELY_DAYS)
    answered = np.zeros(members, bool)
    answered[who] = True
    who, _when, value = answers.of("csat", until)
    answered[who] = True
    csat = None
    if len(who):
        good = value >= _SATISFIED["csat"]
        satisfied = np.bincount(who, good.astype(np.float64), members)
        csat = loyalty.csat_signal(satisfied, np.bincount(who, minlength=members), float(good.mean()))
    return Signals(nps=nps, csat=csat, answered=answered, unhappy=unhappy)


def satisfaction(
    answers: Answers | None, until: int, score: Floats
) -> tuple[Estimate | None, Estimate | None, Estimate | None, Estimate | None]:
    """NPS, CSAT and CES of the last 182 days, and how satisfaction goes with the score that leaves surveys out."""
    if answers is None:
        return None, None, None, None
    who, _when, values = answers.of("nps", until, _LATELY_DAYS)
    nps = kpis.nps(values)
    shares: dict[str, Estimate | None] = {}
    for kind, least in _SATISFIED.items():
        whose, _day, value = answers.of(kind, until, _LATELY_DAYS)
        shares[kind] = kpis.proportion(int((value >= least).sum()), len(value))
        if kind == "csat" and len(whose):
            who, values = whose, value
    # The last answer of each member, so that nobody counts twice.
    last = {int(member): float(value) for member, value in zip(who, values, strict=True)}
    rows = np.array(sorted(last), dtype=np.int64)
    together = kpis.spearman(np.array([last[row] for row in rows.tolist()]), score[rows]) if len(rows) else None
    return nps, shares["csat"], shares["ces"], together
