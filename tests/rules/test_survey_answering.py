"""What fits an answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.surveys.document import Answer, Definition
from chalicelib.surveys.rules import asking
from chalicelib.surveys.rules.answering import AnswersInvalid, checked, without_words
from tests.programs import texts
from tests.rules.survey_cases import answers_to, anything_to, definition, question, surveys

OPTIONS = [
    {"code": "a", "title": texts("a")},
    {"code": "b", "title": texts("b")},
    {"code": "none", "title": texts("none"), "exclusive": True},
    {"code": "other", "title": texts("other"), "open_text": True},
]


def refused(survey: Definition, answers: dict[str, Answer], *, partial: bool = False) -> tuple[str, str | None]:
    with pytest.raises(AnswersInvalid) as caught:
        checked(survey, answers, partial)
    return caught.value.reason_code, caught.value.field


def one(kind: str, **fields: Any) -> Definition:
    return definition(question(kind, "q", **fields))


class TestAnAnswer:
    @pytest.mark.parametrize(
        ("kind", "lowest", "highest"), [("nps", 0, 10), ("csat", 1, 5), ("ces", 1, 7), ("scale", 1, 5)]
    )
    def test_keeps_to_its_scale(self, kind: str, lowest: int, highest: int) -> None:
        survey = one(kind)
        for number in (lowest, highest):
            assert checked(survey, {"q": Answer(number=number)}) == {"q": Answer(number=number)}
        for number in (lowest - 1, highest + 1):
            assert refused(survey, {"q": Answer(number=number)}) == ("answers_invalid", "answers.q.number")

    def test_keeps_to_a_scale_of_the_merchant_s_own(self) -> None:
        survey = one("scale", lowest=0, highest=3)
        assert checked(survey, {"q": Answer(number=0)})
        assert refused(survey, {"q": Answer(number=4)})[0] == "answers_invalid"

    @pytest.mark.parametrize(
        ("kind", "answer", "field"),
        [
            ("nps", Answer(text="nine"), "answers.q.text"),
            ("csat", Answer(number=3, options=("a",)), "answers.q.options"),
            ("text", Answer(number=3), "answers.q.number"),
            ("single", Answer(number=1), "answers.q.number"),
            ("matrix", Answer(options=("a",)), "answers.q.options"),
            ("multiple", Answer(rows={"x": 1}), "answers.q.rows"),
        ],
    )
    def test_is_of_the_kind_of_its_question(self, kind: str, answer: Answer, field: str) -> None:
        assert refused(one(kind), {"q": answer}) == ("answers_invalid", field)

    def test_to_a_question_that_there_is_not_is_refused(self) -> None:
        answers = {"q": Answer(number=3), "r": Answer(number=3)}
        assert refused(one("csat"), answers) == ("question_unknown", "answers.r")

    def test_must_be_there_where_it_is_required(self) -> None:
        assert refused(one("csat"), {}) == ("answer_required", "answers.q")
        assert refused(one("text"), {"q": Answer(text=" \n ")}) == ("answer_required", "answers.q")
        assert checked(one("csat", required=False), {}) == {}
        assert checked(one("csat"), {}, partial=True) == {}

    def test_to_a_question_that_is_not_asked_is_refused(self) -> None:
        follow = question("text", "why", show_if=[{"question": "q", "at_most": 2}])
        survey = definition(question("csat", "q"), follow)
        answers = {"q": Answer(number=3), "why": Answer(text="late")}
        assert refused(survey, answers) == ("question_not_asked", "answers.why")
        assert refused(survey, answers, partial=True) == ("question_not_asked", "answers.why")
        assert refused(survey, {"q": Answer(number=2)}) == ("answer_required", "answers.why")


class TestOptions:
    SURVEY = one("multiple", options=OPTIONS, maximum=2)

    def test_are_those_that_there_are(self) -> None:
        assert refused(self.SURVEY, {"q": Answer(options=("c",))})[0] == "option_unknown"

    def test_are_chosen_once(self) -> None:
        assert refused(self.SURVEY, {"q": Answer(options=("a", "a"))})[0] == "answers_invalid"

    def test_are_not_more_than_asked_for(self) -> None:
        assert refused(self.SURVEY, {"q": Answer(options=("a", "b", "other"))})[0] == "options_too_many"
        assert refused(one("single"), {"q": Answer(options=("a", "b"))})[0] == "options_too_many"

    def test_one_may_exclude_the_others(self) -> None:
        assert checked(self.SURVEY, {"q": Answer(options=("none",))})
        assert refused(self.SURVEY, {"q": Answer(options=("none", "a"))})[0] == "answers_invalid"

    def test_words_go_with_the_option_that_takes_them(self) -> None:
        assert checked(self.SURVEY, {"q": Answer(options=("other",), text="rain")})["q"].text == "rain"
        assert refused(self.SURVEY, {"q": Answer(options=("a",), text="rain")})[1] == "answers.q.text"
        assert refused(self.SURVEY, {"q": Answer(options=("other",), text="x" * 501)})[0] == "text_too_long"

    def test_are_kept_in_the_order_of_the_survey(self) -> None:
        assert checked(self.SURVEY, {"q": Answer(options=("b", "a"))})["q"].options == ("a", "b")


class TestAMatrix:
    def test_of_a_required_question_is_rated_whole(self) -> None:
        assert refused(one("matrix"), {"q": Answer(rows={"x": 1})}) == ("answer_required", "answers.q.rows.y")
        assert checked(one("matrix", required=False), {"q": Answer(rows={"x": 1})})
        assert checked(one("matrix"), {"q": Answer(rows={"x": 1})}, partial=True)

    def test_has_no_other_rows_and_numbers(self) -> None:
        assert refused(one("matrix"), {"q": Answer(rows={"z": 1})}) == ("row_unknown", "answers.q.rows.z")
        assert refused(one("matrix"), {"q": Answer(rows={"x": 0, "y": 1})})[1] == "answers.q.rows.x"


class TestWords:
    def test_are_kept_as_they_are_whatever_they_look_like(self) -> None:
        for text in ("<script>alert(1)</script>", "=1+1", "'; DROP TABLE", "a\tb\nc", "很好 👍🏽", '& < > "'):
            assert checked(one("text"), {"q": Answer(text=text)})["q"].text == text

    def test_are_brought_into_one_form(self) -> None:
        assert checked(one("text"), {"q": Answer(text=" a\r\nb\rc\u2028e\u0301 ")})["q"].text == "a\nb\nc\n\u00e9"

    def test_hold_no_control_characters(self) -> None:
        for text in ("a\x00b", "a\x1bb", "a\x7fb", "a\x85b"):
            assert refused(one("text"), {"q": Answer(text=text)}) == ("control_character", "answers.q.text")

    def test_are_not_longer_than_the_survey_says(self) -> None:
        assert checked(one("text", characters=5), {"q": Answer(text="12345  ")})
        assert refused(one("text", characters=5), {"q": Answer(text="123456")})[0] == "text_too_long"

    def test_are_left_out_of_what_is_counted(self) -> None:
        answers = {"q": Answer(text="secret"), "r": Answer(options=("other",), text="secret"), "s": Answer(number=3)}
        assert without_words(answers) == {"r": Answer(options=("other",)), "s": Answer(number=3)}


class TestWhateverIsAnswered:
    @given(st.data())
    def test_who_answers_what_is_asked_is_not_refused(self, data: st.DataObject) -> None:
        survey = data.draw(surveys())
        answers = data.draw(answers_to(survey))
        found = checked(survey, answers)
        assert set(found) == set(answers)

    @given(st.data())
    def test_what_was_checked_stays_as_it_is(self, data: st.DataObject) -> None:
        survey = data.draw(surveys())
        found = checked(survey, data.draw(answers_to(survey)))
        assert checked(survey, found) == found
        assert list(checked(survey, found)) == list(found)

    @given(st.data())
    def test_what_is_accepted_answers_exactly_what_was_asked(self, data: st.DataObject) -> None:
        survey = data.draw(surveys())
        answers = data.draw(anything_to(survey))
        asked = asking.asked_codes(survey, answers)
        required = {each.code for each in survey.questions if each.required and each.code in asked}
        fits = required <= set(answers) <= asked
        try:
            found = checked(survey, answers)
        except AnswersInvalid:
            assert not fits
        else:
            assert fits
            assert set(found) == set(answers)
