"""Surveys and answers for tests of what answers say."""

from __future__ import annotations

import itertools
import random
from typing import Any

import msgspec

from chalicelib.surveys.document import Answer, Answers, Definition
from chalicelib.surveys.rules.context import Context


def texts(text: str) -> dict[str, str]:
    return {"en": text, "zh-Hans": text, "zh-Hant": text}


def definition(*questions: dict[str, Any], **fields: Any) -> Definition:
    """A survey of questions as JSON data, whose titles are their codes unless they have one."""
    return msgspec.convert(
        {
            "code": "visit",
            "kind": "relationship",
            "title": texts("Your visit"),
            "questions": [{"title": texts(question["code"])} | question for question in questions],
        }
        | fields,
        Definition,
    )


def options(*codes: str) -> list[dict[str, Any]]:
    return [{"code": code, "title": texts(code)} for code in codes]


def rows(**dimensions: str) -> list[dict[str, Any]]:
    """Rows of a matrix by their codes, each with its dimension."""
    return [{"code": code, "title": texts(code), "dimension": dimension} for code, dimension in dimensions.items()]


VISIT = definition(
    {"kind": "nps", "code": "nps"},
    {"kind": "matrix", "code": "rating", "rows": rows(goods="product", staff="service", prices="price")},
    {"kind": "csat", "code": "returns", "dimension": "after_sales", "required": False},
    {"kind": "ces", "code": "ease", "required": False},
    {"kind": "scale", "code": "again", "lowest": 0, "highest": 10, "required": False},
    {"kind": "single", "code": "reason", "options": options("taste", "price", "place"), "required": False},
    {"kind": "multiple", "code": "wishes", "options": options("more", "cheaper", "nearer"), "required": False},
    {"kind": "text", "code": "words", "dimension": "service", "required": False},
)
"""A survey with a question of each kind."""

LARGEST = definition(
    *(
        {
            "kind": "matrix",
            "code": f"{'m' * 29}{number:03d}",
            "rows": rows(**{f"{'r' * 30}{row:02d}": "other" for row in range(20)}),
        }
        for number in range(20)
    ),
    *(
        {
            "kind": "multiple",
            "code": f"{'q' * 29}{number:03d}",
            "options": options(*(f"{'o' * 30}{option:02d}" for option in range(50))),
        }
        for number in range(39)
    ),
    {"kind": "nps", "code": "n" * 32},
)
"""The largest survey that a definition's type lets through: 60 questions, all codes as long as can be."""


def answers(**given: Any) -> Answers:
    """Answers by the codes of their questions: an int, a str, a list of options, or a dict of rows."""
    return {code: _answer(value) for code, value in given.items()}


def _answer(value: Any) -> Answer:
    match value:
        case int():
            return Answer(number=value)
        case str():
            return Answer(text=value)
        case dict():
            return Answer(rows=value)
        case _:
            return Answer(options=tuple(value))


def everything(survey: Definition) -> Answers:
    """An answer to every question of a survey, with all options and all rows."""
    found: Answers = {}
    for question in survey.questions:
        match type(question).__name__:
            case "Matrix":
                found[question.code] = Answer(rows={row.code: 5 for row in question.rows})  # type: ignore[union-attr]
            case "Multiple" | "Single":
                found[question.code] = Answer(options=tuple(option.code for option in question.options))  # type: ignore[union-attr]
            case "FreeText":
                found[question.code] = Answer(text="words")
            case _:
                found[question.code] = Answer(number=1)
    return found


SOUND = Context(channel="app", tier="silver", segments=("tea_lovers",), store="store-1", locale="en")
FLAGGED = Context(channel="app", flags=("speeding", "straight_lined"))

ids = (f"rsp_{number:026d}" for number in itertools.count())
"""Ids of answers, each another one."""


def repeatable(seed: int) -> random.Random:
    """Chance that comes out alike every time."""
    return random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
