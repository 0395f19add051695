"""The programme's past: the same whatever happens to nights, exact to the point, and told of once."""

from __future__ import annotations

import random

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ledger.state import Hold, Lifetime, Lot, Pending, State
from chalicelib.scoring.rules import holdings, kpis, past
from chalicelib.scoring.rules.holdings import Totals
from chalicelib.scoring.rules.past import Closing, Heard, History

BEGIN = 2026 * 12
COOL_DOWN = 14


@st.composite
def closings(draw: st.DrawFn) -> list[Closing]:
    """Nights in their order: of some days one, of some two, of many none; months of thirty days."""
    days = sorted(draw(st.sets(st.integers(0, 1_500), min_size=1, max_size=40)))
    totals, found = Totals(), []
    for day in days:
        for number in range(draw(st.integers(1, 2))):
            totals = totals.plus(came(draw))
            found.append(Closing(BEGIN + day // 30, day, f"n{day:04d}" + "-02" * number, totals))
    return found


def came(draw: st.DrawFn) -> Totals:
    """What may come and go in a while; it balances as a ledger does."""
    earned, restored, clawed, expired, redeemed = (draw(st.integers(0, 100)) for _cause in range(5))
    adjusted = draw(st.integers(-50, 50))
    net = earned + restored + adjusted - clawed - expired - redeemed
    return Totals(
        draw(st.integers(0, 3)),
        earned,
        restored,
        adjusted,
        redeemed,
        expired,
        clawed,
        0,
        max(net, 0),
        0,
        0,
        max(-net, 0),
    )


def kept(nights: list[Closing]) -> History:
    history = History()
    for night in nights:
        history = past.with_points(history, night)
    return history


@given(closings(), st.integers(0, 2**32 - 1))
def test_nights_that_come_late_or_twice_leave_the_same_history(nights: list[Closing], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    mixed = nights + chance.choices(nights, k=5)
    chance.shuffle(mixed)
    assert kept(mixed) == kept(nights)


@given(closings())
def test_what_came_less_what_went_is_what_there_is(nights: list[Closing]) -> None:
    history = kept(nights)
    found = past.point_months(history, nights[-1])
    came_in = found.opening + sum(month.issued for month in found.months)
    went = sum(month.redeemed + month.expired for month in found.months)
    assert came_in - went == nights[-1].totals.net
    # Month after month, with none left out and none beyond what is kept.
    numbers = [month.month for month in found.months]
    assert numbers == list(range(numbers[0], nights[-1].month + 1))
    assert len([month for month in found.months if month.known]) <= past.MONTHS + 1


@given(closings())
def test_a_month_tells_what_its_own_nights_tell(nights: list[Closing]) -> None:
    found = past.point_months(kept(nights), nights[-1])
    months = {night.month for night in nights}
    for month in found.months:
        assert month.known == (month.month in months)
        if not month.known:
            assert (month.issued, month.redeemed, month.expired) == (0, 0, 0)


def test_the_first_night_of_a_day_closes_it_and_a_later_one_of_the_day_is_told_of() -> None:
    first = Closing(BEGIN, 29, "2026-01-30", Totals(earned=100, available=100))
    second = Closing(BEGIN, 29, "2026-01-30-02", Totals(earned=130, available=130))
    history = kept([first, second])
    assert history.closings == (first,)
    # Its report tells of what it found itself; what came between counts in the next month.
    assert sum(month.issued for month in past.point_months(history, second).months) == 30
    later = Closing(BEGIN + 1, 31, "2026-02-01", Totals(earned=150, available=150))
    assert [month.issued for month in past.point_months(past.with_points(history, later), later).months] == [0, 50]


def test_what_was_there_before_the_first_night_is_its_opening() -> None:
    first = Closing(BEGIN, 5, "a", Totals(earned=900, redeemed=300, available=600))
    assert past.point_months(kept([first]), first) == past.PointMonths(600, (past.PointMonth(BEGIN, 0, 0, 0),))
    tonight = Closing(BEGIN, 20, "b", Totals(earned=1_000, redeemed=320, expired=10, available=670))
    found = past.point_months(kept([first, tonight]), tonight)
    assert found == past.PointMonths(600, (past.PointMonth(BEGIN, 100, 20, 10),))


def test_a_late_reduction_of_an_earlier_night_tells_of_its_own_time() -> None:
    nights = [Closing(BEGIN + month, 30 * month + 29, f"n{month}", Totals(earned=10 * month)) for month in range(5)]
    found = past.point_months(kept(nights), nights[2])
    assert [month.issued for month in found.months] == [0, 10, 10]


def test_after_years_the_oldest_month_kept_is_the_opening() -> None:
    nights = [
        Closing(BEGIN + month, 30 * month, f"n{month:03d}", Totals(earned=10 * month, available=10 * month))
        for month in range(50)
    ]
    found = past.point_months(kept(nights), nights[-1])
    assert found.opening == 130
    assert [month.month for month in found.months] == list(range(BEGIN + 14, BEGIN + 50))
    assert {month.issued for month in found.months} == {10}


def test_what_is_heard_later_holds_and_older_months_stay() -> None:
    early = Heard(BEGIN, 40, "a", promoters=3, answers=40)
    late = Heard(BEGIN, 70, "b", promoters=5, answers=44)
    one = past.with_heard(past.with_heard(History(), [late]), [early, Heard(BEGIN + 1, 40, "a")])
    other = past.with_heard(past.with_heard(History(), [early, Heard(BEGIN + 1, 40, "a")]), [late])
    assert one == other
    assert [month.answers for month in one.heard] == [44, 0]
    many = past.with_heard(one, (Heard(BEGIN + month, 80, "c") for month in range(2, 60)))
    assert len(many.heard) == past.MONTHS


def nightly(days: dict[int, set[tuple[str, str]]]) -> dict[int, list[str]]:
    """What is told in each night that finds these indicators outside."""
    history, told = History(), {}
    for day, outside in sorted(days.items()):
        history = past.judged(history, sorted(outside), day, cool_down_days=COOL_DOWN)
        told[day] = sorted(name for name, at in history.told.items() if at == day)
    return told


FALLING, RISING = ("nps", "falling"), ("nps", "rising")


def test_an_alert_is_told_when_it_begins_and_not_while_it_lasts() -> None:
    days = {day: {FALLING} for day in range(10, 60)}
    assert [day for day, told in nightly(days).items() if told] == [10]
    # A night that fell out in between is no end.
    del days[30]
    assert [day for day, told in nightly(days).items() if told] == [10]


def test_what_begins_again_within_two_weeks_is_not_told_again() -> None:
    days: dict[int, set[tuple[str, str]]] = {10: {FALLING}, 11: set(), 12: {FALLING}, 13: set(), 23: {FALLING}}
    assert [day for day, told in nightly(days).items() if told] == [10]
    assert nightly({10: {FALLING}, 11: set(), 24: {FALLING}})[24] == ["nps:falling"]
    # In the other direction it is another alert.
    assert nightly({10: {FALLING}, 11: {RISING}})[11] == ["nps:rising"]


def test_a_night_judged_twice_or_late_changes_nothing() -> None:
    once = past.judged(History(), [FALLING], 10, cool_down_days=COOL_DOWN)
    assert past.judged(once, [FALLING], 10, cool_down_days=COOL_DOWN) == once
    assert past.judged(once, [RISING], 9, cool_down_days=COOL_DOWN) == once
    assert once.told == {"nps:falling": 10}
    assert once.outside[0].since == 10


@given(closings(), st.lists(st.sampled_from([FALLING, RISING]), max_size=2, unique=True))
def test_a_history_is_read_as_it_was_stored(nights: list[Closing], outside: list[tuple[str, str]]) -> None:
    history = past.with_heard(kept(nights), [Heard(BEGIN, 3, "n", 1, 2, 4, 5)])
    history = past.judged(history, outside, 3, cool_down_days=COOL_DOWN)
    assert msgspec.json.decode(msgspec.json.encode(history), type=History) == history


def test_an_account_counts_as_it_is_on_the_day_whether_or_not_it_was_swept() -> None:
    lifetime = Lifetime(earned=100, redeemed=20, adjusted=5, restored=5)
    state = State(
        lots=(Lot(50, 30), Lot(500, 20)),
        pending=(Pending(90, 600, 25), Pending(400, 700, 5)),
        holds=(Hold("h", 300, (Lot(500, 10),)),),
        lifetime=lifetime,
    )
    found = holdings.of(state, 100)
    assert (found.available, found.pending, found.held, found.owed, found.expired) == (45, 5, 10, 0, 30)
    assert found.net == found.issued - found.used - found.expired == 60
    assert found.members == 1
    closed = holdings.of(State(lifetime=Lifetime(earned=10, merged=-10), closed_into="mem_b"), 100)
    assert (closed.members, closed.earned, closed.issued, closed.net) == (0, 10, 0, 0)


def test_totals_are_carried_and_read_again() -> None:
    one = Totals(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    assert holdings.read(msgspec.json.decode(msgspec.json.encode(holdings.carried(one)))) == one
    assert one.plus(one).earned == 4
    assert holdings.read(None) is None
    assert holdings.read({}) is None


def test_the_share_of_breakage_is_told_of_what_is_exactly_there() -> None:
    lots = kpis.fifo(np.full(20, 100.0), np.full(20, 60.0), 12)
    estimate = kpis.breakage(lots)
    exact, unknown = kpis.of_outstanding(estimate, 777)
    assert exact is not None
    assert (exact.outstanding_points, unknown) == (777.0, "")
    assert exact.expected_breakage_points / 777 == pytest.approx(
        estimate.expected_breakage_points / estimate.outstanding_points
    )
    nothing = kpis.breakage(kpis.fifo(np.zeros(5), np.zeros(5), 12))
    assert kpis.of_outstanding(nothing, 5) == (None, "older")
    none_left, _unknown = kpis.of_outstanding(nothing, 0)
    assert none_left is not None
    assert none_left.expected_breakage_points == 0.0


def test_lots_that_live_until_the_end_of_a_year_live_shorter_the_later_they_begin() -> None:
    lives = np.array([12 - month % 12 for month in range(24)])
    issued, spent = np.full(24, 100.0), np.zeros(24)
    spent[12] = 50.0
    lots = kpis.fifo(issued, spent, lives)
    # What was given out in the year before is gone by then.
    assert lots.redeemed[:12].sum() == 0.0
    assert lots.redeemed[12, 0] == 50.0
    assert kpis.breakage(lots).outstanding_points == 1_150.0


def test_ages_that_no_lot_has_reached_are_used_as_the_others_are() -> None:
    young = kpis.breakage(kpis.fifo(np.full(4, 100.0), np.full(4, 20.0), 24))
    assert len(young.hazards) == 24
    # Redemptions come off the oldest lot; what is not known yet is not taken for never.
    assert young.hazards[3:] == pytest.approx([young.hazards[-1]] * 21)
    assert 0.0 < young.hazards[-1] < 1.0
    assert young.expected_breakage_points < young.outstanding_points
