"""When birthdays are seen to, on which day they are kept, and who gets which gift."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import clock, facts
from chalicelib.engagement.rules import birthdays
from chalicelib.program.document import Program, default, entry_title
from chalicelib.program.document.birthday import BirthdayCare
from chalicelib.program.rules.inputs import Member
from tests.programs import program, texts
from tests.rules.test_rules_validation import problems_of

BATCH = "vbt_" + "a" * 26
NOON = clock.parse("2026-05-17T04:00:00Z")


def gift(code: str = "cake", points: int = 50, **fields: Any) -> dict[str, Any]:
    return {"code": code, "title": texts(code), "points": points, **fields}


def kept(*gifts: dict[str, Any], **fields: Any) -> tuple[Program, BirthdayCare]:
    found = program(birthday={"gifts": list(gifts) or [gift()], **fields})
    assert found.birthday
    return found, found.birthday


def chosen(found: tuple[Program, BirthdayCare], **member: Any) -> str | None:
    who: dict[str, Any] = {"at": NOON, "member_id": "mem_a", "tier": "member"}
    got = birthdays.gift_for(*found, Member(**who | member))
    return got.code if got else None


@given(st.dates(date(1900, 1, 1), date(2020, 12, 31)), st.integers(2021, 2120))
def test_everybody_has_one_birthday_a_year(born: date, year: int) -> None:
    days = (
        date(year, 1, 1) + timedelta(days=place)
        for place in range(365 + (date(year, 12, 31).timetuple().tm_yday == 366))
    )
    assert sum(birthdays.is_birthday(born, day) for day in days) == 1


@pytest.mark.parametrize(("year", "day"), [(2026, "02-28"), (2028, "02-29"), (2100, "02-28")])
def test_a_leap_day_is_kept_on_the_28th_in_other_years(year: int, day: str) -> None:
    assert birthdays.is_birthday(date(2000, 2, 29), date.fromisoformat(f"{year}-{day}"))


def test_the_day_of_birth_is_no_birthday() -> None:
    assert not birthdays.is_birthday(date(2026, 5, 17), date(2026, 5, 17))


@pytest.mark.parametrize(
    ("local", "expected"), [("00:30", False), ("08:59", False), ("09:00", True), ("20:59", True), ("21:00", False)]
)
def test_gifts_are_given_at_decent_hours_of_the_programmes_zone(local: str, expected: bool) -> None:  # noqa: FBT001
    found = kept(hour=9)
    assert birthdays.is_open(*found, clock.seconds(datetime.fromisoformat(f"2026-05-17T{local}:00+08:00"))) is expected


def test_days_that_are_due_begin_before_the_birthday_and_reach_back_a_week() -> None:
    days = birthdays.days(kept(days_before=3)[1], date(2026, 1, 2))
    assert (days[0], days[-1], len(days)) == (date(2025, 12, 26), date(2026, 1, 5), 11)


def test_the_first_gift_that_fits_is_given() -> None:
    found = kept(
        gift("great", audience={"tiers": ["gold", "diamond"]}),
        gift("press", audience={"tags": ["press"]}),
        gift("plain"),
    )
    assert chosen(found, tier="gold", tags=("press",)) == "great"
    assert chosen(found, tags=("press",)) == "press"
    assert chosen(found, tier="silver") == "plain"
    assert chosen(kept(gift(audience={"segments": ["loyal"]}))) is None


def test_who_has_not_been_enrolled_for_long_waits_a_year() -> None:
    found = kept(enrolled_days=30)
    assert chosen(found, enrolled_at=NOON - 30 * clock.DAY_S) == "cake"
    assert chosen(found, enrolled_at=NOON - 30 * clock.DAY_S + 1) is None


def test_publishing_refuses_what_cannot_be_given() -> None:
    def of(*gifts: dict[str, Any], **fields: Any) -> set[str]:
        return set(problems_of(birthday={"gifts": list(gifts), **fields}))

    assert of(gift(), gift()) == {"birthday.gifts[1].code", "birthday.gifts[0].audience"}
    assert of(gift(points=0)) == {"birthday.gifts[0].points"}
    assert of(gift(audience={"tiers": ["platinum"]})) == {"birthday.gifts[0].audience.tiers[0]"}
    assert of(gift(voucher_batch_id="vbt_x")) == {"birthday.gifts[0].voucher_batch_id"}
    for field, wrong in (("hour", 7), ("hour", 21), ("days_before", 31), ("enrolled_days", -1)):
        assert of(gift(), **{field: wrong}) == {f"birthday.{field}"}
    assert of() == {"birthday.gifts"}
    kept(gift(points=0, voucher_batch_id=BATCH))


def test_a_statement_shows_the_gifts_title_and_else_the_engines() -> None:
    found = program(birthday={"gifts": [gift() | {"title": {"en": "Cake", "zh-Hans": "蛋糕", "zh-Hant": "蛋糕券"}}]})
    told = [entry_title(found, facts.BIRTHDAY_GIFT, "cake", locale) for locale in ("en", "zh-Hans", "zh-Hant")]
    assert told == ["Cake", "蛋糕", "蛋糕券"]
    assert entry_title(found, facts.BIRTHDAY_GIFT, "gone", "en") == "Birthday gift"
    assert entry_title(default(), facts.BIRTHDAY_GIFT, "cake", "zh-Hant") == "生日禮"
