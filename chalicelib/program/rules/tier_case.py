"""What one member's tier is judged by: the programme's ladder, the member's months, and the period that counts."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.base import clock
from chalicelib.ledger.state import Month, State, TierRecord
from chalicelib.program.document import Program
from chalicelib.program.rules.tier_needs import Amounts, Needs, gathered, needs_of, needs_when_reached
from chalicelib.program.rules.tier_periods import Period, period_of


class Case(msgspec.Struct, frozen=True):
    """`needs` are those of the programme's tiers, lowest first; a tier's place is its index there."""

    program: Program
    zone: ZoneInfo
    months: tuple[Month, ...]
    period: Period
    needs: tuple[Needs, ...]

    def month(self, instant: int) -> int:
        """The calendar month in which an instant falls."""
        return clock.month_of(instant, self.zone)

    def start(self, month: int) -> int:
        """The instant at which a calendar month begins."""
        return clock.month_start(month, self.zone)

    def gathered(self, last_month: int, window_months: int) -> Amounts:
        """What the window of so many calendar months holds that ends with `last_month`."""
        return gathered(self.months, last_month, window_months)

    def highest(self, have: Amounts) -> int:
        """The place of the highest tier that so much reaches."""
        return max((place for place, needs in enumerate(self.needs) if needs.met_by(have)), default=0)

    def position(self, record: TierRecord) -> int:
        """A record's place on today's ladder; one that no tier remembers stands where it would be reached today."""
        tier = self.program.tier(record.code)
        if tier is not None:
            return self.program.tiers.index(tier)
        return self.highest(needs_when_reached(record).amounts)

    def grace_end(self, until: int) -> int:
        """When a term that ends at `until` is over, its grace included.

        It ends with a month, for what was bought is known by months: nothing bought after it must count.
        """
        grace_days = self.program.tier_policy.grace_days
        if not grace_days:
            return until
        last_day = clock.day_start(until, grace_days - 1, self.zone)
        return self.start(self.month(last_day) + 1)

    def terms(self, positions: range, term: tuple[int, int], window_months: int) -> tuple[TierRecord, ...]:
        """New records for the tiers at `positions`, valid from and until the instants of `term`."""
        return tuple(
            TierRecord(
                self.program.tiers[position].code,
                *term,
                self.needs[position].amounts.points,
                window_months,
                needed_spend_minor=self.needs[position].amounts.spend_minor,
                needed_purchases=self.needs[position].amounts.purchases,
                needed_activity=self.needs[position].amounts.activity,
                is_any=self.needs[position].is_any,
                year_month=self.period.year_month,
            )
            for position in positions
        )

    def kept_terms(self, positions: range, judged_at: int, window_months: int) -> tuple[TierRecord, ...]:
        """New records for the tiers at `positions`, judged at the end of the term before.

        They are dated to the last second before, so that their windows end with the same month.
        """
        since = judged_at - 1
        until = self.start(self.period.kept_until(self.month(since) + 1))
        return self.terms(positions, (since, until), window_months)


class _Ladder(msgspec.Struct, frozen=True):
    """What is the same for every member."""

    program: Program
    zone: ZoneInfo
    needs: tuple[Needs, ...]


_KEPT: Final = 4
_ladders: dict[int, _Ladder] = {}


def case_of(program: Program, state: State) -> Case:
    """The case of a member; of the state count the months, and when the member enrolled."""
    ladder = _ladders.get(id(program))
    # What is kept keeps the programme alive, so that no other one can have its identity.
    if ladder is None or ladder.program is not program:
        ladder = _Ladder(program, program.zone, tuple(needs_of(program, tier) for tier in program.tiers))
        for oldest in list(_ladders)[: max(len(_ladders) - _KEPT + 1, 0)]:
            _ladders.pop(oldest, None)
        _ladders[id(program)] = ladder
    return Case(program, ladder.zone, state.months, period_of(program, state), ladder.needs)
