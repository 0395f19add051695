"""Every operation keeps its budget, and none grows dearer with a member's history."""

from __future__ import annotations

import pytest

from benchmarks import costs as document
from tests.costs import Cost, measured


@pytest.fixture
def found() -> list[Cost]:
    return list(measured())


def test_every_operation_keeps_its_budget(found: list[Cost]) -> None:
    over = [f"{cost.budget} was {cost.bill}" for cost in found if not cost.is_kept]
    assert over == []


def test_the_costs_page_says_what_was_counted(found: list[Cost]) -> None:
    assert document.PAGE.read_text() == document.page(found), "run: make bench ARGS=costs"
    assert document.DATA.read_text() == document.data(found), "run: make bench ARGS=costs"
