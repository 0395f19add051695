"""What a voucher takes off an order, or why it may not be used: pure."""

from __future__ import annotations

import msgspec

from chalicelib.base import clock, money
from chalicelib.base.errors import Conflict, Invalid
from chalicelib.vouchers.document import Amount, Batch, FreeShipping, Gift, Percentage, Points


class VoucherRefused(Conflict):
    """A voucher may not be used for this; `code` says why."""

    code = "voucher_refused"


class Item(msgspec.Struct, frozen=True):
    """A line of an order; `amount_minor` is for its whole quantity."""

    sku: str
    category: str
    amount_minor: int


class Sketch(msgspec.Struct, frozen=True):
    """An order as far as a voucher has to know it. `taken_minor` is what other vouchers take off it already."""

    currency: str
    total_minor: int
    shipping_minor: int = 0
    items: tuple[Item, ...] = ()
    taken_minor: int = 0

    @property
    def goods_minor(self) -> int:
        """What the goods cost."""
        return self.total_minor - self.shipping_minor


class Worth(msgspec.Struct, frozen=True):
    """What a voucher is worth on an order.

    `discount_minor` is off the order; `item_discounts_minor` says how it falls on the lines, in their order (empty
    where there are no lines or it is shipping). `gift` is (SKU, quantity).
    """

    discount_minor: int = 0
    item_discounts_minor: tuple[int, ...] = ()
    points: int = 0
    gift: tuple[str, int] | None = None


def check_sums(sketch: Sketch) -> None:
    """Raises Invalid where the parts of an order are more than the whole."""
    lines = sum(item.amount_minor for item in sketch.items)
    if sketch.shipping_minor > sketch.total_minor or lines > sketch.goods_minor:
        raise Invalid(
            "Lines and shipping come to more than the total.", field="total_minor", code="amounts_do_not_add_up"
        )


def check_dates(batch: Batch, ends_at: int | None, now: int) -> None:
    """Raises VoucherRefused before the first instant and from the last one on."""
    if batch.starts_at is not None and now < batch.starts_at:
        raise VoucherRefused(f"The voucher is good from {clock.text(batch.starts_at)} on.", code="voucher_not_started")
    if ends_at is not None and now >= ends_at:
        raise VoucherRefused(f"The voucher expired at {clock.text(ends_at)}.", code="voucher_expired")


def worth(batch: Batch, sketch: Sketch) -> Worth:
    """What a voucher takes off or gives for an order. Raises Invalid, and VoucherRefused where the order does not fit.

    Never more than what the lines that count cost, nor than what other vouchers have left of the order.
    """
    check_sums(sketch)
    _check_minimum(batch, sketch)
    covered = [item.amount_minor if batch.items.cover(item.sku, item.category) else 0 for item in sketch.items]
    eligible = sketch.goods_minor if batch.items.is_everything else sum(covered)
    if not batch.items.is_everything and not any(covered):
        raise _nothing_eligible()
    effect = batch.effect
    if isinstance(effect, Points):
        return Worth(points=effect.points)
    if isinstance(effect, Gift):
        return Worth(gift=(effect.sku, effect.quantity))
    if isinstance(effect, FreeShipping):
        wanted = min(sketch.shipping_minor, effect.max_minor.get(sketch.currency, sketch.shipping_minor))
        return Worth(discount_minor=_left(wanted, sketch))
    discount = _left(_reduced(effect, eligible, sketch.currency), sketch)
    by_item = tuple(money.share(discount, covered)) if any(covered) and discount <= sum(covered) else ()
    return Worth(discount_minor=discount, item_discounts_minor=by_item)


def _reduced(effect: Percentage | Amount, eligible: int, currency: str) -> int:
    if isinstance(effect, Percentage):
        return min(money.floor(eligible * effect.rate), effect.max_minor.get(currency, eligible))
    amount = effect.amount_minor.get(currency)
    if amount is None:
        raise VoucherRefused(f"The voucher is not good in {currency}.", code="voucher_currency")
    return min(amount, eligible)


def _left(wanted: int, sketch: Sketch) -> int:
    """As much of `wanted` as there is left to take off. Raises VoucherRefused where that is nothing."""
    found = min(wanted, sketch.total_minor - sketch.taken_minor)
    if found <= 0:
        raise _nothing_eligible()
    return found


def _check_minimum(batch: Batch, sketch: Sketch) -> None:
    if not batch.minimum_minor:
        return
    minimum = batch.minimum_minor.get(sketch.currency)
    if minimum is None:
        raise VoucherRefused(f"The voucher is not good in {sketch.currency}.", code="voucher_currency")
    if sketch.goods_minor < minimum:
        raise VoucherRefused(
            f"The goods must come to {minimum} minor units of {sketch.currency} at least.", code="below_minimum"
        )


def _nothing_eligible() -> VoucherRefused:
    return VoucherRefused("There is nothing in the order that the voucher could reduce.", code="no_eligible_items")
