"""Whether rates and rules can be reckoned with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from chalicelib.ledger.state import LIMITS_MAX
from chalicelib.program.document import Program
from chalicelib.program.document.earning import (
    Bonus,
    Cap,
    EarningRule,
    Multiplier,
    PerAmount,
    PerEvent,
    PerItem,
    Voucher,
)
from chalicelib.program.document.parts import Rate
from chalicelib.program.validation import vouchers
from chalicelib.program.validation.conditions import (
    catalogue_problems,
    item_problems,
    name_problems,
    when_problems,
)
from chalicelib.program.validation.problem import Problem, multiplier, repeated

# With these the largest order there may be, multiplied as far as a tier may, still brings a number of points that every
# reader of JSON keeps exact.
_POINTS_PER_MINOR_MAX: Final = 90
_TIER_MULTIPLIER: Final = "tier_multiplier"
_ORDER: Final = frozenset({"order"})
_EVENT: Final = frozenset({"event"})


def check_currencies(program: Program) -> Iterator[Problem]:
    """Rates are bounded, and spending is added up in a currency that is taken."""
    if program.base_currency not in program.currencies:
        yield Problem("base_currency", f"{program.base_currency} is not among the currencies.")
    yield from _rate_problems(program, program.currencies, "currencies")


def check_exclusions(program: Program) -> Iterator[Problem]:
    """What earns nothing is named once, and stands in the catalogue."""
    earning, catalogue = program.earning, program.catalogue
    for field in ("excluded_skus", "excluded_categories", "excluded_channels", "excluded_stores"):
        yield from name_problems(getattr(earning, field), f"earning.{field}")
    yield from catalogue_problems(earning.excluded_categories, catalogue.categories, "earning.excluded_categories")
    yield from catalogue_problems(earning.excluded_channels, catalogue.channels, "earning.excluded_channels")
    yield from catalogue_problems(earning.excluded_stores, catalogue.stores, "earning.excluded_stores")
    for field in ("categories", "channels", "stores"):
        yield from name_problems(getattr(catalogue, field), f"catalogue.{field}")


def check_codes(program: Program) -> Iterator[Problem]:
    """Every rule and campaign has a code of its own: an account remembers limits by it."""
    places = [(f"{path}.code", rule.code) for path, rule in _rules(program)]
    places += [(f"campaigns[{index}].code", campaign.code) for index, campaign in enumerate(program.campaigns)]
    for index in repeated([code for _path, code in places]):
        yield Problem(places[index][0], f"{places[index][1]} stands twice.")
    for path, code in places:
        if code == _TIER_MULTIPLIER:
            yield Problem(path, f"{code} is what the multiplier of the tier is called.")


def check_rules(program: Program) -> Iterator[Problem]:
    """Every rule can fire, and brings what can be reckoned."""
    for path, rule in _rules(program):
        is_on_events = isinstance(rule, PerEvent) or (isinstance(rule, Voucher) and bool(rule.events))
        roots = _EVENT if is_on_events else _ORDER
        yield from when_problems(program, rule.when, f"{path}.when", roots)
        yield from cap_problems(rule.caps, f"{path}.caps")
        if not isinstance(rule, PerEvent):
            yield from item_problems(program, rule.items, f"{path}.items")
        yield from _own_problems(program, rule, path)
    for index, campaign in enumerate(program.campaigns):
        yield from cap_problems(campaign.caps, f"campaigns[{index}].caps")


def check_limits(program: Program) -> Iterator[Problem]:
    """An account has room to remember all that is limited."""
    caps = [cap for _path, rule in _rules(program) for cap in rule.caps]
    caps += [cap for campaign in program.campaigns for cap in campaign.caps]
    cooldowns = sum(isinstance(rule, PerEvent) and rule.cooldown_minutes > 0 for _path, rule in _rules(program))
    count = sum(cap.per != "order" for cap in caps) + cooldowns
    if count > LIMITS_MAX:
        detail = f"An account remembers {LIMITS_MAX} limits; caps and cooldowns of all rules and campaigns are {count}."
        yield Problem("earning_rules", detail)


def cap_problems(caps: Sequence[Cap], path: str) -> Iterator[Problem]:
    """What is wrong with caps."""
    for index in repeated([cap.per for cap in caps]):
        yield Problem(f"{path}[{index}].per", f"There is a cap per {caps[index].per} already.")
    for index, cap in enumerate(caps):
        if cap.times is None and cap.points is None:
            yield Problem(f"{path}[{index}]", "A cap is of times, of points, or of both.")
        if cap.per == "order" and cap.times is not None:
            yield Problem(f"{path}[{index}].times", "In one order a rule gives once anyway; cap its points.")


def _rules(program: Program) -> Iterator[tuple[str, EarningRule]]:
    for index, rule in enumerate(program.earning_rules):
        yield f"earning_rules[{index}]", rule
    for place, campaign in enumerate(program.campaigns):
        for index, rule in enumerate(campaign.rules):
            yield f"campaigns[{place}].rules[{index}]", rule


def _own_problems(program: Program, rule: EarningRule, path: str) -> Iterator[Problem]:
    """What only rules of this kind can have wrong."""
    match rule:
        case PerAmount():
            yield from _rate_problems(program, rule.rates, f"{path}.rates")
        case PerItem():
            yield from _step_problems([step.quantity for step in rule.steps], f"{path}.steps")
        case Multiplier():
            yield from multiplier(rule.factor, f"{path}.factor")
            yield from _step_problems([step.quantity for step in rule.steps], f"{path}.steps")
            for index, step in enumerate(rule.steps):
                yield from multiplier(step.factor, f"{path}.steps[{index}].factor")
        case Bonus():
            when = rule.when
            if rule.repeats and not (when.minimum_minor or when.minimum_quantity or when.combination):
                yield Problem(f"{path}.repeats", "Say what repeats: a minimum_minor, minimum_quantity or combination.")
        case PerEvent():
            yield from name_problems(rule.events, f"{path}.events")
            if not rule.points and not rule.activity:
                yield Problem(f"{path}.points", "The rule brings neither points nor activity.")
        case Voucher():
            yield from vouchers.rule_problems(rule, path)


def _rate_problems(program: Program, rates: Mapping[str, Rate], path: str) -> Iterator[Problem]:
    for currency, rate in rates.items():
        if rate.points > _POINTS_PER_MINOR_MAX * rate.per_minor:
            yield Problem(f"{path}.{currency}", f"At most {_POINTS_PER_MINOR_MAX} points are given a minor unit.")
        if currency not in program.currencies:
            yield Problem(f"{path}.{currency}", f"{currency} is not among the currencies.")


def _step_problems(quantities: list[int], path: str) -> Iterator[Problem]:
    for index in range(1, len(quantities)):
        if quantities[index] <= quantities[index - 1]:
            yield Problem(f"{path}[{index}].quantity", "Every step begins with more pieces than the one before.")
