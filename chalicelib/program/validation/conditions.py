"""Whether the conditions of rules can be judged: what they name exists, and days are real."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from chalicelib.program.document import Program
from chalicelib.program.document.earning import Items, When
from chalicelib.program.validation.expressions import condition_problems
from chalicelib.program.validation.problem import Problem, repeated

_LEAP_YEAR: Final = 2024
_ORDER_FIELDS: Final = ("minimum_minor", "minimum_quantity", "combination")


def when_problems(program: Program, when: When, path: str, roots: frozenset[str]) -> Iterator[Problem]:
    """What is wrong with a condition; `roots` are what it is asked about: `order`, `event`, or both."""
    for field in ("tiers", "segments", "tags", "channels", "stores", "weekdays", "month_days", "dates"):
        yield from name_problems(getattr(when, field), f"{path}.{field}")
    yield from tier_problems(program, when.tiers, f"{path}.tiers")
    yield from catalogue_problems(when.channels, program.catalogue.channels, f"{path}.channels")
    yield from catalogue_problems(when.stores, program.catalogue.stores, f"{path}.stores")
    for index, text in enumerate(when.dates):
        if not _is_date(text):
            yield Problem(f"{path}.dates[{index}]", f"{text} is no day of any year; write month and day as in 11-11.")
    yield from _threshold_problems(program, when, path)
    for field in _ORDER_FIELDS if "order" not in roots else ():
        if getattr(when, field):
            yield Problem(f"{path}.{field}", "An event has neither an amount nor items.")
    if when.condition:
        yield from condition_problems(when.condition, f"{path}.condition", roots)


def _threshold_problems(program: Program, when: When, path: str) -> Iterator[Problem]:
    for currency in when.minimum_minor:
        if currency not in program.currencies:
            yield Problem(f"{path}.minimum_minor.{currency}", f"{currency} is not among the currencies.")
    for index, piece in enumerate(when.combination):
        yield from item_problems(program, piece.items, f"{path}.combination[{index}].items")


def item_problems(program: Program, items: Items, path: str) -> Iterator[Problem]:
    """What is wrong with the choice of items."""
    for field in ("skus", "categories", "excluded_skus", "excluded_categories"):
        yield from name_problems(getattr(items, field), f"{path}.{field}")
    for field in ("categories", "excluded_categories"):
        yield from catalogue_problems(getattr(items, field), program.catalogue.categories, f"{path}.{field}")


def name_problems(names: tuple[Any, ...], path: str) -> Iterator[Problem]:
    """Every name that stands twice."""
    if len(set(names)) != len(names):
        yield from (Problem(f"{path}[{index}]", f"{names[index]} stands twice.") for index in repeated(names))


def tier_problems(program: Program, codes: tuple[str, ...], path: str) -> Iterator[Problem]:
    """Every tier that there is not."""
    for index, code in enumerate(codes):
        if program.tier(code) is None:
            yield Problem(f"{path}[{index}]", f"There is no tier {code}.")


def catalogue_problems(names: tuple[str, ...], declared: tuple[str, ...], path: str) -> Iterator[Problem]:
    """Every name that the catalogue lacks, where it declares any."""
    known = frozenset(declared)
    for index, name in enumerate(names):
        if known and name not in known:
            yield Problem(f"{path}[{index}]", f"{name} does not stand in the catalogue.")


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(f"{_LEAP_YEAR}-{text}")
    except ValueError:
        return False
    return True
