"""What a purchase or event counts for in the challenges of the programme of its time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from chalicelib.engagement.rules.progress import WHOLE, Weights
from chalicelib.program.document import Program
from chalicelib.program.document.earning import Items, When
from chalicelib.program.document.engagement import AnyChallenge, PunchCard, Quest
from chalicelib.program.rules import campaigns, conditions, windows
from chalicelib.program.rules.conditions import Check, Facts
from chalicelib.program.rules.inputs import Event, Member, Purchase
from chalicelib.program.rules.lines import Basket, Selection, Selectors

Marks: TypeAlias = dict[str, Weights]


class Window(msgspec.Struct, frozen=True):
    """When a challenge or benefit begins and is over, in seconds; None where that end is open."""

    starts_at: int | None
    ends_at: int | None

    def begun(self, at: int) -> bool:
        """Whether it has begun."""
        return self.starts_at is None or at >= self.starts_at

    def over(self, at: int) -> bool:
        """Whether it is over; the instant at which it ends does not belong to it any more."""
        return self.ends_at is not None and at >= self.ends_at


class _Part(msgspec.Struct, frozen=True):
    """A thing to be done: all of a punch card or streak, or one step of a quest."""

    step: str
    events: tuple[str, ...]
    items: Items
    when: When
    each_item: bool = False

    @property
    def takes_purchases(self) -> bool:
        """With types of events, purchases count only where items are named as well."""
        return not self.events or self.items != Items()


class _Asked(msgspec.Struct, frozen=True):
    """What does not change from one part of a challenge to the next."""

    program: Program
    challenge: AnyChallenge
    member: Member | None


def window(program: Program, starts_at: str | None, ends_at: str | None) -> Window:
    """The window between two times on the programme's clocks."""
    zone = program.zone
    return Window(
        windows.instant(starts_at, zone) if starts_at is not None else None,
        windows.instant(ends_at, zone) if ends_at is not None else None,
    )


def of_purchase(program: Program, purchase: Purchase, left: Purchase | None, member: Member | None) -> Marks:
    """What a purchase counts for, by challenge; challenges that it cannot count in are left out.

    Whether it counts is decided on the purchase as it was made, how much on what refunds have `left` of it (None:
    nothing), which must still reach the thresholds. Without a `member` neither audiences nor conditions are asked.
    """
    earning = program.earning
    if purchase.channel in earning.excluded_channels or purchase.store in earning.excluded_stores:
        return {}
    found = {}
    for challenge in _running(program, purchase.occurred_at):
        parts = [part for part in _parts(challenge) if part.takes_purchases]
        asked = _Asked(program, challenge, member)
        weights = {part.step: _bought(asked, part, purchase, left) for part in parts}
        found[challenge.code] = {step: weight for step, weight in weights.items() if weight is not None}
    return {code: weights for code, weights in found.items() if weights}


def of_event(program: Program, event: Event, member: Member | None, *, is_cancelled: bool) -> Marks:
    """What an event counts for, by challenge; nothing any more once it is cancelled.

    Without a `member` neither audiences nor conditions are asked.
    """
    facts = _facts(program, member, event) if member else None
    found = {}
    for challenge in _running(program, event.occurred_at):
        parts = [part for part in _parts(challenge) if event.type in part.events]
        found[challenge.code] = {
            part.step: int(not is_cancelled and (facts is None or _fits(program, challenge, part.when, facts)))
            for part in parts
        }
    return {code: weights for code, weights in found.items() if weights}


def is_meant(program: Program, challenge: AnyChallenge, member: Member, at: int) -> bool:
    """Whether a member belongs to the audience of a challenge at an instant."""
    return not conditions.first_unmet(
        campaigns.audience_checks(program, challenge.audience),
        _facts(program, member, Event(type="", occurred_at=at)),
    )


def needs_profile(program: Program) -> bool:
    """Whether a challenge looks at what lies in the member's profile."""
    return any(
        challenge.audience.segments
        or challenge.audience.tags
        or any(conditions.needs_profile(part.when) for part in _parts(challenge))
        for challenge in program.challenges
    )


def _running(program: Program, at: int) -> Iterator[AnyChallenge]:
    for challenge in program.challenges:
        found = window(program, challenge.starts_at, challenge.ends_at)
        if found.begun(at) and not found.over(at):
            yield challenge


def _parts(challenge: AnyChallenge) -> list[_Part]:
    if isinstance(challenge, Quest):
        return [_Part(step.code, step.events, step.items, step.when) for step in challenge.steps]
    each_item = isinstance(challenge, PunchCard) and challenge.each_item
    return [_Part(WHOLE, challenge.events, challenge.items, challenge.when, each_item)]


def _bought(asked: _Asked, part: _Part, purchase: Purchase, left: Purchase | None) -> int | None:
    """The weight of a purchase in one part; None where it has none of the items at all."""
    basket, selection, reached = _look(asked.program, part, purchase)
    if not selection.places:
        return None
    if not reached or left is None:
        return 0
    if asked.member is not None:
        facts = _facts(asked.program, asked.member, purchase, basket)
        if not _fits(asked.program, asked.challenge, part.when, facts):
            return 0
    _basket, remaining, reached = _look(asked.program, part, left)
    if not remaining.places or not reached:
        return 0
    return remaining.quantity if part.each_item else 1


def _look(program: Program, part: _Part, purchase: Purchase) -> tuple[Basket, Selection, bool]:
    """A purchase's basket, what of it a part means, and whether that reaches the part's thresholds."""
    selectors = Selectors(program.earning)
    number = selectors.number(part.items)
    threshold = conditions.threshold(part.when, selectors)
    basket = Basket(program.earning, selectors, purchase)
    selection = basket.selection(number)
    return basket, selection, threshold is None or threshold.times(purchase, basket, selection)[0] > 0


def _fits(program: Program, challenge: AnyChallenge, when: When, facts: Facts) -> bool:
    asked: list[Check] = [*campaigns.audience_checks(program, challenge.audience), *conditions.checks(program, when)]
    condition = conditions.condition(when)
    return not conditions.first_unmet((*asked, *([condition] if condition else [])), facts)


def _facts(program: Program, member: Member, what: Purchase | Event, basket: Basket | None = None) -> Facts:
    return Facts(
        zone=program.zone,
        tier=program.tier(member.tier) or program.tiers[0],
        member=member,
        channel=what.channel,
        store=what.store,
        occurred_at=what.occurred_at,
        purchase=what if isinstance(what, Purchase) else None,
        basket=basket,
        event=what if isinstance(what, Event) else None,
    )
