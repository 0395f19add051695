"""What must hold of tiers by years and by several metrics, whatever is bought, late or in time, and refunded."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.base import clock
from chalicelib.ledger.state import TierRecord
from chalicelib.program.document import Program
from chalicelib.program.rules.tier_needs import METRICS, needs_of
from chalicelib.program.rules.tiers import Standing, judge, standing
from tests.programs import program, tier
from tests.rules.tier_members import JANUARY, ZONE, Member, mid

THRESHOLDS = (
    {"threshold_points": (10, 20, 60)},
    {"threshold_purchases": (2, 4, 9)},
    {"threshold_points": (10, 20, 60), "threshold_purchases": (2, 4, 4)},
    {"threshold_points": (10, 20, 60), "threshold_spend_minor": (5, 30, 31), "threshold_activity": (1, 2, 3)},
)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Programmes whose years begin with any month, with every way to fall and to combine metrics."""
    thresholds = draw(st.sampled_from(THRESHOLDS))
    tiers = [
        tier("member"),
        *(tier(f"t{step}", **_step(thresholds, step)) for step in range(3)),
    ]
    policy = {
        "period": draw(st.sampled_from(["calendar_year", "membership_year", "rolling"])),
        "match": draw(st.sampled_from(["all", "any"])),
        "downgrade": draw(st.sampled_from(["to_fit", "one_down"])),
        "grace_days": draw(st.just(0) | st.integers(0, 365)),
        "year_start_month": draw(st.integers(1, 12)),
    }
    return program(tiers=tiers, tier_policy=policy)


def _step(thresholds: dict[str, tuple[int, int, int]], step: int) -> dict[str, Any]:
    return {name: amounts[step] for name, amounts in thresholds.items()}


Fact = dict[str, int]
facts = st.fixed_dictionaries({metric: st.integers(0, 40 if metric == "points" else 6) for metric in METRICS})
histories = st.dictionaries(st.integers(0, 23), facts, max_size=24)
enrolments = st.just(0) | st.integers(0, 11).map(mid)


def posted(found: Program, enrolled_at: int, history: dict[int, Fact]) -> Member:
    member = Member(found, enrolled_at)
    for month, fact in sorted(history.items()):
        member.post(month, **fact)
    return member


def place(found: Program, held: Standing) -> int:
    return [tier.code for tier in found.tiers].index(held.code)


def negative(fact: Fact) -> Fact:
    return {metric: -amount for metric, amount in fact.items()}


@given(programs(), enrolments, histories, st.lists(st.integers(0, 60), max_size=10))
def test_asking_changes_nothing(found: Program, enrolled_at: int, history: dict[int, Fact], asked: list[int]) -> None:
    member = posted(found, enrolled_at, history)
    records: tuple[TierRecord, ...] = member.records
    for month in sorted(month + 23 for month in asked):
        once = judge(found, member.holding(records), mid(month))
        assert judge(found, member.holding(once), mid(month)) == once
        assert standing(found, member.holding(once), mid(month)) == member.at(mid(month))
        records = once
    assert standing(found, member.holding(records), mid(84)) == member.at(mid(84))


@given(programs(), enrolments, histories, facts)
def test_more_never_means_a_lower_tier(found: Program, enrolled_at: int, history: dict[int, Fact], more: Fact) -> None:
    member = posted(found, enrolled_at, history)
    before = member.at(mid(24))
    member.post(24, **more)
    assert place(found, member.at(mid(24))) >= place(found, before)


@given(programs(), enrolments, histories)
def test_what_a_year_reaches_is_held_in_it_and_in_the_next(
    found: Program, enrolled_at: int, history: dict[int, Fact]
) -> None:
    policy = found.tier_policy
    if policy.period == "rolling":
        return
    member = posted(found, enrolled_at, history)
    begins = policy.year_start_month - 1
    if policy.period == "membership_year" and enrolled_at:
        begins = clock.month_of(enrolled_at, ZONE) - JANUARY
    for month in range(24, 48):
        year = (month - begins) // 12
        for counted in (year, year - 1):
            gathered = dict.fromkeys(METRICS, 0)
            for bought, fact in history.items():
                if (bought - begins) // 12 == counted:
                    gathered = {metric: gathered[metric] + fact[metric] for metric in METRICS}
            reached = [
                index
                for index, tier in enumerate(found.tiers)
                if (
                    needed := [(gathered[metric], getattr(needs_of(found, tier).amounts, metric)) for metric in METRICS]
                )
                and (any if policy.match == "any" and index else all)(have >= need for have, need in needed if need)
            ]
            assert place(found, member.at(mid(month))) >= max(reached)


