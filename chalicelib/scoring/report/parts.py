"""What the page is put together from: figures, panels, tables, lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from chalicelib.scoring.report import numbers
from chalicelib.scoring.report.model import Report
from chalicelib.scoring.report.svg import Both, span
from chalicelib.scoring.report.words import key

_LETTER: Final = re.compile(r"[^\W\d_kMB亿万天days]")
_WHOLE_MONTHS: Final = 8


def figure(
    name: str,
    chart: str,
    note: Both | None = None,
    heads: Sequence[Both] = (),
    rows: Sequence[Sequence[Both]] = (),
    *,
    after: str = "",
) -> str:
    """A chart with its heading, and its numbers in a table that can be opened."""
    small = f"<small>{span(note)}</small>" if note else ""
    found = f"<details><summary>{span(key('the_numbers'))}</summary>{table(heads, rows)}</details>" if rows else ""
    return f'<figure><figcaption id="chart-{name}">{span(key(name))}{small}</figcaption>{chart}{after}{found}</figure>'


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


def plain(both: Both) -> str:
    """A sentence."""
    return f'<p class="soft">{span(both)}</p>'


def legend(entries: Iterable[tuple[str, Both]]) -> str:
    """What the colours mean."""
    found = "".join(f'<li><i class="{kind}"></i>{span(both)}</li>' for kind, both in entries)
    return f'<ul class="legend">{found}</ul>'


def drifting(report: Report) -> str:
    """The programme's indicators that leave the band of their past."""
    whole = sum(month.whole for month in report.months)
    if whole < _WHOLE_MONTHS:
        return panel("warnings", plain(key("too_short")))
    if not report.warnings:
        return panel("warnings", plain(key("no_warnings")))
    lines = []
    for found in report.warnings:
        as_share = found.indicator == "retention"
        values = [
            (numbers.percent(value, 1),) * 2 if as_share else numbers.money(value)
            for value in (found.level, found.low, found.high)
        ]
        words = key(found.direction)
        told = tuple(words[n].format(level=values[0][n], low=values[1][n], high=values[2][n]) for n in (0, 1))
        lines.append(
            f'<li class="{found.direction}"><b>{span(key(found.indicator))}</b> {span((told[0], told[1]))}</li>'
        )
    return panel("warnings", f'<ul class="warnings">{"".join(lines)}</ul>')


def _number(both: Both) -> bool:
    return _LETTER.search(both[0]) is None
