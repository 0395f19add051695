"""The lines of a purchase: what of it earns, which of them a rule means, and what a rule brings on each.

Nothing is rounded here. A `Spread` is an exact number of points over lines; all its parts share one denominator, so
that it is reckoned with in plain integers.
"""

from __future__ import annotations

from functools import reduce
from math import lcm
from operator import or_
from typing import Final

import msgspec

from chalicelib.base import money
from chalicelib.program.document.earning import Earning, Items
from chalicelib.program.rules.inputs import Purchase

EVERYTHING: Final = 0
"""The selector of items that names and excludes nothing."""


class Selectors:
    """The `Items` of a programme, each under a number; it tells by one bit each which of them mean a line."""

    def __init__(self, earning: Earning) -> None:
        self._numbers: dict[Items, int] = {Items(): EVERYTHING}
        self._any = 1
        self._sku: dict[str, int] = {}
        self._category: dict[str, int] = {}
        self._not_sku: dict[str, int] = {}
        self._not_category: dict[str, int] = {}
        self._dead_skus = frozenset(earning.excluded_skus)
        self._dead_categories = frozenset(earning.excluded_categories)

    def number(self, items: Items) -> int:
        """The number of a selector, EVERYTHING for one that names and excludes nothing."""
        found = self._numbers.get(items)
        if found is not None:
            return found
        number = self._numbers[items] = len(self._numbers)
        bit = 1 << number
        if not items.skus and not items.categories:
            self._any |= bit
        for names, known in (
            (items.skus, self._sku),
            (items.categories, self._category),
            (items.excluded_skus, self._not_sku),
            (items.excluded_categories, self._not_category),
        ):
            for name in names:
                known[name] = known.get(name, 0) | bit
        return number

    def are_trivial(self) -> bool:
        """Whether every line is meant by every rule."""
        return len(self._numbers) == 1 and not self._dead_skus and not self._dead_categories

    def of(self, sku: str, category: str) -> int:
        """The bits of those that mean such a line, 0 where the programme excludes it."""
        if sku in self._dead_skus or category in self._dead_categories:
            return 0
        meant = self._any | self._sku.get(sku, 0) | self._category.get(category, 0)
        return meant & ~(self._not_sku.get(sku, 0) | self._not_category.get(category, 0))

    def of_unknown(self) -> int:
        """The bits of those that mean a purchase of which no lines are known: all that name nothing."""
        return self._any


class Selection(msgspec.Struct, frozen=True):
    """The lines that a selector means: their places, their part of `Basket.whole_weight`, and how many pieces."""

    places: tuple[int, ...]
    weight: int
    quantity: int


class Basket:
    """A purchase as the rules see it.

    `eligible_minor` is spread over the lines in proportion to their amounts: place n has `weights[n]` of
    `whole_weight`, 0 where the line costs nothing or is excluded, and `weight` is what all that earn have. A purchase
    without lines, or with free ones only, has one place that stands for all of it.
    """

    __slots__ = ("_masks", "_meant", "_selections", "eligible_minor", "quantities", "weight", "weights", "whole_weight")

    def __init__(self, earning: Earning, selectors: Selectors, purchase: Purchase) -> None:
        self.eligible_minor = _eligible_minor(earning, purchase)
        self._selections: dict[int, Selection] = {}
        lines = purchase.lines
        amounts = [max(line.amount_minor, 0) for line in lines]
        self.whole_weight = sum(amounts)
        if not self.whole_weight:
            self.whole_weight = self.weight = 1
            self.weights, self.quantities, self._masks = [1], [0], [selectors.of_unknown()]
            self._meant = self._masks[0]
            return
        self.quantities = [line.quantity for line in lines]
        if selectors.are_trivial():
            self.weight, self.weights, self._masks = self.whole_weight, amounts, [1] * len(lines)
            self._meant = 1
            return
        masks = [selectors.of(line.sku, line.category) for line in lines]
        self.weights = [amount if mask else 0 for amount, mask in zip(amounts, masks, strict=True)]
        self.weight = sum(self.weights)
        self._masks = masks
        self._meant = reduce(or_, (mask for mask, weight in zip(masks, self.weights, strict=True) if weight), 0)

    def exclude(self) -> None:
        """Nothing of this purchase earns."""
        self.weight = 0
        self.weights = [0] * len(self.weights)
        self._masks = [0] * len(self.weights)

    def means(self, number: int) -> bool:
        """Whether a selector means any line that earns."""
        return bool(self._meant >> number & 1)

    def selection(self, number: int) -> Selection:
        """The lines that a selector means; those that cost nothing are never among them."""
        found = self._selections.get(number)
        if found is None:
            bit = 1 << number
            places = tuple(place for place, mask in enumerate(self._masks) if mask & bit and self.weights[place])
            weight = sum(self.weights[place] for place in places)
            quantity = sum(self.quantities[place] for place in places)
            found = self._selections[number] = Selection(places, weight, quantity)
        return found

    def quantity_of_any(self, numbers: tuple[int, ...]) -> int:
        """How many pieces there are of what any of these selectors means."""
        bits = reduce(or_, (1 << number for number in numbers))
        return sum(
            self.quantities[place] for place, mask in enumerate(self._masks) if mask & bits and self.weights[place]
        )

    def earning_minor(self) -> int:
        """The part of the total that earns, whole minor units of it."""
        return self.eligible_minor * self.weight // self.whole_weight


