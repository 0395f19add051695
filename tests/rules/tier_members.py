"""Members whose tiers are judged over the months, for the tests of tiers."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from chalicelib.base import clock
from chalicelib.ledger.state import Month, State, TierRecord
from chalicelib.program.document import Program
from chalicelib.program.rules.tiers import Standing, judge, standing
from tests.programs import ladder, program

ZONE = ZoneInfo("Asia/Shanghai")
JANUARY = 2025 * 12
"""January 2025, from which the months of these tests are counted: month 0 is January, 12 the next January."""

LADDER = {"member": 0, "silver": 1_000, "gold": 3_000, "diamond": 9_000}


def rules(
    window: int = 12, keep: int = 12, grace_days: int = 0, downgrade: str = "to_fit", **thresholds: int
) -> Program:
    policy = {"window_months": window, "keep_months": keep, "grace_days": grace_days, "downgrade": downgrade}
    return program(tiers=ladder(**(thresholds or LADDER)), tier_policy=policy)


def start(month: int) -> int:
    return clock.month_start(JANUARY + month, ZONE)


def mid(month: int) -> int:
    return start(month) + 14 * clock.DAY_S


def months(**points: int) -> tuple[Month, ...]:
    """`months(m0=500, m3=700)`: qualifying points by month."""
    return tuple(Month(JANUARY + int(name[1:]), points=count) for name, count in points.items())


class Member:
    """A member whose tier is judged whenever something is posted, as the ledger does it."""

    def __init__(self, found: Program) -> None:
        self.program = found
        self.points: dict[int, int] = {}
        self.records: tuple[TierRecord, ...] = ()

    @property
    def months(self) -> tuple[Month, ...]:
        return tuple(Month(JANUARY + month, points=points) for month, points in sorted(self.points.items()))

    @property
    def state(self) -> State:
        return self.holding(self.records)

    def holding(self, records: Sequence[TierRecord]) -> State:
        """The member's account, had it these tier records."""
        return State(months=self.months, tiers=tuple(records))

    def post(self, posted: int, points: int, *, dated: int | None = None) -> None:
        """Post qualifying points in month `posted`, dated to month `dated`; negative for a refund of that month's."""
        month = posted if dated is None else dated
        self.points[month] = self.points.get(month, 0) + points
        self.records = judge(self.program, self.state, mid(posted))

    def at(self, instant: int) -> Standing:
        return standing(self.program, self.state, instant)
