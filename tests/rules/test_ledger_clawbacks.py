"""What is taken back, and where it is found: pending, lapsed, moved by activity, or owed."""

from __future__ import annotations

import itertools
import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ledger import holds, merging, points
from chalicelib.ledger.effects import Effect, apply, fold
from chalicelib.ledger.points import Refundable, clawed_in_total
from chalicelib.ledger.state import Lot, Pending, State
from tests.rules.ledger_states import NOW, state_with


class TestAClawbackTakes:
    def test_the_orders_own_pending_points_first(self) -> None:
        state = state_with((NOW + 10, 50), pending=(Pending(NOW + 5, NOW + 30, 40),))
        effect = points.claw(state, 60, expires_at=NOW + 30, available_at=NOW + 5)
        assert effect.unpended == (Pending(NOW + 5, NOW + 30, 40),)
        assert effect.debits == (Lot(NOW + 10, 20),)

    def test_then_its_own_lot_and_only_then_others(self) -> None:
        state = state_with((NOW + 10, 50), (NOW + 20, 40))
        effect = points.claw(state, 60, expires_at=NOW + 20)
        assert effect.debits == (Lot(NOW + 10, 20), Lot(NOW + 20, 40))

    def test_nothing_for_points_that_lapsed_before(self) -> None:
        state = fold(state_with((NOW + 10, 50), (NOW + 20, 40)), NOW + 10).state
        effect = points.claw(state, 50, expires_at=NOW + 10)
        assert (effect.absorbed, effect.debits, effect.net) == ((Lot(NOW + 10, 50),), (), 0)

    def test_a_lapsed_lot_absorbs_each_point_once(self) -> None:
        state = fold(state_with((NOW + 10, 50), (NOW + 20, 40)), NOW + 10).state
        state = apply(state, points.claw(state, 50, expires_at=NOW + 10), NOW + 10)
        assert points.claw(state, 10, expires_at=NOW + 10).debits == (Lot(NOW + 20, 10),)

    def test_nothing_off_the_debt_for_points_that_lapsed_before_the_window_was_over(self) -> None:
        state = fold(state_with((NOW + 10, 50), (NOW + 20, 40)), NOW + 10).state
        effect = points.claw(state, 50, expires_at=NOW + 10, absorb=False)
        assert (effect.absorbed, effect.debits, effect.borrowed) == ((), (Lot(NOW + 20, 40),), 10)

    def test_its_own_lot_where_activity_has_moved_it(self) -> None:
        state = apply(state_with((NOW + 10, 50)), Effect(extended_to=NOW + 20), NOW)
        state = apply(state, points.earn(state, 30, expires_at=NOW + 15), NOW)
        state = apply(state, points.earn(state, 30, expires_at=NOW + 40), NOW)
        assert state.lots == (Lot(NOW + 20, 80), Lot(NOW + 40, 30))
        assert points.claw(state, 50, expires_at=NOW + 10).debits == (Lot(NOW + 20, 50),)

    def test_nothing_for_points_that_lapsed_at_the_date_to_which_activity_had_moved_them(self) -> None:
        state = apply(state_with((NOW + 10, 50)), Effect(extended_to=NOW + 20), NOW)
        state = fold(state, NOW + 20).state
        state = apply(state, points.earn(state, 30, expires_at=NOW + 40), NOW + 20)
        state = apply(state, Effect(extended_to=NOW + 40), NOW + 20)
        effect = points.claw(state, 50, expires_at=NOW + 10)
        assert (effect.absorbed, effect.debits, effect.borrowed) == ((Lot(NOW + 20, 50),), (), 0)

    def test_what_is_missing_as_a_debt(self) -> None:
        state = apply(state_with((NOW + 10, 50)), points.claw(state_with((NOW + 10, 50)), 80, expires_at=NOW + 10), NOW)
        assert (state.lots, state.owed, state.available) == ((), 30, -30)


class TestActivity:
    def test_puts_off_the_expiry_of_every_lot_that_would_lapse_before(self) -> None:
        state = state_with((NOW + 10, 50), (NOW + 20, 40), (NOW + 30, 30))
        state = apply(state, Effect(extended_to=NOW + 20), NOW)
        assert state.lots == (Lot(NOW + 20, 90), Lot(NOW + 30, 30))

    def test_puts_off_that_of_pending_points_when_they_mature(self) -> None:
        state = state_with(pending=(Pending(NOW + 5, NOW + 10, 40),))
        state = apply(state, Effect(extended_to=NOW + 20), NOW)
        assert points.pending_points(state, NOW + 5, NOW + 10) == 40, "found by the dates that their order recorded"
        assert fold(state, NOW + 5).state.lots == (Lot(NOW + 20, 40),)
        assert fold(state, NOW + 12).state.available == 40

    def test_puts_off_that_of_points_that_a_hold_or_a_redemption_gives_back(self) -> None:
        state = state_with((NOW + 10, 50))
        held = apply(state, holds.reserve(state, 50, hold_id="h", until=NOW + 5), NOW)
        held = apply(held, Effect(extended_to=NOW + 20), NOW)
        assert fold(held, NOW + 5).state.lots == (Lot(NOW + 20, 50),)
        spent = apply(state, points.spend(state, 50), NOW)
        spent = apply(spent, Effect(extended_to=NOW + 20), NOW)
        assert apply(spent, points.restore(spent, (Lot(NOW + 10, 50),)), NOW).lots == (Lot(NOW + 20, 50),)

    def test_of_long_ago_moves_nothing(self) -> None:
        state = apply(state_with((NOW + 10, 50)), Effect(extended_to=NOW + 20), NOW)
        assert apply(state, Effect(extended_to=NOW + 5), NOW).lots == (Lot(NOW + 20, 50),)

    def test_of_an_account_counts_for_the_one_it_is_merged_into(self) -> None:
        closed = apply(state_with(pending=(Pending(NOW + 5, NOW + 10, 40),)), Effect(extended_to=NOW + 20), NOW)
        merged = apply(State(), merging.merge_in(State(), closed), NOW)
        assert fold(merged, NOW + 5).state.lots == (Lot(NOW + 20, 40),)


