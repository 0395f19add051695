"""Samples: drawn alike however often, in the share that is asked for, and spread over the quarter."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import ids
from chalicelib.surveys import sampling
from chalicelib.surveys.sampling import Quarter

SHANGHAI = ZoneInfo("Asia/Shanghai")
MEMBERS = [ids.derived("mem", str(number)) for number in range(20_000)]
ZONES = st.sampled_from([SHANGHAI, ZoneInfo("Europe/Berlin"), ZoneInfo("America/St_Johns"), UTC])


@pytest.mark.parametrize("percent", [1, 10, 50, 99])
def test_the_share_is_what_was_asked_for(percent: int) -> None:
    drawn = sum(sampling.is_drawn(percent, member, "pulse", "2026-Q4") for member in MEMBERS)
    expected = len(MEMBERS) * percent / 100
    # Five standard deviations of a fair draw: the sample is fixed, so this holds for ever or never.
    assert abs(drawn - expected) < 5 * (expected * (100 - percent) / 100) ** 0.5


def test_all_means_all() -> None:
    assert all(sampling.is_drawn(100, member, "pulse", "2026-Q4") for member in MEMBERS)


def test_a_larger_sample_takes_in_the_smaller_one() -> None:
    for member in MEMBERS[:2000]:
        draws = [sampling.is_drawn(percent, member, "pulse", "2026-Q4") for percent in range(1, 101)]
        assert draws == sorted(draws)


def test_quarters_and_rules_draw_on_their_own() -> None:
    def drawn(code: str, quarter: str) -> set[str]:
        return {member for member in MEMBERS if sampling.is_drawn(20, member, code, quarter)}

    first = drawn("pulse", "2026-Q4")
    for other in (drawn("pulse", "2027-Q1"), drawn("nps", "2026-Q4")):
        assert abs(len(first & other) - len(MEMBERS) * 0.04) < 150


def test_nobody_can_foresee_it_without_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [sampling.is_drawn(50, member, "pulse", "2026-Q4") for member in MEMBERS[:200]]
    other = type("Settings", (), {"id_secret": b"another"})()
    monkeypatch.setattr(sampling, "settings", lambda: other)
    assert before != [sampling.is_drawn(50, member, "pulse", "2026-Q4") for member in MEMBERS[:200]]


def test_a_sample_is_spread_over_all_days_of_the_quarter() -> None:
    drawn = [member for member in MEMBERS if sampling.is_drawn(50, member, "pulse", "2026-Q4")]
    days = Counter(sampling.day_of(92, member, "pulse", "2026-Q4") for member in drawn)
    assert set(days) == set(range(92))
    assert max(days.values()) < 2 * len(drawn) / 92


@given(st.integers(0, 100 * 366 * 86_400), ZONES)
def test_every_instant_lies_in_the_day_that_is_named(instant: int, zone: ZoneInfo) -> None:
    quarter = sampling.quarter_of(instant, zone)
    assert 90 <= quarter.days <= 92
    assert 0 <= quarter.day < quarter.days
    begun = sampling.begins_at(quarter, quarter.day, zone)
    assert begun <= instant
    assert datetime.fromtimestamp(begun, zone).date() == datetime.fromtimestamp(instant, zone).date()


@given(st.integers(1, 400), ZONES)
def test_the_days_of_quarters_follow_each_other(days: int, zone: ZoneInfo) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=zone)
    before, after = (
        sampling.quarter_of(int((noon + timedelta(days=day)).timestamp()), zone) for day in (days, days + 1)
    )
    if before.name == after.name:
        assert after.day == before.day + 1
    else:
        assert (before.day, after.day) == (before.days - 1, 0)


def test_a_quarter_ends_on_the_programmes_clocks() -> None:
    midnight = int(datetime(2027, 1, 1, tzinfo=SHANGHAI).timestamp())
    assert sampling.quarter_of(midnight - 1, SHANGHAI) == Quarter("2026-Q4", 92, 91)
    assert sampling.quarter_of(midnight, SHANGHAI) == Quarter("2027-Q1", 90, 0)
