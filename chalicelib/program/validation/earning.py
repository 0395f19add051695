"""Whether rates, rules and campaigns can be reckoned with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chalicelib.program.document import Program
from chalicelib.program.validation.problem import Problem, repeated

# With these the largest order there may be, multiplied as far as a tier may, still brings a number of points that every
# reader of JSON keeps exact.
_POINTS_PER_MINOR_MAX: Final = 90


def check_currencies(program: Program) -> Iterator[Problem]:
    """Rates are bounded, and spending is added up in a currency that is taken."""
    if program.base_currency not in program.currencies:
        yield Problem("base_currency", f"{program.base_currency} is not among the currencies.")
    for currency, rate in program.currencies.items():
        if rate.points > _POINTS_PER_MINOR_MAX * rate.per_minor:
            yield Problem(f"currencies.{currency}", f"At most {_POINTS_PER_MINOR_MAX} points are given a minor unit.")


def check_rules(program: Program) -> Iterator[Problem]:
    """Every rule has a code of its own."""
    codes = [rule.code for rule in program.earning_rules]
    for index in repeated(codes):
        yield Problem(f"earning_rules[{index}].code", f"{codes[index]} stands twice.")
