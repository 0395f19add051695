"""The points of all members on the page: what is outstanding, what came and went by month, and what to expect of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from chalicelib.base.svg import Both, drawing, grid, grouped, rect, same, span, text
from chalicelib.scoring.report import charts, numbers
from chalicelib.scoring.report.model import Holdings, Report
from chalicelib.scoring.report.parts import figure, legend
from chalicelib.scoring.report.words import filled, key
from chalicelib.scoring.rules.kpis import Breakage
from chalicelib.scoring.rules.past import PointMonth

_WIDTH, _HEIGHT = 560, 240
_LEFT, _TOP, _BOTTOM = 56, 14, 200
_LABELS: Final = 8
_BARS_FROM: Final = 2


def points(report: Report) -> str:
    """The figure, or nothing where nobody knows of points."""
    held, found = report.holdings, report.points
    if held is None and found is None:
        return ""
    rows = "".join(f"<div><dt>{span(name)}</dt><dd>{span(value)}</dd></div>" for name, value in _facts(held, found))
    facts, hazards, bars = f'<dl class="facts">{rows}</dl>', "", ""
    if found is not None:
        hazards = f'{charts.hazards(found.hazards)}<p class="soft">{span(key("hazards"))}</p>'
    if held is not None and len(held.months) >= _BARS_FROM:
        bars = f"<div>{_legend()}{_bars(held.months)}</div>"
    # Beside each other, two at the most: of three, the figures would be too small to read.
    boxes = [f"<div>{facts}{hazards}</div>", bars] if bars else [facts, f"<div>{hazards}</div>" if hazards else ""]
    chart = f'<div class="split">{"".join(boxes)}</div>'
    after = "".join(f'<p class="soft">{span(told)}</p>' for told in _told(held, found))
    if held is None:
        return figure("points", chart, after=after)
    return figure("points", chart, filled("held_note", members=f"{held.members:,}"), *_table(held.months), after=after)


def _facts(held: Holdings | None, found: Breakage | None) -> Iterator[tuple[Both, Both]]:
    if held is None:
        yield key("outstanding"), numbers.money(found.outstanding_points if found is not None else 0.0)
    else:
        yield key("outstanding"), numbers.whole(held.outstanding)
        for name in ("pending", "held", "owed"):
            if count := getattr(held, name):
                yield key(f"points_{name}"), numbers.whole(count)
    if found is not None:
        share = found.expected_breakage_points / found.outstanding_points if found.outstanding_points else None
        yield key("breakage"), numbers.money(found.expected_breakage_points)
        yield key("points_note"), same(numbers.percent(share, 1))
    elif held is not None:
        yield key("breakage"), key(f"breakage_{held.unknown}")


def _told(held: Holdings | None, found: Breakage | None) -> Iterator[Both]:
    if found is not None:
        yield filled("redeemed_share", rate=numbers.percent(found.ultimate_redemption_rate, 1))
    if held is not None and held.opening > 0 and held.months:
        opening, month = numbers.whole(held.opening), numbers.month(held.months[0].month)
        # Where the beginning lies further back than what is kept, the first month is a later one.
        words = key("opening" if held.since[:7] == month else "opening_later")
        en, zh = (words[n].format(points=opening[n], since=held.since, month=month) for n in (0, 1))
        yield en, zh
    if held is not None and held.expiry == "inactivity" and found is not None:
        yield key("breakage_inactivity")


def _table(months: Sequence[PointMonth]) -> tuple[list[Both], list[list[Both]]]:
    heads = [key("month"), key("points_issued"), key("points_redeemed"), key("points_expired")]
    rows = [
        [
            same(numbers.month(one.month)),
            *(same(f"{count:,}" if one.known else "–") for count in (one.issued, one.redeemed, one.expired)),
        ]
        for one in months
    ]
    return heads, rows


def _legend() -> str:
    return legend(
        [
            ("fresh", key("points_issued")),
            ("active", key("points_redeemed")),
            ("seg-lapsed", key("points_expired")),
        ]
    )


def _bars(months: Sequence[PointMonth]) -> str:
    """By month, what was given out beside what was redeemed and, on top of that, what expired."""
    highest = max(max(one.issued, one.redeemed + one.expired, 1) for one in months)
    unit, shapes = grid(_WIDTH - 8, _LEFT, _TOP, _BOTTOM, highest)
    step = (_WIDTH - _LEFT - 8) / len(months)
    width, every = min(step * 0.36, 22), -(-len(months) // _LABELS)
    for place, one in enumerate(months):
        x = _LEFT + step * (place + 0.5)
        came, used, gone = (max(count, 0) * unit for count in (one.issued, one.redeemed, one.expired))
        en, zh = (
            f"{numbers.month(one.month)}: {one.issued:,} {key('points_issued')[n]}, {one.redeemed:,} "
            f"{key('points_redeemed')[n]}, {one.expired:,} {key('points_expired')[n]}"
            for n in (0, 1)
        )
        bars = (
            rect(x - width - 1, _BOTTOM - came, width, came, "fresh", radius=2) if came else "",
            rect(x + 1, _BOTTOM - used, width, used, "active", radius=2) if used else "",
            rect(x + 1, _BOTTOM - used - gone, width, gone, "seg-lapsed", radius=2) if gone else "",
        )
        shapes.append(grouped((en, zh), *bars))
        if (len(months) - 1 - place) % every == 0:
            shapes.append(text(x, _BOTTOM + 20, same(numbers.month(one.month)), "tick", "middle"))
    return drawing(_WIDTH, _HEIGHT - 16, "chart-points", shapes)
