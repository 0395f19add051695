"""Who is asked what, and in which order."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.surveys.document import Answer, Definition, Matrix, Multiple, Single
from chalicelib.surveys.rules import asking
from tests.programs import texts
from tests.rules.survey_cases import anything_to, definition, question, surveys

SEEDS = st.text(min_size=1, max_size=20)


def codes(survey: Definition, answers: dict[str, Answer], seed: str = asking.AS_WRITTEN) -> list[str]:
    return [asked.code for asked in asking.path(survey, answers, seed)]


class TestBranching:
    SURVEY = definition(
        question("nps", "recommend"),
        question("text", "improve", show_if=[{"question": "recommend", "at_most": 6}]),
        question("text", "praise", show_if=[{"question": "recommend", "at_least": 9}]),
        question("single", "again", show_if=[{"question": "recommend", "at_least": 7, "at_most": 8}]),
        question("text", "when", show_if=[{"question": "again", "any_of": ["a", "b"]}]),
    )

    def test_asks_a_detractor_what_to_improve(self) -> None:
        assert codes(self.SURVEY, {"recommend": Answer(number=6)}) == ["recommend", "improve"]

    def test_asks_a_promoter_for_praise(self) -> None:
        assert codes(self.SURVEY, {"recommend": Answer(number=9)}) == ["recommend", "praise"]

    def test_asks_nothing_that_depends_on_what_was_not_answered(self) -> None:
        assert codes(self.SURVEY, {}) == ["recommend"]

    def test_follows_an_option(self) -> None:
        answers = {"recommend": Answer(number=7), "again": Answer(options=("b",))}
        assert codes(self.SURVEY, answers) == ["recommend", "again", "when"]

    def test_a_leftover_answer_to_a_question_that_is_not_asked_any_more_leads_nowhere(self) -> None:
        answers = {"recommend": Answer(number=2), "again": Answer(options=("b",))}
        assert codes(self.SURVEY, answers) == ["recommend", "improve"]

    def test_all_conditions_must_hold(self) -> None:
        both = [{"question": "one", "at_least": 3}, {"question": "two", "any_of": ["a"]}]
        survey = definition(question("csat", "one"), question("single", "two"), question("text", "both", show_if=both))
        one, a, b = Answer(number=3), Answer(options=("a",)), Answer(options=("b",))
        assert codes(survey, {"one": one, "two": b}) == ["one", "two"]
        assert codes(survey, {"one": one, "two": a}) == ["one", "two", "both"]

    @given(st.data())
    def test_never_asks_what_a_condition_excludes(self, data: st.DataObject) -> None:
        survey = data.draw(surveys())
        answers = data.draw(anything_to(survey))
        asked = set(codes(survey, answers))
        for each in survey.questions:
            conditions = [
                condition.question in asked and asking.holds(condition, answers) for condition in each.show_if
            ]
            assert (each.code in asked) == all(conditions)


class TestTheOrder:
    @given(surveys(), SEEDS)
    def test_is_a_permutation_within_blocks(self, survey: Definition, seed: str) -> None:
        shown = asking.ordered(survey, seed)
        runs = [(block, {each.code for each in run}) for block, run in groupby(shown, lambda each: each.block)]
        written = groupby(survey.questions, lambda each: each.block)
        assert runs == [(block, {each.code for each in run}) for block, run in written]
        outside = [each.code for each in shown if each.block is None]
        assert outside == [each.code for each in survey.questions if each.block is None]

    @given(surveys(), SEEDS)
    def test_is_the_same_for_the_same_respondent(self, survey: Definition, seed: str) -> None:
        assert asking.ordered(survey, seed) == asking.ordered(survey, seed)

    @given(surveys(), SEEDS)
    def test_asks_what_a_condition_looks_at_first(self, survey: Definition, seed: str) -> None:
        places = {each.code: place for place, each in enumerate(asking.ordered(survey, seed))}
        for each in survey.questions:
            assert all(places[condition.question] < places[each.code] for condition in each.show_if)

    @given(surveys(), SEEDS)
    def test_of_options_and_rows_is_a_permutation(self, survey: Definition, seed: str) -> None:
        for each in survey.questions:
            if isinstance(each, Single | Multiple):
                assert sorted(option.code for option in asking.options(each, seed)) == ["a", "b", "c"]
            if isinstance(each, Matrix):
                assert sorted(row.code for row in asking.rows(each, seed)) == ["x", "y"]

    def test_differs_between_respondents(self) -> None:
        survey = definition(*(question("csat", f"q{number}", block="all") for number in range(5)))
        orders = {tuple(codes(survey, {}, f"member-{number}")) for number in range(50)}
        assert len(orders) > 20

    def test_is_as_written_for_who_only_looks(self) -> None:
        survey = definition(*(question("csat", f"q{number}", block="all") for number in range(5)))
        assert codes(survey, {}) == ["q0", "q1", "q2", "q3", "q4"]

    def test_of_a_respondent_stays_when_a_question_is_added(self) -> None:
        old = definition(*(question("csat", f"q{number}", block="all") for number in range(5)))
        new = definition(*(question("csat", f"q{number}", block="all") for number in range(6)))
        assert [code for code in codes(new, {}, "me") if code != "q5"] == codes(old, {}, "me")

    def test_leaves_none_of_these_and_another_at_the_end(self) -> None:
        named = [
            {"code": "none", "title": texts("none"), "exclusive": True},
            {"code": "other", "title": texts("other"), "open_text": True},
        ]
        plain = [{"code": f"o{number}", "title": texts("o")} for number in range(6)]
        survey = definition(question("multiple", "which", options=[*named, *plain], random_order=True))
        (which,) = survey.questions
        assert isinstance(which, Multiple)
        orders = {tuple(option.code for option in asking.options(which, str(seed))) for seed in range(20)}
        assert len(orders) > 10
        assert {order[-2:] for order in orders} == {("none", "other")}
