"""One member's score on a day, from the stored state and the basis of the last night, without numpy.

What moves with time alone is worked out when it is read and never stored. These are the formulae of `rules`, for one
member instead of arrays; a test holds the two to one another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.scoring import closed_form
from chalicelib.scoring.basis import Basis, Groups, value_bin
from chalicelib.scoring.state import NO_DAY, State

RECENT_DAYS: Final = 28
QUARTER_DAYS: Final = 91
YEAR_DAYS: Final = 365
_MONTH_DAYS: Final = 30.4375
_MONTHS: Final = 12
_NEVER_DAYS: Final = 10 * YEAR_DAYS
_LAST_BIN: Final = 4095
_FELT: Final = 0.01
_UNHAPPY_DAYS: Final = 90
_DETRACTOR: Final = 6
_CENTRE: Final = 0.5


class Course(msgspec.Struct, frozen=True):
    """The trend of the last 91 days' purchases against the 91 days before; 0 where it is not known."""

    value: float
    is_significant: bool


class Signals(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a member beside purchases, each from 0 to 1; None where the programme knows it of nobody.

    `answered` says that the member has answered themselves, `unhappy` that the last answer, not long ago, was a
    detractor's.
    """

    engagement: float | None = None
    nps: float | None = None
    csat: float | None = None
    advocacy: float | None = None
    discounted_share: float | None = None
    redeemed_share: float | None = None
    answered: bool = False
    unhappy: bool = False


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What the model says of a member. Without a purchase nothing is known: active and value are 0, churn is 1.

    Churn and expected are with the layer, where one is in use; the others are the model's own.
    """

    age_days: int
    gap_days: int
    active: float = 0.0
    churn: float = 1.0
    overdue: float = 1.0
    expected: float = 0.0
    basket: float = 0.0
    value_12: float = 0.0


class Part(msgspec.Struct, frozen=True):
    """One part of the composite: its value and weight, both 0 to 1, and how far it moves a member off the mean."""

    name: str
    value: float
    weight: float
    moves: float


def outlook(basis: Basis, state: State, today: int) -> Outlook:
    """The model's word on a member on a day (counted from the epoch)."""
    if state.first_day == NO_DAY:
        return Outlook(age_days=0, gap_days=_NEVER_DAYS)
    age, gap = max(today - state.first_day, 0), max(today - state.last_day, 0)
    member = closed_form.Standing(state.repeats, state.last_day - state.first_day, age)
    basket = expected_basket(basis, state)
    buys, expected = _layered(basis, member, state, today)
    return Outlook(
        age_days=age,
        gap_days=gap,
        active=closed_form.active(basis.model, member),
        churn=1.0 - buys,
        overdue=closed_form.overdue(basis.model, member),
        expected=expected,
        basket=basket,
        value_12=_yearly(basis, member) * basket,
    )


def _layered(basis: Basis, member: closed_form.Standing, state: State, today: int) -> tuple[float, float]:
    """The chance of a purchase within 91 days and their number: the model's, with the layer where one is in use."""
    return closed_form.layered(
        basis.layer,
        1.0 - closed_form.churn(basis.model, member),
        closed_form.expected(basis.model, member),
        state.bought_since(today, RECENT_DAYS)[0],
        state.bought_since(today, QUARTER_DAYS)[0],
    )


def expected_basket(basis: Basis, state: State) -> float:
    """What a purchase of a member is worth, in the currency's major unit: the Gamma-Gamma model's mean."""
    p, q, gamma = basis.spend
    x = state.repeats
    mean = (state.value_minor - state.first_minor) / basis.minor_units / x if x else 0.0
    return p * (gamma + max(mean, 0.0) * x) / (p * x + q - 1.0)


def _yearly(basis: Basis, member: closed_form.Standing) -> float:
    """Purchases of the next twelve months, those further off discounted."""
    total = before = 0.0
    for month in range(1, _MONTHS + 1):
        until = closed_form.expected(basis.model, member, month * _MONTH_DAYS)
        total += (until - before) * (1.0 + basis.discount_a_year) ** (-month / _MONTHS)
        before = until
    return basis.margin * total


def rfm(basis: Basis, state: State, seen: Outlook, today: int) -> int:
    """R·100 + F·10 + M; 111 without a purchase."""
    if state.first_day == NO_DAY:
        return 111
    purchases, paid_minor = state.bought_since(today, YEAR_DAYS)
    r = basis.r.at(min(seen.gap_days, _LAST_BIN))
    f = basis.f.at(min(purchases, _LAST_BIN)) if purchases else 1
    m = basis.m.at(value_bin(paid_minor / basis.minor_units)) if paid_minor > 0 else 1
    return int(r) * 100 + int(f) * 10 + int(m)


def course(state: State, age_days: int, today: int) -> Course:
    """The trend, known after 182 days, significant at 95 %."""
    if age_days < 2 * QUARTER_DAYS:
        return Course(0.0, is_significant=False)
    now, _paid = state.bought_since(today, QUARTER_DAYS)
    before, _paid = state.bought_since(today, 2 * QUARTER_DAYS, QUARTER_DAYS)
    apart = now - before
    return Course(math.log(now + 0.5) - math.log(before + 0.5), apart * apart > 1.96 * 1.96 * (now + before))


def signals(basis: Basis, state: State, today: int, *, earned: int, redeemed: int) -> Signals:
    """What is known beside purchases; `earned` and `redeemed` are the account's points."""
    usual, said = basis.usual, state.said
    nps = usual.nps
    if nps is not None and said.nps_day != NO_DAY:
        nps += (said.nps / 10.0 - nps) * 0.5 ** (max(today - said.nps_day, 0) / 180.0)
    csat = None if usual.csat is None else (said.satisfied + 5.0 * usual.csat) / (said.rated + 5.0)
    activity = None if usual.activity is None else -math.expm1(-state.active_on(today) / usual.activity)
    return Signals(
        engagement=activity,
        nps=nps,
        csat=csat,
        advocacy=-math.expm1(-0.7 * max(state.friends, 0)) if usual.friends else None,
        discounted_share=state.discounted_days / max(state.purchase_days, 1) if usual.discounts else None,
        redeemed_share=min(redeemed / earned, 1.0) if usual.redemptions and earned else _zero_if(usual.redemptions),
        answered=said.nps_day != NO_DAY or said.rated > 0,
        unhappy=said.nps_day != NO_DAY and said.nps <= _DETRACTOR and today - said.nps_day <= _UNHAPPY_DAYS,
    )


def _zero_if(known: bool) -> float | None:  # noqa: FBT001 -- the one thing that it is about
    return 0.0 if known else None


PARTS: Final = ("staying", "value", "frequency", "trend", "engagement", "nps", "csat", "advocacy")


def parts(basis: Basis, seen: Outlook, code: int, trend: Course, given: Signals) -> list[Part]:
    """The parts of the composite that are known, their weights adding up to 1."""
    percentile = basis.value.at(value_bin(seen.value_12))
    spread = min(max(0.5 + 0.25 * trend.value, 0.0), 1.0)
    known = {
        "staying": 1.0 - seen.churn,
        "value": percentile,
        "frequency": (code // 10 % 10 - 1) / 4.0,
        "trend": spread,
        "engagement": given.engagement,
        "nps": given.nps,
        "csat": given.csat,
        "advocacy": given.advocacy,
    }
    whole = sum(weight for name, weight in zip(PARTS, basis.weights, strict=True) if known[name] is not None)
    found = []
    for name, weight, mean in zip(PARTS, basis.weights, basis.means or (_CENTRE,) * len(PARTS), strict=True):
        value = known[name]
        if value is not None and weight:
            share = weight / whole
            found.append(Part(name, value, share, share * (value - mean)))
    return found


def composite(found: Sequence[Part]) -> float:
    """The score from its parts, 0 to 100."""
    return 100.0 * min(max(sum(part.weight * part.value for part in found), 0.0), 1.0)


def lift(found: Sequence[Part]) -> str:
    """The part that lifts a member most above the programme's mean; empty where none does."""
    best = max(found, key=lambda part: part.moves, default=None)
    return best.name if best is not None and best.moves > _FELT else ""


def hold(found: Sequence[Part]) -> str:
    """The part that holds a member back most; empty where none does."""
    worst = min(found, key=lambda part: part.moves, default=None)
    return worst.name if worst is not None and worst.moves < -_FELT else ""


def distances(groups: Groups, code: int, trend: Course, given: Signals) -> list[float]:
    """How far a member is from each persona (squared); empty where there are none."""
    if not groups.centroids:
        return []
    levels = (
        (code // 100 - 1) / 4,
        (code // 10 % 10 - 1) / 4,
        (code % 10 - 1) / 4,
        min(max(trend.value / 2.0, -1.0), 1.0),
        given.engagement or 0.0,
        given.discounted_share or 0.0,
    )
    scaled = [(level - mean) / spread for level, mean, spread in zip(levels, groups.mean, groups.spread, strict=True)]
    return [sum((a - b) ** 2 for a, b in zip(scaled, centre, strict=True)) for centre in groups.centroids]


def persona(groups: Groups, code: int, trend: Course, given: Signals) -> str:
    """The name of the nearest persona; empty where there are none."""
    apart = distances(groups, code, trend, given)
    return groups.names[apart.index(min(apart))] if apart else ""
