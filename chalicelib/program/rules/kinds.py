"""What each kind of rule brings for a purchase, exact, over the lines that it means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeAlias, TypeVar

import msgspec

from chalicelib.base import money
from chalicelib.program.document import Program
from chalicelib.program.document.earning import Bonus, Multiplier, PerAmount, PerItem, Voucher
from chalicelib.program.rules.inputs import Purchase
from chalicelib.program.rules.lines import EVERYTHING, Basket, Selection, Spread, at_places

_Value = TypeVar("_Value", int, Fraction)


class Standing(msgspec.Struct):
    """How far the judging of a purchase has come: what base rules have brought, and what all rules have.

    `is_lowered` says that a multiplier below 1 has taken something away.
    """

    purchase: Purchase
    basket: Basket
    base: Spread
    so_far: Spread
    is_lowered: bool = False


Gives: TypeAlias = Callable[[Standing, int], Spread | str]
"""What a rule brings, its threshold being met so many times; a reason for nothing."""


def gives(program: Program, rule: PerAmount | PerItem | Multiplier | Bonus | Voucher, selector: int) -> Gives:
    """The rule as a function."""
    match rule:
        case PerAmount():
            return _per_amount(program, rule, selector)
        case PerItem():
            return _per_item(rule, selector)
        case Multiplier():
            return _multiplier(rule, selector)
        case Bonus():
            return _bonus(rule, selector)
        case Voucher():
            return _no_points


def _per_amount(program: Program, rule: PerAmount, selector: int) -> Gives:
    rates = {currency: (rate.points, rate.per_minor) for currency, rate in {**program.currencies, **rule.rates}.items()}

    def brings(standing: Standing, _times: int) -> Spread | str:
        points, per_minor = rates[standing.purchase.currency]
        basket = standing.basket
        for_weight, over = basket.eligible_minor * points, basket.whole_weight * per_minor
        if selector == EVERYTHING:
            return Spread(over, for_weight * basket.weight)
        places = basket.selection(selector).places
        return Spread(over, 0, {place: for_weight * basket.weights[place] for place in places})

    return brings


def _per_item(rule: PerItem, selector: int) -> Gives:
    steps = sorted((step.quantity, step.points) for step in rule.steps)

    def brings(standing: Standing, _times: int) -> Spread | str:
        selection = standing.basket.selection(selector)
        if not selection.quantity:
            return "no_matching_lines"
        points = _step(steps, selection.quantity, rule.points)
        quantities = standing.basket.quantities
        return Spread(1, 0, {place: points * quantities[place] for place in selection.places})

    return brings


def _multiplier(rule: Multiplier, selector: int) -> Gives:
    factor = money.rate(rule.factor)
    steps = sorted((step.quantity, money.rate(step.factor)) for step in rule.steps)

    def brings(standing: Standing, _times: int) -> Spread | str:
        selection = standing.basket.selection(selector)
        more = _step(steps, selection.quantity, factor) - 1
        if not more:
            return "no_difference"
        source = standing.base if rule.of == "base" else standing.so_far
        part = source if selector == EVERYTHING else at_places(source, selection.places, standing.basket)
        if not part.total:
            return "nothing_to_multiply"
        extra = part.times(more.numerator, more.denominator)
        return _no_more_than_there_is(extra, standing, selection) if more < 0 and standing.is_lowered else extra

    return brings


def _bonus(rule: Bonus, selector: int) -> Gives:
    def brings(standing: Standing, times: int) -> Spread | str:
        points = rule.points * times if rule.repeats else rule.points
        if selector == EVERYTHING:
            return Spread(1, points)
        weights, selection = standing.basket.weights, standing.basket.selection(selector)
        return Spread(selection.weight, 0, {place: points * weights[place] for place in selection.places})

    return brings


def _no_points(_standing: Standing, _times: int) -> Spread | str:
    """A voucher is no points."""
    return Spread()


def _no_more_than_there_is(extra: Spread, standing: Standing, selection: Selection) -> Spread | str:
    """What a second lowering multiplier takes away: from no line more than all rules have brought on it."""
    taken = at_places(extra, selection.places, standing.basket)
    there = at_places(standing.so_far, selection.places, standing.basket)
    over = taken.over * there.over
    left = {
        place: max(taken.places[place] * there.over, -there.places[place] * taken.over) for place in selection.places
    }
    return Spread(over, 0, left) if any(left.values()) else "nothing_to_multiply"


def _step(steps: Sequence[tuple[int, _Value]], quantity: int, otherwise: _Value) -> _Value:
    """What holds from so many pieces on."""
    found = otherwise
    for least, value in steps:
        if quantity >= least:
            found = value
    return found
