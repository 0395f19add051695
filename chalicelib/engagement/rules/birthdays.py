"""Whose birthday is seen to when, and which gift a member gets: pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from chalicelib.base import clock
from chalicelib.program.document import Program
from chalicelib.program.document.birthday import BirthdayCare, BirthdayGift
from chalicelib.program.rules import campaigns, conditions
from chalicelib.program.rules.conditions import Facts
from chalicelib.program.rules.inputs import Member

CATCH_UP_DAYS: Final = 7
"""For so many days after a birthday its gift is still given, where it could not be before."""

LAST_HOUR: Final = 20
"""After the hour that begins with this one nobody is told anything."""

_LEAP_DAY: Final = "02-29"


def is_open(program: Program, care: BirthdayCare, at: int) -> bool:
    """Whether it is an hour at which gifts are given, on the programme's clocks."""
    return care.hour <= datetime.fromtimestamp(at, program.zone).hour <= LAST_HOUR


def days(care: BirthdayCare, today: date) -> list[date]:
    """The birthdays that are to be seen to on a day, the earliest first: those that are due, and those just past."""
    count = CATCH_UP_DAYS + care.days_before + 1
    return [today + timedelta(days=place - CATCH_UP_DAYS) for place in range(count)]


def month_days(day: date) -> tuple[str, ...]:
    """Who was born on which days, such as "05-17", has a birthday on `day`."""
    own = f"{day:%m-%d}"
    is_last = own == "02-28" and (day + timedelta(days=1)).month != day.month
    return (own, _LEAP_DAY) if is_last else (own,)


def is_birthday(born: date, day: date) -> bool:
    """Whether somebody has a birthday on `day`: not on the one on which they are born."""
    return f"{born:%m-%d}" in month_days(day) and born.year < day.year


def gift_for(program: Program, care: BirthdayCare, member: Member) -> BirthdayGift | None:
    """What a member gets at `member.at`: the first gift for whose audience they are; None for who is too new, or none.

    A tier that the programme does not know is the first one.
    """
    if member.at - member.enrolled_at < care.enrolled_days * clock.DAY_S:
        return None
    facts = Facts(
        zone=program.zone,
        tier=program.tier(member.tier) or program.tiers[0],
        member=member,
        channel="",
        store="",
        occurred_at=member.at,
    )
    for gift in care.gifts:
        if not conditions.first_unmet(campaigns.audience_checks(program, gift.audience), facts):
            return gift
    return None
