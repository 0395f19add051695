"""What a backtest reports, before anybody decides how it looks."""

from fractions import Fraction

import msgspec

from chalicelib.program.document import Program, Texts
from infra.backtest.judging import Unjudged
from infra.backtest.tally import MonthTally, RuleKey


class Pair(msgspec.Struct, frozen=True):
    """A figure under today's document and under the candidate."""

    today: int
    candidate: int

    @property
    def change(self) -> int:
        """What the candidate adds."""
        return self.candidate - self.today


class Cost(msgspec.Struct, frozen=True):
    """What points are worth in one currency, in minor units; None where a document gives them no worth."""

    currency: str
    today: Fraction | None
    candidate: Fraction | None

    @property
    def change(self) -> Fraction:
        """What the candidate adds; no worth is none."""
        return (self.candidate or Fraction(0)) - (self.today or Fraction(0))


class Month(msgspec.Struct, frozen=True):
    """One month: points issued (less what refunds took back), lapsed, redeemed, and outstanding at its end.

    `cost` is that of the points issued, in the base currency.
    """

    month: int
    issued: Pair
    expired: Pair
    redeemed: Pair
    outstanding: Pair
    cost: Cost


class RuleRow(msgspec.Struct, frozen=True):
    """What one rule gave, before refunds; `title` of it, and of its campaign where it stands in one."""

    key: RuleKey
    title: Texts
    campaign: Texts | None
    points: Pair
    times: Pair
    cut_points: Pair


class TierRow(msgspec.Struct, frozen=True):
    """A tier that either document has: its members at the end, and the points given to members in it."""

    code: str
    name: Texts
    members: Pair
    points: Pair


class Flow(msgspec.Struct, frozen=True):
    """Members who end in one tier today and in another (or the same) under the candidate, and some of them."""

    today: str
    candidate: str
    members: int
    examples: tuple[str, ...]


class MemberRow(msgspec.Struct, frozen=True):
    """A member's points, less what refunds took back, and tier."""

    member: str
    purchases: int
    points: Pair
    tier_today: str
    tier_candidate: str


class Bar(msgspec.Struct, frozen=True):
    """How many members gain between `low` and `high` points; those who lose have negative bounds."""

    low: int
    high: int
    members: int


class BudgetRow(msgspec.Struct, frozen=True):
    """What a campaign of the candidate took of its budget; a limit of None is none."""

    title: Texts
    points: int
    awards: int
    limit_points: int | None
    limit_awards: int | None
    spent_at: int | None


class CostRow(msgspec.Struct, frozen=True):
    """One currency: what was bought, less what went back, and what the points of it are worth there."""

    purchases: int
    spend_minor: int
    points: Pair
    cost: Cost


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report."""

    source: str
    today: Program
    candidate: Program
    first_at: int
    last_at: int
    purchases: int
    affected: int
    redemptions: int
    members: int
    gaining: int
    losing: int
    total_today: MonthTally
    total_candidate: MonthTally
    vouchers: Pair
    months: tuple[Month, ...]
    run_off: tuple[tuple[int, Pair], ...]
    rules: tuple[RuleRow, ...]
    tiers: tuple[TierRow, ...]
    flows: tuple[Flow, ...]
    gains: tuple[MemberRow, ...]
    losses: tuple[MemberRow, ...]
    distribution: tuple[Bar, ...]
    budgets: tuple[BudgetRow, ...]
    cost: Cost
    costs: tuple[CostRow, ...]
    refused: tuple[tuple[str, Pair], ...]
    unjudged: tuple[Unjudged, ...]

    @property
    def outstanding(self) -> Pair:
        """Points outstanding at the end."""
        return self.months[-1].outstanding if self.months else Pair(0, 0)

    @property
    def headline(self) -> tuple[tuple[str, Pair], ...]:
        """The figures that count most, by the keys of their texts; what never happened is left out."""
        old, new = self.total_today, self.total_candidate
        rows = [("issued", Pair(old.issued, new.issued))]
        for name in ("clawed", "expired", "redeemed"):
            pair = Pair(getattr(old, name), getattr(new, name))
            rows += [(name, pair)] if pair != Pair(0, 0) else []
        rows += [("vouchers", self.vouchers)] if self.vouchers != Pair(0, 0) else []
        return (*rows, ("outstanding", self.outstanding))
