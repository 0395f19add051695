from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base.clock import DAY_S
from chalicelib.ledger.state import LOTS_MAX, NEVER
from chalicelib.program.document import Program
from chalicelib.program.rules import expiry
from tests.programs import program

ZONES = ("Asia/Shanghai", "America/New_York", "America/Santiago", "Africa/Cairo", "Pacific/Apia", "Australia/Lord_Howe")

instants = st.integers(1_000_000_000, 2_000_000_000)


def at(zone: str, *moment: int) -> int:
    return int(datetime(*moment, tzinfo=ZoneInfo(zone)).timestamp())  # type: ignore[misc,arg-type]


def rolling(months: int, zone: str = "Asia/Shanghai") -> Program:
    return program(expiry={"kind": "rolling_months", "months": months}, time_zone=zone)


def test_points_live_whole_months_after_the_one_they_were_earned_in() -> None:
    found = expiry.expires_at(rolling(24), at("Asia/Shanghai", 2026, 11, 21, 12))
    assert found == at("Asia/Shanghai", 2028, 12, 1)


def test_points_of_one_month_expire_together() -> None:
    first = expiry.expires_at(rolling(1), at("Asia/Shanghai", 2026, 12, 1))
    last = expiry.expires_at(rolling(1), at("Asia/Shanghai", 2026, 12, 31, 23, 59, 59))
    assert first == last == at("Asia/Shanghai", 2027, 2, 1)


def test_the_month_is_that_of_the_programmes_zone() -> None:
    """16:00 UTC on the last of the month is the first of the next in Shanghai."""
    instant = int(datetime(2026, 1, 31, 16, tzinfo=UTC).timestamp())
    assert expiry.expires_at(rolling(1), instant) == at("Asia/Shanghai", 2026, 4, 1)
    assert expiry.expires_at(rolling(1, "UTC"), instant) == at("UTC", 2026, 3, 1)


def years(count: int, month: int = 12, zone: str = "Asia/Shanghai") -> Program:
    return program(expiry={"kind": "calendar_year", "years": count, "month": month}, time_zone=zone)


def inactive(months: int, zone: str = "Asia/Shanghai") -> Program:
    return program(expiry={"kind": "inactivity", "months": months}, time_zone=zone)


@pytest.mark.parametrize(
    ("count", "month", "earned", "lapses"),
    [
        (1, 12, (2026, 1, 1), (2028, 1, 1)),
        (1, 12, (2026, 12, 31), (2028, 1, 1)),
        (0, 12, (2026, 12, 31), (2027, 1, 1)),
        (2, 3, (2026, 3, 31), (2028, 4, 1)),
        (2, 3, (2026, 4, 1), (2029, 4, 1)),
        (0, 1, (2026, 1, 15), (2026, 2, 1)),
        (0, 1, (2026, 2, 1), (2027, 2, 1)),
    ],
)
def test_points_of_one_year_expire_with_the_end_of_a_later_one(
    count: int, month: int, earned: tuple[int, ...], lapses: tuple[int, ...]
) -> None:
    found = expiry.expires_at(years(count, month), at("Asia/Shanghai", *earned))
    assert found == at("Asia/Shanghai", *lapses)


def test_a_purchase_puts_off_the_expiry_of_all_points_under_inactivity() -> None:
    instant = at("Asia/Shanghai", 2026, 11, 21, 12)
    assert expiry.extended_to(inactive(12), instant) == at("Asia/Shanghai", 2027, 12, 1)
    assert expiry.expires_at(inactive(12), instant) == at("Asia/Shanghai", 2027, 12, 1)


@pytest.mark.parametrize("found", [rolling(24), years(1), program(expiry={"kind": "never"})])
def test_a_purchase_puts_nothing_off_under_any_other_expiry(found: Program) -> None:
    assert expiry.extended_to(found, 1_790_000_000) == 0


def test_the_last_day_of_the_refund_window_counts_in_full() -> None:
    found = expiry.refundable_until(program(refund_window_days=90), at("Asia/Shanghai", 2026, 11, 21, 12))
    assert found == at("Asia/Shanghai", 2027, 2, 20)


def test_points_that_never_expire_say_so() -> None:
    assert expiry.expires_at(program(expiry={"kind": "never"}), 1_790_000_000) == NEVER


def test_without_pending_days_points_are_there_at_once() -> None:
    assert expiry.available_at(program(pending_days=0), 1_790_000_000) is None


def test_pending_points_mature_at_the_start_of_a_day() -> None:
    found = program(pending_days=14)
    assert expiry.available_at(found, at("Asia/Shanghai", 2026, 11, 21, 23, 59)) == at("Asia/Shanghai", 2026, 12, 5)


def test_pending_days_are_days_of_the_calendar_when_clocks_change() -> None:
    """The night of 8 March 2026 has 23 hours in New York, that of 1 November 25."""
    found = program(pending_days=1, time_zone="America/New_York")
    spring = at("America/New_York", 2026, 3, 7, 12)
    autumn = at("America/New_York", 2026, 10, 31, 12)
    assert expiry.available_at(found, spring) == at("America/New_York", 2026, 3, 8)
    assert expiry.available_at(found, autumn) == at("America/New_York", 2026, 11, 1)


