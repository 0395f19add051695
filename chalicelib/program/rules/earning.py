"""What a purchase earns, and why."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from chalicelib.base import money
from chalicelib.base.errors import Invalid
from chalicelib.program.document import Program

TIER_MULTIPLIER = "tier_multiplier"
"""The name under which the tier's multiplier explains itself, beside the codes of the rules."""


class CurrencyNotAccepted(Invalid):
    """The programme has no rate for this currency."""

    code = "currency_not_accepted"


class Line(msgspec.Struct, frozen=True):
    """One line of a purchase; `amount_minor` is that of the whole quantity."""

    sku: str
    category: str
    quantity: int
    amount_minor: int


class Payment(msgspec.Struct, frozen=True):
    """A part of the total and what paid it, such as `card`, `points` or `gift_card`."""

    type: str
    amount_minor: int


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules look at. Its sums were checked by who made it; `occurred_at` is in seconds."""

    currency: str
    total_minor: int
    tax_minor: int = 0
    shipping_minor: int = 0
    lines: tuple[Line, ...] = ()
    payments: tuple[Payment, ...] = ()
    channel: str = ""
    store: str = ""
    occurred_at: int


class Explanation(msgspec.Struct, frozen=True):
    """What one rule did: whether it fired, a stable code saying why, and the points it brought.

    The points of all explanations add up to those of the purchase.
    """

    rule: str
    fired: bool
    reason: str
    points: int


class Earned(msgspec.Struct, frozen=True):
    """What a purchase earns.

    `points` go to the account; `qualifying_points`, before the multiplier, count towards the tier. `spend_minor` is
    what the purchase adds to spending in the base currency. `line_points` runs parallel to the lines and adds up to
    `points`; it is empty without lines.
    """

    points: int
    qualifying_points: int
    eligible_minor: int
    spend_minor: int
    line_points: tuple[int, ...]
    explanations: tuple[Explanation, ...]


def evaluate(program: Program, purchase: Purchase, tier_code: str) -> Earned:
    """What `purchase` earns a member of this tier; a code that the programme does not know is the first tier.

    Raises CurrencyNotAccepted.

    Points are floored once for the whole purchase, after the multiplier; so two purchases may earn one point less than
    both at once, and never more.
    """
    rate = program.currencies.get(purchase.currency)
    if rate is None:
        accepted = ", ".join(sorted(program.currencies))
        raise CurrencyNotAccepted(f"The programme takes {accepted}, not {purchase.currency}.", field="currency")
    tier = program.tier(tier_code) or program.tiers[0]
    eligible_minor = _eligible_minor(program, purchase)
    amount_points = Fraction(eligible_minor * rate.points, rate.per_minor)
    qualifying_points = money.floor(amount_points)
    points = money.floor(amount_points * tier.rate)
    return Earned(
        points=points,
        qualifying_points=qualifying_points,
        eligible_minor=eligible_minor,
        spend_minor=eligible_minor if purchase.currency == program.base_currency else 0,
        line_points=_line_points(points, purchase.lines),
        explanations=(
            *(_explain_amount(rule.code, eligible_minor, qualifying_points) for rule in program.earning_rules),
            _explain_multiplier(points - qualifying_points),
        ),
    )


def _eligible_minor(program: Program, purchase: Purchase) -> int:
    """The part of the total that earns.

    Points and gift cards are taken off what is left after tax and shipping, as if they had paid for goods alone: the
    member sees them at work on the goods, and the merchant never pays points for points.
    """
    earning = program.earning
    eligible_minor = purchase.total_minor
    if not earning.on_tax:
        eligible_minor -= purchase.tax_minor
    if not earning.on_shipping:
        eligible_minor -= purchase.shipping_minor
    for payment in purchase.payments:
        if payment.type in earning.payments_that_earn_nothing:
            eligible_minor -= payment.amount_minor
    return max(eligible_minor, 0)


def _line_points(points: int, lines: tuple[Line, ...]) -> tuple[int, ...]:
    """Every line's share of the points, in proportion to its amount; whether lines carry tax makes no difference."""
    if not lines:
        return ()
    return tuple(money.share(points, [max(line.amount_minor, 0) for line in lines]))


def _explain_amount(code: str, eligible_minor: int, points: int) -> Explanation:
    if points:
        return Explanation(rule=code, fired=True, reason="amount_spent", points=points)
    reason = "less_than_one_point" if eligible_minor else "nothing_eligible"
    return Explanation(rule=code, fired=False, reason=reason, points=0)


def _explain_multiplier(extra_points: int) -> Explanation:
    """The multiplier may also take points away, or turn fractions into a whole point."""
    if extra_points:
        return Explanation(rule=TIER_MULTIPLIER, fired=True, reason="tier", points=extra_points)
    return Explanation(rule=TIER_MULTIPLIER, fired=False, reason="no_difference", points=0)
