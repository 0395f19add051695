"""A budget, and what was really spent: the rows of docs/costs.md."""

from __future__ import annotations

from dataclasses import dataclass

from tests.meter import Bill

WRITE_DOLLARS = 0.625
READ_DOLLARS = 0.125
"""US dollars per million on-demand units, us-east-1."""


@dataclass(frozen=True)
class Budget:
    """What an operation may cost at the most; `of` is the call of the API, or the function, that it is the cost of."""

    operation: str
    write_units: float
    read_units: float
    round_trips: int
    of: str


@dataclass(frozen=True)
class Cost:
    """What it did cost."""

    budget: Budget
    bill: Bill

    @property
    def dollars_per_million(self) -> float:
        """DynamoDB's share of a million such operations; the rest of AWS is not in it."""
        return self.bill.write_units * WRITE_DOLLARS + self.bill.read_units * READ_DOLLARS

    @property
    def is_kept(self) -> bool:
        """Whether the budget is."""
        return (
            self.bill.write_units <= self.budget.write_units
            and self.bill.read_units <= self.budget.read_units
            and self.bill.round_trips <= self.budget.round_trips
        )
