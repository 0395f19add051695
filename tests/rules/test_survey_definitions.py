"""What is wrong with a survey is told when it is stored, all of it at once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.program.document.parts import LOCALES
from chalicelib.surveys import templates
from chalicelib.surveys.document import Definition, Matrix
from chalicelib.surveys.rules.definitions import DefinitionInvalid, check
from chalicelib.surveys.templates import Template
from tests.programs import texts
from tests.rules.survey_cases import definition, question


def problems(*questions: dict[str, Any], **fields: Any) -> list[str]:
    """The places of all that is wrong with a definition."""
    try:
        check(definition(*questions, **fields))
    except DefinitionInvalid as error:
        return [problem.field for problem in error.problems]
    return []


def shown(code: str, **condition: Any) -> dict[str, Any]:
    return question("text", code, show_if=[condition])


NPS = question("nps", "recommend")


class TestCodes:
    def test_of_questions_options_and_rows_are_given_once(self) -> None:
        same = [{"code": "a", "title": texts("a")}] * 2
        found = problems(NPS, NPS, question("single", "one", options=same), question("matrix", "two", rows=same))
        assert found == ["questions[1].code", "questions[2].options[1].code", "questions[3].rows[1].code"]


class TestConditions:
    def test_lead_to_an_earlier_question(self) -> None:
        first = shown("why", question="recommend", at_most=6)
        assert problems(first, NPS) == ["questions[0].show_if[0].question"]
        assert problems(NPS, shown("why", question="nobody", at_most=6)) == ["questions[1].show_if[0].question"]
        assert problems(NPS, shown("why", question="why", at_most=6)) == ["questions[1].show_if[0].question"]

    def test_lead_out_of_the_block(self) -> None:
        why = {**shown("why", question="first", at_most=3), "block": "all"}
        inside = problems(question("csat", "first", block="all"), why)
        assert inside == ["questions[1].show_if[0].question"]
        assert problems(question("csat", "first"), why) == []

    def test_are_of_the_kind_of_what_they_look_at(self) -> None:
        options = shown("why", question="recommend", any_of=["a"])
        assert problems(NPS, options) == ["questions[1].show_if[0].any_of"]
        number = shown("why", question="one", at_most=3)
        assert problems(question("single", "one"), number) == ["questions[1].show_if[0]"]
        words = [question("text", "one"), shown("why", question="one", at_least=3)]
        assert problems(*words) == ["questions[1].show_if[0]"]

    def test_ask_for_what_may_be_answered(self) -> None:
        assert problems(NPS, shown("why", question="recommend", at_least=11)) == ["questions[1].show_if[0]"]
        unknown = shown("why", question="one", any_of=["z"])
        assert problems(question("single", "one"), unknown) == ["questions[1].show_if[0].any_of"]
        empty = shown("why", question="recommend", at_least=6, at_most=5)
        assert problems(NPS, empty) == ["questions[1].show_if[0].at_least"]

    def test_say_one_thing(self) -> None:
        assert problems(NPS, shown("why", question="recommend")) == ["questions[1].show_if[0]"]
        both = shown("why", question="recommend", at_most=3, any_of=["a"])
        assert problems(NPS, both) == ["questions[1].show_if[0]"]


class TestBlocks:
    def test_stand_together(self) -> None:
        names = ["a", "a", None, "b", "a"]
        found = problems(*(question("csat", f"q{index}", block=name) for index, name in enumerate(names)))
        assert found == ["questions[4].block"]


class TestOptionsAndScales:
    def test_no_more_is_asked_for_than_there_is(self) -> None:
        assert problems(question("multiple", "q", maximum=4)) == ["questions[0].maximum"]

    def test_words_belong_to_one_option(self) -> None:
        options = [{"code": name, "title": texts(name), "open_text": True} for name in "ab"]
        assert problems(question("single", "q", options=options)) == ["questions[0].options"]

    def test_something_may_be_chosen_together(self) -> None:
        options = [{"code": name, "title": texts(name), "exclusive": True} for name in "ab"]
        assert problems(question("multiple", "q", options=options)) == ["questions[0].options"]

    def test_a_scale_has_words_for_both_ends_or_none(self) -> None:
        assert problems(question("scale", "q", lowest_title=texts("low"))) == ["questions[0].lowest_title"]


class TestCaseRules:
    @pytest.mark.parametrize(
        ("rule", "field"),
        [
            ({"question": "nobody", "at_most": 6}, "case_rules[0].question"),
            ({"question": "recommend"}, "case_rules[0]"),
            ({"question": "recommend", "at_most": 6, "any_of": ["a"]}, "case_rules[0]"),
            ({"question": "recommend", "at_most": 11}, "case_rules[0]"),
            ({"question": "recommend", "any_of": ["a"]}, "case_rules[0].any_of"),
            ({"question": "one", "any_of": ["z"]}, "case_rules[0].any_of"),
            ({"question": "one", "at_most": 1}, "case_rules[0]"),
            ({"question": "areas", "at_most": 6}, "case_rules[0]"),
        ],
    )
    def test_can_be_met(self, rule: dict[str, Any], field: str) -> None:
        questions = [NPS, question("single", "one"), question("matrix", "areas")]
        assert problems(*questions, case_rules=[rule]) == [field]

    def test_may_look_at_a_row(self) -> None:
        assert problems(question("matrix", "areas"), case_rules=[{"question": "areas", "at_most": 2}]) == []


class TestTheWhole:
    def test_asks_for_what_its_kind_measures(self) -> None:
        assert problems(question("csat", "q"), kind="relationship") == ["questions"]
        assert problems(question("csat", "q"), kind="post_case") == ["questions"]
        assert problems(question("ces", "q"), kind="post_case") == []

    def test_asks_for_something(self) -> None:
        assert problems(question("csat", "q", required=False)) == ["questions"]

    def test_gives_points_within_reason(self) -> None:
        assert problems(NPS, points=1_000_001) == ["points"]

    def test_every_problem_is_told_at_once(self) -> None:
        found = problems(NPS, NPS, question("multiple", "q", maximum=9), points=2_000_000)
        assert found == ["questions[1].code", "questions[2].maximum", "points"]


class TestTemplates:
    @pytest.mark.parametrize("template", templates.TEMPLATES)
    def test_are_surveys(self, template: Template) -> None:
        found = templates.definition(template)
        check(found)
        assert found.code == template

    def test_there_is_one_for_every_kind(self) -> None:
        kinds = {templates.definition(template).kind for template in templates.TEMPLATES}
        assert kinds == {"relationship", "post_purchase", "post_case", "churn_exit", "needs"}

    @pytest.mark.parametrize("template", templates.TEMPLATES)
    def test_are_written_in_every_language(self, template: Template) -> None:
        def check_texts(part: Any) -> int:
            if isinstance(part, dict) and "en" in part:
                assert set(part) == set(LOCALES)
                assert part["en"].isascii()
                assert not part["zh-Hans"].isascii()
                assert not part["zh-Hant"].isascii()
                return 1
            parts = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
            return sum(map(check_texts, parts))

        assert check_texts(msgspec.json.decode(msgspec.json.encode(templates.definition(template)))) > 10

    @pytest.mark.parametrize("template", ["relationship_nps", "post_purchase_csat", "churn_exit", "needs_research"])
    def test_ask_for_the_four_dimensions(self, template: Template) -> None:
        matrices = [each for each in templates.definition(template).questions if isinstance(each, Matrix)]
        assert {row.dimension for row in matrices[0].rows} == {"product", "service", "price", "after_sales"}

    def test_who_leaves_is_asked_why_and_where_to(self) -> None:
        asked = {each.code: each for each in templates.definition("churn_exit").questions}
        assert asked["reason"].required
        assert asked["destination"].required

    def test_a_detractor_of_the_template_opens_a_case(self) -> None:
        rules = templates.definition("relationship_nps").case_rules
        assert max(rule.at_most or 0 for rule in rules) == 6


def test_what_was_stored_is_read_alike() -> None:
    for template in templates.TEMPLATES:
        found = templates.definition(template)
        assert msgspec.json.decode(msgspec.json.encode(found), type=Definition) == found
