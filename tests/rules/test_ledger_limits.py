"""What an account remembers of the programme's limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import clock
from chalicelib.ledger.limits import MEMORY_S, Used, added_limits, used
from chalicelib.ledger.state import NEVER, Limit

NOW = 1_800_000_000
TODAY, TOMORROW, AFTER = (NOW + days * clock.DAY_S for days in (1, 2, 3))


def test_what_is_used_adds_up_within_its_period() -> None:
    limits = added_limits((), (Limit("visit", TODAY, 1, 30),), NOW)
    limits = added_limits(limits, (Limit("visit", TODAY, 1, 20), Limit("visit", TOMORROW, 1, 5)), NOW)
    assert used(limits, "visit", TODAY, NOW) == Used(2, 50)
    assert used(limits, "visit", TOMORROW, NOW) == Used(1, 5)
    assert used(limits, "other", TODAY, NOW) == Used()


def test_a_refund_makes_room_again() -> None:
    limits = added_limits((), (Limit("visit", TODAY, 1, 30),), NOW)
    assert added_limits(limits, (Limit("visit", TODAY, -1, -30),), NOW) == ()


def test_a_period_before_the_two_that_are_remembered_gives_no_more() -> None:
    deltas = tuple(Limit("visit", until, 1, 1) for until in (TODAY, TOMORROW, AFTER))
    limits = added_limits((), deltas, NOW)
    assert [limit.until for limit in limits] == [TOMORROW, AFTER]
    assert used(limits, "visit", TODAY, NOW) is None


def test_a_period_long_over_gives_no_more_though_nothing_is_known_of_it() -> None:
    assert used((), "visit", TODAY, TODAY + MEMORY_S - 1) == Used()
    assert used((), "visit", TODAY, TODAY + MEMORY_S) is None


def test_what_has_no_end_is_never_forgotten() -> None:
    limits = added_limits((), (Limit("once", NEVER, 1, 30),), NOW)
    later = NOW + 100 * MEMORY_S
    assert used(added_limits(limits, (Limit("visit", later, 1, 1),), later), "once", NEVER, later) == Used(1, 30)


moves = st.lists(
    st.tuples(st.sampled_from(["visit", "share"]), st.integers(1, 6), st.integers(1, 3), st.integers(0, 9)), max_size=30
)


@given(moves)
def test_no_more_is_left_than_would_be_with_a_perfect_memory(history: list[tuple[str, int, int, int]]) -> None:
    limits: tuple[Limit, ...] = ()
    truth: dict[tuple[str, int], Used] = {}
    for name, day, count, points in history:
        until = NOW + day * clock.DAY_S
        limits = added_limits(limits, (Limit(name, until, count, points),), NOW)
        before = truth.get((name, until), Used())
        truth[name, until] = Used(before.count + count, before.points + points)
    for (name, until), known in truth.items():
        assert used(limits, name, until, NOW) in (None, known)