class Spread(msgspec.Struct):
    """Points over lines: `whole` over all that earn, in proportion to their weights, and more for single places.

    All are numerators over `over`.
    """

    over: int = 1
    whole: int = 0
    places: dict[int, int] = msgspec.field(default_factory=dict)

    @property
    def total(self) -> int:
        """The numerator of all together."""
        return self.whole + sum(self.places.values()) if self.places else self.whole

    def times(self, numerator: int, denominator: int) -> Spread:
        """So many times as much, everywhere."""
        places = {place: value * numerator for place, value in self.places.items()} if self.places else {}
        return Spread(self.over * denominator, self.whole * numerator, places)

    def cut_to(self, numerator: int, denominator: int) -> Spread:
        """The same in proportion, with a total of `numerator / denominator`; there must be something to cut."""
        places = {place: value * numerator for place, value in self.places.items()}
        return Spread(self.total * denominator, self.whole * numerator, places)

    def add(self, other: Spread) -> None:
        """Take in what another one has."""
        mine = theirs = 1
        if self.over != other.over:
            over = lcm(self.over, other.over)
            mine, theirs = over // self.over, over // other.over
            self.over = over
            self.whole *= mine
            if self.places and mine != 1:
                self.places = {place: value * mine for place, value in self.places.items()}
        self.whole += other.whole * theirs
        for place, value in other.places.items():
            self.places[place] = self.places.get(place, 0) + value * theirs


def at_places(spread: Spread, places: tuple[int, ...], basket: Basket) -> Spread:
    """What `spread` has on these places alone."""
    found = {
        place: spread.whole * basket.weights[place] + spread.places.get(place, 0) * basket.weight for place in places
    }
    return Spread(spread.over * basket.weight, 0, found)


def shared(points: int, spread: Spread, basket: Basket, lines: int) -> tuple[int, ...]:
    """Whole points for each of the `lines`, by what it really brought; () without lines."""
    if not lines:
        return ()
    if lines != len(basket.weights):
        return (points, *[0] * (lines - 1))
    if not spread.places:
        return tuple(money.share(points, basket.weights))
    weights = [
        spread.whole * weight + spread.places.get(place, 0) * basket.weight
        for place, weight in enumerate(basket.weights)
    ]
    return tuple(money.share(points, weights))


def _eligible_minor(earning: Earning, purchase: Purchase) -> int:
    """The part of the total that may earn.

    Points and gift cards are taken off what is left after tax and shipping, as if they had paid for goods alone: the
    member sees them at work on the goods, and the merchant never pays points for points.
    """
    eligible_minor = purchase.total_minor
    if not earning.on_tax:
        eligible_minor -= purchase.tax_minor
    if not earning.on_shipping:
        eligible_minor -= purchase.shipping_minor
    for payment in purchase.payments:
        if payment.type in earning.payments_that_earn_nothing:
            eligible_minor -= payment.amount_minor
    return max(eligible_minor, 0)
