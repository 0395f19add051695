"""A survey as a merchant defines it: its questions, who is asked which, and what an answer brings.

A definition is JSON, checked when it is stored; an open survey's definition never changes, but may be replaced by the
next version. What a single field must satisfy stands here in its type; how the fields must fit together is checked by
`rules.definitions`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from chalicelib.program.document.cases import Dimension, Severity
from chalicelib.program.document.parts import Code, Part, Points, Texts
from chalicelib.program.document.rewards import Stories

Kind: TypeAlias = Literal["relationship", "post_purchase", "post_case", "churn_exit", "needs", "custom"]


class ShowIf(Part, frozen=True, kw_only=True):
    """A question is asked only if the answer to an earlier one says so: a number of some range, or one of the options.

    `at_least` and `at_most` are for numbers, `any_of` for options. An earlier question that was not asked says no.
    """

    question: Code
    at_least: int | None = None
    at_most: int | None = None
    any_of: Annotated[tuple[Code, ...], Meta(max_length=50)] = ()


class Option(Part, frozen=True, kw_only=True):
    """Something that may be chosen; with `open_text` a few words may be added, `exclusive` goes with no other."""

    code: Code
    title: Texts
    open_text: bool = False
    exclusive: bool = False


class Row(Part, frozen=True, kw_only=True):
    """A line of a matrix, which is about a dimension."""

    code: Code
    title: Texts
    dimension: Dimension = "other"


class Question(Part, frozen=True, kw_only=True):
    """What all questions have. All conditions of `show_if` must hold.

    `block` names questions that are asked in random order among themselves; they stand one after the other.
    """

    code: Code
    title: Texts
    hint: Texts | None = None
    required: bool = True
    dimension: Dimension = "other"
    show_if: Annotated[tuple[ShowIf, ...], Meta(max_length=5)] = ()
    block: Code | None = None


class Nps(Question, frozen=True, kw_only=True, tag="nps", tag_field="kind"):
    """How likely somebody is to recommend us: 0 to 10."""


class Csat(Question, frozen=True, kw_only=True, tag="csat", tag_field="kind"):
    """How satisfied somebody is: 1 to 5."""


class Ces(Question, frozen=True, kw_only=True, tag="ces", tag_field="kind"):
    """Whether it was made easy: 1 to 7."""


class Scale(Question, frozen=True, kw_only=True, tag="scale", tag_field="kind"):
    """A number from `lowest` to `highest`, with a word for both ends."""

    lowest: Annotated[int, Meta(ge=0, le=1)] = 1
    highest: Annotated[int, Meta(ge=2, le=10)] = 5
    lowest_title: Texts | None = None
    highest_title: Texts | None = None


class Single(Question, frozen=True, kw_only=True, tag="single", tag_field="kind"):
    """One of several options."""

    options: Annotated[tuple[Option, ...], Meta(min_length=2, max_length=50)]
    random_order: bool = False


class Multiple(Question, frozen=True, kw_only=True, tag="multiple", tag_field="kind"):
    """Some of several options, `maximum` at the most."""

    options: Annotated[tuple[Option, ...], Meta(min_length=2, max_length=50)]
    random_order: bool = False
    maximum: Annotated[int, Meta(ge=1, le=50)] | None = None


class Matrix(Question, frozen=True, kw_only=True, tag="matrix", tag_field="kind"):
    """Several rows, each rated from 1 to 5: satisfaction by dimension."""

    rows: Annotated[tuple[Row, ...], Meta(min_length=1, max_length=20)]
    random_order: bool = False


class FreeText(Question, frozen=True, kw_only=True, tag="text", tag_field="kind"):
    """Some words, `characters` at the most."""

    characters: Annotated[int, Meta(ge=1, le=10_000)] = 2_000


AnyQuestion: TypeAlias = Nps | Csat | Ces | Scale | Single | Multiple | Matrix | FreeText


class CaseRule(Part, frozen=True, kw_only=True):
    """An answer that opens a case: a number of `at_most` (a detractor's 6), or one of the options `any_of`."""

    question: Code
    at_most: int | None = None
    any_of: Annotated[tuple[Code, ...], Meta(max_length=50)] = ()
    severity: Severity = "normal"
    dimension: Dimension | None = None


class Definition(Part, frozen=True, kw_only=True):
    """The whole survey.

    `code` is its name with the merchant, for ever. `points` are given for a complete answer, for one that is flagged
    only if `points_for_flagged` says so. Who is faster than `minimum_seconds` is flagged as speeding. `case_rules` are
    looked at in their order, and one case is opened at most. With `by_invitation` only who was invited answers in the
    app.
    """

    code: Code
    kind: Kind
    title: Texts
    intro: Stories | None = None
    thanks: Stories | None = None
    questions: Annotated[tuple[AnyQuestion, ...], Meta(min_length=1, max_length=60)]
    points: Points = 0
    minimum_seconds: Annotated[int, Meta(ge=0, le=3_600)] = 0
    case_rules: Annotated[tuple[CaseRule, ...], Meta(max_length=20)] = ()
    points_for_flagged: bool = True
    by_invitation: bool = False


Number: TypeAlias = Annotated[int, Meta(ge=0, le=10)]
Words: TypeAlias = Annotated[str, Meta(max_length=10_000)]


class Answer(Part, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to one question: a `number`, the `options` chosen, the `rows` rated, or a `text`.

    With an option that takes words they stand in `text`.
    """

    number: Number | None = None
    options: Annotated[tuple[Code, ...], Meta(max_length=50)] = ()
    rows: dict[Code, Number] | None = None
    text: Words | None = None


Answers: TypeAlias = Annotated[dict[Code, Answer], Meta(max_length=60)]
"""Answers by the codes of their questions."""

Channel: TypeAlias = Literal["app", "link", "phone", "paper", "import"]
"""How an answer came: from the member's app, by a signed link, told to somebody, or read in from elsewhere."""
