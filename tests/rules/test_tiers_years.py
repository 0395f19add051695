"""Tiers of calendar years. Month 0 of these tests is January 2025, 12 the January after."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from chalicelib.base import clock
from chalicelib.ledger.state import State, TierRecord
from chalicelib.program.rules.tier_periods import moved
from chalicelib.program.rules.tiers import judge, standing
from tests.rules.tier_members import JANUARY, Member, mid, months, start, years


def born(month: int) -> int:
    """An enrolment in a month of these tests."""
    return mid(month)


class TestACalendarYear:
    def test_counts_from_its_beginning(self) -> None:
        member = Member(years())
        member.post(10, 999)
        member.post(12, 999)
        assert member.at(mid(12)).code == "member"
        member.post(13, 1)
        found = member.at(mid(13))
        assert (found.code, found.since, found.until) == ("silver", mid(13), start(36))

    @pytest.mark.parametrize("month", range(12))
    def test_gives_a_tier_to_the_end_of_the_next_one(self, month: int) -> None:
        member = Member(years())
        member.post(month, 1_000)
        found = member.at(mid(month))
        assert (found.code, found.until) == ("silver", start(24))
        assert member.at(start(24) - 1).code == "silver"
        assert member.at(start(24)).code == "member"

    def test_keeps_a_tier_when_the_year_reaches_it_again(self) -> None:
        member = Member(years())
        member.post(3, 1_000)
        assert member.at(mid(3)).to_keep == 1_000
        member.post(20, 1_000)
        assert member.at(mid(20)).to_keep == 0
        found = member.at(start(24))
        assert (found.code, found.since, found.until) == ("silver", start(24) - 1, start(36))

    def test_tells_what_is_missing_of_this_year(self) -> None:
        member = Member(years())
        member.post(11, 700)
        found = member.at(start(12) - 1).to_next
        assert found is not None
        assert found.points == 300
        found = member.at(start(12)).to_next
        assert found is not None
        assert found.points == 1_000

    def test_may_begin_with_another_month(self) -> None:
        member = Member(years(year_start_month=4))
        member.post(2, 999)
        member.post(3, 1)
        assert member.at(mid(3)).code == "member"
        member.post(14, 999)
        found = member.at(mid(14))
        assert (found.code, found.until) == ("silver", start(27))

    def test_is_the_same_for_everybody(self) -> None:
        member = Member(years(), born(5))
        member.post(6, 1_000)
        assert member.at(mid(6)).until == start(24)

    def test_falls_to_what_its_last_year_reaches(self) -> None:
        member = Member(years())
        member.post(0, 9_000)
        member.post(13, 1_500)
        found = member.at(start(24))
        assert (found.code, found.until) == ("silver", start(36))

    def test_falls_by_one_tier_a_year(self) -> None:
        member = Member(years(downgrade="one_down"))
        member.post(5, 9_000)
        held = [(found.code, found.until) for month in (23, 24, 35, 36, 48) if (found := member.at(mid(month)))]
        assert held == [
            ("diamond", start(24)),
            ("gold", start(36)),
            ("gold", start(36)),
            ("silver", start(48)),
            ("member", None),
        ]

    @pytest.mark.parametrize(
        ("zone", "new_year", "next_new_year"),
        [
            ("Asia/Shanghai", "2025-12-31T16:00:00Z", "2026-12-31T16:00:00Z"),
            ("America/New_York", "2026-01-01T05:00:00Z", "2027-01-01T05:00:00Z"),
            ("Pacific/Kiritimati", "2025-12-31T10:00:00Z", "2026-12-31T10:00:00Z"),
        ],
    )
    def test_ends_where_the_programmes_zone_has_new_year(self, zone: str, new_year: str, next_new_year: str) -> None:
        at, state, program = clock.parse(new_year), State(months=months(m11=1_000)), years(time_zone=zone)
        (record,) = judge(program, state, at - 1)
        assert clock.text(record.until) == next_new_year
        missing = [found.points for instant in (at - 1, at) if (found := standing(program, state, instant).to_next)]
        assert missing == [2_000, 3_000]

    def test_ends_at_midnight_by_the_clocks_of_summer_or_winter(self) -> None:
        """Sydney's year of March to February begins in summer time and ends in it; that of June to May does neither."""
        for first_month, hours in ((3, 11), (6, 10)):
            program = years(time_zone="Australia/Sydney", year_start_month=first_month)
            (record,) = judge(program, State(months=months(m6=1_000)), mid(6))
            ends = datetime.fromtimestamp(record.until, ZoneInfo("Australia/Sydney"))
            assert (ends.year, ends.month, ends.day, ends.hour) == (2027, first_month, 1, 0)
            assert ends.utcoffset() is not None
            assert ends.strftime("%z") == f"+{hours}00"

    def test_leap_days_belong_to_february(self) -> None:
        """2028 has one."""
        leap = clock.parse("2028-02-29T15:59:59Z")
        state = State(months=months(m37=1_000))
        program = years(year_start_month=3)
        (record,) = judge(program, state, leap)
        assert record.until == start(50)
        assert standing(program, state, leap + 1).until == start(50), "the year before still gives it"


