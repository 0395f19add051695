"""The care calendar of a night: the coming 14 days, whose birthdays they are among them."""

from __future__ import annotations

import bisect
import itertools
from datetime import date
from typing import Final

import msgspec

from chalicelib.engagement.rules.birthdays import month_days
from chalicelib.members import birthdays
from chalicelib.program.document import Program
from chalicelib.scoring import care
from chalicelib.scoring.parts import Rows
from chalicelib.scoring.report.model import CareDay
from chalicelib.scoring.rules.coming import OCCASIONS, Occasions, occasions

BIRTHDAYS_MAX: Final = 5_000
"""So many members at the most are read of each quarter (shard) of those who have a birthday on a day."""

_PAGE: Final = 1_000


class Diary(msgspec.Struct, frozen=True, eq=False):
    """What the coming days hold: for whom, and in figures."""

    occasions: Occasions
    days: tuple[CareDay, ...]


def diary(rows: Rows, program: Program, first_day: int) -> Diary:
    """The calendar of the members of a night, from the day of its morning on; reads who was born on those days."""
    born = {first_day + place: _born_on(rows.names, day) for place, day in enumerate(care.days_from(first_day))}
    least = care.points_least(program)
    found = occasions(rows.coming, born, first_day, care.AHEAD_DAYS, points_least=least)
    return Diary(found, _days(found, rows, first_day))


def _born_on(names: tuple[str, ...], day: date) -> list[int]:
    """The places of those who have their birthday on a day; `names` are sorted."""
    places = []
    for month_day, shard in itertools.product(month_days(day), range(birthdays.BORN_SHARDS)):
        found = birthdays.who_was_born(month_day, shard, page_size=_PAGE)
        for name in itertools.islice(found, BIRTHDAYS_MAX):
            place = bisect.bisect_left(names, name)
            # Who is not among them was merged, has only just come, or is in no sample.
            if place < len(names) and names[place] == name:
                places.append(place)
    return sorted(places)


def _days(found: Occasions, rows: Rows, first_day: int) -> tuple[CareDay, ...]:
    expiring = found.kind == OCCASIONS.index("expiring")
    points = [0] * care.AHEAD_DAYS
    for day, member in zip(found.day[expiring].tolist(), found.member[expiring].tolist(), strict=True):
        points[day - first_day] += int(rows.coming.expiring_points[member])
    counts = found.counts(first_day, care.AHEAD_DAYS).tolist()
    return tuple(
        CareDay(day=day.isoformat(), points=points[place], **dict(zip(OCCASIONS, counts[place], strict=True)))
        for place, day in enumerate(care.days_from(first_day))
    )
