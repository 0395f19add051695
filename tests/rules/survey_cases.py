"""Surveys that fit together, and answers to them, drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import strategies as st

from chalicelib.surveys.document import Answer, AnyQuestion, Definition, FreeText, Matrix, Multiple, Single
from chalicelib.surveys.rules import answering, asking, definitions
from tests.programs import texts

KINDS = ("nps", "csat", "ces", "scale", "single", "multiple", "matrix", "text")


def definition(*questions: dict[str, Any], **fields: Any) -> Definition:
    """A definition of these questions, which is not checked."""
    body = {"code": "poll", "kind": "custom", "title": texts("A poll"), "questions": questions, **fields}
    return msgspec.convert(body, Definition)


def question(kind: str, code: str, **fields: Any) -> dict[str, Any]:
    """A question as plain data; options are `a`, `b`, `c`, rows `x`, `y`, unless told otherwise."""
    body: dict[str, Any] = {"kind": kind, "code": code, "title": texts(code)}
    if kind in {"single", "multiple"}:
        body["options"] = [{"code": name, "title": texts(name)} for name in "abc"]
    if kind == "matrix":
        body["rows"] = [{"code": name, "title": texts(name)} for name in "xy"]
    return {**body, **fields}


@st.composite
def surveys(draw: st.DrawFn) -> Definition:
    """A definition with branches and blocks, as the checks let it through."""
    count = draw(st.integers(1, 8))
    # Blocks are runs of neighbours; a run of one is as good as none.
    cuts = sorted(draw(st.sets(st.integers(0, count - 1), max_size=3)))
    plain: list[dict[str, Any]] = []
    for index in range(count):
        block = f"block_{sum(cut <= index for cut in cuts)}" if draw(st.booleans()) else None
        if block and any(item["block"] == block for item in plain) and plain[-1]["block"] != block:
            block = None
        body = question(draw(st.sampled_from(KINDS)), f"q{index}", block=block, required=draw(st.booleans()))
        body["random_order"] = draw(st.booleans())
        if body["kind"] not in {"single", "multiple", "matrix"}:
            del body["random_order"]
        earlier = [item for item in plain if item["kind"] not in {"text", "matrix"} and not _same_block(item, block)]
        if draw(st.booleans()) and earlier:
            body["show_if"] = [draw(_conditions(draw(st.sampled_from(earlier))))]
        plain.append(body)
    plain.append(question("nps", "last", block=None))
    found = definition(*plain)
    definitions.check(found)
    return found


def _same_block(item: Mapping[str, Any], block: str | None) -> bool:
    return block is not None and item["block"] == block


@st.composite
def _conditions(draw: st.DrawFn, asked: Mapping[str, Any]) -> dict[str, Any]:
    if asked["kind"] in {"single", "multiple"}:
        return {"question": asked["code"], "any_of": draw(st.lists(st.sampled_from("abc"), min_size=1, unique=True))}
    return {"question": asked["code"], draw(st.sampled_from(["at_least", "at_most"])): draw(st.integers(1, 5))}


@st.composite
def answers_to(draw: st.DrawFn, survey: Definition) -> dict[str, Answer]:
    """Answers that somebody gives who answers what is asked, and leaves out what may be left out."""
    given: dict[str, Answer] = {}
    for asked in survey.questions:
        if asked.code in asking.asked_codes(survey, given) and (asked.required or draw(st.booleans())):
            given[asked.code] = draw(_answer(asked))
    return given


@st.composite
def anything_to(draw: st.DrawFn, survey: Definition) -> dict[str, Answer]:
    """Answers of the right kind to any of the questions, asked or not."""
    chosen = draw(st.sets(st.sampled_from([asked.code for asked in survey.questions])))
    return {asked.code: draw(_answer(asked)) for asked in survey.questions if asked.code in chosen}


@st.composite
def _answer(draw: st.DrawFn, asked: AnyQuestion) -> Answer:
    match asked:
        case FreeText():
            return Answer(text=draw(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20)) + "!")
        case Single():
            return Answer(options=(draw(st.sampled_from("abc")),))
        case Multiple():
            return Answer(options=tuple(draw(st.lists(st.sampled_from("abc"), min_size=1, unique=True))))
        case Matrix():
            return Answer(rows={row.code: draw(st.integers(1, 5)) for row in asked.rows})
    lowest, highest = answering.scale_of(asked) or (0, 0)
    return Answer(number=draw(st.integers(lowest, highest)))
