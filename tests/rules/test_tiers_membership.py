"""Tiers of membership years, their merges, and tiers that time alone moves. Month 0 is January 2025."""

from __future__ import annotations

from chalicelib.base import clock
from chalicelib.ledger.effects import apply, fold
from chalicelib.ledger.merging import merge_in
from chalicelib.program.rules.tiers import judge, moved_by_time
from tests.rules.tier_members import Member, mid, start, years


def born(month: int) -> int:
    """An enrolment in a month of these tests."""
    return mid(month)


class TestAMembershipYear:
    def test_begins_with_the_month_of_the_enrolment(self) -> None:
        member = Member(years("membership_year"), born(5))
        member.post(6, 500)
        member.post(16, 500)
        found = member.at(mid(16))
        assert (found.code, found.until) == ("silver", start(29))

    def test_ends_before_that_month_comes_again(self) -> None:
        member = Member(years("membership_year"), born(5))
        member.post(16, 999)
        member.post(17, 1)
        assert member.at(mid(17)).code == "member"

    def test_of_a_leap_day_begins_with_february(self) -> None:
        enrolled_at = clock.parse("2024-02-29T12:00:00Z")
        member = Member(years("membership_year"), enrolled_at)
        member.post(0, 1_000)
        assert member.at(mid(0)).until == start(13), "the year to January 2025, and the next"
        member.post(1, 0)
        assert member.at(mid(1)).until == start(13)
        again = Member(years("membership_year"), enrolled_at)
        again.post(1, 1_000)
        assert again.at(mid(1)).until == start(25)

    def test_begins_by_the_programmes_zone(self) -> None:
        """16:00 UTC on 31 January is February in Shanghai."""
        for at, until in ((start(1) - 1, start(24)), (start(1), start(25))):
            member = Member(years("membership_year"), at)
            member.post(3, 1_000)
            assert member.at(mid(3)).until == until

    def test_of_a_chain_that_does_not_say_is_that_of_the_programme(self) -> None:
        member = Member(years("membership_year", year_start_month=4))
        member.post(5, 1_000)
        assert member.at(mid(5)).until == start(27)

    def test_counts_what_was_bought_before_the_enrolment_for_the_year_before(self) -> None:
        """Orders that a newcomer claims: they give the tier for the first year of the membership."""
        member = Member(years("membership_year"), born(5))
        member.post(5, 1_000, dated=4)
        found = member.at(mid(5))
        assert (found.code, found.until) == ("silver", start(17))


class TestAMerge:
    def merged(self, surviving: Member, closed: Member, month: int) -> Member:
        at = mid(month)
        state = fold(surviving.state, at).state
        after = apply(state, merge_in(state, fold(closed.state, at).state), at)
        both = Member(surviving.program, after.enrolled_at)
        both.others, both.records = after.months, judge(surviving.program, after, at)
        return both

    def test_goes_by_the_older_accounts_year(self) -> None:
        program = years("membership_year")
        older, younger = Member(program, born(2)), Member(program, born(7))
        older.post(8, 500)
        younger.post(9, 500)
        for surviving, closed in ((older, younger), (younger, older)):
            found = self.merged(surviving, closed, 10).at(mid(10))
            assert (found.code, found.until) == ("silver", start(26))

    def test_takes_no_tier_away_before_its_term(self) -> None:
        """Silver of the younger account's year of August, though the older one's year has long begun anew."""
        program = years("membership_year")
        older, younger = Member(program, born(2)), Member(program, born(7))
        younger.post(9, 1_000)
        both = self.merged(older, younger, 15)
        found = both.at(mid(30))
        assert (found.code, found.until) == ("silver", start(31))
        both.post(20, 1_000)
        found = both.at(mid(31))
        assert (found.code, found.until) == ("silver", start(38)), "from there on with the older account's year"

    def test_still_takes_back_what_is_refunded(self) -> None:
        program = years("membership_year")
        older, younger = Member(program, born(2)), Member(program, born(7))
        younger.post(9, 1_000)
        both = self.merged(older, younger, 15)
        both.post(16, -1, dated=9)
        assert both.at(mid(16)).code == "member"


class TestByTimeAlone:
    def moves(self, member: Member, since: int, at: int) -> bool:
        return moved_by_time(member.program, member.state, since, at)

    def test_a_tier_moves_when_its_term_is_over(self) -> None:
        member = Member(years())
        member.post(3, 1_000)
        assert not self.moves(member, mid(3), start(24) - 1)
        assert self.moves(member, mid(3), start(24))
        assert not self.moves(member, start(24), mid(30))

    def test_a_tier_that_is_kept_does_not_move(self) -> None:
        member = Member(years())
        member.post(3, 1_000)
        member.post(20, 1_000)
        assert not self.moves(member, mid(20), mid(24))

    def test_a_tier_moves_when_the_month_begins_of_what_came_a_little_early(self) -> None:
        """Clocks differ by minutes: a purchase of the first may arrive on the last of the month before."""
        member = Member(years())
        member.points = {4: 1_000}
        assert not self.moves(member, start(4) - 60, start(4) - 30)
        assert self.moves(member, start(4) - 60, start(4))
        assert not self.moves(member, start(4), mid(4))

    def test_nothing_moves_for_who_never_had_a_tier(self) -> None:
        member = Member(years())
        member.points = {4: 999}
        assert not self.moves(member, mid(4), mid(60))
