"""Whether what members are scored by fits together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chalicelib.program.document import Program
from chalicelib.program.validation.problem import Problem

_WHOLE: Final = 100


def check_scoring(program: Program) -> Iterator[Problem]:
    """The weights add up, and one of those parts counts that are known of every member."""
    weights = program.scoring.weights
    total = sum(weights.percents)
    if total != _WHOLE:
        yield Problem("scoring.weights", f"The weights add up to {total}, not to 100.")
    if not (weights.staying or weights.value or weights.frequency or weights.trend):
        # Else a programme in which nobody has answered or done anything would have nothing to score by.
        yield Problem("scoring.weights", "One of staying, value, frequency and trend counts: all members have them.")
