"""docs/proof.md names tests; a test that is not there proves nothing."""

from __future__ import annotations

import re

import pytest

from tests.proof.mutants import DOCUMENT, ROOT

NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", DOCUMENT.read_text())))


@pytest.mark.parametrize(("path", "test"), NAMED)
def test_every_test_that_the_page_names_is_there(path: str, test: str) -> None:
    source = (ROOT / path).read_text()
    assert not test or f"def {test}(" in source


def test_the_page_goes_through_the_whole_list() -> None:
    first_cells = re.findall(r"^\| ([\d, ]+) \|", DOCUMENT.read_text(), re.MULTILINE)
    assert [int(number) for cell in first_cells for number in cell.split(",")] == list(range(1, 54))
