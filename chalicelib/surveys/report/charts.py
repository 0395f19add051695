"""The page's charts as SVG: a gauge, bars of scores, the months, and rows with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.base.svg import Both, area, drawing, grouped, line, rect, same, text
from chalicelib.surveys.report.words import filled, key, plus, signed
from chalicelib.surveys.rules.figures import Cell, ChangeOut, Figure, Funnel, QuestionResult
from chalicelib.surveys.rules.measures import DETRACTOR, PROMOTER

_WIDTH: Final = 620
_LEFT: Final = 48
_ROW: Final = 38
_LABELS: Final = 7
_NAMES: Final = 150
_VALUES: Final = 74
_HIGHEST_SCORE: Final = 100
ROWS_MAX: Final = 12


class _Point(msgspec.Struct, frozen=True):
    place: int
    value: float
    low: float
    high: float
    n: int


class Row(msgspec.Struct, frozen=True):
    """A row of a chart: its name, its figure, and how many answers there are."""

    name: Both
    figure: Figure | None
    n: int


def gauge(figure: Figure, lowest: int, name: str) -> str:
    """A half circle from `lowest` to 100 with the score, and its interval as a thicker arc."""
    shapes = [_arc(0, 1, "track")]
    if figure.value is not None and figure.low is not None and figure.high is not None:
        at = [(value - lowest) / (_HIGHEST_SCORE - lowest) for value in (figure.low, figure.value, figure.high)]
        kind = "up" if at[1] >= 1 / 2 else "down"
        shapes.append(_arc(min(at[1], 0.5) if lowest else 0, max(at[1], 0.5) if lowest else at[1], f"value {kind}"))
        shapes.append(_arc(at[0], max(at[2], at[0] + 0.004), "span"))
        x, y = _around(at[1], 96)
        inner = _around(at[1], 62)
        shapes.append(line([inner, (x, y)], "hand"))
        shapes.append(text(130, 116, same(signed(figure.value)), "big", "middle"))
        told = f"{signed(figure.low)} … {signed(figure.high)}"
        shapes.append(text(130, 138, same(told), "tick", "middle"))
    else:
        shapes.append(text(130, 112, key("hidden" if figure.n else "none"), "label", "middle"))
    shapes.append(text(30, 146, same(signed(lowest)), "tick", "middle"))
    shapes.append(text(230, 146, same("100"), "tick", "middle"))
    return drawing(260, 154, name, shapes)


def scores(question: QuestionResult, name: str) -> str:
    """How many gave each score of 0 to 10, in the colours of detractors, passives and promoters."""
    bottom, top = 190, 18
    highest = max([count.count for count in question.counts] + [1])
    total = sum(count.count for count in question.counts)
    step = (_WIDTH - 20) / len(question.counts)
    shapes = []
    for place, count in enumerate(question.counts):
        number = int(count.value)
        kind = "down" if number <= DETRACTOR else "up" if number >= PROMOTER else "same"
        height = count.count / highest * (bottom - top)
        x = 10 + step * place
        title = same(f"{count.value}: {count.count:,} ({count.count / total:.1%})")
        bar = rect(x + 4, bottom - height, step - 8, height, kind, radius=4)
        shapes.append(grouped(title, bar if count.count else ""))
        shapes.append(text(x + step / 2, bottom + 18, same(count.value), "tick", "middle"))
        if count.count:
            shapes.append(text(x + step / 2, bottom - height - 5, same(f"{count.count / total:.0%}"), "tick", "middle"))
    shapes += _parts(question, total)
    return drawing(_WIDTH, 256, name, shapes)


def months(cells: Sequence[Cell], score: str, changes: Sequence[ChangeOut], name: str) -> str:
    """A score month by month with its interval as a band; a month that is hidden leaves a gap."""
    top, bottom, right = 20, 236, _WIDTH - 14
    shown = _points(cells, score)
    low, high = _bounds(shown, -100 if score == "nps" else 0)
    step = (right - _LEFT) / max(len(cells), 1)

    def x(place: int) -> float:
        return _LEFT + step * (place + 0.5)

    def y(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - top)

    shapes = []
    for tick in range(low, high + 1, max((high - low) // 4, 1)):
        shapes.append(f'<line x1="{_LEFT}" x2="{right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" class="grid"/>')
        shapes.append(text(_LEFT - 8, y(tick) + 4, same(signed(tick)), "tick", "end"))
    for run in _runs(shown):
        above = [(x(point.place), y(point.high)) for point in run]
        below = [(x(point.place), y(point.low)) for point in reversed(run)]
        shapes.append(area([*above, *below], "new band"))
        shapes.append(line([(x(point.place), y(point.value)) for point in run], "line new"))
    named = {cell.value: place for place, cell in enumerate(cells)}
    for change in changes:
        if change.score == score and change.month in named:
            at = x(named[change.month]) - step / 2
            shapes.append(line([(at, top), (at, bottom)], "mark"))
            shapes.append(text(at + 6, top + 8, same(plus(change.difference)), "label"))
    for point in shown:
        interval = f"{signed(point.value)} ({signed(point.low)} … {signed(point.high)}), n = {point.n:,}"
        dot = f'<circle cx="{x(point.place):.1f}" cy="{y(point.value):.1f}" r="4.5" class="dot"/>'
        shapes.append(grouped(same(f"{cells[point.place].value}: {interval}"), dot))
    every = math.ceil(len(cells) / _LABELS) if cells else 1
    for place, cell in list(enumerate(cells))[::every]:
        shapes.append(text(x(place), bottom + 20, same(cell.value[2:].replace("-", "/")), "tick", "middle"))
    return drawing(_WIDTH, 266, name, shapes)


def rows(found: Sequence[Row], lowest: int, name: str, *, unit: str = "") -> str:
    """A row each: a dot at the figure and a line from one end of its interval to the other."""
    shown = found[:ROWS_MAX]
    left, right = _NAMES, _WIDTH - _VALUES
    height = _ROW * len(shown) + 26
    shapes = []

    def x(value: float) -> float:
        return left + (value - lowest) / (_HIGHEST_SCORE - lowest) * (right - left)

    for tick in range(lowest, _HIGHEST_SCORE + 1, 50 if lowest else 25):
        shapes.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="0" y2="{height - 22}" class="grid"/>')
        shapes.append(text(x(tick), height - 6, same(signed(tick)), "tick", "middle"))
    for place, row in enumerate(shown):
        middle = _ROW * place + _ROW / 2
        shapes.append(text(left - 12, middle + 4, _short(row.name), "name", "end"))
        figure = row.figure
        if figure is None or figure.value is None or figure.low is None or figure.high is None:
            shapes.append(text(left + 8, middle + 4, key("hidden" if row.n else "none"), "tick"))
            continue
        title = f"{signed(figure.value)}{unit} ({signed(figure.low)} … {signed(figure.high)}), n = {row.n:,}"
        start = x(max(0, lowest))
        bar = rect(min(start, x(figure.value)), middle - 9, abs(x(figure.value) - start), 18, "pale", radius=3)
        whisker = line([(x(figure.low), middle), (x(figure.high), middle)], "whisker")
        dot = f'<circle cx="{x(figure.value):.1f}" cy="{middle:.1f}" r="5" class="dot"/>'
        shapes.append(grouped((f"{row.name[0]}: {title}", f"{row.name[1]}：{title}"), bar, whisker, dot))
        shapes.append(text(_WIDTH, middle + 5, same(f"{signed(figure.value)}{unit}"), "label", "end"))
    return drawing(_WIDTH, height, name, shapes)


def funnel(found: Funnel, name: str) -> str:
    """Invitations, answers to them, all answers, and those that count, as bars of one scale."""
    steps = [("sent", found.sent), ("answered", found.answered), ("came_in", found.answers), ("sound", found.sound)]
    highest = max([count for _, count in steps] + [1])
    shapes = []
    for place, (step, count) in enumerate(steps):
        y = 8 + place * 52
        shapes.append(text(0, y + 12, key(step), "name"))
        bar = rect(0, y + 19, count / highest * (_WIDTH - 90), 18, "new" if place % 2 else "pale", radius=4)
        shapes.append(grouped(same(f"{count:,}"), bar))
        shapes.append(text(count / highest * (_WIDTH - 90) + 10, y + 33, same(f"{count:,}"), "label"))
    return drawing(_WIDTH, 8 + 52 * len(steps), name, shapes)


def _parts(question: QuestionResult, total: int) -> list[str]:
    """One bar in three parts: detractors, passives, promoters."""
    given = {int(count.value): count.count for count in question.counts}
    low = sum(count for number, count in given.items() if number <= DETRACTOR)
    high = sum(count for number, count in given.items() if number >= PROMOTER)
    parts = [("detractors", low, "down"), ("passives", total - low - high, "same"), ("promoters", high, "up")]
    shapes, x = [], 14.0
    for name, count, kind in parts:
        width = count / total * (_WIDTH - 28) if total else 0
        shapes.append(grouped(key(name), rect(x, 224, width, 14, kind, radius=3)))
        x += width
    anchors = (("start", 14.0), ("middle", _WIDTH / 2), ("end", _WIDTH - 14.0))
    for (name, count, _kind), (anchor, at) in zip(parts, anchors, strict=True):
        told = f"{count / total:.0%}" if total else "–"
        label = tuple(f"{words} · {told}" for words in key(name))
        shapes.append(text(at, 253, (label[0], label[1]), "tick", anchor))
    return shapes


def _points(cells: Sequence[Cell], score: str) -> list[_Point]:
    found = []
    for place, cell in enumerate(cells):
        figure: Figure | None = getattr(cell, score)
        if figure and figure.value is not None and figure.low is not None and figure.high is not None:
            found.append(_Point(place, figure.value, figure.low, figure.high, figure.n))
    return found


def _runs(shown: Sequence[_Point]) -> list[list[_Point]]:
    """Stretches of months that follow each other."""
    runs: list[list[_Point]] = []
    for point in shown:
        if runs and runs[-1][-1].place == point.place - 1:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _bounds(points: Sequence[_Point], lowest: int) -> tuple[int, int]:
    """Round numbers below and above all intervals."""
    low = max(lowest, math.floor(min((point.low for point in points), default=lowest) / 20) * 20)
    high = min(_HIGHEST_SCORE, math.ceil(max((point.high for point in points), default=_HIGHEST_SCORE) / 20) * 20)
    return low, max(high, low + 20)


def _around(share: float, radius: float) -> tuple[float, float]:
    angle = math.pi * (1 - min(max(share, 0.0), 1.0))
    return 130 + radius * math.cos(angle), 128 - radius * math.sin(angle)


def _arc(first: float, last: float, kind: str) -> str:
    radius = 100 if kind == "span" else 84
    (x1, y1), (x2, y2) = _around(first, radius), _around(last, radius)
    return f'<path d="M{x1:.1f} {y1:.1f}A{radius} {radius} 0 0 1 {x2:.1f} {y2:.1f}" class="arc {kind}"/>'


def _short(name: Both) -> Both:
    return _cut(name[0], 20), _cut(name[1], 11)


def _cut(words: str, longest: int) -> str:
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def more(count: int) -> Both | None:
    """What is said of rows that the chart has no room for."""
    return filled("more", count=f"{count - ROWS_MAX:,}") if count > ROWS_MAX else None
