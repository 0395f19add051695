"""What is counted while one document is replayed."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from chalicelib.ledger.state import Lifetime, State
from chalicelib.program.document import Program


class RuleKey(NamedTuple):
    """A rule, and its campaign if it stands in one."""

    rule: str
    campaign: str = ""


class RuleTally(msgspec.Struct):
    """What a rule gave, points and vouchers, to how many purchases, and what a cap took off."""

    points: int = 0
    times: int = 0
    cut_points: int = 0
    cut_times: int = 0
    vouchers: int = 0

    def add(self, points: int, cut_points: int = 0, vouchers: int = 0) -> None:
        """Count what the rule gave once more."""
        self.points += points
        self.vouchers += vouchers
        self.times += points > 0 or vouchers > 0
        self.cut_points += cut_points
        self.cut_times += cut_points > 0


class CurrencyTally(msgspec.Struct):
    """What was bought in one currency, less what went back, and the points of it."""

    purchases: int = 0
    spend_minor: int = 0
    points: int = 0


class MonthTally(msgspec.Struct):
    """What one month did to the points of all."""

    earned: int = 0
    clawed: int = 0
    redeemed: int = 0
    restored: int = 0
    expired: int = 0

    @property
    def net(self) -> int:
        """By how much the outstanding points grew."""
        return self.earned + self.restored - self.clawed - self.redeemed - self.expired

    @property
    def issued(self) -> int:
        """What was earned, less what refunds took back."""
        return self.earned - self.clawed


class BudgetTally(msgspec.Struct):
    """What a campaign with a budget has given; `spent_at` is when it first could not cover an award."""

    points: int = 0
    awards: int = 0
    spent_at: int | None = None


class Tally(msgspec.Struct):
    """All that came of one document. Months are counted as year x 12 + month - 1.

    `order_points` runs parallel to the purchases. `refused` counts facts that this programme would have refused, by the
    code of the refusal.
    """

    program: Program
    states: dict[str, State] = {}
    tiers: dict[str, str] = {}
    order_points: list[int] = []
    rules: dict[RuleKey, RuleTally] = {}
    tier_points: Counter[str] = msgspec.field(default_factory=Counter)
    currencies: dict[str, CurrencyTally] = {}
    months: dict[int, MonthTally] = {}
    budgets: dict[str, BudgetTally] = {}
    run_off: Counter[int] = msgspec.field(default_factory=Counter)
    refused: Counter[str] = msgspec.field(default_factory=Counter)

    def rule(self, key: RuleKey) -> RuleTally:
        """The figures of a rule."""
        return self.rules.setdefault(key, RuleTally())

    def month(self, month: int) -> MonthTally:
        """The figures of a month."""
        found = self.months.get(month)
        if found is None:
            found = self.months[month] = MonthTally()
        return found

    def currency(self, code: str) -> CurrencyTally:
        """The figures of a currency."""
        found = self.currencies.get(code)
        if found is None:
            found = self.currencies[code] = CurrencyTally()
        return found

    def moved(self, month: int, lifetime: Lifetime) -> None:
        """Add the movement of points by an entry to a month."""
        found = self.month(month)
        found.earned += lifetime.earned
        found.clawed += lifetime.clawed
        found.redeemed += lifetime.redeemed
        found.restored += lifetime.restored

    def outstanding(self, months: range) -> Iterator[int]:
        """The points outstanding at the end of each month."""
        total = 0
        for month in months:
            total += self.months[month].net if month in self.months else 0
            yield total

    @property
    def vouchers(self) -> int:
        """The vouchers that all rules gave."""
        return sum(rule.vouchers for rule in self.rules.values())

    @property
    def total(self) -> MonthTally:
        """The figures of all months together."""
        names = MonthTally.__struct_fields__
        return MonthTally(*(sum(getattr(month, name) for month in self.months.values()) for name in names))
