"""One pass over members: all that a night says of them by last night's standing, and what tonight's is made from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import numpy as np

from chalicelib.scoring.closed_form import Layer
from chalicelib.scoring.rules import layering, personas, reasons, segments
from chalicelib.scoring.rules.arrays import NO_DAY, Codes, Flags, Floats, Ints
from chalicelib.scoring.rules.composite import PARTS, WEIGHTS, composite, weights
from chalicelib.scoring.rules.gammagamma import Spend
from chalicelib.scoring.rules.history import YEAR_DAYS, Members
from chalicelib.scoring.rules.loyalty import Signals, loyalty_type, regularity
from chalicelib.scoring.rules.mbgnbd import Model
from chalicelib.scoring.rules.outcomes import Economy, Outcomes, Tables, ages, outcomes, tables
from chalicelib.scoring.rules.quantiles import DAY_BINS, Histogram

CHUNK: Final = 32_768
_NEVER_DAYS: Final = 10 * YEAR_DAYS


class Standing(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What a night scores with: parameters, distributions, the programme's means of the parts, personas, the layer."""

    model: Model
    spend: Spend
    ranks: segments.Ranks
    means: Floats
    personas: personas.Personas
    economy: Economy = Economy()
    part_weights: tuple[float, ...] = WEIGHTS
    layer: Layer = Layer()


class Scores(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Everything that is said of each member; codes are places in the tuples of names of their modules."""

    bought: Flags
    age_days: Ints
    gap_days: Ints
    active: Floats
    churn: Floats
    overdue: Floats
    expected: Floats
    basket: Floats
    value_12: Floats
    percentile: Floats
    rfm: Ints
    trend: Floats
    score: Floats
    score_without_surveys: Floats
    lifts: Codes
    holds: Codes
    value: Codes
    behaviour: Codes
    stage: Codes
    loyalty: Codes
    loyalty_confidence: Floats
    churn_reason: Codes
    persona: Codes
    action: Codes

    def __len__(self) -> int:
        return len(self.churn)


class Gathered(msgspec.Struct, frozen=True, eq=False):
    """What one part of the members adds to tomorrow's standing; parts merge in any order."""

    gap_days: Histogram
    purchases: Histogram
    spent: Histogram
    value: Histogram
    members: int
    sums: Floats

    @staticmethod
    def merged(parts: Iterable[Gathered]) -> Gathered:
        """All parts together. There must be one at least."""
        found = list(parts)
        return Gathered(
            gap_days=Histogram.merged(part.gap_days for part in found),
            purchases=Histogram.merged(part.purchases for part in found),
            spent=Histogram.merged(part.spent for part in found),
            value=Histogram.merged(part.value for part in found),
            members=sum(part.members for part in found),
            sums=np.sum([part.sums for part in found], axis=0),
        )

    def ranks(self) -> segments.Ranks:
        """The distributions as tables."""
        return segments.Ranks.of(self.gap_days, self.purchases, self.spent, self.value)

    def means(self) -> Floats:
        """The programme's means of the composite's parts; 0.5 each without members."""
        return self.sums / self.members if self.members else np.full(len(PARTS), 0.5)


def gap_days(members: Members) -> Ints:
    """Days since the last purchase; ten years for those without one."""
    return np.where(members.last_day == NO_DAY, _NEVER_DAYS, np.maximum(members.now - members.last_day, 0))


def score(
    standing: Standing, members: Members, signals: Signals | None = None, last: segments.Last | None = None
) -> tuple[Scores, Gathered]:
    """All outputs of all members, chunk by chunk, and what tomorrow's standing is made from.

    The same whatever the order of the members and the size of the chunks.
    """
    signals = signals or Signals()
    table = tables(standing.model, members, standing.economy)
    parts, gathered = [], []
    # An empty programme still has one, empty, part.
    for begin in range(0, max(len(members), 1), CHUNK):
        rows = slice(begin, begin + CHUNK)
        before = None if last is None else last.part(rows)
        part, added = _scored(standing, table, members.part(rows), signals.part(rows), before)
        parts.append(part)
        gathered.append(added)
    if len(parts) == 1:
        return parts[0], gathered[0]
    whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in Scores.__struct_fields__}
    return Scores(**whole), Gathered.merged(gathered)


def _scored(
    standing: Standing, table: Tables, members: Members, signals: Signals, last: segments.Last | None
) -> tuple[Scores, Gathered]:
    bought, age, gap = members.first_day != NO_DAY, ages(members), gap_days(members)
    found = layering.layered(standing.layer, outcomes(standing.model, standing.spend, table, members), members, bought)
    histograms, percentile = _histograms(standing, members, found, gap, bought)
    rfm = segments.rfm(standing.ranks, gap, members.purchases_365, members.value_365, bought)
    course = segments.trend(members.purchases_91, members.purchases_before_91, age)
    whole = composite(
        found.churn,
        percentile,
        rfm // 10 % 10,
        course,
        signals,
        weight=weights(signals, standing.part_weights),
        means=standing.means,
    )
    points = personas.features(rfm, course.value, signals.engagement, signals.discounted_share)
    scores = Scores(
        bought=bought,
        age_days=age,
        gap_days=gap,
        **{name: getattr(found, name) for name in Outcomes.__struct_fields__},
        **_labels(members, found, course, signals, percentile, rfm, last),
        percentile=percentile,
        rfm=rfm,
        trend=course.value,
        score=whole.score,
        score_without_surveys=whole.without_surveys,
        lifts=whole.lifts,
        holds=whole.holds,
        persona=personas.assign(standing.personas, points),
    )
    return scores, Gathered(*histograms, len(members), whole.sums)


def _labels(  # noqa: PLR0917 - all that was worked out before
    members: Members,
    found: Outcomes,
    course: segments.Trend,
    signals: Signals,
    percentile: Floats,
    rfm: Ints,
    last: segments.Last | None,
) -> dict[str, Any]:
    """The segments of one part, the kind of loyalty, the reason for churn and what to do."""
    bought, age, gap = members.first_day != NO_DAY, ages(members), gap_days(members)
    value = segments.value_segment(percentile, found.value_12, found.churn, last.value if last else None)
    kind = segments.behaviour(
        bought=bought,
        returned=segments.won_back(members.repeats, members.ln_gaps, members.last_gap_days, gap),
        age_days=age,
        gap_days=gap,
        churn=found.churn,
        overdue=found.overdue,
        last=last.behaviour if last else None,
    )
    regular = regularity(members.repeats, members.last_day - members.first_day, members.ln_gaps)
    loyalty, confidence = loyalty_type(regular, rfm // 100, signals)
    why = reasons.churn_reason(found.churn, found.overdue, members.repeats, course, signals, bought=bought)
    return {
        "value": value,
        "behaviour": kind,
        "stage": segments.stage(kind, age, course),
        "loyalty": loyalty,
        "loyalty_confidence": confidence,
        "churn_reason": why,
        "action": reasons.next_action(kind, value, why, signals),
    }


def _histograms(
    standing: Standing, members: Members, found: Outcomes, gap: Ints, bought: Flags
) -> tuple[tuple[Histogram, Histogram, Histogram, Histogram], Floats]:
    """Tonight's histograms of one part, and the members' percentiles by last night's."""
    value = Histogram.of_values(found.value_12)
    percentile = standing.ranks.percentile(found.value_12)
    made = (
        Histogram.of_counts(gap[bought], DAY_BINS),
        Histogram.of_counts(members.purchases_365[members.purchases_365 > 0]),
        Histogram.of_values(members.value_365[members.value_365 > 0.0]),
        value,
    )
    return made, percentile
