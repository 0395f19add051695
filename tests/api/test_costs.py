"""Every operation keeps its budget, and none grows dearer with a member's history."""

from __future__ import annotations

from typing import Any

import pytest

from app import app
from benchmarks import costs as document
from tests.budgets import Cost
from tests.costs import measured

# A token is checked without tables, and what the router passes on goes to queues.
WITHOUT_TABLES = {"jwt_authorizer", "route_facts"}


_FOUND: list[Cost] = []


@pytest.fixture
def found() -> list[Cost]:
    # Counted once, on the tables of the first test that asks: it takes half a minute.
    if not _FOUND:
        _FOUND.extend(measured())
    return _FOUND


def test_every_operation_keeps_its_budget(found: list[Cost]) -> None:
    over = [f"{cost.budget} was {cost.bill}" for cost in found if not cost.is_kept]
    assert over == []


def test_the_costs_page_says_what_was_counted(found: list[Cost]) -> None:
    assert document.PAGE.read_text() == document.page(found), "run: make bench ARGS=costs"
    assert document.DATA.read_text() == document.data(found), "run: make bench ARGS=costs"


def test_every_call_and_every_function_has_its_row(found: list[Cost]) -> None:
    views: list[Any] = [entry.view_function for methods in app.routes.values() for entry in methods.values()]
    calls = [view.operation.name for view in views]
    functions: list[Any] = [*app.builtin_auth_handlers, *app.event_sources, *app.pure_lambda_functions]
    declared = {*calls, *(function.name for function in functions)}

    missing = declared - WITHOUT_TABLES - {cost.budget.of for cost in found}

    assert missing == set(), "count what it costs in tests/costs.py"
    assert {cost.budget.of for cost in found} <= declared
