"""Tiers when the programme changes between rolling windows and years, and in accounts from before there were years."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ledger.state import State, unpack
from chalicelib.program.document import Program
from chalicelib.program.rules.tiers import judge, standing
from tests.programs import ladder, program, tier
from tests.rules.tier_members import LADDER, Member, mid, rules, start, years

LENIENT: dict[str, Any] = {"grace_days": 40, "downgrade": "one_down"}


class TestAccountsOfOld:
    """As they were packed before tiers knew other metrics than points, and what was said of them then."""

    @pytest.mark.parametrize(
        ("packed", "found", "expected"),
        [
            (
                (
                    "ngGQkJCQAJKVzV7szQnEAAAAlc1e9M0F3AAAAJOWpnNpbHZlcs5nhooAzml+JwDNA+gMAJakZ29sZM5nhooAzml+JwDNC7gMAJanZGlh"
                    "bW9uZM5nhooAzml+JwDNIygMAJQAAAAAlwAAAAAAAACQoAAA"
                ),
                rules(),
                [
                    (8, "gold", 1756656000, 1790784000, "diamond", 5000, 3000),
                    (13, "gold", 1756656000, 1790784000, "diamond", 7500, 3000),
                    (25, "member", None, None, "silver", 1000, None),
                ],
            ),
            (
                (
                    "ngGQkJCQAJOVzV7szSMoAAAAlc1e9AAAAACVzV76AAAAAJOWpnNpbHZlcs5pfib/zmtfWoDNA+gMAJanZGlhbW9uZM5pfib/zmtfWoDN"
                    "IygMAJakZ29sZM5py+9/zmutIwDNIygMzV7slAAAAACXAAAAAAAAAJCgAAA="
                ),
                rules(grace_days=40, downgrade="one_down"),
                [
                    (15, "gold", 1774972799, 1806508800, "diamond", 9000, 3000),
                    (26, "gold", 1774972799, 1806508800, "diamond", 9000, 3000),
                    (40, "silver", 1811779199, 1843401600, "gold", 3000, 1000),
                ],
            ),
            (
                (
                    "ngGQkJCQAJOVzV7szQPoAAAAlc1e7s0BLAAAAJXNXvDNAZAAAACSlqZzaWx2ZXLOZ+q7/85oOyeAzQPoAwCWpnNpbHZlcs5nhooAzmfq"
                    "vADNA+gDAJQAAAAAlwAAAAAAAACQoAAA"
                ),
                rules(window=3, keep=2, grace_days=40),
                [
                    (4, "silver", 1743436799, 1748707200, "gold", 2300, 300),
                    (5, "silver", 1743436799, 1753977600, "gold", 2600, 300),
                    (9, "member", None, None, "silver", 1000, None),
                ],
            ),
        ],
        ids=["refunded", "fallen by one", "kept by a grace"],
    )
    def test_mean_what_they_meant(self, packed: str, found: Program, expected: list[tuple[Any, ...]]) -> None:
        state = unpack(base64.b64decode(packed))
        told = []
        for month, *_rest in expected:
            held = standing(found, state, mid(month))
            assert held.to_next is not None
            told.append((month, held.code, held.since, held.until, *held_next(held), held.to_keep))
        assert told == expected


def held_next(held: Any) -> tuple[str, int]:
    return held.to_next.code, held.to_next.points


class TestFromRollingToYears:
    def test_a_tier_is_kept_to_the_end_of_its_term(self) -> None:
        member = Member(rules())
        member.post(3, 1_000)
        member.program = years()
        member.post(12, 0)
        assert member.at(start(16) - 1).code == "silver"

    def test_its_end_is_judged_by_the_year_before_it(self) -> None:
        """Twelve months from April to April; kept, it lasts as long as the running year."""
        member = Member(rules())
        member.post(3, 1_000)
        member.program = years()
        member.post(5, 600)
        member.post(13, 400)
        found = member.at(start(16))
        assert (found.code, found.until) == ("silver", start(24))

    def test_it_is_lost_where_neither_that_nor_a_year_reaches_it(self) -> None:
        member = Member(rules())
        member.post(2, 500)
        member.post(3, 499)
        member.post(14, 501)
        assert member.at(mid(14)).code == "silver", "of the months from April to March"
        member.program = years()
        assert member.at(start(27)).code == "member"

    def test_the_last_year_gives_what_it_reaches_though_it_was_lost(self) -> None:
        member = Member(rules(window=2, keep=1))
        member.post(1, 1_000)
        assert member.at(mid(6)).code == "member"
        member.program = years()
        found = member.at(mid(12))
        assert (found.code, found.until) == ("silver", start(24))

    def test_what_rolling_months_reached_is_still_taken_back(self) -> None:
        member = Member(rules())
        member.post(3, 1_000)
        member.program = years()
        member.post(12, -1, dated=3)
        assert member.at(mid(12)).code == "member"


class TestFromYearsToRolling:
    def test_a_tier_is_kept_to_the_end_of_its_term(self) -> None:
        member = Member(years())
        member.post(0, 1_000)
        member.program = rules(window=1, keep=1)
        member.post(5, 0)
        found = member.at(start(24) - 1)
        assert (found.code, found.until) == ("silver", start(24))
        assert member.at(start(24)).code == "member"

    def test_what_a_year_reached_is_still_taken_back_and_given_by_later_months_of_it(self) -> None:
        member = Member(years())
        member.post(0, 1_000)
        member.program = rules(window=1, keep=1)
        member.post(4, 600)
        member.post(6, -600, dated=0)
        found = member.at(mid(6))
        assert (found.code, found.since, found.until) == ("silver", start(4), start(24))


# Every way in which periods may follow on one another, and others of their kind.
programs = st.sampled_from(
    [
        rules(),
        rules(3, 2),
        rules(6, 12, **LENIENT),
        years(),
        years(year_start_month=4, **LENIENT),
        years("membership_year"),
        years("membership_year", grace_days=365),
    ]
)
facts = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4_000), programs), min_size=1, max_size=8)
CODES = tuple(LADDER)


@given(facts, st.integers(0, 11))
def test_no_change_takes_a_tier_away_before_its_term(posts: list[tuple[int, int, Program]], enrolled: int) -> None:
    """Whatever is published, nothing is refunded, so at every instant the tier is what was promised or better."""
    member, month = Member(posts[0][2], mid(enrolled)), enrolled
    for (later, points, _before), (_later, _points, after) in itertools.pairwise([*posts, posts[-1]]):
        month += later
        member.post(month, points)
        promised = [(CODES.index(record.code), record.until) for record in member.records]
        member.program = after
        for ahead in range(30):
            held = CODES.index(member.at(mid(month + ahead)).code)
            assert held >= max((place for place, until in promised if until > mid(month + ahead)), default=0)


@given(facts, st.integers(0, 11))
def test_there_and_back_again_changes_no_record(posts: list[tuple[int, int, Program]], enrolled: int) -> None:
    """What was published in between and judged nothing leaves no trace."""
    member, month = Member(posts[0][2], mid(enrolled)), enrolled
    for later, points, other in posts:
        month += later
        member.post(month, points)
        before, records = member.program, member.records
        member.program = other
        member.at(mid(month))
        member.program = before
        assert judge(before, member.state, mid(month)) == records


def test_a_tier_that_nobody_remembers_stands_where_all_that_it_needed_would() -> None:
    member = Member(
        program(tiers=[tier("a", 0), tier("b", 5, threshold_purchases=2), tier("c", 9, threshold_purchases=4)])
    )
    member.post(0, 9, purchases=4)
    member.program = program(tiers=ladder(x=0, y=9, z=20))
    assert member.at(mid(1)).code == "y"


def test_a_state_without_anything_has_the_first_tier_of_every_programme() -> None:
    for found in (rules(), years(), years("membership_year")):
        assert standing(found, State(), mid(0)).code == "member"
