"""What an order earned and what its refunds take back: pure."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from chalicelib.base import money
from chalicelib.base.errors import Conflict, Invalid
from chalicelib.ledger.points import Refundable, clawed_in_total
from chalicelib.ledger.state import NEVER, Limit
from chalicelib.program.rules.takes import Given, Take


class RefundExceedsOrder(Conflict):
    """More would go back than is left of the order or of the line."""

    code = "refund_exceeds_order"


class Earnings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an order brought, as recorded with it; refunds reckon from this, never from today's rules.

    The three fields of lines run parallel to the lines (and are empty without any); amounts are net of the discount.
    `month` is the tier month, and refunds that occur before `refundable_until` are spared what has lapsed of the
    points. `limits` is what was used up of the member's, `takes` what was taken from campaigns' budgets, `reasons` are
    the explanations in their packed form, and `vouchers` those that rules gave.
    """

    total_minor: int
    line_amounts_minor: tuple[int, ...] = ()
    line_quantities: tuple[int, ...] = ()
    points: int = 0
    line_points: tuple[int, ...] = ()
    qualifying_points: int = 0
    spend_minor: int = 0
    month: int = 0
    expires_at: int = 0
    available_at: int | None = None
    program: int = 0
    refundable_until: int = NEVER
    limits: tuple[Limit, ...] = ()
    takes: tuple[Take, ...] = ()
    reasons: tuple[tuple[str | int, ...], ...] = ()
    vouchers: tuple[Given, ...] = ()


class Refunded(msgspec.Struct, frozen=True, kw_only=True):
    """Running totals of an order's refunds, and the part of the last one.

    `by_line_minor` and `by_line_quantity` run parallel to the lines; `at_large_minor` is what was refunded by amount.
    `voided` says that its pending points were withdrawn, and `returned_points` what went back to each redemption that
    paid the order.
    """

    by_line_minor: tuple[int, ...] = ()
    by_line_quantity: tuple[int, ...] = ()
    at_large_minor: int = 0
    clawed_points: int = 0
    last_minor: int = 0
    last_clawed_points: int = 0
    cancelled: bool = False
    voided: bool = False
    returned_points: tuple[int, ...] = ()
    last_returned_points: int = 0

    @property
    def total_minor(self) -> int:
        """All that was refunded so far."""
        return sum(self.by_line_minor) + self.at_large_minor


