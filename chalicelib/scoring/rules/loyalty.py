"""What members say and do beside buying, and which kind of loyalty it speaks of.

Types follow Oliver's cognitive-affective-conative-action phases and Dick and Basu's attitude and patronage. They are a
convention: nobody knows a member's true type, so the confidence is given with it.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from chalicelib.scoring.rules.arrays import Codes, Flags, Floats, Ints

TYPES: Final = ("undetermined", "impulse", "emotional", "cognitive", "behavioural")
LEAST: Final = 0.35
_REPEATS_MIN: Final = 6
_RECENT_FROM: Final = 4
_HALF_LIFE_DAYS: Final = 180.0
_CSAT_PRIOR: Final = 5.0
_ADVOCACY: Final = 0.7
_REVIEW: Final = 0.3


class Signals(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What is known beside purchases, by member, each from 0 to 1; None where a programme does not know it of anybody.

    `answered` marks those of whom an own answer is known: what is only the programme's mean says nothing of a member's
    kind of loyalty. `unhappy` marks those whose last answer, not long ago, was that of a detractor.
    """

    engagement: Floats | None = None
    nps: Floats | None = None
    csat: Floats | None = None
    advocacy: Floats | None = None
    discounted_share: Floats | None = None
    redeemed_share: Floats | None = None
    answered: Flags | None = None
    unhappy: Flags | None = None

    def part(self, rows: slice) -> Signals:
        """The members of a slice."""
        found = {name: getattr(self, name) for name in self.__struct_fields__}
        return Signals(**{name: None if array is None else array[rows] for name, array in found.items()})


def nps_signal(answer: Floats, age_days: Ints, answered: Floats, mean: float) -> Floats:
    """The last answer (0 to 10) as 0 to 1, fading towards the programme's mean by half in 180 days.

    Who has not answered has the mean: silence is no bad mark.
    """
    fading = np.exp2(-np.maximum(age_days, 0) / _HALF_LIFE_DAYS)
    return mean + np.where(answered > 0, (answer / 10.0 - mean) * fading, 0.0)


def csat_signal(satisfied: Floats, answers: Floats, mean: float) -> Floats:
    """The share of satisfied answers, drawn towards the programme's mean as if five more had been given."""
    return (satisfied + _CSAT_PRIOR * mean) / (answers + _CSAT_PRIOR)


def advocacy(converted: Ints, reviews: Ints) -> Floats:
    """From friends who became customers, and reviews."""
    return -np.expm1(-_ADVOCACY * (converted + _REVIEW * reviews))


def engagement(decayed: Floats, median: float) -> Floats:
    """From activity that is halved every 30 days, against the programme's median; 0 where nobody does anything."""
    return -np.expm1(-decayed / median) if median > 0.0 else np.zeros(len(decayed))


def regularity(repeats: Ints, t_x_days: Ints, ln_gaps: Floats) -> Floats:
    """How regular a member's gaps are, 0 to 1: their gamma shape, 1 for chance and 3 or more for a clock.

    0 with fewer than six gaps.
    """
    result = np.zeros(len(repeats))
    few = np.flatnonzero((repeats >= _REPEATS_MIN) & (t_x_days > 0))
    count = repeats[few].astype(np.float64)
    spread = np.maximum(np.log(t_x_days[few] / count) - ln_gaps[few] / count, 1e-6)
    shape = (3.0 - spread + np.sqrt((spread - 3.0) ** 2 + 24.0 * spread)) / (12.0 * spread)
    result[few] = np.clip((shape - 1.0) / 2.0, 0.0, 1.0)
    return result


def loyalty_type(regular: Floats, recency: Ints, signals: Signals) -> tuple[Codes, Floats]:
    """The type of each member and the lead over the second type as its confidence; `recency` is R.

    Undetermined where nothing reaches 0.35. What a programme does not know of anybody speaks for no type.
    """
    count = len(regular)
    scores = np.zeros((4, count))
    if signals.discounted_share is not None:
        scores[0] = signals.discounted_share * (1.0 - regular)
    if signals.nps is not None and signals.answered is not None:
        praised = signals.advocacy if signals.advocacy is not None else 0.0
        scores[1] = signals.nps * (0.5 + 0.5 * praised) * signals.answered
    if signals.csat is not None and signals.redeemed_share is not None and signals.answered is not None:
        scores[2] = signals.csat * signals.redeemed_share * signals.answered
    scores[3] = regular * (recency >= _RECENT_FROM)
    best = scores.argmax(axis=0)
    top = scores.max(axis=0)
    scores[best, np.arange(count)] = 0.0
    sure = top >= LEAST
    lead = np.where(sure, 1.0 - scores.max(axis=0) / np.where(sure, top, 1.0), 0.0)
    return np.where(sure, best + 1, 0).astype(np.uint8), lead
