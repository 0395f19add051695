from __future__ import annotations

import itertools
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import clock
from chalicelib.ledger.state import Month, TierRecord
from chalicelib.program.document import Program
from chalicelib.program.rules.tiers import Standing, judge, standing
from tests.programs import ladder, program, tier

ZONE = ZoneInfo("Asia/Shanghai")
JANUARY = 2025 * 12
"""January 2025, from which the months of these tests are counted: month 0 is January, 12 the next January."""

LADDER = {"member": 0, "silver": 1_000, "gold": 3_000, "diamond": 9_000}
CODES = tuple(LADDER)


def rules(window: int = 12, keep: int = 12, **thresholds: int) -> Program:
    return program(tiers=ladder(**(thresholds or LADDER)), tier_policy={"window_months": window, "keep_months": keep})


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

    def post(self, posted: int, points: int, *, dated: int | None = None) -> None:
        """Post qualifying points in month `posted`, dated to month `dated`; negative for a refund of that month's."""
        month = posted if dated is None else dated
        self.points[month] = self.points.get(month, 0) + points
        self.records = judge(self.program, self.months, self.records, mid(posted))

    def at(self, instant: int) -> Standing:
        return standing(self.program, self.months, self.records, instant)


def test_everyone_has_the_first_tier_without_an_end() -> None:
    found = standing(rules(), (), (), mid(0))
    assert (found.code, found.since, found.until, found.to_keep) == ("member", None, None, None)
    assert found.to_next is not None
    assert (found.to_next.code, found.to_next.points) == ("silver", 1_000)


def test_a_tier_is_reached_at_once() -> None:
    member = Member(rules())
    member.post(0, 999)
    assert member.at(mid(0)).code == "member"
    member.post(1, 1)
    found = member.at(mid(1))
    assert (found.code, found.since, found.until) == ("silver", mid(1), start(14))


def test_a_tier_is_kept_for_the_rest_of_its_month_and_the_months_after() -> None:
    member = Member(rules())
    member.post(0, 1_000)
    assert member.at(start(13) - 1).code == "silver"
    assert member.at(start(13)).code == "member"


def test_several_tiers_may_be_reached_at_once() -> None:
    member = Member(rules())
    member.post(0, 9_000)
    assert member.at(mid(0)).code == "diamond"
    assert member.at(mid(0)).to_next is None


def test_points_older_than_the_window_count_no_more() -> None:
    member = Member(rules(window=3))
    member.post(0, 500)
    member.post(3, 500)
    assert member.at(mid(3)).code == "member"
    member.post(5, 500)
    assert member.at(mid(5)).code == "silver"


def test_what_is_missing_for_the_next_tier_and_for_keeping_this_one() -> None:
    """Silver until 1 February; January's points leave the window that is judged then, March's stay."""
    member = Member(rules())
    member.post(0, 1_000)
    member.post(2, 300)
    found = member.at(mid(2))
    assert found.to_next is not None
    assert (found.to_next.code, found.to_next.points, found.to_keep) == ("gold", 1_700, 700)
    member.post(3, 700)
    assert member.at(mid(3)).to_keep == 0


def test_a_tier_is_kept_when_the_window_before_its_end_reaches_it_again() -> None:
    member = Member(rules())
    member.post(0, 1_000)
    member.post(8, 1_000)
    found = member.at(start(13))
    assert (found.code, found.since, found.until) == ("silver", start(13) - 1, start(25))
    assert member.at(start(25)).code == "member"


def test_the_points_that_reached_a_tier_do_not_keep_it_as_well() -> None:
    member = Member(rules())
    member.post(0, 2_000)
    assert member.at(start(13)).code == "member"


def test_a_tier_that_runs_out_falls_to_what_the_window_reaches() -> None:
    member = Member(rules())
    member.post(0, 9_000)
    member.post(6, 1_500)
    found = member.at(start(13))
    assert (found.code, found.until) == ("silver", start(25))


