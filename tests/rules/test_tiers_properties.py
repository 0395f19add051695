from __future__ import annotations

import itertools
from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.base import clock
from chalicelib.ledger.state import TierRecord
from chalicelib.program.rules.tiers import Standing, judge, judged, standing
from tests.rules.tier_members import JANUARY, LADDER, ZONE, Member, mid, rules

CODES = tuple(LADDER)

Policy = tuple[int, int] | tuple[int, int, int, str]
"""Months of window and term, and for some a grace and a way to fall."""

points = st.integers(0, 4_000)
histories = st.dictionaries(st.integers(0, 23), points, max_size=24)
policies = st.tuples(st.integers(1, 18), st.integers(1, 18))
downgrades = st.sampled_from(["to_fit", "one_down"])
# A full year's grace leaves 12 months each for window and term.
graces = st.just(0) | st.integers(0, 365)
lenient_policies = st.tuples(st.integers(1, 12), st.integers(1, 12), graces, downgrades)
all_policies: st.SearchStrategy[Policy] = policies | lenient_policies


def member_with(policy: Policy, history: dict[int, int]) -> Member:
    member = Member(rules(*policy))
    for month, count in sorted(history.items()):
        member.post(month, count)
    return member


def position(found: Standing) -> int:
    return CODES.index(found.code)


@given(all_policies, histories, st.integers(0, 60))
def test_judging_twice_changes_nothing(policy: Policy, history: dict[int, int], month: int) -> None:
    member = member_with(policy, history)
    at = mid(max(month, 23))
    once = judge(member.program, member.state, at)
    assert judge(member.program, member.holding(once), at) == once
    assert judged(member.program, member.state, at) == (once, standing(member.program, member.state, at).code)


@given(all_policies, histories, st.lists(st.integers(0, 60), max_size=10))
def test_asking_in_between_changes_nothing(policy: Policy, history: dict[int, int], asked: list[int]) -> None:
    """Nothing is posted after month 23, so it must not matter who looked at the account after that."""
    member = member_with(policy, history)
    records: Sequence[TierRecord] = member.records
    for month in sorted(month + 23 for month in asked):
        records = judge(member.program, member.holding(records), mid(month))
    assert standing(member.program, member.holding(records), mid(84)) == member.at(mid(84))


@given(all_policies, histories, points)
def test_more_points_never_mean_a_lower_tier(policy: Policy, history: dict[int, int], more: int) -> None:
    member = member_with(policy, history)
    before = member.at(mid(24))
    member.post(24, more)
    assert position(member.at(mid(24))) >= position(before)


@given(all_policies, histories)
def test_the_tier_that_the_window_reaches_is_held_at_least(policy: Policy, history: dict[int, int]) -> None:
    member = member_with(policy, history)
    window = sum(count for month, count in history.items() if 23 - policy[0] < month <= 23)
    reached = max(threshold for threshold in LADDER.values() if threshold <= window)
    assert LADDER[member.at(mid(23)).code] >= reached


@given(all_policies, histories)
def test_to_keep_is_exactly_what_keeps_the_tier(policy: Policy, history: dict[int, int]) -> None:
    member = member_with(policy, history)
    found = member.at(mid(23))
    if found.until is None or not found.to_keep:
        return
    last = (clock.month_of(found.until - 1, ZONE)) - JANUARY
    enough, short = member_with(policy, history), member_with(policy, history)
    enough.post(last, found.to_keep)
    short.post(last, found.to_keep - 1)
    assert position(enough.at(found.until)) >= position(found)
    left = short.at(found.until)
    if member.program.tier_policy.grace_days and left.until and position(left) == position(found):
        assert left.to_keep == 1, "the grace begins, and the same point is missing"
        left = short.at(left.until)
    assert position(left) < position(found)


