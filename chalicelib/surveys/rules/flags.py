"""What makes an answer doubtful: pure. Flagged answers are accepted and kept, and shown apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.surveys.document import Answer, Definition, Matrix

STRAIGHT_LINED: Final = "straight_lined"
SPEEDING: Final = "speeding"

ROWS_MIN: Final = 5
"""From this many rows on, the same number in all of them is no opinion any more; fours of four may well be meant."""


def flags(definition: Definition, answers: Mapping[str, Answer], seconds: int) -> tuple[str, ...]:
    """The flags of an answer; `seconds` is how long it took, 0 where nobody knows."""
    found = []
    if _is_straight(definition, answers):
        found.append(STRAIGHT_LINED)
    if 0 < seconds < definition.minimum_seconds:
        found.append(SPEEDING)
    return tuple(found)


def _is_straight(definition: Definition, answers: Mapping[str, Answer]) -> bool:
    """Whether all rows of all matrices have one and the same number, and there are enough of them."""
    rated = [
        number
        for question in definition.questions
        if isinstance(question, Matrix) and question.code in answers
        for number in (answers[question.code].rows or {}).values()
    ]
    return len(rated) >= ROWS_MIN and len(set(rated)) == 1
