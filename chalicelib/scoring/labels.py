"""What one member is called by a score: segments, stage of life, kind of loyalty, why they may leave, what to do next.

As in `rules.segments`, `rules.loyalty` and `rules.reasons`, for one member and without numpy.
"""

from __future__ import annotations

import math
from typing import Final

from chalicelib.scoring.reading import Course, Outlook, Signals
from chalicelib.scoring.state import NO_DAY, State

HIGH_FROM, HIGH_LEAVE = 0.80, 0.75
MID_FROM, MID_LEAVE = 0.50, 0.45
RISK_ENTER, RISK_LEAVE = 0.50, 0.45
LAPSED_ENTER, LAPSED_LEAVE = 0.90, 0.85
SILENT_DAYS: Final = 180
OVERDUE: Final = 0.05
_NEW_DAYS: Final = 30
_RETURN_DAYS: Final = 90
_RETURN_GAPS: Final = 3.0
_DECLINE, _GROWTH = -0.4, 0.25
_LOYAL_FROM: Final = 0.35
_REGULAR_FROM: Final = 6
_RECENT_FROM: Final = 4
_PROMOTER: Final = 0.9
_FROM_HIGH: Final = frozenset({"high", "gold"})
_FROM_MID: Final = _FROM_HIGH | {"mid"}


def value_segment(percentile: float, seen: Outlook, last: str = "") -> str:
    """High is the top 20 % by 12-month value, mid the next 30 %; gold is high and more likely to buy than not.

    Who was in one of them by `last` leaves it five points lower, and who was not gold becomes it below a churn of .45.
    """
    if seen.value_12 <= 0.0 or percentile < (MID_LEAVE if last in _FROM_MID else MID_FROM):
        return "low"
    if percentile < (HIGH_LEAVE if last in _FROM_HIGH else HIGH_FROM):
        return "mid"
    return "gold" if seen.churn < (RISK_ENTER if last in {"", "gold"} else RISK_LEAVE) else "high"


def behaviour(state: State, seen: Outlook, last: str = "") -> str:
    """The first that fits of won back, new, lapsed, at risk, active; `last` is what it was before."""
    if state.first_day == NO_DAY:
        return "none"
    if has_returned(state, seen.gap_days):
        return "won_back"
    if seen.age_days <= _NEW_DAYS:
        return "new"
    gone = LAPSED_LEAVE if last == "lapsed" else LAPSED_ENTER
    if seen.churn > gone and seen.gap_days > SILENT_DAYS:
        return "lapsed"
    risk = RISK_LEAVE if last in {"at_risk", "lapsed"} else RISK_ENTER
    return "at_risk" if seen.churn > risk or seen.overdue < OVERDUE else "active"


def has_returned(state: State, gap_days: int) -> bool:
    """Who came back at most 90 days ago after a silence of 180 days and three usual gaps."""
    if not state.repeats or gap_days > _RETURN_DAYS or state.last_gap_days < SILENT_DAYS:
        return False
    if state.repeats == 1:
        return True
    usual = math.exp((state.ln_gaps - math.log(max(state.last_gap_days, 1))) / (state.repeats - 1))
    return state.last_gap_days >= _RETURN_GAPS * usual


_STAGES: Final = {
    "none": "prospect",
    "new": "onboarding",
    "at_risk": "declining",
    "lapsed": "dormant",
    "won_back": "reactivated",
}


def stage(kind: str, seen: Outlook, trend: Course) -> str:
    """The stage of life: what behaviour says, and for the active ones whether they buy more or less than before."""
    if kind != "active":
        return _STAGES[kind]
    if trend.is_significant and trend.value < _DECLINE:
        return "declining"
    grows = trend.is_significant and trend.value > _GROWTH
    return "growing" if grows or seen.age_days <= SILENT_DAYS else "mature"


def regularity(state: State) -> float:
    """How regular the gaps are, 0 to 1; 0 with fewer than six."""
    length = state.last_day - state.first_day
    if state.repeats < _REGULAR_FROM or length <= 0:
        return 0.0
    spread = max(math.log(length / state.repeats) - state.ln_gaps / state.repeats, 1e-6)
    shape = (3.0 - spread + math.sqrt((spread - 3.0) ** 2 + 24.0 * spread)) / (12.0 * spread)
    return min(max((shape - 1.0) / 2.0, 0.0), 1.0)


def loyalty(state: State, code: int, given: Signals) -> tuple[str, float]:
    """The kind of loyalty, and its lead over the second one; undetermined where nothing reaches 0.35."""
    regular = regularity(state)
    discounted, praised = given.discounted_share, given.advocacy or 0.0
    scores = {
        "impulse": (discounted or 0.0) * (1.0 - regular),
        "emotional": given.nps * (0.5 + 0.5 * praised) if given.nps is not None and given.answered else 0.0,
        "cognitive": 0.0,
        "behavioural": regular if code // 100 >= _RECENT_FROM else 0.0,
    }
    if given.csat is not None and given.redeemed_share is not None and given.answered:
        scores["cognitive"] = given.csat * given.redeemed_share
    best = max(scores, key=lambda name: scores[name])
    top = scores.pop(best)
    if top < _LOYAL_FROM:
        return "undetermined", 0.0
    return best, 1.0 - max(scores.values()) / top


def churn_reason(state: State, seen: Outlook, trend: Course, given: Signals) -> str:
    """The first reason that fits why a member who is overdue, or has a churn above 0.45, may be leaving."""
    if state.first_day == NO_DAY or (seen.churn <= RISK_LEAVE and seen.overdue >= OVERDUE):
        return "none"
    if given.unhappy:
        return "unhappy"
    if not state.repeats:
        return "never_returned"
    if seen.overdue < OVERDUE:
        return "silent_too_long"
    return "buying_less" if trend.is_significant and trend.value < _DECLINE else "buys_seldom"


_ACTIONS: Final = {
    # low, mid, high, gold
    "none": ("first_purchase",) * 4,
    "new": ("second_purchase",) * 4,
    "active": ("give_a_reason", "widen_basket", "widen_basket", "honour"),
    "at_risk": ("remind", "call_personally", "call_personally", "call_personally"),
    "lapsed": ("leave_alone", "win_back", "win_back", "win_back"),
    "won_back": ("thank_for_return",) * 4,
}
_VALUES: Final = ("low", "mid", "high", "gold")


def next_action(kind: str, value: str, reason: str, given: Signals) -> str:
    """The next best action: mend what made a member unhappy, else what behaviour and value call for."""
    if reason == "unhappy":
        return "recover_service"
    if kind == "active" and value != "low" and given.nps is not None and given.nps >= _PROMOTER:
        return "invite_friends"
    return _ACTIONS[kind][_VALUES.index(value)]
