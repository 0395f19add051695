"""What the page is put together from: figures, panels, tables, lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from chalicelib.base.svg import Both, same, span
from chalicelib.scoring.report import numbers
from chalicelib.scoring.report.control import control
from chalicelib.scoring.report.model import Drifting, Report
from chalicelib.scoring.report.words import filled, key

_OTHER_WAY: Final = {"rising": "falling", "falling": "rising", "": ""}
_LETTER: Final = re.compile(r"[^\W\d_kMB亿万天days]")


def figure(
    name: str,
    chart: str,
    note: Both | None = None,
    heads: Sequence[Both] = (),
    rows: Sequence[Sequence[Both]] = (),
    *,
    after: str = "",
    title: Both | None = None,
) -> str:
    """A chart with its heading, and its numbers in a table that can be opened; `title` if it is not that of `name`."""
    small = f"<small>{span(note)}</small>" if note else ""
    words = span(title or key(name))
    found = f"<details><summary>{span(key('the_numbers'))}</summary>{table(heads, rows)}</details>" if rows else ""
    return f'<figure><figcaption id="chart-{name}">{words}{small}</figcaption>{chart}{after}{found}</figure>'


def panel(title: str | Both, content: str, note: Both | None = None) -> str:
    """A box with a heading; `title` names one of the report's texts, or is one."""
    words = key(title) if isinstance(title, str) else title
    small = f"<small>{span(note)}</small>" if note else ""
    return f'<section class="panel"><h2 class="title">{span(words)}{small}</h2>{content}</section>'


def grid(*boxes: str) -> str:
    """Boxes side by side where there is room."""
    return f'<div class="grid">{"".join(boxes)}</div>'


def table(heads: Sequence[Both], rows: Iterable[Sequence[Both]]) -> str:
    """A table; columns of numbers stand to the right."""
    cells = list(rows)
    kinds = [' class="n"' if all(_number(row[place]) for row in cells) else "" for place in range(len(heads))]
    # What names the line is text, even if it is a number.
    kinds[0] = ""
    head = "".join(f'<th scope="col"{kind}>{span(both)}</th>' for kind, both in zip(kinds, heads, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{span(both)}</td>" for kind, both in zip(kinds, row, strict=True)) + "</tr>"
        for row in cells
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def scrolled(chart: str) -> str:
    """A wide chart, which a narrow screen scrolls rather than shrinks."""
    return f'<div class="scroll" tabindex="0">{chart}</div>'


def plain(both: Both) -> str:
    """A sentence."""
    return f'<p class="soft">{span(both)}</p>'


def legend(entries: Iterable[tuple[str, Both]]) -> str:
    """What the colours mean."""
    found = "".join(f'<li><i class="{kind}"></i>{span(both)}</li>' for kind, both in entries)
    return f'<ul class="legend">{found}</ul>'


def drifting(report: Report) -> str:
    """The programme's indicators, each against the band of its past."""
    if not report.warnings:
        return panel("warnings", plain(key("too_short")))
    lines = "".join(_drift(found) for found in report.warnings)
    return panel("warnings", f'<div class="drifts">{lines}</div>', key("warnings_note"))


def _drift(found: Drifting) -> str:
    low, level, high = (_written(found.indicator, value) for value in (found.low, found.level, found.high))
    words, since = key(found.direction or "within"), filled("outside_since", since=found.since)
    told = tuple(words[n].format(level=level[n], low=low[n], high=high[n]) for n in (0, 1))
    en, zh = (f"{told[n]}{mark}{since[n]}" if found.since else told[n] for n, mark in ((0, ", "), (1, "，")))
    # The colours of what rises are those of good news, which complaints are not.
    kind = _OTHER_WAY[found.direction] if found.indicator == "complaint_rate" else found.direction
    return (
        f'<div class="drift {kind or "within"}"><h3>{span(key(found.indicator))}</h3>'
        f"<p>{span((en, zh))}</p>{control(found)}</div>"
    )


def _written(indicator: str, value: float) -> Both:
    if indicator == "nps":
        return same(numbers.signed(min(max(value, -100.0), 100.0), 0))
    value = max(value, 0.0)
    if indicator in {"retention", "redemption"}:
        return same(numbers.percent(value, 1))
    if indicator == "complaint_rate":
        return same(f"{value:,.2f}")
    return numbers.money(value) if indicator == "basket" else same(f"{value:,.0f}")


def _number(both: Both) -> bool:
    return _LETTER.search(both[0]) is None
