"""When windows and periods begin and end on the programme's clocks, and whose birthday falls into them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import clock
from chalicelib.ledger.state import NEVER
from chalicelib.program.rules.windows import instant, is_birthday, period_end

ZONES = ["Asia/Shanghai", "America/New_York", "Pacific/Apia", "Europe/Lisbon", "America/Havana", "Australia/Lord_Howe"]
PERIODS = ["day", "week", "month", "year"]
instants = st.integers(1_200_000_000, 2_200_000_000)


@pytest.mark.parametrize(
    ("zone", "local", "at"),
    [
        ("Asia/Shanghai", "2026-11-11T00:00", "2026-11-10T16:00:00Z"),
        ("America/New_York", "2026-11-11T00:00", "2026-11-11T05:00:00Z"),
        # The clocks jump from 2 to 3: any time between is 3 o'clock.
        ("America/New_York", "2026-03-08T02:00", "2026-03-08T07:00:00Z"),
        ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:00:00Z"),
        ("America/New_York", "2026-03-08T02:59", "2026-03-08T07:00:00Z"),
        ("America/New_York", "2026-03-08T03:00", "2026-03-08T07:00:00Z"),
        ("America/New_York", "2026-03-08T01:59", "2026-03-08T06:59:00Z"),
        # They show the hour from 1 to 2 twice: it is the first time.
        ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30:00Z"),
        ("America/New_York", "2026-11-01T02:00", "2026-11-01T07:00:00Z"),
        # Samoa had no 30 December 2011.
        ("Pacific/Apia", "2011-12-29T23:59", "2011-12-30T09:59:00Z"),
        ("Pacific/Apia", "2011-12-30T00:00", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00:00Z"),
        # In Havana the clocks jump at midnight, and by half an hour on Lord Howe.
        ("America/Havana", "2026-03-08T00:00", "2026-03-08T05:00:00Z"),
        ("America/Havana", "2026-11-01T00:30", "2026-11-01T04:30:00Z"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30:00Z"),
    ],
)
def test_a_local_time_is_one_instant_whatever_the_clocks_do(zone: str, local: str, at: str) -> None:
    assert clock.text(instant(local, ZoneInfo(zone))) == at


@given(st.sampled_from(ZONES), instants)
def test_a_time_is_never_after_the_instant_that_shows_it(zone: str, at: int) -> None:
    minute = at - at % 60
    local = datetime.fromtimestamp(minute, ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
    found = instant(local, ZoneInfo(zone))
    assert found == minute or (found < minute and minute - found <= 3_600)


@given(st.sampled_from(ZONES), st.datetimes(datetime(2008, 1, 1), datetime(2039, 1, 1)))  # noqa: DTZ001 -- times on a clock
def test_later_times_are_never_earlier_instants(zone: str, local: datetime) -> None:
    """But for an hour that is shown twice: its second showing lies behind what follows on the clock."""
    texts = [(local + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M") for minutes in range(0, 120, 15)]
    found = [instant(text, ZoneInfo(zone)) for text in texts]
    assert found == sorted(found)


@given(st.sampled_from(ZONES), instants, st.sampled_from(PERIODS))
def test_a_period_is_over_when_the_calendar_says_so(zone: str, at: int, per: str) -> None:
    end = period_end(per, at, ZoneInfo(zone))
    assert end > at
    assert _key(at, zone, per) == _key(end - 1, zone, per) != _key(end, zone, per)
    assert period_end(per, end - 1, ZoneInfo(zone)) == end


def _key(at: int, zone: str, per: str) -> tuple[int, ...]:
    day = datetime.fromtimestamp(at, ZoneInfo(zone)).date()
    return {
        "day": (day.year, day.month, day.day),
        "week": tuple(day.isocalendar())[:2],
        "month": (day.year, day.month),
        "year": (day.year,),
    }[per]


def test_ever_has_no_end() -> None:
    assert period_end("ever", 1_795_233_600, ZoneInfo("Asia/Shanghai")) == NEVER


@pytest.mark.parametrize(
    ("today", "period", "kept"),
    [
        ("2026-05-17", "day", True),
        ("2026-05-16", "day", False),
        ("2026-05-11", "week", True),
        ("2026-05-10", "week", False),
        ("2026-05-17", "week", True),
        ("2026-05-18", "week", False),
        ("2026-05-31", "month", True),
        ("2026-06-01", "month", False),
    ],
)
def test_a_birthday_is_a_day_a_week_from_monday_or_a_month(today: str, period: str, kept: bool) -> None:  # noqa: FBT001
    assert is_birthday("1990-05-17", date.fromisoformat(today), period) is kept


@pytest.mark.parametrize(
    ("today", "period", "kept"),
    [
        ("2027-02-28", "day", True),
        ("2027-03-01", "day", False),
        ("2028-02-28", "day", False),
        ("2028-02-29", "day", True),
        ("2027-02-22", "week", True),
        ("2027-03-01", "week", False),
        ("2027-02-01", "month", True),
        ("2027-03-01", "month", False),
        ("2100-02-28", "day", True),
    ],
)
def test_who_was_born_on_29_february_has_a_birthday_every_year(today: str, period: str, kept: bool) -> None:  # noqa: FBT001
    assert is_birthday("1988-02-29", date.fromisoformat(today), period) is kept


@pytest.mark.parametrize(("birthday", "today"), [("1990-01-02", "2026-12-29"), ("1990-12-30", "2027-01-02")])
def test_a_birthdays_week_may_lie_in_two_years(birthday: str, today: str) -> None:
    """The week from Monday, 28 December 2026, to 3 January."""
    assert is_birthday(birthday, date.fromisoformat(today), "week")
    assert not is_birthday(birthday, date(2027, 1, 4), "week")


@pytest.mark.parametrize("birthday", ["", "unknown", "1990-02-30", "05-17"])
@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_an_unknown_birthday_is_never(birthday: str, period: str) -> None:
    days = [date(2026, 1, 1) + timedelta(days) for days in range(366)]
    assert not any(is_birthday(birthday, day, period) for day in days)


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(2020, 2100))
def test_every_birthday_has_one_day_seven_of_the_week_and_a_month_each_year(born: date, year: int) -> None:
    days = [date(year, 1, 1) + timedelta(number) for number in range(366)]
    days = [day for day in days if day.year == year]
    counts = {
        period: sum(is_birthday(born.isoformat(), day, period) for day in days) for period in ("day", "week", "month")
    }
    assert counts["day"] == 1
    assert 28 <= counts["month"] <= 31
    # The week around New Year belongs to two years, and to a birthday of either.
    assert 1 <= counts["week"] <= 13
