"""Whether events, benefits and challenges fit together with the rest of the programme."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chalicelib.program.document import Program
from chalicelib.program.document.earning import Items, PerEvent, Voucher, When
from chalicelib.program.document.engagement import AnyChallenge, PunchCard, Quest
from chalicelib.program.validation.campaigns import audience_problems, window_problems
from chalicelib.program.validation.conditions import item_problems, name_problems, tier_problems, when_problems
from chalicelib.program.validation.problem import Problem, repeated

COUNTED_MAX: Final = 20
"""How many benefits may be counted: an account remembers how often each of them was used."""

_BOTH: Final = frozenset({"order", "event"})
_EVENT: Final = frozenset({"event"})
_ORDER: Final = frozenset({"order"})


def check_events(program: Program) -> Iterator[Problem]:
    """Where types of events are declared, rules name no others."""
    places = [(f"earning_rules[{index}]", rule) for index, rule in enumerate(program.earning_rules)]
    places += [
        (f"campaigns[{place}].rules[{index}]", rule)
        for place, campaign in enumerate(program.campaigns)
        for index, rule in enumerate(campaign.rules)
    ]
    for path, rule in places:
        if isinstance(rule, PerEvent | Voucher):
            yield from _type_problems(program, rule.events, f"{path}.events")


def check_benefits(program: Program) -> Iterator[Problem]:
    """Every benefit has a code of its own, tiers that there are, and a window in the right order."""
    codes = [benefit.code for benefit in program.benefits]
    for index in repeated(codes):
        yield Problem(f"benefits[{index}].code", f"{codes[index]} stands twice.")
    if sum(benefit.uses is not None for benefit in program.benefits) > COUNTED_MAX:
        yield Problem("benefits", f"The uses of {COUNTED_MAX} benefits can be counted.")
    for index, benefit in enumerate(program.benefits):
        path = f"benefits[{index}]"
        yield from tier_problems(program, benefit.tiers, f"{path}.tiers")
        yield from name_problems(benefit.tiers, f"{path}.tiers")
        yield from window_problems(benefit.starts_at, benefit.ends_at, path)


def check_challenges(program: Program) -> Iterator[Problem]:
    """Every challenge has a code of its own, a window and an audience, something to do, and something to win."""
    codes = [challenge.code for challenge in program.challenges]
    for index in repeated(codes):
        yield Problem(f"challenges[{index}].code", f"{codes[index]} stands twice.")
    for index, challenge in enumerate(program.challenges):
        path = f"challenges[{index}]"
        yield from window_problems(challenge.starts_at, challenge.ends_at, path)
        yield from audience_problems(program, challenge.audience, f"{path}.audience")
        if not challenge.points and challenge.badge is None:
            yield Problem(f"{path}.points", "The challenge is rewarded with points, with a badge, or with both.")
        yield from _own_problems(program, challenge, path)


def _own_problems(program: Program, challenge: AnyChallenge, path: str) -> Iterator[Problem]:
    """What only challenges of this kind can have wrong."""
    if isinstance(challenge, Quest):
        codes = [step.code for step in challenge.steps]
        for place in repeated(codes):
            yield Problem(f"{path}.steps[{place}].code", f"{codes[place]} stands twice.")
        for place, step in enumerate(challenge.steps):
            yield from _deed_problems(program, step.events, step.items, step.when, f"{path}.steps[{place}]")
        return
    yield from _deed_problems(program, challenge.events, challenge.items, challenge.when, path)
    if isinstance(challenge, PunchCard) and challenge.given >= challenge.stamps:
        yield Problem(f"{path}.given", "Fewer stamps are given than the card has.")


def _deed_problems(program: Program, events: tuple[str, ...], items: Items, when: When, path: str) -> Iterator[Problem]:
    """What is wrong with a thing to be done: purchases of items, events, or both."""
    yield from _type_problems(program, events, f"{path}.events")
    yield from item_problems(program, items, f"{path}.items")
    roots = _ORDER if not events else _EVENT if items == Items() else _BOTH
    yield from when_problems(program, when, f"{path}.when", roots)


def _type_problems(program: Program, types: tuple[str, ...], path: str) -> Iterator[Problem]:
    yield from name_problems(types, path)
    for index, name in enumerate(types):
        if program.events and name not in program.events:
            yield Problem(f"{path}[{index}]", f"{name} is not among the events.")
