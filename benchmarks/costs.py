"""Capacity and round trips of every operation, counted; writes docs/costs.md and docs/costs.json."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from pathlib import Path

import tests.conftest  # noqa: F401 - sets the environment that the engine reads when it is imported
from tests.budgets import READ_DOLLARS, WRITE_DOLLARS, Cost
from tests.costs import measured
from tests.tables import empty_tables

PAGE = Path(__file__).parents[1] / "docs" / "costs.md"
DATA = PAGE.with_suffix(".json")

_HEAD = f"""# What each operation costs

Written by `make bench ARGS=costs`; a test fails when an operation grows dearer or this page is out of date.

Counted from the requests by DynamoDB's published rules, for records and entries of up to 1 KB: write units (WCU), read
units (RCU), requests waited for one after the other, and DynamoDB's dollars per million operations at
${WRITE_DOLLARS} per million write units and ${READ_DOLLARS} per million read units (on demand, us-east-1). In brackets:
the budget. A member's own call reads one identity more (0.5 RCU, 1 request) the first time that a process meets the
sign-in. Which programme is in force is read once in four minutes by each process and not counted here.

| operation | call or function | WCU | RCU | round trips | $ per million |
|---|---|---|---|---|---|
"""

_TAIL = """
No operation looks at more than the tail of a member's chain (but for the merge of somebody whom a referral code has
brought: up to 200 entries of each account), so none grows with the member's history or with the number of
members: `make bench ARGS=growth` shows the same figures after 10 and after 10,000 entries.

A purchase or event that reaches the challenges after one that happened later makes them walk through all of the
member's purchases and events again, 4 KB of facts for some 25 of them; in order, they are added to what was walked.

Of the functions, `jwt_authorizer` and `route_facts` use no table. A notice that `route_facts` passes on is three
requests of SQS (sent, received, deleted), $1.20 per million notices. A walk of the night reads the whole view: an
eighth of a read unit for every KB of it, which is what the row of 20 accounts shows beside the walk's own note.

A read of a score takes the end of the chain and the view's item, and once in five minutes in each process the night's
basis; where the chain has gone on since the night, the new entries and the records of new orders and answers as well.
Entries that look back (a refund, a cancellation, a merge) or that come late make it read the whole chain, as the next
night does once and then stores.

The end of a night reads, whatever the number of members, what surveys and cases have counted: 16 items a month (56
units) of each of the 100 newest surveys, 20 of all cases, of the present month and the six before it. The very first
night reads two years. Birthdays of the coming two weeks take 56 queries (28 units), and half a unit more for every 4
KB of them: some ninety members.

A refund, a cancellation, and an order that names its member by phone each look one thing up first (the order, the
identity), which is their third round trip; see `decisions/0002-three-round-trips.md`.
"""


def page(found: Sequence[Cost]) -> str:
    """The costs page as it should be."""
    return _HEAD + "".join(f"{_row(cost)}\n" for cost in found) + _TAIL


def data(found: Sequence[Cost]) -> str:
    """The same figures for programs: write units, read units and round trips by operation."""
    rows = {
        cost.budget.operation: [cost.bill.write_units, cost.bill.read_units, cost.bill.round_trips] for cost in found
    }
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(figures)}" for name, figures in rows.items())
    return f"{{\n{lines}\n}}\n"


def _row(cost: Cost) -> str:
    bill, budget = cost.bill, cost.budget
    return (
        f"| {budget.operation} | `{budget.of}` | {bill.write_units:g} ({budget.write_units:g}) | {bill.read_units:g} "
        f"({budget.read_units:g}) | {bill.round_trips} ({budget.round_trips}) | {cost.dollars_per_million:.2f} |"
    )


def main() -> None:
    """Measure, print and write the page."""
    # The requests' log lines would stand between the rows.
    with empty_tables(), contextlib.redirect_stdout(io.StringIO()):
        found = list(measured())
    print(page(found))
    PAGE.write_text(page(found))
    DATA.write_text(data(found))
