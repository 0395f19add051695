"""The page asks what the engine would ask, and sends what it accepts. Run where there is Node, which nothing needs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.surveys import page
from chalicelib.surveys.document import Answers, Definition
from chalicelib.surveys.rules import answering, asking
from chalicelib.web import languages
from tests.surveys import definition, options, rows

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node here")

LOOP = """
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [name, ...given] = JSON.parse(line);
  process.stdout.write(JSON.stringify({ got: Logic[name](...given) }) + "\\n");
});
"""

SURVEY = definition(
    {"kind": "nps", "code": "nps"},
    {
        "kind": "text",
        "code": "why",
        "required": False,
        "characters": 20,
        "show_if": [{"question": "nps", "at_most": 6}],
    },
    {
        "kind": "single",
        "code": "reason",
        "options": [*options("taste", "price"), {**options("other")[0], "open_text": True}],
        "show_if": [{"question": "nps", "at_least": 3, "at_most": 8}],
    },
    {
        "kind": "multiple",
        "code": "wishes",
        "maximum": 2,
        "required": False,
        "options": [*options("more", "cheaper", "nearer"), {**options("none")[0], "exclusive": True}],
    },
    {"kind": "csat", "code": "again", "show_if": [{"question": "reason", "any_of": ["price", "other"]}]},
    {
        "kind": "matrix",
        "code": "areas",
        "rows": rows(goods="product", staff="service"),
        "show_if": [{"question": "again", "at_least": 2}, {"question": "nps", "at_most": 7}],
    },
    {
        "kind": "ces",
        "code": "ease",
        "required": False,
        "show_if": [{"question": "wishes", "any_of": ["cheaper"]}],
    },
)

TEXT = st.text(max_size=30)
ANSWERS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "nps": st.builds(dict, number=st.integers(0, 10)),
        "why": st.builds(dict, text=TEXT),
        "reason": st.builds(dict, options=st.sampled_from([[], ["taste"], ["price"], ["other"]]), text=TEXT),
        "wishes": st.builds(dict, options=st.sampled_from([[], ["none"], ["more"], ["more", "cheaper"]])),
        "again": st.builds(dict, number=st.integers(1, 5)),
        "areas": st.builds(dict, rows=st.dictionaries(st.sampled_from(["goods", "staff"]), st.integers(1, 5))),
        "ease": st.builds(dict, number=st.integers(1, 7)),
    },
)


class Node:
    """The page's logic in a process of its own."""

    def __init__(self) -> None:
        script = (Path(page.__file__).parent / "logic.js").read_text(encoding="utf-8") + LOOP
        command = [NODE or "", "-e", script]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 -- our own script

    def __call__(self, name: str, *given: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([name, *given]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["got"]


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    made = Node()
    with made.process:
        yield made
        made.process.kill()


def shown(survey: Definition) -> list[dict[str, Any]]:
    """The questions as the API shows them, as far as the page's logic reads them."""
    found = []
    for question in survey.questions:
        plain = msgspec.to_builtins(question)
        plain |= {"show_if": [{"at_least": None, "at_most": None, "any_of": [], **one} for one in plain["show_if"]]}
        taken = plain.get("options", ())
        plain["options"] = [{"open_text": False, "exclusive": False, **option} for option in taken]
        plain.setdefault("rows", [])
        plain["maximum"] = plain.get("maximum") or (1 if plain["kind"] == "single" else len(taken))
        plain.setdefault("characters", None)
        plain.setdefault("required", True)
        found.append(plain)
    return found


QUESTIONS = shown(SURVEY)
MANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def decoded(answers: dict[str, Any]) -> Answers:
    return msgspec.convert(answers, Answers)


@MANY
@given(answers=ANSWERS)
def test_the_page_asks_what_the_engine_asks(node: Node, answers: dict[str, Any]) -> None:
    kept = {code: answer for code, answer in answers.items() if answer.get("options") != []}
    expected = [question.code for question in asking.path(SURVEY, decoded(kept), asking.AS_WRITTEN)]
    assert [question["code"] for question in node("path", QUESTIONS, answers)] == expected


@MANY
@given(answers=ANSWERS)
def test_what_the_page_saves_the_engine_takes(node: Node, answers: dict[str, Any]) -> None:
    sent = node("sent", QUESTIONS, {code: answer for code, answer in answers.items() if not is_long(answer)})
    assert answering.checked(SURVEY, decoded(sent), partial=True) == decoded(sent)


@MANY
@given(answers=ANSWERS)
def test_the_page_hands_in_what_the_engine_takes_whole(node: Node, answers: dict[str, Any]) -> None:
    asked = node("path", QUESTIONS, answers)
    faults = [node("missing", question, answers.get(question["code"])) for question in asked]
    sent = decoded(node("sent", QUESTIONS, answers))
    if not any(faults):
        assert answering.checked(SURVEY, sent) == sent
    else:
        with pytest.raises(answering.AnswersInvalid):
            answering.checked(SURVEY, sent)


def is_long(answer: dict[str, Any]) -> bool:
    return len(answer.get("text", "")) > 20


@MANY
@given(text=st.text(max_size=200))
def test_characters_are_counted_as_the_engine_counts_them(node: Node, text: str) -> None:
    question = {"code": "why", "kind": "text", "required": False, "characters": 20, "options": []}
    told = node("form", question, {"text": text})
    words = told["text"] if told else ""
    assert node("lengthOf", text) == len(words)
    assert (node("missing", question, {"text": text}) == "shorten") == (len(words) > 20)


@pytest.mark.parametrize(
    ("chosen", "code", "is_on", "after"),
    [
        ([], "more", True, ["more"]),
        (["more"], "none", True, ["none"]),
        (["none"], "more", True, ["more"]),
        (["more", "cheaper"], "nearer", True, ["more", "cheaper"]),
        (["more", "cheaper"], "more", False, ["cheaper"]),
    ],
)
def test_what_excludes_all_others_and_how_many_may_be_chosen(
    node: Node, chosen: list[str], code: str, is_on: Any, after: list[str]
) -> None:
    wishes = next(question for question in QUESTIONS if question["code"] == "wishes")
    assert node("chosen", wishes, chosen, code, is_on) == after


def test_whoever_comes_back_goes_on_behind_the_last_answer(node: Node) -> None:
    assert node("reached", QUESTIONS, {}) == "nps"
    assert node("reached", QUESTIONS, {"nps": {"number": 10}}) == "wishes"
    assert node("reached", QUESTIONS, {"nps": {"number": 5}, "why": {"text": "x"}}) == "reason"
    assert node("reached", QUESTIONS, {"nps": {"number": 10}, "wishes": {"options": ["more"]}}) == "wishes"


def test_the_number_of_questions_is_told_once_it_is_settled(node: Node) -> None:
    assert node("isOpen", QUESTIONS, {}, 0) is True
    assert node("isOpen", QUESTIONS, {"nps": {"number": 10}, "wishes": {"options": ["more"]}}, 2) is False


@pytest.mark.parametrize(
    "wanted",
    [["en-GB", "zh"], ["fr", "zh-TW"], ["zh-CN"], ["zh-Hans-HK"], ["zh_HK"], ["de"], [], ["zh-Hant"], ["zh-SG"]],
)
def test_the_page_speaks_the_language_that_the_engine_would(node: Node, wanted: list[str]) -> None:
    assert node("locale", wanted) == languages.best(",".join(wanted))


@pytest.mark.parametrize(
    ("status", "code", "screen"),
    [
        (401, "link_expired", "expired"),
        (409, "invitation_expired", "expired"),
        (409, "survey_closed", "expired"),
        (409, "invitation_answered", "answered"),
        (409, "answered_before", "answered"),
        (409, "invitation_withdrawn", "invalid"),
        (401, "unauthenticated", "invalid"),
        (404, "invitation_not_found", "invalid"),
        (None, None, "offline"),
        (503, "busy", "offline"),
        (500, "internal_error", "offline"),
    ],
)
def test_every_refusal_is_explained(node: Node, status: int | None, code: str | None, screen: str) -> None:
    assert node("screen", status, code) == screen