def test_a_member_who_stayed_away_for_years_is_judged_as_if_asked_every_month() -> None:
    member = Member(rules(window=3, keep=2))
    for month, points in ((0, 3_000), (2, 1_000), (5, 1_000)):
        member.post(month, points)
    asked = member.records
    for month in range(6, 40):
        asked = judge(member.program, member.months, asked, mid(month))
        assert standing(member.program, member.months, asked, mid(month)) == member.at(mid(month))


def test_a_refund_takes_the_tier_back_that_it_reached() -> None:
    member = Member(rules())
    member.post(0, 1_000)
    member.post(1, -1, dated=0)
    assert member.at(mid(1)).code == "member"


def test_a_refund_takes_back_only_the_tiers_that_the_rest_does_not_reach() -> None:
    member = Member(rules())
    member.post(0, 9_500)
    member.post(1, -7_000, dated=0)
    found = member.at(mid(1))
    assert (found.code, found.since, found.until) == ("silver", mid(0), start(13))


def test_a_tier_taken_back_leaves_the_lower_one_its_own_term() -> None:
    """Silver since January and gold since June; once June is refunded, silver ends as if June had never been."""
    member = Member(rules())
    member.post(0, 1_000)
    member.post(5, 2_000)
    assert member.at(mid(5)).code == "gold"
    member.post(6, -2_000, dated=5)
    found = member.at(mid(6))
    assert (found.code, found.until) == ("silver", start(13))


def test_a_tier_taken_back_long_after_the_lower_one_ran_out_leaves_what_it_would_have_become() -> None:
    """Silver would have been kept in the second February with what is left of June, so that is its term."""
    member = Member(rules())
    member.post(0, 1_000)
    member.post(5, 4_000)
    member.post(14, 0)
    assert member.at(mid(14)).code == "gold"
    member.post(15, -3_000, dated=5)
    found = member.at(mid(15))
    assert (found.code, found.since, found.until) == ("silver", start(13) - 1, start(25))


def test_a_late_purchase_revives_a_tier_that_was_taken_back() -> None:
    member = Member(rules())
    member.post(0, 1_000)
    member.post(1, -1, dated=0)
    assert member.at(mid(1)).code == "member"
    member.post(2, 1, dated=0)
    found = member.at(mid(2))
    assert (found.code, found.since, found.until) == ("silver", mid(0), start(13))


def test_a_refund_takes_back_a_tier_that_was_kept_with_it() -> None:
    member = Member(rules())
    member.post(0, 1_000)
    member.post(8, 1_000)
    member.post(14, 0)
    assert member.at(mid(14)).code == "silver"
    member.post(15, -1, dated=8)
    assert member.at(mid(15)).code == "member"


def test_a_refund_leaves_the_lower_tier_that_was_kept_together_with_the_higher() -> None:
    """Gold was kept for a second term; with half of what kept it refunded, silver has that term."""
    member = Member(rules())
    member.post(0, 3_000)
    member.post(8, 3_000)
    member.post(14, 0)
    assert member.at(mid(14)).code == "gold"
    member.post(20, -1_500, dated=8)
    found = member.at(mid(20))
    assert (found.code, found.since, found.until) == ("silver", start(13) - 1, start(25))


def test_points_earned_after_a_refund_reach_the_tier_again() -> None:
    member = Member(rules())
    member.post(0, 1_000)
    member.post(1, -400, dated=0)
    assert member.at(mid(1)).code == "member"
    member.post(2, 400)
    found = member.at(mid(2))
    assert (found.code, found.until) == ("silver", start(15))


@pytest.mark.parametrize("refunded_in", [1, 3, 8, 11])
def test_it_does_not_matter_when_a_refund_comes(refunded_in: int) -> None:
    """March alone would have reached silver, so silver runs from March whenever January goes back."""
    member = Member(rules())
    for month, points, dated in sorted([(0, 1_000, 0), (2, 1_000, 2), (refunded_in, -1_000, 0)]):
        member.post(month, points, dated=dated)
    found = member.at(mid(12))
    assert (found.code, found.since, found.until) == ("silver", start(2), start(15))


def test_a_late_fact_counts_in_its_own_month() -> None:
    member = Member(rules(window=3))
    member.post(0, 500)
    member.post(3, 500, dated=2)
    assert member.at(mid(3)).code == "member"


