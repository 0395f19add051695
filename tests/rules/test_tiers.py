from __future__ import annotations

import pytest

from chalicelib.ledger.state import State, TierRecord
from chalicelib.program.rules.tiers import judge, standing
from tests.programs import program, tier
from tests.rules.tier_members import Member, mid, months, rules, start


def test_everyone_has_the_first_tier_without_an_end() -> None:
    found = standing(rules(), State(), mid(0))
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
        asked = judge(member.program, member.holding(asked), mid(month))
        assert standing(member.program, member.holding(asked), mid(month)) == member.at(mid(month))


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


def test_a_shorter_window_does_not_take_back_a_tier_but_judges_its_end() -> None:
    """A year reached gold; the two months that count now would not, nor would they reach silver."""
    member = Member(rules())
    for month in (0, 4, 8):
        member.post(month, 1_000)
    member.program = rules(window=2, keep=12)
    member.post(9, 0)
    assert member.at(mid(9)).code == "gold"
    assert member.at(start(21)).code == "member"


def test_a_shorter_window_still_takes_back_what_is_refunded() -> None:
    member = Member(rules())
    for month in (0, 4, 8):
        member.post(month, 1_000)
    member.program = rules(window=2, keep=12)
    member.post(9, -1, dated=0)
    assert member.at(mid(9)).code == "silver"


def test_a_record_that_does_not_say_its_window_has_todays() -> None:
    record = TierRecord("silver", mid(2), start(15), 1_000)
    bought = months(m0=600, m2=400)
    assert standing(rules(window=3), State(months=bought, tiers=(record,)), mid(12)).code == "silver"
    assert standing(rules(window=2), State(months=bought, tiers=(record,)), mid(12)).code == "member"


def test_a_replaced_tier_is_held_under_its_new_name() -> None:
    member = Member(rules())
    member.post(0, 1_000)
    tiers = [tier("member", 0), tier("argent", 2_000, "1.3", replaces=("silver",)), tier("gold", 3_000)]
    member.program = program(tiers=tiers)
    found = member.at(mid(1))
    assert (found.code, str(found.multiplier), found.until) == ("argent", "13/10", start(13))


def test_a_tier_that_nobody_remembers_stands_where_its_threshold_would() -> None:
    record = TierRecord("platinum", mid(0), start(13), 4_000)
    assert standing(rules(), State(months=months(m0=4_000), tiers=(record,)), mid(12)).code == "gold"


def test_windows_and_terms_begin_with_the_months_of_the_programmes_zone() -> None:
    """16:00 UTC on 31 January is February in Shanghai."""
    instant = start(1)
    records = judge(rules(window=1), State(months=months(m1=1_000)), instant)
    assert [record.until for record in records] == [start(14)]
    assert judge(rules(window=1), State(months=months(m1=1_000)), instant - 1) == ()


def test_a_reader_whose_clock_runs_behind_the_posting_sees_the_tier() -> None:
    """The posting falls into the first second of a month, and the reader still has the month before."""
    records = judge(rules(), State(months=months(m1=1_000)), start(1))
    assert standing(rules(), State(months=months(m1=1_000), tiers=records), start(1) - 1).code == "silver"
