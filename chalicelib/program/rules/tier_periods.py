"""How far back counts towards a tier, and how long it lasts. Months are counted as year x 12 + month - 1."""

from __future__ import annotations

import msgspec

from chalicelib.base import clock
from chalicelib.ledger.state import State, TierRecord
from chalicelib.program.document import Program


class Period(msgspec.Struct, frozen=True):
    """`year_month` is the month of the calendar (1 to 12) with which the year begins, 0 for a rolling window."""

    window_months: int
    keep_months: int
    year_month: int

    def window(self, month: int) -> int:
        """How many months count in `month`, that one included."""
        return months_into_year(month, self.year_month) if self.year_month else self.window_months

    def reached_until(self, month: int) -> int:
        """The month with whose beginning the term is over of a tier that is reached in `month`."""
        if self.year_month:
            return next_year(month, self.year_month) + 12
        return month + self.keep_months + 1

    def kept_until(self, month: int) -> int:
        """The month with whose beginning the term is over that follows on one judged at the beginning of `month`."""
        return next_year(month, self.year_month) if self.year_month else month + self.keep_months


def period_of(program: Program, state: State) -> Period:
    """The period by which a member's tier is reached and kept today.

    A membership year begins with the month of the enrolment; chains that do not say when that was have the year of the
    programme.
    """
    policy = program.tier_policy
    year_month = 0
    if policy.period != "rolling":
        year_month = policy.year_start_month
    if policy.period == "membership_year" and state.enrolled_at:
        year_month = clock.month_of(state.enrolled_at, program.zone) % 12 + 1
    return Period(policy.window_months, policy.keep_months, year_month)


def next_year(month: int, year_month: int) -> int:
    """The first month of the year after the one in which `month` lies."""
    return month + 13 - months_into_year(month, year_month)


def months_into_year(month: int, year_month: int) -> int:
    """How many months of its year have begun with `month`, 1 to 12."""
    return (month - year_month + 1) % 12 + 1


def window_of(record: TierRecord, first: int, month: int, window_months: int) -> int:
    """How many months must hold what a record needed, were it reached in `month` and not in `first`.

    `window_months` is for records that do not say it. What was gathered in a year counts in that year only.
    """
    if record.year_month and month != first:
        return months_into_year(month, record.year_month)
    return record.window_months or window_months


def moved(record: TierRecord, first: int, since: int, until: int, month: int) -> tuple[int, int]:
    """The months of `since` and `until` of a record, were it reached in `month` and not in `first`."""
    if not record.year_month:
        return since + month - first, until + month - first
    later = next_year(month, record.year_month) - next_year(first, record.year_month)
    if since == first:
        return month, next_year(month, record.year_month) + 12
    # One that fell to the tier would have fallen some years later.
    return since + later, until + later
