"""Whether the parts of a purchase add up, and what its lines come to once the discount is off: pure."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.base import money
from chalicelib.base.errors import Invalid


def check_sums(
    total_minor: int, tax_minor: int, shipping_minor: int, line_amounts: Sequence[int], payments: Sequence[int]
) -> None:
    """Raises Invalid unless the parts of a purchase add up; `line_amounts` are net of the discount."""
    if tax_minor + shipping_minor > total_minor:
        raise Invalid("Tax and shipping together exceed the total.", field="total_minor", code="amounts_do_not_add_up")
    goods_minor = total_minor - shipping_minor
    if line_amounts and sum(line_amounts) not in (goods_minor, goods_minor - tax_minor):
        raise Invalid(
            f"The lines less the discount add up to {sum(line_amounts)}; the total less shipping is {goods_minor}, "
            f"and {goods_minor - tax_minor} without tax.",
            field="lines",
            code="amounts_do_not_add_up",
        )
    if payments and sum(payments) != total_minor:
        raise Invalid(
            f"The payments add up to {sum(payments)} and the total is {total_minor}.",
            field="payments",
            code="amounts_do_not_add_up",
        )


def net_amounts(line_amounts: Sequence[int], discount_minor: int) -> tuple[int, ...]:
    """The lines' amounts less their shares of a discount on the whole order, by largest remainder.

    The shares add up to the discount, however small a line is. Raises Invalid for more than the lines come to.
    """
    if not line_amounts or not discount_minor:
        return tuple(line_amounts)
    if discount_minor > sum(line_amounts):
        raise Invalid(
            f"The lines add up to {sum(line_amounts)}, which is less than the discount.",
            field="discount_minor",
            code="amounts_do_not_add_up",
        )
    shares = money.share(discount_minor, line_amounts)
    return tuple(amount - share for amount, share in zip(line_amounts, shares, strict=True))
