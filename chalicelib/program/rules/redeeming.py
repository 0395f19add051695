"""What points are worth as a discount."""

from __future__ import annotations

from chalicelib.base.errors import Invalid
from chalicelib.program.document import Program


class NotRedeemable(Invalid):
    """The programme does not take these points as a discount."""

    code = "not_redeemable"


def discount(program: Program, points: int, currency: str) -> int:
    """The discount in minor units of `currency` for `points`.

    It is exact: the programme only knows steps that are worth whole minor units. Raises NotRedeemable when the
    programme gives no discounts, none in this currency, or not for this number of points.
    """
    redemption = program.redemption
    if redemption is None:
        raise NotRedeemable("The programme gives no discounts for points.")
    amount_minor = redemption.amount_minor.get(currency)
    if amount_minor is None:
        raise NotRedeemable(f"The programme gives no discounts in {currency}.", field="currency")
    if points < redemption.minimum_points:
        raise NotRedeemable(f"At least {redemption.minimum_points} points are redeemed at once.", field="points")
    if points % redemption.step_points:
        raise NotRedeemable(f"Points are redeemed in steps of {redemption.step_points}.", field="points")
    return points * amount_minor // redemption.points_per