def test_a_higher_threshold_does_not_take_back_a_tier_but_judges_its_end() -> None:
    member = Member(rules())
    member.post(0, 1_000)
    member.post(8, 1_000)
    member.program = rules(member=0, silver=5_000, gold=6_000)
    assert member.at(mid(12)).code == "silver"
    assert member.at(mid(12)).to_keep == 4_000
    assert member.at(start(13)).code == "member"


def test_a_lower_threshold_lifts_at_once() -> None:
    member = Member(rules())
    member.post(0, 600)
    member.program = rules(member=0, silver=600, gold=700)
    assert member.at(mid(1)).code == "silver"


def test_a_shorter_term_does_not_cut_the_one_that_was_given() -> None:
    """Silver was given for a year; gold, reached later for a month, takes nothing of it away."""
    member = Member(rules())
    member.post(0, 1_000)
    member.program = rules(window=2, keep=1)
    member.post(3, 3_000)
    assert member.at(mid(5)).code == "gold"
    found = member.at(mid(12))
    assert (found.code, found.until) == ("silver", start(13))


def test_a_replaced_tier_is_held_under_its_new_name() -> None:
    member = Member(rules())
    member.post(0, 1_000)
    tiers = [tier("member", 0), tier("argent", 2_000, "1.3", replaces=("silver",)), tier("gold", 3_000)]
    member.program = program(tiers=tiers)
    found = member.at(mid(1))
    assert (found.code, str(found.multiplier), found.until) == ("argent", "13/10", start(13))


def test_a_tier_that_nobody_remembers_stands_where_its_threshold_would() -> None:
    record = TierRecord("platinum", mid(0), start(13), 4_000)
    assert standing(rules(), months(m0=4_000), (record,), mid(12)).code == "gold"


def test_windows_and_terms_begin_with_the_months_of_the_programmes_zone() -> None:
    """16:00 UTC on 31 January is February in Shanghai."""
    instant = start(1)
    records = judge(rules(window=1), months(m1=1_000), (), instant)
    assert [record.until for record in records] == [start(14)]
    assert judge(rules(window=1), months(m1=1_000), (), instant - 1) == ()


def test_a_reader_whose_clock_runs_behind_the_posting_sees_the_tier() -> None:
    """The posting falls into the first second of a month, and the reader still has the month before."""
    records = judge(rules(), months(m1=1_000), (), start(1))
    assert standing(rules(), months(m1=1_000), records, start(1) - 1).code == "silver"


points = st.integers(0, 4_000)
histories = st.dictionaries(st.integers(0, 23), points, max_size=24)
policies = st.tuples(st.integers(1, 18), st.integers(1, 18))


def member_with(policy: tuple[int, int], history: dict[int, int]) -> Member:
    member = Member(rules(*policy))
    for month, count in sorted(history.items()):
        member.post(month, count)
    return member


def position(found: Standing) -> int:
    return CODES.index(found.code)


@given(policies, histories, st.integers(0, 60))
def test_judging_twice_changes_nothing(policy: tuple[int, int], history: dict[int, int], month: int) -> None:
    member = member_with(policy, history)
    at = mid(max(month, 23))
    once = judge(member.program, member.months, member.records, at)
    assert judge(member.program, member.months, once, at) == once


@given(policies, histories, st.lists(st.integers(0, 60), max_size=10))
def test_asking_in_between_changes_nothing(policy: tuple[int, int], history: dict[int, int], asked: list[int]) -> None:
    """Nothing is posted after month 23, so it must not matter who looked at the account after that."""
    member = member_with(policy, history)
    records: Sequence[TierRecord] = member.records
    for month in sorted(month + 23 for month in asked):
        records = judge(member.program, member.months, records, mid(month))
    assert standing(member.program, member.months, records, mid(84)) == member.at(mid(84))


@given(policies, histories, points)
def test_more_points_never_mean_a_lower_tier(policy: tuple[int, int], history: dict[int, int], more: int) -> None:
    member = member_with(policy, history)
    before = member.at(mid(24))
    member.post(24, more)
    assert position(member.at(mid(24))) >= position(before)


