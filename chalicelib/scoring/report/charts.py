"""Curves and bars of the report, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chalicelib.base.svg import Both, area, drawing, grid, grouped, line, rect, same, text
from chalicelib.scoring.report import numbers
from chalicelib.scoring.report.model import Month, Pareto
from chalicelib.scoring.report.words import filled, key
from chalicelib.scoring.rules.calibration import Decile

_WIDTH, _HEIGHT = 560, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 540, 16, 276
_TENTHS: Final = (0, 0.2, 0.4, 0.6, 0.8, 1)
_BAND: Final = 0.2
_WIDE: Final = 1180
_LABELS: Final = 14


def pareto(held: Pareto) -> str:
    """The share of spending that the top members hold, against equality, with the top 20 % marked."""
    shapes = _shares(key("share_members"), key("share_spending"))
    last = len(held.curve) - 1
    points = [_at(place / last, value) for place, value in enumerate(held.curve)]
    band = [point for place, point in enumerate(points) if place / last <= _BAND]
    shapes.append(area([_at(0, 0), *points, _at(1, 0)], "new area"))
    shapes.append(area([_at(0, 0), *band, _at(_BAND, 0)], "new area strong"))
    shapes.append(line([_at(0, 0), _at(1, 1)], "equal line dashed"))
    shapes.append(line(points, "new line"))
    x, y = _at(_BAND, held.top_20_share)
    shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" class="dot"/>')
    shapes.append(text(x + 14, y + 5, filled("top_share", top=numbers.percent(held.top_20_share, 1)), "label"))
    at = _at(0.62, 0.55)
    shapes.append(text(at[0], at[1], key("equal"), "tick"))
    for place, value in list(enumerate(held.curve))[5::5]:
        x, y = _at(place / last, value)
        target = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" class="target"/>'
        shapes.append(grouped(same(f"{place}% → {numbers.percent(value, 1)}"), target))
    return drawing(_WIDTH, _HEIGHT, "chart-pareto", shapes)


def calibration(deciles: Sequence[Decile]) -> str:
    """Predicted against what happened, by ten groups; on the diagonal the prediction was right."""
    highest = max([max(row.predicted, row.actual) for row in deciles] + [0.05])
    scale = next(tick for tick in (0.05, 0.1, 0.25, 0.5, 1.0) if tick >= min(highest, 1.0))
    shapes = _shares(key("predicted"), key("happened"), scale)
    shapes.append(line([_at(0, 0), _at(1, 1)], "equal line dashed"))
    points = [_at(row.predicted / scale, row.actual / scale) for row in deciles]
    shapes.append(line(points, "new line thin"))
    for row, (x, y) in zip(deciles, points, strict=True):
        title = tuple(
            f"{key('predicted')[n]} {numbers.percent(row.predicted, 1)}, {key('happened')[n]}"
            f" {numbers.percent(row.actual, 1)} ({row.members:,})"
            for n in (0, 1)
        )
        shapes.append(grouped((title[0], title[1]), f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" class="dot"/>'))
    return drawing(_WIDTH, _HEIGHT, "chart-prediction", shapes)


def scores(bars: Sequence[int]) -> str:
    """Members by composite score, in twenty bars that turn from warm to cool."""
    unit, shapes = grid(_RIGHT, _LEFT, _TOP, _BOTTOM, max([*bars, 1]))
    step = (_RIGHT - _LEFT) / len(bars)
    for place, members in enumerate(bars):
        low = place * 100 // len(bars)
        label = f"{low}–{low + 100 // len(bars)}: {members:,}"
        kind = f"heat-{min(place * 5 // len(bars), 4)}"
        bar = rect(_LEFT + step * place + 1.5, _BOTTOM - members * unit, step - 3, members * unit, kind, radius=3)
        shapes.append(grouped(same(label), bar if members else ""))
    shapes += [
        text(_LEFT + (_RIGHT - _LEFT) * tick / 100, _BOTTOM + 20, same(str(tick)), "tick", "middle")
        for tick in range(0, 101, 20)
    ]
    return drawing(_WIDTH, _HEIGHT - 20, "chart-scores", shapes)


def months(rows: Sequence[Month]) -> str:
    """Purchase days per month: those of members who had bought before below, those of new ones on top."""
    height, bottom = 300, 252
    unit, shapes = grid(_WIDE - 8, 56, 14, bottom, max(row.purchases for row in rows))
    step = (_WIDE - 64) / len(rows)
    width = min(step * 0.72, 46)
    every = -(-len(rows) // _LABELS)
    for place, row in enumerate(rows):
        x = 56 + step * (place + 0.5) - width / 2
        old = (row.purchases - row.new_members) * unit
        new = row.new_members * unit
        title = tuple(
            f"{numbers.month(row.month)}: {row.purchases:,} {key('purchases')[n]}, "
            f"{row.new_members:,} {key('new_members')[n]}, {key('spending')[n]} {numbers.money(row.spending)[n]}"
            for n in (0, 1)
        )
        faint = "" if row.whole else " faint"
        shapes.append(
            grouped(
                (title[0], title[1]),
                rect(x, bottom - old, width, old, f"active{faint}", radius=3) if old else "",
                rect(x, bottom - old - new - 1, width, new, f"fresh{faint}", radius=3) if new else "",
            )
        )
        if (len(rows) - 1 - place) % every == 0:
            shapes.append(text(x + width / 2, bottom + 20, same(numbers.month(row.month)), "tick", "middle"))
    return drawing(_WIDE, height, "chart-months", shapes)


def hazards(values: Sequence[float]) -> str:
    """The chance that a point is used, by its age in months."""
    highest = max([*values, 0.01])
    shapes = []
    step = (_RIGHT - 8) / len(values)
    for place, value in enumerate(values):
        size = value / highest * 110
        bar = rect(8 + step * place + 1, 124 - size, max(step - 3, 1), size, "new", radius=2)
        shapes.append(grouped(same(f"{place}: {numbers.percent(value, 1)}"), bar))
        if place % max(len(values) // 6, 1) == 0:
            shapes.append(text(8 + step * (place + 0.5), 144, same(str(place)), "tick", "middle"))
    return drawing(_WIDTH, 152, "chart-points", shapes)


def _at(across: float, up: float) -> tuple[float, float]:
    return _LEFT + (_RIGHT - _LEFT) * across, _BOTTOM - (_BOTTOM - _TOP) * up


def _shares(below: Both, beside: Both, scale: float = 1.0) -> list[str]:
    """Axes in per cent both ways, with their names."""
    shapes = []
    for tick in _TENTHS:
        x, y = _at(tick, tick)
        label = same(numbers.percent(tick * scale, 0 if scale * 20 == int(scale * 20) else 1))
        shapes.append(f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        shapes.append(text(_LEFT - 8, y + 4, label, "tick", "end"))
        shapes.append(text(x, _BOTTOM + 19, label, "tick", "middle"))
    shapes.append(text((_LEFT + _RIGHT) / 2, _BOTTOM + 42, below, "tick", "middle"))
    shapes.append(text(_LEFT + 4, _TOP - 3, beside, "tick"))
    return shapes
