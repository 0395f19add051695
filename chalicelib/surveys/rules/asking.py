"""Which questions a respondent is asked, and in which order: pure.

The order is random where the survey says so, and the same whenever the same respondent asks for it again: it follows
from a seed, made of the survey and the respondent. A version that adds a question leaves the others in their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final, TypeVar

from chalicelib.surveys.document import Answer, AnyQuestion, Definition, Matrix, Multiple, Option, Row, ShowIf, Single

AS_WRITTEN: Final = ""
"""The seed of who only looks at a survey: everything stands as the merchant wrote it."""

T = TypeVar("T", Option, Row)


def path(definition: Definition, answers: Mapping[str, Answer], seed: str) -> tuple[AnyQuestion, ...]:
    """The questions that are asked of who has answered so far as `answers` say, in the order shown."""
    asked = asked_codes(definition, answers)
    return tuple(question for question in ordered(definition, seed) if question.code in asked)


def ordered(definition: Definition, seed: str) -> tuple[AnyQuestion, ...]:
    """All questions in the order in which this respondent would be asked them."""
    shown: list[AnyQuestion] = []
    for block, members in groupby(definition.questions, key=lambda question: question.block):
        questions = list(members)
        if block is not None and seed != AS_WRITTEN:
            questions.sort(key=lambda question: _draw(seed, question.code))
        shown += questions
    return tuple(shown)


def options(question: Single | Multiple, seed: str) -> tuple[Option, ...]:
    """The options of a question in the order shown; exclusive ones, and those that take words, stay where they end."""
    if not question.random_order or seed == AS_WRITTEN:
        return question.options
    fixed = [option for option in question.options if option.exclusive or option.open_text]
    return (*_shuffled([option for option in question.options if option not in fixed], question.code, seed), *fixed)


def rows(question: Matrix, seed: str) -> tuple[Row, ...]:
    """The rows of a matrix in the order shown."""
    if not question.random_order or seed == AS_WRITTEN:
        return question.rows
    return tuple(_shuffled(question.rows, question.code, seed))


def asked_codes(definition: Definition, answers: Mapping[str, Answer]) -> frozenset[str]:
    """The codes of the questions that are asked; an answer to one that is not asked counts for nothing."""
    asked: set[str] = set()
    for question in definition.questions:
        conditions = question.show_if
        if all(condition.question in asked and holds(condition, answers) for condition in conditions):
            asked.add(question.code)
    return frozenset(asked)


def holds(condition: ShowIf, answers: Mapping[str, Answer]) -> bool:
    """Whether an answer says that a question is to be asked; no answer says no."""
    answer = answers.get(condition.question)
    if answer is None:
        return False
    if condition.any_of:
        return not set(condition.any_of).isdisjoint(answer.options)
    if answer.number is None:
        return False
    is_below = condition.at_least is not None and answer.number < condition.at_least
    is_above = condition.at_most is not None and answer.number > condition.at_most
    return not (is_below or is_above)


def _shuffled(items: Iterable[T], owner: str, seed: str) -> list[T]:
    return sorted(items, key=lambda item: _draw(seed, owner, item.code))


def _draw(seed: str, *names: str) -> bytes:
    """The lot of one thing among its like; a code has no character that could run into the next."""
    return hashlib.sha256("\n".join((seed, *names)).encode()).digest()


def seed_of(survey_id: str, respondent: str) -> str:
    """The seed by which a respondent's order is drawn."""
    return f"{survey_id}#{respondent}"
