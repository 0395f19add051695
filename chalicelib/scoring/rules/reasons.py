"""Why a member is likely to leave, and what to do next: codes that `texts` puts into words."""

from __future__ import annotations

from typing import Final

import numpy as np

from chalicelib.scoring.rules.arrays import Codes, Flags, Floats, Ints
from chalicelib.scoring.rules.loyalty import Signals
from chalicelib.scoring.rules.segments import DECLINE, OVERDUE, RISK_LEAVE, Trend

CHURN_REASONS: Final = ("none", "unhappy", "never_returned", "silent_too_long", "buying_less", "buys_seldom")
ACTIONS: Final = (
    "first_purchase",
    "second_purchase",
    "recover_service",
    "call_personally",
    "remind",
    "win_back",
    "leave_alone",
    "thank_for_return",
    "honour",
    "invite_friends",
    "widen_basket",
    "give_a_reason",
)
_PROMOTER: Final = 0.9
_BY_BEHAVIOUR: Final = np.array(
    [
        # low, mid, high, gold; in the order of ACTIONS, by behaviour
        [0, 0, 0, 0],
        [1, 1, 1, 1],
        [11, 10, 10, 8],
        [4, 3, 3, 3],
        [6, 5, 5, 5],
        [7, 7, 7, 7],
    ],
    np.uint8,
)


def churn_reason(
    churn: Floats, overdue: Floats, repeats: Ints, course: Trend, signals: Signals, *, bought: Flags
) -> Codes:
    """The first reason that fits why a member who is overdue, or has a churn above 0.45, may be leaving."""
    result = np.full(len(churn), 5, np.uint8)
    result[course.significant & (course.value < DECLINE)] = 4
    result[overdue < OVERDUE] = 3
    result[repeats == 0] = 2
    if signals.unhappy is not None:
        result[signals.unhappy] = 1
    result[((churn <= RISK_LEAVE) & (overdue >= OVERDUE)) | ~bought] = 0
    return result


def next_action(behaviours: Codes, values: Codes, churn_reasons: Codes, signals: Signals) -> Codes:
    """The next best action: mend what made a member unhappy, else what behaviour and value call for."""
    result = _BY_BEHAVIOUR[behaviours, values]
    if signals.nps is not None:
        result = np.where((behaviours == 2) & (values >= 1) & (signals.nps >= _PROMOTER), 9, result)  # noqa: PLR2004
    return np.where(churn_reasons == 1, 2, result).astype(np.uint8)
