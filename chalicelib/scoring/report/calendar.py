"""The care calendar on the page: two weeks of days, each with who is to be thought of."""

from __future__ import annotations

from datetime import date
from typing import Final

from chalicelib.base.svg import Both, same, span
from chalicelib.scoring.report import numbers
from chalicelib.scoring.report.model import CareDay, Report
from chalicelib.scoring.report.parts import figure, legend, panel, plain
from chalicelib.scoring.report.words import filled, key
from chalicelib.scoring.rules.coming import OCCASIONS

_WEEKDAYS: Final[tuple[Both, ...]] = (
    ("Mon", "周一"),
    ("Tue", "周二"),
    ("Wed", "周三"),
    ("Thu", "周四"),
    ("Fri", "周五"),
    ("Sat", "周六"),
    ("Sun", "周日"),
)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FRIDAY: Final = 4


def calendar(report: Report) -> str:
    """The coming days by occasion; nothing where there is no such calendar, as in the report of a file."""
    days = report.care
    if not days:
        return ""
    if not any(_count(day, kind) for day in days for kind in OCCASIONS):
        return panel("care", plain(key("no_occasions")))
    highest = {kind: max(_count(day, kind) for day in days) or 1 for kind in OCCASIONS}
    tiles = "".join(_tile(day, highest) for day in days)
    names = legend([(f"care-{kind}", key(f"care_{kind}")) for kind in OCCASIONS])
    heads = [key("day"), *(key(f"care_{kind}") for kind in OCCASIONS), key("points_expiring")]
    rows = [
        [same(day.day), *(same(f"{_count(day, kind):,}") for kind in OCCASIONS), same(f"{day.points:,}")]
        for day in days
    ]
    note = filled("care_note", first=days[0].day, last=days[-1].day)
    return figure("care", f'{names}<ol class="days">{tiles}</ol>', note, heads, rows)


def _count(day: CareDay, kind: str) -> int:
    count: int = getattr(day, kind)
    return count


def _tile(day: CareDay, highest: dict[str, int]) -> str:
    on = date.fromisoformat(day.day)
    lines = "".join(_line(day, kind, highest[kind]) for kind in OCCASIONS)
    weekend = ' class="weekend"' if on.weekday() > _FRIDAY else ""
    short, words = numbers.whole(day.points), key("care_points")
    points = (words[0].format(points=short[0]), words[1].format(points=short[1])) if day.points else same("")
    month = (_MONTHS[on.month - 1], f"{on.month}月")
    heading = f"<h3>{span(_WEEKDAYS[on.weekday()])} <b>{on.day}</b><small>{span(month)}</small></h3>"
    return f"<li{weekend}>{heading}{lines}<em>{span(points)}</em></li>"


def _line(day: CareDay, kind: str, highest: int) -> str:
    """How many there are, with a bar as long as they are many among the days."""
    count = _count(day, kind)
    title = " / ".join(dict.fromkeys(f"{words}: {count:,}" for words in key(f"care_{kind}")))
    bar = f'<i class="care-{kind}" style="width:{100 * count / highest:.0f}%"></i>' if count else ""
    return f'<p title="{title}"><b>{f"{count:,}" if count else "·"}</b><span>{bar}</span></p>'
