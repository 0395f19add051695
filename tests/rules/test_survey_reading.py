"""Files of answers: what each line says, and what is wrong with it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base.errors import Invalid
from chalicelib.surveys.rules.reading import csv_lines, json_lines
from tests.rules.survey_cases import definition, question

SURVEY = definition(
    question("nps", "recommend"),
    question("multiple", "reasons"),
    question("matrix", "areas"),
    question("text", "why"),
)
HEAD = "key,occurred_at,recommend"


def refusal(text: str) -> str:
    with pytest.raises(Invalid) as caught:
        list(csv_lines(text, SURVEY))
    assert caught.value.reason_code == "import_invalid"
    return caught.value.detail


class TestCsv:
    def test_says_who_answered_what(self) -> None:
        text = (
            "\ufeffkey,occurred_at,phone,recommend,reasons,reasons.text,areas.x,areas.y,why,seconds\r\n"
            '7,2026-11-20T10:00:00Z,+8613800138000,9,a|c,mine,4,5,"Good, ""very""\ngood",40\r\n'
        )
        (line,) = csv_lines(text, SURVEY)
        assert line.number == 2
        assert line.row == {
            "key": "7",
            "occurred_at": "2026-11-20T10:00:00Z",
            "identity": {"phone": "+8613800138000"},
            "seconds": 40,
            "answers": {
                "recommend": {"number": 9},
                "reasons": {"options": ["a", "c"], "text": "mine"},
                "areas": {"rows": {"x": 4, "y": 5}},
                "why": {"text": 'Good, "very"\ngood'},
            },
        }

    def test_of_an_empty_cell_is_no_answer(self) -> None:
        (line,) = csv_lines(f"{HEAD},why\n1,2026-11-20T10:00:00Z,, \n", SURVEY)
        assert line.row["answers"] == {}

    def test_names_the_line_where_a_row_begins(self) -> None:
        text = f'{HEAD},why\n1,t,3,"two\nlines"\n\n2,t,x,\n3,t,4,\n'
        lines = list(csv_lines(text, SURVEY))
        assert [(line.number, line.row["key"]) for line in lines] == [(2, "1"), (5, "2"), (6, "3")]
        assert [line.fault is not None for line in lines] == [False, True, False]

    @pytest.mark.parametrize("cell", ["nine", "9.0", "-1", "٣", "9" * 30, "=1+1"])
    def test_has_whole_numbers(self, cell: str) -> None:
        (line,) = csv_lines(f"{HEAD}\n1,t,{cell}\n", SURVEY)
        assert line.fault
        assert line.fault.field == "recommend"

    def test_has_a_cell_for_every_column(self) -> None:
        short, long, good = csv_lines(f"{HEAD}\n1,t\n2,t,3,4\n3,t,5\n", SURVEY)
        assert (short.fault is not None, long.fault is not None, good.fault) == (True, True, None)

    def test_with_a_column_that_means_nothing_is_refused_as_a_whole(self) -> None:
        assert "'recomend'" in refusal("key,occurred_at,recomend\n")
        assert "'key'" in refusal("key,key,occurred_at\n")
        assert "occurred_at" in refusal("key,recommend\n")
        assert "occurred_at" in refusal("key\n")
        assert refusal("")

    def test_with_a_broken_quotation_is_refused_as_a_whole(self) -> None:
        assert refusal(f'{HEAD}\n1,t,"3\n2,t,4\n')

    @given(st.text(max_size=300))
    def test_whatever_it_is_only_a_refusal_comes_of_it(self, text: str) -> None:
        try:
            lines = list(csv_lines(f"{HEAD},why\n{text}", SURVEY))
        except Invalid:
            return
        assert all(line.number > 1 for line in lines)

    @given(st.lists(st.text(st.characters(exclude_categories=["C"]), max_size=20), max_size=5))
    def test_gives_back_what_was_written(self, words: list[str]) -> None:
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(["key", "occurred_at", "why"])
        rows.writerows([f"k{index}", "t", word] for index, word in enumerate(words))
        read = [line.row["answers"].get("why", {"text": ""})["text"] for line in csv_lines(text.getvalue(), SURVEY)]
        assert read == [word.strip() for word in words]


class TestJsonLines:
    def test_are_one_object_each(self) -> None:
        lines = list(json_lines('{"key":"1"}\n\n  \n{"key":"2"}\r\n'))
        assert [(line.number, line.row) for line in lines] == [(1, {"key": "1"}), (4, {"key": "2"})]

    @pytest.mark.parametrize("text", ["{", "[]", "3", "null", '{"a":1}{"b":2}', '"x"'])
    def test_that_are_none_are_named(self, text: str) -> None:
        bad, good = json_lines(f'{text}\n{{"key":"2"}}')
        assert (bad.number, bad.row, good.row) == (1, {}, {"key": "2"})
        assert bad.fault
        assert bad.fault.reason_code == "row_invalid"
