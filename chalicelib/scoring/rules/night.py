"""A whole programme on one day, from nothing: fit, learn the distributions, group, score.

A running night does the same in one pass, with last night's standing; the first one does it like this.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from chalicelib.scoring.closed_form import Layer
from chalicelib.scoring.rules import gammagamma, layering, mbgnbd, personas
from chalicelib.scoring.rules.arrays import NO_DAY, Floats
from chalicelib.scoring.rules.composite import PARTS, WEIGHTS
from chalicelib.scoring.rules.fitting import Fit, in_use
from chalicelib.scoring.rules.history import QUARTER_DAYS, Members, Purchases, bought_between
from chalicelib.scoring.rules.loyalty import Signals
from chalicelib.scoring.rules.outcomes import Economy
from chalicelib.scoring.rules.personas import SAMPLE, Personas
from chalicelib.scoring.rules.scoring import Scores, Standing, score
from chalicelib.scoring.rules.segments import Last, Ranks

_NO_LAYER: Final = Layer()


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
    before = last.buying if last is not None and last.standing.model.name == name else None
    buying = _buying(name, members, before)
    spent_before = last.spending if last is not None else None
    spending = gammagamma.fit(members.repeats, members.mean_repeat, spent_before)
    if spending.refused:
        bought = members.first_day != NO_DAY
        purchases = int((members.repeats[bought] + 1).sum())
        mean = float(np.maximum(members.value, 0.0).sum()) / purchases if purchases else 0.0
        spending = in_use(spending, spent_before, gammagamma.default(mean))
    return buying, spending


def _buying(name: mbgnbd.Name, members: Members, before: Fit | None = None) -> Fit:
    counts = counted(members)
    found = mbgnbd.fit(name, counts, before)
    return in_use(found, before, mbgnbd.paced(name, counts)) if found.refused else found


class Past(msgspec.Struct, frozen=True):
    """What the last two quarters teach: the layer for today and for 91 days ago, and the fits of that day.

    `fits` is None where nobody had bought yet 91 days ago.
    """

    layers: layering.Layers
    fits: tuple[Fit, Fit] | None


def learned(name: mbgnbd.Name, early: Members, then: Members, purchases: Purchases, last: Layer) -> Past:
    """From the members as they were 182 (`early`) and 91 days ago, and all purchases since; `last` is in use until now.

    Each day's model is fitted to what was known on it.
    """
    if not (then.first_day != NO_DAY).any():
        return Past(layering.layers(None, None, last), None)
    known = fits(name, then)
    seen = None
    if (early.first_day != NO_DAY).any():
        seen = _foreseen(name, early, _buying(name, early), purchases)
    return Past(layering.layers(seen, _foreseen(name, then, known[0], purchases), last), known)


def _foreseen(name: mbgnbd.Name, members: Members, buying: Fit, purchases: Purchases) -> layering.Foreseen:
    since = bought_between(purchases, members.now, members.now + QUARTER_DAYS)
    return layering.foreseen(mbgnbd.model(name, buying), members, since)


def assess(
    name: mbgnbd.Name,
    members: Members,
    *,
    signals: Signals | None = None,
    economy: Economy | None = None,
    part_weights: tuple[float, ...] = WEIGHTS,
    last: Night | None = None,
    told: Last | None = None,
    layer: Layer = _NO_LAYER,
    known: tuple[Fit, Fit] | None = None,
) -> Night:
    """Everything about the members on their day. `last` keeps parameters steady and personas in their places.

    `told` is what was last told of the members; `known` are the day's fits where they have been found already.
    """
    signals = signals or Signals()
    buying, spending = known or fits(name, members, last)
    standing = Standing(
        model=mbgnbd.model(name, buying),
        spend=gammagamma.Spend(*spending.parameters),
        ranks=Ranks.unknown(),
        means=np.full(len(PARTS), 0.5),
        personas=Personas(),
        economy=economy or Economy(),
        part_weights=part_weights,
        layer=layer,
    )
    _scores, gathered = score(standing, members, signals)
    standing = msgspec.structs.replace(standing, ranks=gathered.ranks())
    scores, gathered = score(standing, members, signals)
    groups = _groups(scores, signals, last)
    standing = msgspec.structs.replace(standing, means=gathered.means(), personas=groups)
    scores, _gathered = score(standing, members, signals, told)
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