def test_a_day_without_midnight_begins_with_its_first_instant() -> None:
    """In Santiago the clock goes from 24:00 on 5 September 2026 to 01:00."""
    found = program(pending_days=1, time_zone="America/Santiago")
    matures = expiry.available_at(found, at("America/Santiago", 2026, 9, 5, 12))
    assert matures == at("America/Santiago", 2026, 9, 6, 1)


def test_a_day_that_a_zone_left_out_is_passed_over() -> None:
    """Samoa had no 30 December 2011."""
    found = program(pending_days=1, time_zone="Pacific/Apia")
    assert expiry.available_at(found, at("Pacific/Apia", 2011, 12, 29, 12)) == at("Pacific/Apia", 2011, 12, 31)


def test_points_that_still_live_come_back_with_their_own_date() -> None:
    assert expiry.graced(program(grace_days=30), 2_000, 1_999) == 2_000


def test_points_that_have_lapsed_come_back_with_the_grace() -> None:
    found = expiry.graced(program(grace_days=30), at("Asia/Shanghai", 2026, 11, 1), at("Asia/Shanghai", 2026, 11, 21))
    assert found == at("Asia/Shanghai", 2027, 1, 1)


def test_a_grace_that_ends_with_a_month_is_not_rounded_further() -> None:
    found = expiry.graced(program(grace_days=9), at("Asia/Shanghai", 2026, 11, 1), at("Asia/Shanghai", 2026, 11, 21))
    assert found == at("Asia/Shanghai", 2026, 12, 1)


def test_the_last_day_of_a_grace_counts_in_full() -> None:
    found = expiry.graced(program(grace_days=10), at("Asia/Shanghai", 2026, 11, 1), at("Asia/Shanghai", 2026, 11, 21))
    assert found == at("Asia/Shanghai", 2027, 1, 1)


def test_without_a_grace_lapsed_points_stay_lapsed() -> None:
    assert expiry.graced(program(grace_days=0), 2_000, 2_000) == 2_000


def test_points_that_never_expire_need_no_grace() -> None:
    assert expiry.graced(program(grace_days=30), NEVER, 1_790_000_000) == NEVER


def test_a_fact_is_taken_on_the_last_of_its_late_days_whatever_the_hour() -> None:
    found, now = program(late_days=30), at("Asia/Shanghai", 2026, 11, 21, 23, 59)
    assert not expiry.too_late(found, at("Asia/Shanghai", 2026, 10, 22), now)
    assert expiry.too_late(found, at("Asia/Shanghai", 2026, 10, 22) - 1, now)


@given(instant=instants, months=st.integers(1, 58), zone=st.sampled_from(ZONES))
def test_points_live_at_least_their_months_and_less_than_one_more(instant: int, months: int, zone: str) -> None:
    lived_s = expiry.expires_at(rolling(months, zone), instant) - instant
    assert months * 28 * DAY_S < lived_s < (months + 1) * 31 * DAY_S + DAY_S


@given(instant=instants, later_s=st.integers(0, 10**8), zone=st.sampled_from(ZONES))
def test_what_is_earned_later_never_expires_earlier(instant: int, later_s: int, zone: str) -> None:
    for found in (rolling(6, zone), years(1, 3, zone), inactive(6, zone)):
        assert expiry.expires_at(found, instant) <= expiry.expires_at(found, instant + later_s)


@given(instant=instants, count=st.integers(0, 10), month=st.integers(1, 12), zone=st.sampled_from(ZONES))
def test_points_of_a_year_live_so_many_years_and_the_rest_of_theirs(
    instant: int, count: int, month: int, zone: str
) -> None:
    found = datetime.fromtimestamp(expiry.expires_at(years(count, month, zone), instant), ZoneInfo(zone))
    earned = datetime.fromtimestamp(instant, ZoneInfo(zone))
    assert (found.month, found.day) == (month % 12 + 1, 1)
    lived = found.year * 12 + found.month - earned.year * 12 - earned.month
    assert 12 * count < lived <= 12 * (count + 1)


@given(instant=instants, days=st.integers(1, 60), zone=st.sampled_from(ZONES))
def test_pending_points_wait_their_days_and_no_longer(instant: int, days: int, zone: str) -> None:
    matures = expiry.available_at(program(pending_days=days, time_zone=zone), instant)
    assert matures is not None
    # An hour for the change of clocks, a day for the one that Samoa left out.
    assert (days - 1) * DAY_S - DAY_S < matures - instant <= days * DAY_S + 3_600


@given(instant=instants, zone=st.sampled_from(ZONES))
def test_an_account_never_needs_more_lots_than_it_has_room_for(instant: int, zone: str) -> None:
    """Points earned in all the months that are still alive, at the longest expiry that a document may ask for."""
    found = rolling(58, zone)
    alive = {expiry.expires_at(found, instant - days * DAY_S) for days in range(0, 365 * 6, 5)}
    assert len({expires_at for expires_at in alive if expires_at > instant}) < LOTS_MAX


@given(instant=instants, lapsed_s=st.integers(0, 10**8), days=st.integers(1, 366), zone=st.sampled_from(ZONES))
def test_a_grace_is_as_long_as_it_says_and_ends_with_a_month(instant: int, lapsed_s: int, days: int, zone: str) -> None:
    found = expiry.graced(program(grace_days=days, time_zone=zone), instant - lapsed_s, instant)
    local = datetime.fromtimestamp(found, ZoneInfo(zone))
    assert (local.day, local.hour) in {(1, 0), (1, 1)}
    assert (days - 1) * DAY_S < found - instant < (days + 33) * DAY_S