@given(all_policies, histories)
def test_to_next_is_exactly_what_reaches_the_next_tier(policy: Policy, history: dict[int, int]) -> None:
    member = member_with(policy, history)
    found = member.at(mid(23))
    if found.to_next is None:
        return
    missing = found.to_next.points
    assert missing
    member.post(23, missing - 1)
    assert member.at(mid(23)).code == found.code
    member.post(23, 1)
    assert member.at(mid(23)).code == found.to_next.code


@example((3, 2), [(0, 1_000, 0), (1, 2_000, 0), (2, -1, 2), (0, 1, 2), (1, 0, 0)])
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


@given(st.lists(st.tuples(st.integers(-1_500, 1_500), st.integers(0, 6)), max_size=5), all_policies)
def test_the_order_of_facts_does_not_matter(given_facts: list[tuple[int, int]], policy: Policy) -> None:
    """Facts of several months that all arrive now, in any order, lead to one tier with one end."""
    ends = set()
    for order in itertools.permutations(given_facts):
        member = Member(rules(*policy))
        for count, month in order:
            member.post(6, count, dated=month)
        found = member.at(mid(6))
        ends.add((found.code, found.until))
    assert len(ends) == 1


purchases = st.lists(st.tuples(points, st.integers(0, 11), st.integers(0, 11)), max_size=6)


@given(purchases, graces, downgrades)
def test_whenever_refunds_come_within_the_term_they_leave_what_the_others_reach(
    bought: list[tuple[int, int, int]], grace_days: int, downgrade: str
) -> None:
    """Each is refunded whole, so nothing of what it reached may be left, nor fall to anything."""
    member = Member(rules(12, 12, grace_days, downgrade))
    posts = [(month, count, month) for count, month, _later in bought]
    posts += [(min(month + later, 11), -count, month) for count, month, later in bought]
    for posted, count, dated in sorted(posts, key=lambda post: (post[0], -post[1])):
        member.post(posted, count, dated=dated)
    assert [member.at(mid(month)).code for month in (11, 12, 30, 60)] == ["member"] * 4


@given(histories, graces, st.integers(1, 12), st.integers(1, 12))
def test_one_down_falls_by_one_tier_a_term(history: dict[int, int], grace_days: int, window: int, keep: int) -> None:
    """Asked every month of years without a purchase; a term lasts its months, whichever way it began."""
    member = member_with((window, keep, grace_days, "one_down"), history)
    held = [member.at(mid(month)) for month in range(24, 24 + 100)]
    for before, after in itertools.pairwise(held):
        fall = position(before) - position(after)
        assert fall in {0, 1}
        if fall and after.until:
            assert after.since is not None
            begun = clock.month_of(after.since, ZONE)
            assert clock.month_of(after.until, ZONE) == begun + keep + 1
    assert held[-1].code == "member"


@given(lenient_policies, histories, st.integers(0, 23), st.integers(0, 30))
def test_who_returns_what_kept_a_tier_falls_as_if_it_had_not_been_bought(
    policy: tuple[int, int, int, str], history: dict[int, int], extra: int, later: int
) -> None:
    """One purchase after all others, refunded soon or late: the account ends where it would have without it."""
    without, returned = member_with(policy, history), member_with(policy, history)
    month = 24 + extra
    returned.post(month, 9_000)
    returned.post(month + later, -9_000, dated=month)
    expected, found = without.at(mid(month + later)), returned.at(mid(month + later))
    assert (found.code, found.until) == (expected.code, expected.until)


@given(lenient_policies, st.lists(st.tuples(st.integers(0, 3), points), max_size=30))
def test_beside_its_record_an_account_keeps_at_most_the_one_before(
    policy: tuple[int, int, int, str], posts: list[tuple[int, int]]
) -> None:
    """Under the policies by which a fall starts from the term before."""
    member, month = Member(rules(*policy)), 0
    for later, count in posts:
        month += later
        member.post(month, count)
        codes = [record.code for record in member.records]
        assert len(codes) <= len(set(codes)) + 1
