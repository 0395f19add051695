"""How tiers fall: to what fits or by one, at once or after a grace."""

from __future__ import annotations

import pytest

from chalicelib.ledger.state import TierRecord
from chalicelib.program.validation import InvalidProgram
from tests.programs import program
from tests.rules.tier_members import Member, mid, months, rules, start

# A year's term that began in January 2025 ends with January 2026, and this grace with March (month 14).
FEBRUARY_AND_MARCH = 40


def one_down(window: int = 12, grace_days: int = 0) -> Member:
    return Member(rules(window, grace_days=grace_days, downgrade="one_down"))


def graced(grace_days: int = FEBRUARY_AND_MARCH) -> Member:
    return Member(rules(grace_days=grace_days))


class TestOneDown:
    def test_a_member_without_purchases_falls_by_one_tier_a_term(self) -> None:
        member = one_down(window=6)
        member.post(0, 9_000)
        terms = [(found.code, found.until) for month in (12, 13, 24, 25, 36, 37) if (found := member.at(mid(month)))]
        assert terms == [
            ("diamond", start(13)),
            ("gold", start(25)),
            ("gold", start(25)),
            ("silver", start(37)),
            ("silver", start(37)),
            ("member", None),
        ]

    def test_a_term_after_a_fall_begins_with_the_fall(self) -> None:
        member = one_down()
        member.post(0, 9_000)
        assert member.at(mid(13)).since == start(13) - 1

    def test_what_the_months_reach_is_kept_where_it_is_more(self) -> None:
        member = one_down()
        member.post(0, 9_000)
        member.post(6, 3_500)
        member.post(7, -500, dated=6)
        assert member.at(mid(13)).code == "gold"
        member.post(13, -1, dated=6)
        assert member.at(mid(13)).code == "gold", "one down from diamond, though silver is all that the months reach"

    def test_the_tier_fallen_to_is_kept_by_reaching_it(self) -> None:
        member = one_down()
        member.post(0, 9_000)
        member.post(20, 3_000)
        found = member.at(mid(25))
        assert (found.code, found.until) == ("gold", start(37))

    def test_a_refund_of_what_the_tier_above_was_reached_with_takes_it_back(self) -> None:
        member = one_down()
        member.post(0, 9_000)
        member.post(14, 0)
        assert member.at(mid(14)).code == "gold"
        member.post(15, -1, dated=0)
        assert member.at(mid(15)).code == "member"

    def test_a_refund_of_what_kept_a_tier_falls_from_the_term_before(self) -> None:
        """Diamond was kept in February; without August it would have fallen to gold then."""
        member = one_down()
        member.post(0, 9_000)
        member.post(8, 9_000)
        member.post(14, 0)
        assert member.at(mid(14)).code == "diamond"
        member.post(15, -9_000, dated=8)
        found = member.at(mid(15))
        assert (found.code, found.until) == ("gold", start(25))

    def test_a_fall_whose_months_the_account_has_forgotten_stands_by_itself(self) -> None:
        """Silver, four years after diamond was reached: no state reaches so far back."""
        member = one_down()
        member.post(0, 9_000)
        member.post(13, 0)
        member.post(25, 0)
        member.points = dict.fromkeys(range(2, 27), 1)
        member.post(26, 0)
        assert member.at(mid(26)).code == "silver"


class TestAGrace:
    def test_keeps_a_tier_to_the_end_of_its_last_month(self) -> None:
        member = graced()
        member.post(0, 1_000)
        assert member.at(start(15) - 1).code == "silver"
        assert member.at(start(15)).code == "member"

    def test_until_is_the_end_of_the_term_and_then_of_the_grace(self) -> None:
        member = graced()
        member.post(0, 1_000)
        assert member.at(mid(12)).until == start(13)
        assert member.at(start(13)).until == start(15)

    def test_keeps_the_tier_when_what_was_missing_is_earned_in_it(self) -> None:
        """The year before the end still counts, as much of it as the grace is long."""
        member = graced()
        member.post(0, 1_000)
        member.post(1, 300)
        found = member.at(mid(13))
        assert (found.code, found.to_keep) == ("silver", 700)
        member.post(14, 700)
        found = member.at(mid(15))
        assert (found.code, found.since, found.until) == ("silver", start(15) - 1, start(27))

    def test_does_not_delay_a_term_that_is_kept_without_it(self) -> None:
        member = graced()
        member.post(0, 1_000)
        member.post(8, 1_000)
        found = member.at(mid(13))
        assert (found.code, found.until) == ("silver", start(25))

    def test_does_not_lift(self) -> None:
        """With the month of the grace the year before reaches gold, but no twelve months do."""
        member = graced(27)
        member.post(0, 1_000)
        member.post(1, 900)
        member.post(13, 2_200)
        assert member.at(mid(14)).code == "silver"

    def test_is_there_again_when_what_kept_the_tier_is_refunded_in_it(self) -> None:
        member = graced()
        member.post(0, 1_000)
        member.post(8, 1_000)
        member.post(13, 0)
        member.post(13, -1, dated=8)
        found = member.at(mid(13))
        assert (found.code, found.until, found.to_keep) == ("silver", start(15), 1)
        assert member.at(start(15)).code == "member"

    def test_comes_before_a_fall_by_one(self) -> None:
        member = one_down(grace_days=FEBRUARY_AND_MARCH)
        member.post(0, 9_000)
        assert member.at(start(15) - 1).code == "diamond"
        found = member.at(start(15))
        assert (found.code, found.until) == ("gold", start(27))

    def test_goes_with_a_tier_that_is_refunded(self) -> None:
        member = graced()
        member.post(0, 1_000)
        member.post(13, 0)
        member.post(13, -1, dated=0)
        assert member.at(mid(13)).code == "member"

    def test_leaves_a_refunded_tier_to_be_revived_by_a_late_purchase(self) -> None:
        member = graced()
        member.post(0, 1_000)
        member.post(13, -1, dated=0)
        member.post(13, 1, dated=0)
        assert member.at(mid(13)).code == "silver"


def test_months_of_a_grace_count_among_those_that_must_be_remembered() -> None:
    policy = {"window_months": 12, "keep_months": 12, "grace_days": 365}
    assert program(tier_policy=policy).tier_policy.grace_days == 365
    with pytest.raises(InvalidProgram, match="36 together"):
        program(tier_policy={**policy, "grace_days": 366})
    with pytest.raises(InvalidProgram, match="36 together"):
        program(tier_policy={**policy, "keep_months": 24, "grace_days": 1})


def test_a_tier_fallen_to_is_written_down_with_what_it_stands_on() -> None:
    member = one_down()
    member.post(0, 9_000)
    member.post(13, 0)
    assert member.records == (
        TierRecord("gold", start(13) - 1, start(25), 9_000, window_months=12, reached_month=months(m0=1)[0].month),
    )