@given(programs(), enrolments, histories)
def test_what_is_missing_for_the_next_tier_is_exactly_what_reaches_it(
    found: Program, enrolled_at: int, history: dict[int, Fact]
) -> None:
    member = posted(found, enrolled_at, history)
    held = member.at(mid(23))
    if held.to_next is None:
        return
    missing = held.to_next.missing
    gaps = {metric: gap for metric in METRICS if (gap := getattr(missing, metric))}
    assert gaps
    if missing.match == "any":
        assert missing.nearest
        gaps = {missing.nearest: gaps[missing.nearest]}
    last = next(iter(gaps))
    member.post(23, **gaps | {last: gaps[last] - 1})
    assert member.at(mid(23)).code == held.code
    member.post(23, **{last: 1})
    assert place(found, member.at(mid(23))) >= place(found, held) + 1


@given(programs(), enrolments, histories)
def test_what_is_missing_for_keeping_a_tier_is_exactly_what_keeps_it(
    found: Program, enrolled_at: int, history: dict[int, Fact]
) -> None:
    held = posted(found, enrolled_at, history).at(mid(23))
    missing = held.missing_to_keep
    if held.until is None or missing is None:
        return
    gaps = {metric: gap for metric in METRICS if (gap := getattr(missing, metric))}
    if missing.nearest:
        gaps = {missing.nearest: gaps[missing.nearest]}
    last = clock.month_of(held.until - 1, ZONE) - JANUARY
    enough = posted(found, enrolled_at, history)
    enough.post(last, **gaps)
    assert place(found, enough.at(held.until)) >= place(found, held)
    if not gaps:
        return
    short = posted(found, enrolled_at, history)
    metric = next(iter(gaps))
    short.post(last, **gaps | {metric: gaps[metric] - 1})
    left = short.at(held.until)
    if found.tier_policy.grace_days and left.code == held.code and left.until:
        left = short.at(left.until)
    assert place(found, left) < place(found, held)


dated = st.lists(st.tuples(facts, st.integers(0, 14)), min_size=1, max_size=3)


@settings(deadline=None)
@given(programs(), enrolments, dated, st.integers(9, 16))
def test_the_order_in_which_facts_arrive_does_not_matter(
    found: Program, enrolled_at: int, purchases: list[tuple[Fact, int]], now: int
) -> None:
    """Purchases of this year and the last that all arrive now, one of them refunded, lead to the same tiers for ever.

    The end that is told may differ by the year to which the tier is kept anyway.
    """
    refund = (negative(purchases[0][0]), purchases[0][1])
    held = set()
    for order in itertools.permutations([*purchases, refund]):
        if order.index(refund) < order.index(purchases[0]):
            continue
        member = Member(found, enrolled_at)
        for fact, month in order:
            member.post(now, dated=min(month, now), **fact)
        held.add(tuple(member.at(mid(now + later)).code for later in range(0, 40, 3)))
    assert len(held) == 1


bought = st.lists(st.tuples(facts, st.integers(0, 11), st.none() | st.integers(0, 11)), max_size=6)


@given(programs(), enrolments, bought)
def test_a_refund_within_the_term_leaves_the_tier_as_if_the_purchase_had_never_been(
    found: Program, enrolled_at: int, purchases: list[tuple[Fact, int, int | None]]
) -> None:
    """Whenever it comes: code and end are those of a member who only made the other purchases."""
    refunded, never = Member(found, enrolled_at), Member(found, enrolled_at)
    posts = [(month, 0, fact, month) for fact, month, _after in purchases]
    posts += [
        (min(month + after, 11), 1, negative(fact), month) for fact, month, after in purchases if after is not None
    ]
    for month, _kind, fact, dated in sorted(posts, key=lambda post: post[:2]):
        refunded.post(month, dated=dated, **fact)
    for fact, month, after in sorted(purchases, key=lambda purchase: purchase[1]):
        if after is None:
            never.post(month, **fact)
    held, expected = refunded.at(mid(11)), never.at(mid(11))
    assert (held.code, held.until) == (expected.code, expected.until)


@given(programs(), enrolments, histories, facts, st.tuples(st.integers(0, 30), st.integers(0, 30)))
def test_who_returns_the_last_purchase_falls_as_if_it_had_not_been_bought(
    found: Program, enrolled_at: int, history: dict[int, Fact], extra: Fact, waits: tuple[int, int]
) -> None:
    if not (found.tier_policy.grace_days or found.tier_policy.downgrade == "one_down"):
        return
    without, returned = posted(found, enrolled_at, history), posted(found, enrolled_at, history)
    month, later = 24 + waits[0], waits[1]
    returned.post(month, **extra)
    returned.post(month + later, dated=month, **negative(extra))
    expected, held = without.at(mid(month + later)), returned.at(mid(month + later))
    assert (held.code, held.until) == (expected.code, expected.until)


@given(programs(), enrolments, st.lists(st.tuples(st.integers(0, 3), facts, st.integers(0, 20)), max_size=30))
def test_an_account_keeps_few_records(found: Program, enrolled_at: int, posts: list[tuple[int, Fact, int]]) -> None:
    """One a tier, and beside the present one that of the term before where a fall may start from it."""
    member, month = Member(found, enrolled_at), 0
    for later, fact, back in posts:
        month += later
        member.post(month, dated=max(month - back, 0), **fact)
        codes = [record.code for record in member.records]
        assert len(codes) <= len(set(codes)) + 1
