"""Folding facts into a member's state: pure.

What comes in the order of its days is added; what comes late, goes back, or brings another member's past changes what
lies before, and the member is folded once more from the beginning. Both ways give the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from chalicelib.scoring.state import KEPT_DAYS, NO_DAY, Said, State

_SATISFIED: Final = 4
_OLDER: Final = 2


class Bought(msgspec.Struct, frozen=True):
    """A purchase on a day, worth `paid_minor` of the base currency after what was refunded of it.

    With `is_gone` all of it went back: it was none.
    """

    day: int
    paid_minor: int
    discounted: bool = False
    is_gone: bool = False


class Did(msgspec.Struct, frozen=True):
    """Something that a member did beside buying, worth so much activity."""

    day: int
    activity: int


class Answered(msgspec.Struct, frozen=True):
    """What a member answered: a recommendation (0 to 10), ratings from 1 to 5, either of which may be missing."""

    day: int
    nps: int | None = None
    ratings: tuple[int, ...] = ()


class Brought(msgspec.Struct, frozen=True):
    """A friend who became a customer; −1 for one who was taken back."""

    day: int
    friends: int


Happening = Bought | Did | Answered | Brought


def may_follow(state: State, happenings: Iterable[Happening]) -> bool:
    """Whether these can be added to a state: none of them lies before what is in it."""
    return all(happening.day >= state.latest_day for happening in happenings)


def folded(happenings: Iterable[Happening], *, entries: int, onto: State | None = None) -> State:
    """The state after these, in any order, the last of them being entry `entries`.

    With `onto` they are added to a state that none of them lies before.
    """
    state = onto or State()
    ordered = sorted(happenings, key=lambda happening: happening.day)
    bought = [one for one in ordered if isinstance(one, Bought) and not one.is_gone]
    for day, purchases in _by_day(bought):
        state = _with_purchases(state, day, purchases)
    for happening in ordered:
        state = _with(state, happening)
    latest = max([state.latest_day, *(one.day for one in ordered)])
    return msgspec.structs.replace(_trimmed(state), entries=entries, latest_day=latest)


def _by_day(bought: Sequence[Bought]) -> list[tuple[int, list[Bought]]]:
    days: dict[int, list[Bought]] = {}
    for purchase in bought:
        days.setdefault(purchase.day, []).append(purchase)
    return list(days.items())


def _with_purchases(state: State, day: int, purchases: Sequence[Bought]) -> State:
    """The state after the purchases of one day, which is the last one there is or a later one."""
    paid_minor = sum(purchase.paid_minor for purchase in purchases)
    discounted = any(purchase.discounted for purchase in purchases)
    if day == state.last_day:
        return _with_more(state, paid_minor, discounted=discounted)
    is_first = state.first_day == NO_DAY
    gap = 0 if is_first else day - state.last_day
    return msgspec.structs.replace(
        state,
        first_day=day if is_first else state.first_day,
        last_day=day,
        purchase_days=state.purchase_days + 1,
        discounted_days=state.discounted_days + discounted,
        ln_gaps=state.ln_gaps + (math.log(gap) if gap else 0.0),
        first_minor=paid_minor if is_first else state.first_minor,
        value_minor=state.value_minor + paid_minor,
        recent=(0, *(distance + gap for distance in state.recent)),
        recent_minor=(paid_minor, *state.recent_minor),
        last_discounted=discounted,
    )


def _with_more(state: State, paid_minor: int, *, discounted: bool) -> State:
    """The state after more was bought on the last day; a day is discounted once."""
    is_first = state.purchase_days == 1
    return msgspec.structs.replace(
        state,
        discounted_days=state.discounted_days + (discounted and not state.last_discounted),
        first_minor=state.first_minor + paid_minor if is_first else state.first_minor,
        value_minor=state.value_minor + paid_minor,
        recent_minor=(state.recent_minor[0] + paid_minor, *state.recent_minor[1:]),
        last_discounted=state.last_discounted or discounted,
    )


def _with(state: State, happening: Happening) -> State:
    match happening:
        case Did(day, activity):
            faded = state.active_on(day)
            return msgspec.structs.replace(state, activity=faded + activity, activity_day=day)
        case Answered(day, nps, ratings):
            said = state.said
            satisfied = sum(rating >= _SATISFIED for rating in ratings)
            said = Said(
                said.nps if nps is None else nps,
                said.nps_day if nps is None else day,
                said.satisfied + satisfied,
                said.rated + len(ratings),
            )
            return msgspec.structs.replace(state, said=said)
        case Brought(_day, friends):
            return msgspec.structs.replace(state, friends=state.friends + friends)
        case _:
            return state


def _trimmed(state: State) -> State:
    """Without purchase days that no window reaches any more, but the latest two: a quarter ago they were the last."""
    kept = sum(distance <= KEPT_DAYS for distance in state.recent) + _OLDER
    if kept >= len(state.recent):
        return state
    return msgspec.structs.replace(state, recent=state.recent[:kept], recent_minor=state.recent_minor[:kept])
