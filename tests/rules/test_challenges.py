"""How far a member comes in challenges: a function of what was done, not of when it was heard of."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import clock
from chalicelib.engagement.rules.progress import (
    Fact,
    Find,
    Paid,
    Terms,
    Walk,
    advanced,
    lessened,
    next_payment,
    settled,
    united_payments,
    walked,
)
from chalicelib.ledger.state import NEVER
from chalicelib.program.document import Program
from tests.challenges import card, quest, streak
from tests.programs import program

DAY = clock.DAY_S
START = 1_800_000_000


def terms_of(*versions: Program) -> Find:
    def find(version: int, code: str) -> Terms | None:
        found = versions[version - 1]
        return next((Terms(item, found.zone) for item in found.challenges if item.code == code), None)

    return find


def fact(at: int, marks: dict[str, dict[str, int]], *, name: str = "", version: int = 1) -> Fact:
    return Fact(fact_id=name or f"f{at}", occurred_at=at, program=version, marks=marks)


def stamps(*weights: int, code: str = "tea_card", version: int = 1) -> list[Fact]:
    return [fact(START + place * DAY, {code: {"": weight}}, version=version) for place, weight in enumerate(weights)]


def on_days(*days: int, code: str = "daily") -> list[Fact]:
    return [fact(START + day * DAY, {code: {"": 1}}, name=f"d{place}") for place, day in enumerate(days)]


def only(facts: list[Fact], *challenges: dict[str, Any], **changes: Any) -> Walk:
    found = walked(facts, terms_of(program(challenges=list(challenges), **changes)))
    return found.get(challenges[0]["code"], Walk())


class TestAPunchCard:
    def test_is_full_with_the_stamps_that_were_not_given(self) -> None:
        assert only(stamps(*[1] * 7), card()).rounds == 0
        done = only(stamps(*[1] * 8), card())
        assert (done.rounds, done.rewards, done.done_at) == (1, ((50, 1),), START + 7 * DAY)

    def test_that_does_not_repeat_is_done_once_for_all(self) -> None:
        done = only(stamps(*[5] * 8), card())
        assert (done.rounds, done.counts) == (1, {})

    def test_that_repeats_begins_anew_with_the_gift_and_what_was_over(self) -> None:
        # 8 of 11 stamps fill the first card, and 3 stand on the next.
        done = only(stamps(6, 5), card(repeats=True))
        assert (done.rounds, done.counts) == (1, {"": 3})

    def test_may_be_filled_more_than_once_by_one_purchase(self) -> None:
        assert only(stamps(20), card(repeats=True)).rounds == 2


class TestAStreak:
    def test_of_days_is_done_when_none_is_left_out(self) -> None:
        assert only(on_days(0, 1, 2), streak()).rounds == 1
        assert only(on_days(0, 1, 3), streak()).rounds == 0

    def test_counts_a_day_once(self) -> None:
        assert only(on_days(0, 0, 1), streak()).counts == {"": 2}

    def test_begins_anew_after_a_gap(self) -> None:
        found = only(on_days(0, 1, 4, 5), streak(length=5))
        assert (found.counts, found.best) == ({"": 2}, 2)

    def test_that_repeats_needs_as_many_days_again(self) -> None:
        assert only(on_days(*range(5)), streak(repeats=True)).rounds == 1
        assert only(on_days(*range(6)), streak(repeats=True)).rounds == 2

    @pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Asia/Shanghai", "America/Sao_Paulo"])
    @pytest.mark.parametrize("hour", [0, 2, 12, 23])
    def test_of_days_and_weeks_goes_by_the_calendar_when_the_clocks_change(self, zone: str, hour: int) -> None:
        # 60 evenings in a row around both changes of the clocks.
        for month in (3, 10):
            nights = [datetime(2026, month, 1, hour, 30, tzinfo=ZoneInfo(zone)).toordinal() + day for day in range(60)]
            moments = [
                clock.seconds(datetime.fromordinal(night).replace(hour=hour, minute=30, tzinfo=ZoneInfo(zone)))
                for night in nights
            ]
            done = [fact(at, {"daily": {"": 1}}) for at in moments]
            assert only(done, streak(length=60), time_zone=zone).rounds == 1
            assert only(done, streak(length=9, period="week"), time_zone=zone).rounds == 1

    def test_of_months_runs_over_the_turn_of_the_year(self) -> None:
        zone = ZoneInfo("Asia/Shanghai")
        months = [(2026, 11), (2026, 12), (2027, 1)]
        done = [fact(clock.seconds(datetime(*month, 28, tzinfo=zone)), {"daily": {"": 1}}) for month in months]
        assert only(done, streak(period="month")).rounds == 1


class TestAQuest:
    def test_is_done_when_every_step_is(self) -> None:
        tea = fact(START, {"welcome": {"tea": 1}})
        first, second = (fact(START + day * DAY, {"welcome": {"share": 1}}) for day in (1, 2))
        assert only([tea, first], quest()).counts == {"tea": 1, "share": 1}
        assert only([first, second, tea], quest()).rewards == ((70, 1),)

    def test_in_order_counts_only_what_it_is_the_turn_of(self) -> None:
        early = fact(START, {"welcome": {"share": 1}})
        tea = fact(START + DAY, {"welcome": {"tea": 1}})
        late = [fact(START + day * DAY, {"welcome": {"share": 1}}) for day in (2, 3)]
        assert only([early, tea, late[0]], quest(in_order=True)).counts == {"tea": 1, "share": 1}
        assert only([early, tea, *late], quest(in_order=True)).rounds == 1

    def test_in_order_takes_one_thing_done_for_one_step(self) -> None:
        steps = [{**step, "count": 1} for step in quest()["steps"]]
        both = fact(START, {"welcome": {"tea": 1, "share": 1}})
        assert only([both], quest(steps=steps, in_order=True)).counts == {"tea": 1}
        assert only([both], quest(steps=steps)).rounds == 1

    def test_that_repeats_begins_anew_with_nothing(self) -> None:
        tea = [fact(START + day * DAY, {"welcome": {"tea": 1}}) for day in (0, 1)]
        share = [fact(START + day * DAY, {"welcome": {"share": 1}}) for day in (2, 3)]
        found = only([*tea, *share], quest(repeats=True))
        assert (found.rounds, found.counts) == (1, {})


class TestANewVersion:
    def test_judges_what_is_done_from_then_on(self) -> None:
        versions = terms_of(program(challenges=[card()]), program(challenges=[card(stamps=6, points=80)]))
        facts = [*stamps(1, 1, 1), fact(START + 9 * DAY, {"tea_card": {"": 1}}, version=2)]
        assert walked(facts, versions)["tea_card"].rewards == ((80, 1),)

    def test_without_the_challenge_counts_nothing_more(self) -> None:
        versions = terms_of(program(challenges=[card()]), program(challenges=[]))
        facts = [*stamps(1), fact(START + DAY, {"tea_card": {"": 1}}, version=2)]
        assert walked(facts, versions)["tea_card"].counts == {"": 1}


CHALLENGES = [
    card(repeats=True, stamps=4, given=1),
    streak(repeats=True),
    quest(repeats=True, in_order=True),
    quest("free", repeats=True),
]
FIND = terms_of(program(challenges=CHALLENGES), program(challenges=[{**item, "points": 9} for item in CHALLENGES]))
marks = st.fixed_dictionaries(
    {},
    optional={
        "tea_card": st.fixed_dictionaries({"": st.integers(0, 5)}),
        "daily": st.fixed_dictionaries({"": st.integers(0, 1)}),
        "welcome": st.fixed_dictionaries({"tea": st.integers(0, 1), "share": st.integers(0, 1)}),
        "free": st.fixed_dictionaries({"tea": st.integers(0, 1), "share": st.integers(0, 1)}),
    },
)
histories = st.lists(st.tuples(st.integers(0, 12), marks, st.integers(1, 2)), max_size=14).map(
    lambda rows: [
        fact(START + day * DAY, marks, name=f"f{place}", version=version)
        for place, (day, marks, version) in enumerate(rows)
    ]
)


@given(histories, st.randoms())
def test_the_order_in_which_facts_are_given_makes_no_difference(facts: list[Fact], chance: random.Random) -> None:
    shuffled = [*facts]
    chance.shuffle(shuffled)
    assert walked(shuffled, FIND) == walked(facts, FIND)


@given(histories)
def test_a_fact_behind_all_others_may_be_added_to_the_walk(facts: list[Fact]) -> None:
    walks: dict[str, Walk] = {}
    for item in sorted(facts, key=lambda item: item.place):
        walks = advanced(walks, item, FIND)
    assert walks == walked(facts, FIND)


@given(st.lists(marks, min_size=1, max_size=4), st.randoms())
def test_what_is_left_of_a_fact_is_the_same_in_whatever_order_it_is_heard(
    heard: list[dict[str, dict[str, int]]], chance: random.Random
) -> None:
    whole = fact(START, {"tea_card": {"": 5}, "welcome": {"tea": 1, "share": 1}})

    def told(marks: list[dict[str, dict[str, int]]]) -> Fact:
        left = whole
        for item in marks:
            left = lessened(left, item)
        return left

    shuffled = [*heard, *heard]
    chance.shuffle(shuffled)
    assert told(shuffled) == told(heard)


@given(st.lists(histories, min_size=1, max_size=5))
def test_what_is_paid_becomes_what_is_done_whatever_was_paid_before(lives: list[list[Fact]]) -> None:
    paid: dict[str, tuple[Paid, ...]] = {}
    for facts in lives:
        walks = walked(facts, FIND)
        for turn in range(100):
            payment = next_payment(walks, paid)
            if payment is None:
                break
            # Points of different rounds expire at different dates, and those that go back have the date of one paid.
            paid = settled(paid, payment, START + turn if payment.is_done else payment.expires_at)
        assert next_payment(walks, paid) is None
        for code in {*walks, *paid}:
            rounds: dict[int, int] = {}
            for group in paid.get(code, ()):
                rounds[group.points] = rounds.get(group.points, 0) + group.rounds
            assert rounds == dict(walks.get(code, Walk()).rewards)


def test_of_rounds_paid_alike_the_one_that_lasts_longest_goes_back_first() -> None:
    paid = {"tea_card": (Paid(50, 100, 1), Paid(50, NEVER, 1))}
    payment = next_payment({"tea_card": Walk(rounds=1, rewards=((50, 1),))}, paid)
    assert payment is not None
    assert (payment.is_done, payment.expires_at) == (False, NEVER)


def test_what_goes_back_goes_before_what_is_paid() -> None:
    paid = {"tea_card": (Paid(50, 100, 1),)}
    payment = next_payment({"a_card": Walk(rounds=1, rewards=((9, 1),))}, paid)
    assert payment is not None
    assert (payment.challenge, payment.is_done) == ("tea_card", False)


def test_what_two_members_were_paid_counts_together() -> None:
    here, there = {"tea_card": (Paid(50, 100, 1),)}, {"tea_card": (Paid(50, 100, 2), Paid(60, 100, 1))}
    assert united_payments(here, there) == {"tea_card": (Paid(50, 100, 3), Paid(60, 100, 1))}


def test_a_walk_is_read_as_it_was_packed() -> None:
    walks = walked(stamps(3), terms_of(program(challenges=[card()])))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(walks), type=dict[str, Walk]) == walks
