"""Which answer opens a case, and what the case is about: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from chalicelib.program.document.cases import Dimension, Severity
from chalicelib.surveys.document import Answer, AnyQuestion, CaseRule, Definition, Matrix

CHARACTERS: Final = 10_000
"""So much of what was written goes along with the case."""


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """What a case begins with. `text` is what the respondent wrote, empty for nothing."""

    question: str
    severity: Severity
    dimension: Dimension
    text: str


def fired(definition: Definition, answers: Mapping[str, Answer]) -> Fired | None:
    """The case that checked answers open by the first rule that they meet, None where they meet none."""
    known = {question.code: question for question in definition.questions}
    for rule in definition.case_rules:
        answer = answers.get(rule.question)
        if answer is not None and _meets(rule, answer):
            return Fired(
                question=rule.question,
                severity=rule.severity,
                dimension=rule.dimension or _dimension(known[rule.question], definition, answers),
                text="\n\n".join(_words(definition, answers))[:CHARACTERS],
            )
    return None


def _meets(rule: CaseRule, answer: Answer) -> bool:
    if rule.at_most is None:
        return not set(rule.any_of).isdisjoint(answer.options)
    numbers = [*([] if answer.number is None else [answer.number]), *(answer.rows or {}).values()]
    return any(number <= rule.at_most for number in numbers)


def _dimension(question: AnyQuestion, definition: Definition, answers: Mapping[str, Answer]) -> Dimension:
    """What the case is about: the question's dimension, or else that of the row that was rated lowest of all."""
    if question.dimension != "other":
        return question.dimension
    matrices = [question] if isinstance(question, Matrix) else definition.questions
    rated = [
        (number, row.dimension)
        for matrix in matrices
        if isinstance(matrix, Matrix) and matrix.code in answers
        for row in matrix.rows
        if (number := (answers[matrix.code].rows or {}).get(row.code)) is not None
    ]
    # The first of those that are rated alike, as the survey has them.
    return min(rated, key=lambda pair: pair[0])[1] if rated else "other"


def _words(definition: Definition, answers: Mapping[str, Answer]) -> Iterator[str]:
    for question in definition.questions:
        answer = answers.get(question.code)
        if answer is not None and answer.text:
            yield answer.text