@given(policies, histories)
def test_the_tier_that_the_window_reaches_is_held_at_least(policy: tuple[int, int], history: dict[int, int]) -> None:
    member = member_with(policy, history)
    window = sum(count for month, count in history.items() if 23 - policy[0] < month <= 23)
    reached = max(threshold for threshold in LADDER.values() if threshold <= window)
    assert LADDER[member.at(mid(23)).code] >= reached


@given(policies, histories)
def test_to_keep_is_exactly_what_keeps_the_tier(policy: tuple[int, int], history: dict[int, int]) -> None:
    member = member_with(policy, history)
    found = member.at(mid(23))
    if found.until is None or not found.to_keep:
        return
    last = (clock.month_of(found.until - 1, ZONE)) - JANUARY
    enough, short = member_with(policy, history), member_with(policy, history)
    enough.post(last, found.to_keep)
    short.post(last, found.to_keep - 1)
    assert position(enough.at(found.until)) >= position(found)
    assert position(short.at(found.until)) < position(found)


@given(policies, histories)
def test_to_next_is_exactly_what_reaches_the_next_tier(policy: tuple[int, int], history: dict[int, int]) -> None:
    member = member_with(policy, history)
    found = member.at(mid(23))
    if found.to_next is None:
        return
    assert found.to_next.points > 0
    member.post(23, found.to_next.points - 1)
    assert member.at(mid(23)).code == found.code
    member.post(23, 1)
    assert member.at(mid(23)).code == found.to_next.code


@given(policies, st.lists(st.tuples(st.integers(0, 3), st.integers(-4_000, 9_000), st.integers(0, 20)), max_size=30))
def test_an_account_keeps_at_most_one_record_a_tier(policy: tuple[int, int], posts: list[tuple[int, int, int]]) -> None:
    """Whatever is bought, late or in time, and refunded."""
    member, month = Member(rules(*policy)), 0
    for later, count, back in posts:
        month += later
        dated = max(month - back, 0)
        member.post(month, max(count, -member.points.get(dated, 0)), dated=dated)
        codes = [record.code for record in member.records]
        assert len(codes) == len(set(codes))


facts_of_a_term = st.lists(
    # A purchase, the month it is made in, and when (if ever) it is refunded whole.
    st.tuples(points, st.integers(0, 5), st.none() | st.integers(0, 5)),
    max_size=6,
)


@given(facts_of_a_term)
def test_within_a_term_a_refund_leaves_the_tier_as_if_the_purchase_had_never_been(
    bought: list[tuple[int, int, int | None]],
) -> None:
    """Whenever it is refunded: code and end are those of a member who only made the other purchases."""
    with_refunds, without = Member(rules()), Member(rules())
    posts = []
    for count, month, refunded_after in bought:
        posts.append((month, count, month))
        if refunded_after is not None:
            posts.append((month + refunded_after, -count, month))
        else:
            without.points[month] = without.points.get(month, 0)
    for posted, count, dated in sorted(posts, key=lambda post: (post[0], -post[1])):
        with_refunds.post(posted, count, dated=dated)
    for count, month, refunded_after in sorted(bought, key=lambda fact: fact[1]):
        if refunded_after is None:
            without.post(month, count)
    found, expected = with_refunds.at(mid(11)), without.at(mid(11))
    assert (found.code, found.until) == (expected.code, expected.until)


@given(st.lists(st.tuples(st.integers(-1_500, 1_500), st.integers(0, 6)), max_size=5), policies)
def test_the_order_of_facts_does_not_matter(given_facts: list[tuple[int, int]], policy: tuple[int, int]) -> None:
    """Facts of several months that all arrive now, in any order, lead to one tier with one end."""
    ends = set()
    for order in itertools.permutations(given_facts):
        member = Member(rules(*policy))
        for count, month in order:
            member.post(6, count, dated=month)
        found = member.at(mid(6))
        ends.add((found.code, found.until))
    assert len(ends) == 1
