"""A whole programme on one day, from nothing: fit, learn the distributions, group, score.

A running night does the same in one pass, with last night's standing; the first one does it like this.
"""

from __future__ import annotations

import msgspec
import numpy as np

from chalicelib.scoring.rules import gammagamma, mbgnbd, personas
from chalicelib.scoring.rules.arrays import NO_DAY, Codes, Floats
from chalicelib.scoring.rules.composite import PARTS, WEIGHTS
from chalicelib.scoring.rules.fitting import Fit, in_use
from chalicelib.scoring.rules.history import Members
from chalicelib.scoring.rules.loyalty import Signals
from chalicelib.scoring.rules.outcomes import Economy
from chalicelib.scoring.rules.personas import SAMPLE, Personas
from chalicelib.scoring.rules.scoring import Scores, Standing, score
from chalicelib.scoring.rules.segments import Ranks


class Night(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The members of one day, the parameters in use and the scores by them."""

    members: Members
    buying: Fit
    spending: Fit
    standing: Standing
    scores: Scores


def counted(members: Members) -> mbgnbd.Counts:
    """What the likelihood needs of those who have bought."""
    rows = members.first_day != NO_DAY
    first = members.first_day[rows]
    return mbgnbd.Counts.of(members.repeats[rows], members.last_day[rows] - first, members.now - first)


def fits(name: mbgnbd.Name, members: Members, last: Night | None = None) -> tuple[Fit, Fit]:
    """The fits to score with, of buying and of spending; a refused one gives way to last night's or to the default."""
    counts = counted(members)
    before = last.buying if last is not None and last.standing.model.name == name else None
    buying = mbgnbd.fit(name, counts, before)
    if buying.refused:
        buying = in_use(buying, before, mbgnbd.paced(name, counts))
    spent_before = last.spending if last is not None else None
    spending = gammagamma.fit(members.repeats, members.mean_repeat, spent_before)
    if spending.refused:
        bought = members.first_day != NO_DAY
        purchases = int((members.repeats[bought] + 1).sum())
        mean = float(np.maximum(members.value, 0.0).sum()) / purchases if purchases else 0.0
        spending = in_use(spending, spent_before, gammagamma.default(mean))
    return buying, spending


def assess(
    name: mbgnbd.Name,
    members: Members,
    *,
    signals: Signals | None = None,
    economy: Economy | None = None,
    part_weights: tuple[float, ...] = WEIGHTS,
    last: Night | None = None,
    last_behaviour: Codes | None = None,
) -> Night:
    """Everything about the members on their day. `last` keeps parameters steady and personas in their places."""
    signals = signals or Signals()
    buying, spending = fits(name, members, last)
    standing = Standing(
        model=mbgnbd.model(name, buying),
        spend=gammagamma.Spend(*spending.parameters),
        ranks=Ranks.unknown(),
        means=np.full(len(PARTS), 0.5),
        personas=Personas(),
        economy=economy or Economy(),
        part_weights=part_weights,
    )
    _scores, gathered = score(standing, members, signals)
    standing = msgspec.structs.replace(standing, ranks=gathered.ranks())
    scores, gathered = score(standing, members, signals)
    groups = _groups(scores, signals, last)
    standing = msgspec.structs.replace(standing, means=gathered.means(), personas=groups)
    scores, _gathered = score(standing, members, signals, last_behaviour)
    return Night(members=members, buying=buying, spending=spending, standing=standing, scores=scores)


def _groups(scores: Scores, signals: Signals, last: Night | None) -> Personas:
    points = personas.features(scores.rfm, scores.trend, signals.engagement, signals.discounted_share)[scores.bought]
    return personas.found(sampled(points), last.standing.personas if last is not None else None)


def sampled(points: Floats) -> Floats:
    """At most 50,000 rows, as many of each kind as its share calls for: no chance, no order."""
    if len(points) <= SAMPLE:
        return points
    kinds, where = np.unique(points, axis=0, return_inverse=True)
    counts = np.bincount(where.reshape(-1), minlength=len(kinds))
    # Every kind keeps its share; those too rare for one row are left out.
    kept = np.floor(counts * (SAMPLE / len(points)) + 0.5).astype(np.int64)
    return np.repeat(kinds, kept, axis=0)
