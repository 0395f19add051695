"""The composite score, 0 to 100, with its parts, and which of them lift a member or hold one back."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from chalicelib.scoring.rules.arrays import Codes, Floats, Ints
from chalicelib.scoring.rules.loyalty import Signals
from chalicelib.scoring.rules.segments import Trend

PARTS: Final = ("staying", "value", "frequency", "trend", "engagement", "nps", "csat", "advocacy")
WEIGHTS: Final = (0.25, 0.20, 0.15, 0.10, 0.10, 0.10, 0.05, 0.05)
SURVEY_PARTS: Final = ("nps", "csat")
_FELT: Final = 0.01


class Composite(msgspec.Struct, frozen=True, eq=False):
    """`score` 0 to 100; `without_surveys` leaves out what members said, for correlations with what they said.

    `lifts` and `holds` are 1 + the place in PARTS of what moves a member most above or below the programme's mean,
    and 0 where nothing does.
    """

    score: Floats
    without_surveys: Floats
    lifts: Codes
    holds: Codes
    sums: Floats


def weights(signals: Signals, given: tuple[float, ...] = WEIGHTS) -> Floats:
    """The weights of the parts, adding up to 1; parts of which a programme knows nothing leave theirs to the others."""
    known = np.array([1.0] * 4 + [float(getattr(signals, name) is not None) for name in PARTS[4:]])
    found = np.array(given) * known
    return found / found.sum()


def composite(
    churn: Floats,
    percentile: Floats,
    frequency: Ints,
    course: Trend,
    signals: Signals,
    *,
    weight: Floats,
    means: Floats | None = None,
) -> Composite:
    """The score of each member; `means` are the programme's means of the parts, 0.5 each if not known."""
    spread = np.clip(0.5 + 0.25 * course.value, 0.0, 1.0)
    parts = [1.0 - churn, percentile, (frequency - 1) / 4.0, spread]
    given = [getattr(signals, name) for name in PARTS[4:]]
    usual = means if means is not None else np.full(len(PARTS), 0.5)
    count = len(churn)
    score, said = np.zeros(count), np.zeros(count)
    lifts, holds = np.zeros(count, np.uint8), np.zeros(count, np.uint8)
    up, down = np.full(count, _FELT), np.full(count, -_FELT)
    sums = np.zeros(len(PARTS))
    for place, part in enumerate([*parts, *given]):
        if part is None or not weight[place]:
            continue
        share = weight[place] * part
        score += share
        if PARTS[place] in SURVEY_PARTS:
            said += share
        sums[place] = part.sum()
        share -= weight[place] * usual[place]
        lifts[share > up] = place + 1
        np.maximum(up, share, out=up)
        holds[share < down] = place + 1
        np.minimum(down, share, out=down)
    surveyed = sum(float(weight[PARTS.index(name)]) for name in SURVEY_PARTS)
    np.clip(score, 0.0, 1.0, out=score)
    rest = (score - said) / max(1.0 - surveyed, 1e-9)
    return Composite(score * 100.0, np.clip(rest, 0.0, 1.0) * 100.0, lifts, holds, sums)
