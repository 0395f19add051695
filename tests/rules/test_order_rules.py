"""What refunds of an order take back."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import money
from chalicelib.base.errors import Conflict, Invalid
from chalicelib.orders import amounts, rules
from chalicelib.orders.rules import Earnings, Refunded, RefundExceedsOrder, RefundPart

AMOUNTS = (1000, 500, 333)


def order(total_minor: int = 2000, points: int = 100, amounts: tuple[int, ...] = AMOUNTS) -> Earnings:
    shares = tuple(money.share(points, amounts)) if amounts else ()
    return Earnings(
        total_minor=total_minor,
        line_amounts_minor=amounts,
        line_quantities=tuple(3 for _amount in amounts),
        points=points,
        line_points=shares,
        qualifying_points=points // 2,
        spend_minor=total_minor,
    )


def refund(earnings: Earnings, before: Refunded, *parts: RefundPart, amount_minor: int | None = None) -> Refunded:
    return rules.add_refund(earnings, before, parts, amount_minor)


def nothing(earnings: Earnings) -> Refunded:
    return rules.nothing_refunded(earnings)


def test_a_line_without_an_amount_is_refunded_whole() -> None:
    after = refund(order(), nothing(order()), RefundPart(line=1))
    assert (after.last_minor, after.last_clawed_points) == (500, order().line_points[1])


def test_pieces_of_a_line_add_up_to_the_line() -> None:
    earnings, refunded = order(), nothing(order())
    for _piece in range(3):
        refunded = refund(earnings, refunded, RefundPart(line=2, quantity=1))
    assert refunded.by_line_minor == (0, 0, 333)
    assert refunded.clawed_points == earnings.line_points[2]


def test_more_than_is_left_of_a_line_is_refused() -> None:
    after = refund(order(), nothing(order()), RefundPart(line=0, amount_minor=900))
    with pytest.raises(RefundExceedsOrder):
        refund(order(), after, RefundPart(line=0, amount_minor=101))
    with pytest.raises(RefundExceedsOrder):
        refund(order(), nothing(order()), RefundPart(line=0, quantity=4))


def test_more_than_is_left_of_the_order_is_refused() -> None:
    after = refund(order(), nothing(order()), amount_minor=1500)
    with pytest.raises(RefundExceedsOrder, match="501 would go back and 500 is left"):
        refund(order(), after, amount_minor=501)


def test_a_line_that_is_not_there_is_refused() -> None:
    with pytest.raises(Invalid, match="The order has 3 lines"):
        refund(order(), nothing(order()), RefundPart(line=3))


def test_a_cancelled_order_has_nothing_left() -> None:
    cancelled = rules.cancel(order(), nothing(order()))
    assert (cancelled.total_minor, cancelled.clawed_points) == (2000, 100)
    with pytest.raises(RefundExceedsOrder):
        refund(order(), cancelled, amount_minor=1)
    with pytest.raises(Conflict):
        rules.cancel(order(), cancelled)


def test_an_order_of_nothing_is_cancelled_but_not_refunded() -> None:
    free = order(total_minor=0, points=5, amounts=())
    assert rules.cancel(free, nothing(free)).clawed_points == 5
    with pytest.raises(RefundExceedsOrder):
        refund(free, nothing(free), amount_minor=1)


wishes = st.one_of(
    st.builds(RefundPart, line=st.integers(0, 2), amount_minor=st.integers(1, 400)),
    st.builds(RefundPart, line=st.integers(0, 2), quantity=st.integers(1, 2)),
    st.integers(1, 600),
)


@given(st.lists(wishes, max_size=10), st.integers(0, 500))
def test_what_goes_back_in_parts_and_by_cancelling_adds_up_to_the_order(
    wanted: list[RefundPart | int], points: int
) -> None:
    earnings = order(points=points)
    steps = [nothing(earnings)]
    for wish in wanted:
        try:
            if isinstance(wish, int):
                steps.append(refund(earnings, steps[-1], amount_minor=wish))
            else:
                steps.append(refund(earnings, steps[-1], wish))
        except RefundExceedsOrder:
            continue
    if steps[-1].total_minor < earnings.total_minor:
        steps.append(rules.cancel(earnings, steps[-1]))
    gone = [rules.gone_back(earnings, before, after) for before, after in itertools.pairwise(steps)]
    assert all(min(part.points, part.qualifying_points, part.spend_minor) >= 0 for part in gone)
    assert sum(part.points for part in gone) == earnings.points
    assert sum(part.qualifying_points for part in gone) == earnings.qualifying_points
    assert sum(part.spend_minor for part in gone) == earnings.spend_minor
    assert sum(part.purchases for part in gone) == 1


@given(st.permutations([RefundPart(line=0, amount_minor=100), RefundPart(line=1, amount_minor=77), 250, 33]))
def test_refunds_commute(wanted: list[RefundPart | int]) -> None:
    earnings, refunded = order(), nothing(order())
    for wish in wanted:
        parts = [] if isinstance(wish, int) else [wish]
        refunded = rules.add_refund(earnings, refunded, parts, wish if isinstance(wish, int) else None)
    assert refunded.clawed_points == 23


class TestThePartsOfAPurchase:
    def test_add_up_with_tax_inside_the_lines_or_on_top(self) -> None:
        amounts.check_sums(1100, 100, 0, [600, 500], [1100])
        amounts.check_sums(1100, 100, 0, [600, 400], [1100])
        amounts.check_sums(1100, 0, 100, [1000], [600, 500])
        amounts.check_sums(1100, 0, 0, [], [])

    @pytest.mark.parametrize(
        ("arguments", "field"),
        [
            ((100, 60, 60, [], []), "total_minor"),
            ((100, 0, 0, [99], []), "lines"),
            ((100, 0, 0, [], [99]), "payments"),
        ],
    )
    def test_are_refused_when_they_do_not(
        self, arguments: tuple[int, int, int, list[int], list[int]], field: str
    ) -> None:
        with pytest.raises(Invalid) as refusal:
            amounts.check_sums(*arguments)
        assert refusal.value.field == field