class RefundPart(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to refund a line: an amount, a quantity, or (with neither) all that is left of it."""

    line: int
    quantity: int | None = None
    amount_minor: int | None = None


class TakenBack(msgspec.Struct, frozen=True):
    """What goes back to a campaign's budgets: points, and 1 award with the last of the order."""

    take: Take
    points: int
    awards: int


class GoneBack(msgspec.Struct, frozen=True):
    """What one refund takes back beside its own points; `purchases` is 1 with the last of the order.

    `limits` are deltas of the member's, none above 0, `budgets` is what campaigns get back, and `vouchers` are all that
    rules gave, with the last of the order.
    """

    points: int
    qualifying_points: int
    spend_minor: int
    purchases: int
    limits: tuple[Limit, ...] = ()
    budgets: tuple[TakenBack, ...] = ()
    vouchers: tuple[Given, ...] = ()


def nothing_refunded(earnings: Earnings) -> Refunded:
    """The totals before the first refund."""
    none = (0,) * len(earnings.line_amounts_minor)
    return Refunded(by_line_minor=none, by_line_quantity=none)


def reckoned(earnings: Earnings, refunded: Refunded) -> Refunded:
    """Totals with the clawed points that follow from `earnings`.

    They were written without any while the order was unclaimed.
    """
    return msgspec.structs.replace(refunded, clawed_points=_clawed(earnings, refunded))


def add_refund(earnings: Earnings, before: Refunded, parts: Sequence[RefundPart], amount_minor: int | None) -> Refunded:
    """The totals after one more refund, by `parts` of lines or by `amount_minor`.

    Raises RefundExceedsOrder when more would go back than there is, and Invalid for a line that is not there.
    """
    if before.cancelled:
        raise RefundExceedsOrder("The order is cancelled; nothing of it is left to refund.")
    by_line, by_quantity = list(before.by_line_minor), list(before.by_line_quantity)
    for index, part in enumerate(parts):
        refunded_minor, quantity = _line_part(earnings, by_line, by_quantity, part, f"lines[{index}]")
        by_line[part.line] += refunded_minor
        by_quantity[part.line] += quantity
    after = msgspec.structs.replace(
        before,
        by_line_minor=tuple(by_line),
        by_line_quantity=tuple(by_quantity),
        at_large_minor=before.at_large_minor + (amount_minor or 0),
    )
    if after.total_minor > earnings.total_minor:
        raise RefundExceedsOrder(
            f"{after.total_minor - before.total_minor} would go back "
            f"and {earnings.total_minor - before.total_minor} is left."
        )
    return _with_last(earnings, before, after)


def cancel(earnings: Earnings, before: Refunded) -> Refunded:
    """The totals after everything that is left has gone back. Raises Conflict when it was cancelled before."""
    if before.cancelled:
        raise Conflict("The order is cancelled already.", code="order_cancelled")
    rest_minor = earnings.total_minor - before.total_minor
    after = msgspec.structs.replace(before, at_large_minor=before.at_large_minor + rest_minor, cancelled=True)
    return _with_last(earnings, before, after)


def void(earnings: Earnings, before: Refunded) -> Refunded:
    """The totals after the order's points were withdrawn, though nothing was refunded. Raises Conflict if they were."""
    if before.voided or before.cancelled:
        raise Conflict("The order's points were taken back already.", code="nothing_pending")
    return _with_last(earnings, before, msgspec.structs.replace(before, voided=True))


def returning(earnings: Earnings, after: Refunded, spent_points: Sequence[int]) -> Refunded:
    """The totals with what goes back of the points that paid the order: of each redemption the part that was refunded.

    `spent_points` are those of the redemptions, in the order of the payments. What went back stays back: a redemption
    that was cancelled after a refund counts for less than that refund returned.
    """
    part = Fraction(after.total_minor, earnings.total_minor) if earnings.total_minor else Fraction(1)
    before = after.returned_points or (0,) * len(spent_points)
    returned = tuple(
        max(already, money.floor(points * part)) for already, points in zip(before, spent_points, strict=True)
    )
    return msgspec.structs.replace(
        after, returned_points=returned, last_returned_points=sum(returned) - sum(after.returned_points)
    )


def gone_back(earnings: Earnings, before: Refunded, after: Refunded) -> GoneBack:
    """What the step from `before` to `after` takes off the member's points, tier month, purchase summary and limits.

    Limits and budgets go back as the points do: in proportion, and what counts awards with the last of them.
    """
    ended = int(is_over(earnings, after)) - int(is_over(earnings, before))

    def gained(points: int) -> int:
        return _gained_in_total(earnings, after, points) - _gained_in_total(earnings, before, points)

    return GoneBack(
        points=after.clawed_points - before.clawed_points,
        qualifying_points=_in_total(earnings, after, earnings.qualifying_points)
        - _in_total(earnings, before, earnings.qualifying_points),
        spend_minor=_in_total(earnings, after, earnings.spend_minor)
        - _in_total(earnings, before, earnings.spend_minor),
        purchases=int(is_whole(earnings, after)) - int(is_whole(earnings, before)),
        limits=tuple(
            Limit(limit.limit_id, limit.until, -limit.count * ended, -gained(limit.points)) for limit in earnings.limits
        ),
        budgets=tuple(TakenBack(take, gained(take.points), ended) for take in earnings.takes),
        vouchers=earnings.vouchers if ended else (),
    )


def is_whole(earnings: Earnings, refunded: Refunded) -> bool:
    """Whether everything went back: a free order only by being cancelled."""
    return refunded.cancelled or (earnings.total_minor > 0 and refunded.total_minor == earnings.total_minor)


def still_taken(earnings: Earnings, refunded: Refunded) -> tuple[Take, ...]:
    """What a late claim takes from budgets: what has gone back of the order already is never taken."""
    if is_over(earnings, refunded):
        return ()
    return tuple(
        msgspec.structs.replace(take, points=take.points - _gained_in_total(earnings, refunded, take.points))
        for take in earnings.takes
    )


def is_over(earnings: Earnings, refunded: Refunded) -> bool:
    """Whether nothing is left of what the order gained: it went back whole, or its points were withdrawn."""
    return refunded.voided or is_whole(earnings, refunded)


def _with_last(earnings: Earnings, before: Refunded, after: Refunded) -> Refunded:
    clawed_points = _clawed(earnings, after)
    return msgspec.structs.replace(
        after,
        clawed_points=clawed_points,
        last_minor=after.total_minor - before.total_minor,
        last_clawed_points=clawed_points - before.clawed_points,
    )


def _clawed(earnings: Earnings, refunded: Refunded) -> int:
    if is_over(earnings, refunded):
        return earnings.points
    order = Refundable(earnings.total_minor, earnings.points, earnings.line_amounts_minor, earnings.line_points)
    return clawed_in_total(order, refunded.by_line_minor, refunded.at_large_minor)


def _gained_in_total(earnings: Earnings, refunded: Refunded, points: int) -> int:
    """Of points that the order gained, those that are gone: as `_in_total`, but all where they were withdrawn."""
    return points if refunded.voided else _in_total(earnings, refunded, points)


def _in_total(earnings: Earnings, refunded: Refunded, figure: int) -> int:
    """Of a figure that the whole order brought, the part its refunds take back; lines share it by their amounts."""
    if is_whole(earnings, refunded):
        return figure
    if not refunded.total_minor:
        return 0
    amounts = earnings.line_amounts_minor
    shares = tuple(money.share(figure, amounts)) if amounts else ()
    return clawed_in_total(
        Refundable(earnings.total_minor, figure, amounts, shares), refunded.by_line_minor, refunded.at_large_minor
    )


def _line_part(
    earnings: Earnings, by_line: list[int], by_quantity: list[int], part: RefundPart, field: str
) -> tuple[int, int]:
    """The amount and quantity that one wish takes off its line."""
    if part.line >= len(earnings.line_amounts_minor):
        raise Invalid(f"The order has {len(earnings.line_amounts_minor)} lines.", field=f"{field}.line")
    amount, quantity = earnings.line_amounts_minor[part.line], earnings.line_quantities[part.line]
    left_minor = amount - by_line[part.line]
    if part.amount_minor is not None:
        wanted_minor, wanted_quantity = part.amount_minor, part.quantity or 0
    elif part.quantity is not None:
        gone = by_quantity[part.line]
        wanted_minor = amount * (gone + part.quantity) // quantity - amount * gone // quantity
        wanted_quantity = part.quantity
    else:
        wanted_minor, wanted_quantity = left_minor, quantity - by_quantity[part.line]
    if wanted_minor > left_minor or by_quantity[part.line] + wanted_quantity > quantity:
        raise RefundExceedsOrder(
            f"{wanted_minor} would go back of this line and {left_minor} of it is left.", field=field
        )
    return wanted_minor, wanted_quantity
