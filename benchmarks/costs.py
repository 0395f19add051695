"""Capacity and round trips of every operation, counted; writes docs/costs.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tests.conftest  # noqa: F401 - sets the environment that the engine reads when it is imported
from tests.costs import READ_DOLLARS, WRITE_DOLLARS, Cost, measured
from tests.tables import empty_tables

PAGE = Path(__file__).parents[1] / "docs" / "costs.md"

_HEAD = f"""# What each operation costs

Written by `make bench ARGS=costs`; a test fails when an operation grows dearer or this page is out of date.

Counted from the requests by DynamoDB's published rules, for records and entries of up to 1 KB: write units (WCU), read
units (RCU), requests waited for one after the other, and DynamoDB's dollars per million operations at
${WRITE_DOLLARS} per million write units and ${READ_DOLLARS} per million read units (on demand, us-east-1). In brackets:
the budget. A member's own call reads one identity more (0.5 RCU, 1 request) the first time that a process meets the
sign-in. Which programme is in force is read once in four minutes by each process and not counted here.

| operation | WCU | RCU | round trips | $ per million |
|---|---|---|---|---|
"""

_TAIL = """
No operation looks at more than the tail of a member's chain, so none grows with the member's history or with the number
of members: `make bench ARGS=growth` shows the same figures after 10 and after 10,000 entries.

A refund, a cancellation, and an order that names its member by phone each look one thing up first (the order, the
identity), which is their third round trip; see `decisions/0002-three-round-trips.md`.
"""


def page(found: Sequence[Cost]) -> str:
    """The costs page as it should be."""
    return _HEAD + "".join(f"{_row(cost)}\n" for cost in found) + _TAIL


def _row(cost: Cost) -> str:
    bill, budget = cost.bill, cost.budget
    return (
        f"| {budget.operation} | {bill.write_units:g} ({budget.write_units:g}) | {bill.read_units:g} "
        f"({budget.read_units:g}) | {bill.round_trips} ({budget.round_trips}) | {cost.dollars_per_million:.2f} |"
    )


def main() -> None:
    """Measure, print and write the page."""
    with empty_tables():
        text = page(list(measured()))
    print(text)
    PAGE.write_text(text)
