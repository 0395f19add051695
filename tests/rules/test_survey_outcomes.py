"""What an answer sets off: flags, and the case that it opens."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.surveys.document import Answer, Definition
from chalicelib.surveys.rules.complaining import fired
from chalicelib.surveys.rules.flags import flags
from tests.programs import texts
from tests.rules.survey_cases import definition, question


def rated(*numbers: int) -> dict[str, Answer]:
    return {"areas": Answer(rows={f"r{index}": number for index, number in enumerate(numbers)})}


def matrix(code: str = "areas", rows: int = 6, **fields: Any) -> dict[str, Any]:
    return question("matrix", code, rows=[{"code": f"r{row}", "title": texts("r")} for row in range(rows)], **fields)


class TestFlags:
    SURVEY = definition(matrix(), minimum_seconds=10)

    @pytest.mark.parametrize(
        ("numbers", "found"),
        [
            ((3, 3, 3, 3, 3, 3), ("straight_lined",)),
            ((3, 3, 3, 3, 3), ("straight_lined",)),
            ((5, 5, 5, 5), ()),
            ((3, 3, 3, 3, 3, 4), ()),
        ],
    )
    def test_the_same_number_in_many_rows_is_straight_lined(
        self, numbers: tuple[int, ...], found: tuple[str, ...]
    ) -> None:
        assert flags(self.SURVEY, rated(*numbers), 60) == found

    def test_rows_of_all_matrices_count_together(self) -> None:
        survey = definition(matrix(rows=3), matrix("more", rows=3))
        both = {code: Answer(rows={"r0": 2, "r1": 2, "r2": 2}) for code in ("areas", "more")}
        assert flags(survey, both, 0) == ("straight_lined",)
        both["more"] = Answer(rows={"r0": 2, "r1": 2, "r2": 1})
        assert flags(survey, both, 0) == ()

    @pytest.mark.parametrize(("seconds", "found"), [(9, ("speeding",)), (10, ()), (0, ()), (3600, ())])
    def test_who_is_faster_than_the_survey_allows_is_speeding(self, seconds: int, found: tuple[str, ...]) -> None:
        assert flags(self.SURVEY, {}, seconds) == found

    def test_both_may_be_said(self) -> None:
        assert flags(self.SURVEY, rated(1, 1, 1, 1, 1), 1) == ("straight_lined", "speeding")


def survey(*rules: dict[str, Any], **fields: Any) -> Definition:
    areas = [{"code": name, "title": texts(name), "dimension": name} for name in ("product", "service", "price")]
    return definition(
        question("nps", "recommend", **fields),
        question("single", "reason", required=False),
        question("matrix", "areas", rows=areas, required=False),
        question("text", "why", required=False),
        question("text", "more", required=False),
        case_rules=rules,
    )


class TestACase:
    def test_is_opened_by_a_detractor(self) -> None:
        rules = survey({"question": "recommend", "at_most": 6, "severity": "high"})
        found = fired(rules, {"recommend": Answer(number=6)})
        assert found
        assert (found.question, found.severity) == ("recommend", "high")
        assert fired(rules, {"recommend": Answer(number=7)}) is None
        assert fired(rules, {}) is None

    def test_is_opened_by_an_option_or_a_row(self) -> None:
        rules = survey({"question": "reason", "any_of": ["b", "c"]}, {"question": "areas", "at_most": 1})
        assert fired(rules, {"reason": Answer(options=("b",))})
        assert fired(rules, {"reason": Answer(options=("a",))}) is None
        assert fired(rules, {"areas": Answer(rows={"product": 5, "price": 1})})
        assert fired(rules, {"areas": Answer(rows={"product": 5, "price": 2})}) is None

    def test_is_one_by_the_first_rule_that_is_met(self) -> None:
        rules = survey(
            {"question": "recommend", "at_most": 2, "severity": "critical"},
            {"question": "recommend", "at_most": 6, "severity": "low"},
        )
        found = [fired(rules, {"recommend": Answer(number=number)}) for number in (0, 5)]
        assert [each.severity for each in found if each] == ["critical", "low"]

    def test_is_about_what_the_rule_says_or_the_question_or_the_lowest_row(self) -> None:
        low = {"recommend": Answer(number=1), "areas": Answer(rows={"product": 4, "service": 2, "price": 3})}
        rule = {"question": "recommend", "at_most": 6}
        for rules, dimension in [
            (survey({**rule, "dimension": "after_sales"}, dimension="price"), "after_sales"),
            (survey(rule, dimension="price"), "price"),
            (survey(rule), "service"),
        ]:
            found = fired(rules, low)
            assert found
            assert found.dimension == dimension
        alone = fired(survey(rule), {"recommend": Answer(number=1)})
        assert alone
        assert alone.dimension == "other"

    def test_has_the_words_that_were_written(self) -> None:
        rules = survey({"question": "recommend", "at_most": 6})
        words = {"recommend": Answer(number=1), "why": Answer(text="cold"), "more": Answer(text="x" * 10_000)}
        found = fired(rules, words)
        assert found
        assert found.text.startswith("cold\n\nxxx")
        assert len(found.text) == 10_000
