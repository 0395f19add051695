"""What refunds leave of a purchase, as challenges see it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.engagement.hearing import left_of
from chalicelib.orders.history import History
from chalicelib.orders.rules import Earnings, Refunded
from chalicelib.orders.schema import OrderIn
from chalicelib.program.rules.inputs import Line, Payment, Purchase

TEA, CUP = Line("oolong", "tea", 3, 60_00), Line("cup-07", "home", 1, 40_00)
BOUGHT = Purchase(
    currency="CNY",
    total_minor=105_00,
    shipping_minor=5_00,
    lines=(TEA, CUP),
    payments=(Payment("card", 105_00),),
    occurred_at=0,
)
GIFT = Purchase(currency="CNY", total_minor=0, lines=(Line("sample", "tea", 2, 0),), occurred_at=0)


def left(purchase: Purchase, **refunded: object) -> Purchase | None:
    none = (0,) * len(purchase.lines)
    figures = Refunded(**{"by_line_minor": none, "by_line_quantity": none, **refunded})  # type: ignore[arg-type]
    order: OrderIn = None  # type: ignore[assignment]
    return left_of(History((), order, Earnings(total_minor=purchase.total_minor), figures, "mem_a"), purchase)


def test_all_is_left_while_nothing_was_refunded() -> None:
    assert left(BOUGHT) == BOUGHT
    assert left(GIFT) == GIFT


def test_nothing_is_left_of_what_was_cancelled_or_refunded_whole() -> None:
    assert left(BOUGHT, cancelled=True) is None
    assert left(GIFT, cancelled=True) is None
    assert left(BOUGHT, at_large_minor=105_00) is None


def test_pieces_go_back_with_their_amounts() -> None:
    found = left(BOUGHT, by_line_minor=(20_00, 0), by_line_quantity=(1, 0))
    assert found is not None
    assert (found.total_minor, found.lines) == (85_00, (Line("oolong", "tea", 2, 40_00), CUP))


def test_pieces_that_cost_nothing_go_back_as_well() -> None:
    found = left(GIFT, by_line_quantity=(1,))
    assert found is not None
    assert found.lines == (Line("sample", "tea", 1, 0),)


@given(st.integers(0, 105_00), st.integers(0, 60_00))
def test_what_is_refunded_at_large_comes_off_the_lines(at_large_minor: int, line_minor: int) -> None:
    at_large_minor = min(at_large_minor, 105_00 - line_minor)
    found = left(BOUGHT, at_large_minor=at_large_minor, by_line_minor=(line_minor, 0))
    if at_large_minor + line_minor == 105_00:
        assert found is None
        return
    assert found is not None
    amounts = [line.amount_minor for line in found.lines]
    assert min(amounts) >= 0
    assert sum(amounts) == max(100_00 - line_minor - at_large_minor, 0)
    assert found.total_minor == 105_00 - line_minor - at_large_minor
    assert found.tax_minor + found.shipping_minor <= found.total_minor