class TestARefund:
    def test_takes_the_tier_back(self) -> None:
        member = Member(years())
        member.post(2, 1_000)
        member.post(14, -1, dated=2)
        assert member.at(mid(14)).code == "member"

    @pytest.mark.parametrize("refunded_in", [6, 11, 13, 20])
    def test_leaves_the_tier_from_the_month_in_which_the_same_year_made_up_for_it(self, refunded_in: int) -> None:
        member = Member(years())
        for month, points, dated in sorted([(0, 1_000, 0), (5, 1_000, 5), (refunded_in, -1_000, 0)]):
            member.post(month, points, dated=dated)
        found = member.at(mid(23))
        assert (found.code, found.since, found.until) == ("silver", start(5), start(24))

    @pytest.mark.parametrize("refunded_in", [15, 22])
    def test_leaves_the_term_of_the_year_that_made_up_for_it(self, refunded_in: int) -> None:
        """May of the next year alone would have reached silver, and kept it to the end of the year after."""
        member = Member(years())
        for month, points, dated in sorted([(3, 1_000, 3), (16, 1_000, 16), (refunded_in, -1_000, 3)]):
            member.post(month, points, dated=dated)
        found = member.at(mid(23))
        assert (found.code, found.until) == ("silver", start(36))

    def test_does_not_join_two_years(self) -> None:
        member = Member(years())
        member.post(3, 1_000)
        member.post(14, 400)
        member.post(15, -400, dated=3)
        assert member.at(mid(15)).code == "member", "600 and 400 lie in two years"

    def test_takes_a_fall_back_with_the_tier(self) -> None:
        member = Member(years(downgrade="one_down"))
        member.post(5, 9_000)
        member.post(25, 0)
        assert member.at(mid(25)).code == "gold"
        member.post(26, -1, dated=5)
        assert member.at(mid(26)).code == "member"


class TestALateFact:
    def test_of_last_year_gives_the_tier_for_this_one(self) -> None:
        member = Member(years())
        member.post(11, 999)
        member.post(12, 1, dated=11)
        found = member.at(mid(12))
        assert (found.code, found.since, found.until) == ("silver", start(12) - 1, start(24))

    def test_does_not_count_in_the_year_in_which_it_arrives(self) -> None:
        member = Member(years())
        member.post(12, 999)
        member.post(12, 1, dated=11)
        assert member.at(mid(12)).code == "member"

    def test_of_last_year_keeps_the_tier_that_was_lost_by_then(self) -> None:
        member = Member(years())
        member.post(3, 1_000)
        member.post(20, 999)
        member.post(24, 0)
        assert member.at(mid(24)).code == "member"
        member.post(24, 1, dated=23)
        found = member.at(mid(24))
        assert (found.code, found.until) == ("silver", start(36))

    def test_of_two_years_ago_comes_too_late(self) -> None:
        member = Member(years())
        member.post(24, 1_000, dated=11)
        assert member.at(mid(24)).code == "member"


class TestAGrace:
    def test_makes_up_for_the_year_and_keeps_the_tier_to_the_end_of_its_own(self) -> None:
        member = Member(years(grace_days=40))
        member.post(3, 1_000)
        member.post(15, 300)
        assert member.at(mid(23)).to_keep == 700
        assert (member.at(mid(25)).code, member.at(mid(25)).until) == ("silver", start(26))
        member.post(25, 700)
        found = member.at(mid(26))
        assert (found.code, found.since, found.until) == ("silver", start(26) - 1, start(36))

    def test_counts_in_its_own_year_as_well(self) -> None:
        """As for anybody else: who reaches silver in February has it to the end of the next year."""
        member = Member(years(grace_days=40))
        member.post(3, 1_000)
        member.post(25, 1_000)
        found = member.at(mid(26))
        assert (found.code, found.until, found.to_keep) == ("silver", start(36), 0)
        assert member.at(start(36)).until == start(48)

    def test_ends_with_the_tier(self) -> None:
        member = Member(years(grace_days=40))
        member.post(3, 1_000)
        assert member.at(start(26) - 1).code == "silver"
        assert member.at(start(26)).code == "member"

    def test_of_a_whole_year_is_followed_by_a_whole_term(self) -> None:
        member = Member(years(grace_days=365))
        member.post(3, 1_000)
        member.post(30, 400)
        member.post(20, 600, dated=20)
        found = member.at(start(36))
        assert (found.code, found.until) == ("silver", start(48))

    def test_comes_before_a_fall_by_one(self) -> None:
        member = Member(years(grace_days=40, downgrade="one_down"))
        member.post(0, 9_000)
        assert member.at(start(26) - 1).code == "diamond"
        found = member.at(start(26))
        assert (found.code, found.until) == ("gold", start(36))

    def test_starts_from_the_term_before_when_what_kept_the_tier_is_refunded(self) -> None:
        member = Member(years(grace_days=40))
        member.post(3, 1_000)
        member.post(20, 1_000)
        member.post(24, 0)
        member.post(24, -1, dated=20)
        found = member.at(mid(24))
        assert (found.code, found.until, found.to_keep) == ("silver", start(26), 1)


def test_a_tier_fallen_to_says_on_which_year_it_stands() -> None:
    member = Member(years(downgrade="one_down", year_start_month=4))
    member.post(5, 9_000)
    member.post(27, 0)
    fallen = TierRecord("gold", start(27) - 1, start(39), 9_000, 3, JANUARY + 5, year_month=4)
    assert member.records == (fallen,)
    # Had September of the next year reached diamond in its place, the fall would have come a year later.
    assert moved(fallen, 5, 26, 39, 20) == (38, 51)


def test_a_record_says_which_year_it_stands_on() -> None:
    member = Member(years(year_start_month=4))
    member.post(5, 1_000)
    assert member.records == (TierRecord("silver", mid(5), start(27), 1_000, window_months=3, year_month=4),)
