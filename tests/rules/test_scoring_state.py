"""A member's state for scoring: added to or folded anew, it is the same."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.scoring.folding import Answered, Bought, Brought, Did, Happening, folded, may_follow
from chalicelib.scoring.state import KEPT_DAYS, AbsurdFacts, State, checked, pack, unpack

DAYS = st.integers(0, 1_500)
BOUGHT = st.builds(Bought, DAYS, st.integers(0, 100_000), st.booleans(), st.sampled_from([False, False, False, True]))
DID = st.builds(Did, DAYS, st.integers(0, 3))
ANSWERED = st.builds(Answered, DAYS, st.none() | st.integers(0, 10), st.lists(st.integers(1, 5), max_size=4).map(tuple))
BROUGHT = st.builds(Brought, DAYS, st.sampled_from([1, -1]))
HAPPENINGS = st.lists(BOUGHT | DID | ANSWERED | BROUGHT, max_size=30)


def in_order(happenings: Sequence[Happening]) -> list[Happening]:
    return sorted(happenings, key=lambda one: one.day)


@given(HAPPENINGS, st.lists(st.integers(0, 30), max_size=4))
def test_what_comes_in_order_may_be_added_bit_by_bit(happenings: list[Happening], cuts: list[int]) -> None:
    ordered = in_order(happenings)
    state = State()
    places = [0, *sorted(cuts), len(ordered)]
    for begin, end in itertools.pairwise(places):
        part = ordered[begin:end]
        assert may_follow(state, part)
        state = folded(part, entries=end, onto=state)
    assert state == folded(ordered, entries=len(ordered))


@given(HAPPENINGS, st.randoms(use_true_random=False))
def test_days_decide_and_not_the_order_of_arrival(happenings: list[Happening], chance: random.Random) -> None:
    # Of one day, what came first counts as the earlier one: only days that differ are dealt anew.
    once = list({one.day: one for one in happenings}.values())
    shuffled = chance.sample(once, len(once))
    assert folded(shuffled, entries=1) == folded(once, entries=1)


@given(HAPPENINGS)
def test_windows_count_what_was_bought_in_them(happenings: list[Happening]) -> None:
    state = folded(happenings, entries=1)
    paid: dict[int, int] = {}
    for one in happenings:
        if isinstance(one, Bought) and not one.is_gone:
            paid[one.day] = paid.get(one.day, 0) + one.paid_minor
    days = sorted(paid)
    assert (state.purchase_days, state.value_minor) == (len(days), sum(paid.values()))
    assert math.isclose(state.ln_gaps, math.fsum(math.log(b - a) for a, b in itertools.pairwise(days)), abs_tol=1e-9)
    for now in {days[-1], days[-1] + 40} if days else ():
        for window, left_out in ((28, 0), (91, 0), (182, 91), (365, 0)):
            counted = [day for day in days if left_out <= now - day < window]
            assert state.bought_since(now, window, left_out) == (len(counted), sum(paid[day] for day in counted))


def test_what_lies_before_a_state_is_not_added_to_it() -> None:
    state = folded([Bought(10, 100)], entries=1)
    assert may_follow(state, [Bought(10, 100), Did(11, 1)])
    assert not may_follow(state, [Bought(9, 100)])


def test_a_purchase_that_went_back_whole_was_none() -> None:
    assert folded([Bought(10, 0, is_gone=True)], entries=1).purchase_days == 0


def test_a_day_is_discounted_once() -> None:
    state = folded([Bought(10, 5, discounted=True), Bought(10, 5, discounted=True), Bought(11, 5)], entries=3)
    assert (state.purchase_days, state.discounted_days) == (2, 1)


def test_activity_is_halved_every_thirty_days() -> None:
    state = folded([Did(0, 4), Did(30, 1)], entries=2)
    assert state.active_on(60) == pytest.approx(1.5)


def test_the_latest_recommendation_stands_and_ratings_add_up() -> None:
    said = folded([Answered(1, 9, (5, 3)), Answered(2, None, (4,)), Answered(3, 6)], entries=3).said
    assert (said.nps, said.nps_day, said.satisfied, said.rated) == (6, 3, 2, 3)


def test_a_state_of_a_regular_member_takes_some_hundred_bytes() -> None:
    monthly = folded([Bought(19_000 + 30 * month, 12_345) for month in range(48)], entries=48)
    once = folded([Bought(20_000, 5_000)], entries=1)
    assert (len(pack(once)), len(pack(monthly))) == (54, 150)
    assert unpack(pack(monthly)) == monthly


def test_days_that_no_window_reaches_are_let_go_but_two() -> None:
    daily = folded([Bought(day, 1) for day in range(2_000)], entries=1)
    assert (len(daily.recent), daily.recent[-1], daily.purchase_days) == (KEPT_DAYS + 3, KEPT_DAYS + 2, 2_000)


@given(HAPPENINGS, st.integers(0, 91))
def test_a_state_tells_how_it_was_up_to_a_quarter_ago(happenings: list[Happening], ago: int) -> None:
    bought = [one for one in happenings if isinstance(one, Bought)]
    state = folded(bought, entries=1)
    day = state.last_day - ago
    was, then = state.as_on(day), folded([one for one in bought if one.day <= day], entries=1)
    told = ("first_day", "last_day", "purchase_days", "first_minor", "value_minor", "last_gap_days")
    assert [getattr(was, name) for name in told] == [getattr(then, name) for name in told]
    assert was.ln_gaps == pytest.approx(then.ln_gaps, abs=1e-9)
    assert was.bought_since(day, 365) == then.bought_since(day, 365)


@given(HAPPENINGS)
def test_whatever_is_folded_can_be(happenings: list[Happening]) -> None:
    state = folded(happenings, entries=1)
    assert checked(state) == state


RIGHT: dict[str, Any] = {
    "first_day": 20_000,
    "last_day": 20_010,
    "purchase_days": 2,
    "recent": (0, 10),
    "recent_minor": (1_00, 1_00),
    "first_minor": 1_00,
    "value_minor": 2_00,
    "ln_gaps": 2.3,
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_day": -9},
        {"last_day": 19_000},
        {"last_day": 10**12},
        {"recent": (0,)},
        {"recent": (10, 0)},
        {"recent": (0, 40)},
        {"recent": (), "recent_minor": ()},
        {"purchase_days": -3},
        {"purchase_days": 0},
        {"discounted_days": 3},
        {"value_minor": 10**30},
        {"recent_minor": (1_00, -(10**18))},
        {"ln_gaps": float("nan")},
        {"activity": float("inf")},
    ],
)
def test_facts_that_cannot_be_are_no_facts(wrong: dict[str, Any]) -> None:
    assert checked(State(**RIGHT))
    with pytest.raises(AbsurdFacts):
        checked(State(**RIGHT | wrong))
