"""Fractions of points that refunds leave over are added up before they are cut off."""

from __future__ import annotations

from chalicelib.ledger.points import Refundable, clawed_in_total
from chalicelib.orders.rules import Earnings, Refunded, returning


def test_halves_of_two_lines_make_a_whole_point() -> None:
    order = Refundable(total_minor=200, points=2, line_amounts_minor=(100, 100), line_points=(1, 1))
    assert clawed_in_total(order, (50, 0), 0) == 0
    assert clawed_in_total(order, (50, 50), 0) == 1


def test_what_a_line_leaves_over_is_added_to_a_refund_by_amount() -> None:
    order = Refundable(total_minor=200, points=2, line_amounts_minor=(100, 100), line_points=(1, 1))
    assert clawed_in_total(order, (50, 0), 50) == 1


def test_a_share_just_below_a_whole_point_is_not_rounded_up() -> None:
    order = Refundable(total_minor=10**12, points=10**12 + 1)
    assert clawed_in_total(order, (), 10**12 - 1) == 10**12 - 1


def test_what_went_back_of_a_redemption_stays_back_though_it_was_cancelled_since() -> None:
    after = Refunded(at_large_minor=75, returned_points=(50,))
    assert returning(Earnings(total_minor=100), after, [50]) == after
