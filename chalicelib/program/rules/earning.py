"""What a purchase earns, and why."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from fractions import Fraction

from chalicelib.base import money
from chalicelib.base.errors import Invalid
from chalicelib.program.document import Program
from chalicelib.program.rules.inputs import Earned, Explanation, Line, Member, Purchase

TIER_MULTIPLIER = "tier_multiplier"
"""The name under which the tier's multiplier explains itself, beside the codes of the rules."""


class CurrencyNotAccepted(Invalid):
    """The programme has no rate for this currency."""

    code = "currency_not_accepted"


def evaluate(program: Program, purchase: Purchase, member: Member, exhausted: AbstractSet[str] = frozenset()) -> Earned:
    """What `purchase` earns a member; a tier that the programme does not know is the first one.

    `exhausted` are the campaigns whose budget covers no more.

    Raises CurrencyNotAccepted.

    Points are floored once for the whole purchase, after the multiplier; so two purchases may earn one point less than
    both at once, and never more.
    """
    rate = program.currencies.get(purchase.currency)
    if rate is None:
        accepted = ", ".join(sorted(program.currencies))
        raise CurrencyNotAccepted(f"The programme takes {accepted}, not {purchase.currency}.", field="currency")
    tier = program.tier(member.tier) or program.tiers[0]
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
