"""When a rule fires: its conditions on the member, the time and the place, and on what was bought.

Each condition is compiled to a check that answers "" where it holds, and otherwise the stable code of a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.program.document import Program
from chalicelib.program.document.earning import When
from chalicelib.program.document.tiers import Tier
from chalicelib.program.rules import expressions, windows
from chalicelib.program.rules.inputs import Event, Member, Purchase
from chalicelib.program.rules.lines import Basket, Selection, Selectors


class Facts(msgspec.Struct, kw_only=True):
    """Everything that is judged: a purchase with its basket, or an event; what takes work is worked out on demand.

    `refused` says of batches from which no voucher can be issued, why.
    """

    zone: ZoneInfo
    tier: Tier
    member: Member
    channel: str
    store: str
    occurred_at: int
    purchase: Purchase | None = None
    basket: Basket | None = None
    event: Event | None = None
    periods: dict[str, int] = msgspec.field(default_factory=dict)
    refused: Mapping[str, str] = msgspec.field(default_factory=dict)
    _local: datetime | None = None
    _data: dict[str, Any] | None = None

    @property
    def local(self) -> datetime:
        """The time on the programme's clocks."""
        if self._local is None:
            self._local = datetime.fromtimestamp(self.occurred_at, self.zone)
        return self._local

    @property
    def data(self) -> dict[str, Any]:
        """What JMESPath conditions see."""
        if self._data is None:
            if self.purchase is not None and self.basket is not None:
                eligible_minor = self.basket.earning_minor()
                self._data = expressions.of_purchase(self.purchase, self.member, eligible_minor, self.zone)
            elif self.event is not None:
                self._data = expressions.of_event(self.event, self.member, self.zone)
            else:
                self._data = {}
        return self._data

    def period_end(self, per: str) -> int:
        """When the period that this falls into is over."""
        found = self.periods.get(per)
        if found is None:
            found = self.periods[per] = windows.period_end(per, self.occurred_at, self.zone)
        return found


Check: TypeAlias = Callable[[Facts], str]


class Threshold(msgspec.Struct, frozen=True):
    """What a purchase must reach, in amount, in pieces and in combinations."""

    minimum_minor: dict[str, int]
    minimum_quantity: int
    pieces: tuple[tuple[tuple[int, ...], int], ...]
    """For every set of the combination's parts: the selectors that serve any of them, and how many pieces they need."""

    def times(self, purchase: Purchase, basket: Basket, selection: Selection) -> tuple[int, str]:
        """How often it is reached, and where it is not, why."""
        reached: list[tuple[int, str]] = []
        if self.minimum_minor:
            minimum_minor = self.minimum_minor.get(purchase.currency)
            if minimum_minor is None:
                return 0, "wrong_currency"
            eligible = basket.eligible_minor * selection.weight
            reached.append((eligible // (minimum_minor * basket.whole_weight), "below_threshold"))
        if self.minimum_quantity:
            reached.append((selection.quantity // self.minimum_quantity, "too_few_items"))
        if self.pieces:
            # Pieces that serve several parts serve one of them each. By Hall's theorem the parts can all be served so
            # many times exactly if every set of them finds enough pieces.
            served = min(basket.quantity_of_any(numbers) // quantity for numbers, quantity in self.pieces)
            reached.append((served, "combination_incomplete"))
        for times, reason in reached:
            if not times:
                return 0, reason
        return min(times for times, _reason in reached), ""


def threshold(when: When, selectors: Selectors) -> Threshold | None:
    """The part of a condition that looks at what was bought."""
    if not when.minimum_minor and not when.minimum_quantity and not when.combination:
        return None
    parts = [(selectors.number(piece.items), piece.quantity) for piece in when.combination]
    chosen = [
        [part for place, part in enumerate(parts) if members >> place & 1] for members in range(1, 1 << len(parts))
    ]
    return Threshold(
        when.minimum_minor,
        when.minimum_quantity,
        tuple((tuple(number for number, _ in some), sum(quantity for _, quantity in some)) for some in chosen),
    )


def checks(program: Program, when: When) -> tuple[Check, ...]:
    """What a condition asks of the member, the time and the place; in the order in which its reasons are told."""
    found: list[Check] = []
    if when.tiers:
        found.append(_tier_in(tier_codes(program, when.tiers)))
    if when.segments:
        found.append(_any_of("segments", when.segments, "wrong_segment"))
    if when.tags:
        found.append(_any_of("tags", when.tags, "wrong_tag"))
    if when.channels:
        found.append(_place_in("channel", when.channels))
    if when.stores:
        found.append(_place_in("store", when.stores))
    if when.weekdays or when.month_days or when.dates:
        found.append(_on_day(when))
    if when.birthday:
        found.append(_on_birthday(when.birthday))
    if when.first_purchase:
        found.append(lambda facts: "not_first_purchase" if facts.member.purchases else "")
    return tuple(found)


def condition(when: When) -> Check | None:
    """The JMESPath condition; it is asked last, since it costs the most."""
    if not when.condition:
        return None
    expression = when.condition

    def holds(facts: Facts) -> str:
        found = expressions.compiled(expression)(facts.data)
        if found is None:
            return "condition_error"
        return "" if found else "condition_false"

    return holds


def first_unmet(wanted: tuple[Check, ...], facts: Facts) -> str:
    """The reason of the first check that does not hold, "" where all do."""
    for check in wanted:
        reason = check(facts)
        if reason:
            return reason
    return ""


def tier_codes(program: Program, codes: tuple[str, ...]) -> frozenset[str]:
    """The tiers that these codes stand for today."""
    return frozenset(tier.code for tier in map(program.tier, codes) if tier is not None)


def voucher_refusal(facts: Facts, batch_id: str) -> str:
    """Why no voucher of a batch can be given, "" where one can, or where the rule gives none (`batch_id` is "")."""
    return facts.refused.get(batch_id, "") if batch_id else ""


def needs_profile(when: When) -> bool:
    """Whether a condition looks at what lies in the member's profile."""
    if when.segments or when.tags or when.birthday:
        return True
    return bool(when.condition) and expressions.needs_profile(when.condition)


def _tier_in(codes: frozenset[str]) -> Check:
    return lambda facts: "" if facts.tier.code in codes else "wrong_tier"


def _any_of(field: str, names: tuple[str, ...], reason: str) -> Check:
    wanted = frozenset(names)
    return lambda facts: reason if wanted.isdisjoint(getattr(facts.member, field)) else ""


def _place_in(field: str, names: tuple[str, ...]) -> Check:
    wanted, reason = frozenset(names), f"wrong_{field}"
    return lambda facts: "" if getattr(facts, field) in wanted else reason


def _on_day(when: When) -> Check:
    weekdays, month_days, dates = frozenset(when.weekdays), frozenset(when.month_days), frozenset(when.dates)

    def on_day(facts: Facts) -> str:
        local = facts.local
        fits = (
            (not weekdays or local.isoweekday() in weekdays)
            and (not month_days or local.day in month_days)
            and (not dates or f"{local.month:02}-{local.day:02}" in dates)
        )
        return "" if fits else "wrong_day"

    return on_day


def _on_birthday(period: str) -> Check:
    def on_birthday(facts: Facts) -> str:
        return "" if windows.is_birthday(facts.member.birthday, facts.local.date(), period) else "not_birthday"

    return on_birthday
