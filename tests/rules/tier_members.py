"""Members whose tiers are judged over the months, for the tests of tiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.base import clock
from chalicelib.ledger.effects import added_months
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


def years(period: str = "calendar_year", time_zone: str = "Asia/Shanghai", **policy: Any) -> Program:
    """The same ladder, with years that count."""
    return program(tiers=ladder(**LADDER), tier_policy={"period": period, **policy}, time_zone=time_zone)


def start(month: int) -> int:
    return clock.month_start(JANUARY + month, ZONE)


def mid(month: int) -> int:
    return start(month) + 14 * clock.DAY_S


def months(**points: int) -> tuple[Month, ...]:
    """`months(m0=500, m3=700)`: qualifying points by month."""
    return tuple(Month(JANUARY + int(name[1:]), points=count) for name, count in points.items())


class Member:
    """A member whose tier is judged whenever something is posted, as the ledger does it."""

    def __init__(self, found: Program, enrolled_at: int = 0) -> None:
        self.program = found
        self.enrolled_at = enrolled_at
        self.points: dict[int, int] = {}
        self.others: tuple[Month, ...] = ()
        self.records: tuple[TierRecord, ...] = ()

    @property
    def months(self) -> tuple[Month, ...]:
        return added_months(
            tuple(Month(JANUARY + month, points=points) for month, points in sorted(self.points.items())), self.others
        )

    @property
    def state(self) -> State:
        return self.holding(self.records)

    def holding(self, records: Sequence[TierRecord]) -> State:
        """The member's account, had it these tier records."""
        return State(months=self.months, tiers=tuple(records), enrolled_at=self.enrolled_at)

    def post(self, posted: int, points: int = 0, *, dated: int | None = None, **others: int) -> None:
        """Post qualifying points in month `posted`, dated to month `dated`; negative for a refund of that month's.

        `others` are further metrics, such as `purchases=1`.
        """
        month = posted if dated is None else dated
        self.points[month] = self.points.get(month, 0) + points
        self.others = added_months(self.others, (Month(JANUARY + month, **others),))
        self.records = judge(self.program, self.state, mid(posted))

    def at(self, instant: int) -> Standing:
        return standing(self.program, self.state, instant)
