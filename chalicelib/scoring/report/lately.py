"""What has changed since the night before, on the page: flows between segments, and whose score has moved."""

from __future__ import annotations

from typing import Final

from chalicelib.base.svg import Both, same, span
from chalicelib.scoring import texts
from chalicelib.scoring.report import flows
from chalicelib.scoring.report.flows import Frame
from chalicelib.scoring.report.model import Mover, Report, Since
from chalicelib.scoring.report.parts import figure, panel, plain
from chalicelib.scoring.report.words import filled, key, of

_KINDS: Final = (("behaviour", "by_behaviour"), ("value", "by_value"))


def changes(report: Report) -> str:
    """Who moved from which segment to which since the night before, by behaviour and by value."""
    found = report.since
    if found is None:
        return panel("since", plain(key("first_night")))
    sides = "".join(_side(kind, title, found) for kind, title in _KINDS)
    rows = [
        [key(title), flows.name(flow.before), flows.name(flow.now), same(f"{flow.members:,}")]
        for kind, title in _KINDS
        for flow in sorted(getattr(found, kind), key=lambda flow: -flow.members)
    ]
    heads = [key("segments"), key("moved_from"), key("moved_to"), key("members")]
    title = filled("since_title", day=found.day)
    return figure("since", f'<div class="bars">{sides}</div>', _note(found), heads, rows, title=title)


def _note(found: Since) -> Both:
    moved = (
        sum(flow.members for flow in each if flow.before != "not_there") for each in (found.behaviour, found.value)
    )
    behaviour, value = (f"{count:,}" for count in moved)
    return filled("since_note", behaviour=behaviour, value=value, came=f"{found.came:,}", members=f"{found.members:,}")


def _side(kind: str, title: str, found: Since) -> str:
    chart, moved = f"chart-since-{kind}", getattr(found, kind)
    stayed = filled("stayed", count=f"{found.stayed[kind]:,}")
    # Few who moved are thin ribbons, many fill the room.
    height = min(60 + 12 * sum(flow.members for flow in moved), 220)
    drawn = flows.sankey(moved, Frame(chart, 560, 134, height)) if moved else plain(key("nobody_moved"))
    return f'<div class="bar"><h3 id="{chart}">{span(key(title))} · {span(stayed)}</h3>{drawn}</div>'


def movers(report: Report, *, rising: bool) -> str:
    """Whose score has moved most: since the night before, and since 91 days ago."""
    name, words = ("risers", texts.LIFTS) if rising else ("fallers", texts.HOLDS)
    found = [(report.compared_with, report.risers if rising else report.fallers)]
    if report.since is not None:
        found.insert(0, (report.since.day, report.since.risers if rising else report.since.fallers))
    lists = "".join(
        f"<h3>{span(filled('since_day', day=day))}</h3>"
        + (f'<ul class="movers">{"".join(_mover(row, words) for row in rows)}</ul>' if rows else plain(key("nobody")))
        for day, rows in found
    )
    return panel(name, lists)


def _mover(row: Mover, words: texts.Words) -> str:
    """A member, and the way of the score on a line from 0 to 100."""
    low, high = sorted((row.before, row.now))
    kind = "up" if row.now > row.before else "down"
    way = f'<i class="way {kind}"><b style="left:{low:.1f}%;width:{high - low:.1f}%"></b></i>'
    score = f"<b>{row.before:.0f} → {row.now:.0f}</b>"
    return f"<li><span>{span(same(row.member))}</span>{way}{score}<small>{span(of(words, row.reason))}</small></li>"