LIFE = 20
"""How long points live after the last activity in the next property."""


@st.composite
def orders_under_inactivity(draw: st.DrawFn) -> list[tuple[int, int, int, int | None]]:
    """(posted, occurred, points, available at): some late, some pending."""
    orders = []
    for posted in sorted(draw(st.lists(st.integers(NOW, NOW + 100), max_size=8))):
        occurred = posted - draw(st.sampled_from([0, 0, 5, 30]))
        available_at = draw(st.sampled_from([None, None, occurred + 7]))
        orders.append((posted, occurred, draw(st.integers(1, 100)), available_at))
    return orders


@given(orders_under_inactivity(), st.integers(0, 60), st.randoms(use_true_random=False))
def test_under_inactivity_returning_everything_leaves_neither_points_nor_debt(
    orders: list[tuple[int, int, int, int | None]], later: int, shuffle: random.Random
) -> None:
    """Whatever lapsed in between, and in whatever order it goes back."""
    state, at = State(), NOW
    for posted, occurred, amount, available_at in orders:
        at, expires_at = posted, occurred + LIFE
        before = fold(state, at).state
        earned = points.earn(before, amount, expires_at=expires_at, available_at=available_at)
        state = apply(before, msgspec.structs.replace(earned, extended_to=expires_at), at)
    at += later
    shuffle.shuffle(orders)
    for _posted, occurred, amount, available_at in orders:
        before = fold(state, at).state
        clawed = points.claw(before, amount, expires_at=occurred + LIFE, available_at=available_at)
        state = apply(before, clawed, at)
    assert (state.total, state.owed, state.lots, state.pending) == (0, 0, (), ())


@st.composite
def refunded_orders(draw: st.DrawFn) -> tuple[Refundable, tuple[int, ...], int]:
    amounts = tuple(draw(st.lists(st.integers(1, 500), max_size=5)))
    line_points = tuple(draw(st.integers(0, 90)) for _ in amounts)
    extra = draw(st.integers(0 if amounts else 1, 50))
    total_points = sum(line_points) if amounts else draw(st.integers(0, 400))
    by_line = tuple(draw(st.integers(0, amount)) for amount in amounts)
    total_minor = sum(amounts) + extra
    at_large = draw(st.integers(0, total_minor - sum(by_line)))
    return Refundable(total_minor, total_points, amounts, line_points), by_line, at_large


@given(refunded_orders())
def test_refunds_never_take_more_than_was_earned_and_all_of_it_in_the_end(
    case: tuple[Refundable, tuple[int, ...], int],
) -> None:
    order, by_line, at_large = case
    clawed = clawed_in_total(order, by_line, at_large)
    assert 0 <= clawed <= order.points
    assert clawed_in_total(order, by_line, order.total_minor - sum(by_line)) == order.points
    if order.line_amounts_minor:
        assert clawed_in_total(order, order.line_amounts_minor, 0) == order.points


@given(refunded_orders(), st.data())
def test_another_refund_never_gives_points_back(
    case: tuple[Refundable, tuple[int, ...], int], data: st.DataObject
) -> None:
    order, by_line, at_large = case
    left = order.total_minor - sum(by_line) - at_large
    more_at_large = data.draw(st.integers(0, left))
    assert clawed_in_total(order, by_line, at_large + more_at_large) >= clawed_in_total(order, by_line, at_large)
    for index, amount in enumerate(order.line_amounts_minor):
        more = min(left, amount - by_line[index])
        more_by_line = (*by_line[:index], by_line[index] + more, *by_line[index + 1 :])
        assert clawed_in_total(order, more_by_line, at_large) >= clawed_in_total(order, by_line, at_large)


@given(st.integers(1, 10_000), st.integers(0, 5_000), st.lists(st.integers(1, 500), max_size=12))
def test_refunds_by_amount_claw_the_floor_of_their_share(total_minor: int, earned: int, parts: list[int]) -> None:
    order = Refundable(total_minor, earned)
    for refunded in itertools.accumulate(parts):
        if refunded <= total_minor:
            assert clawed_in_total(order, (), refunded) == earned * refunded // total_minor
