"""What charts of reports are drawn with: SVG elements, scales and numbers, each text in both languages of a report."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

LOCALES: Final = {"en": "en", "zh": "zh-Hans"}
"""A report's languages, and what the programme document calls them."""

_TICKS: Final = 4
_UNITS: Final = {
    "en": ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")),
    "zh": ((100_000_000, "亿"), (10_000, "万")),
}
Both = tuple[str, str]
"""A text in English and in Chinese."""


def same(text: str) -> Both:
    """A text that is the same in both languages."""
    return text, text


def span(both: Both, tag: str = "span") -> str:
    """A text in HTML, of which the chosen language is shown."""
    if both[0] == both[1]:
        return escape(both[0])
    return "".join(
        f'<{tag} class="{locale}" lang="{LOCALES[locale]}">{escape(text)}</{tag}>'
        for locale, text in zip(LOCALES, both, strict=True)
    )


def text(x: float, y: float, both: Both, kind: str = "", anchor: str = "start") -> str:
    """A text in SVG."""
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    if both[0] == both[1]:
        return f'<text {where} class="{kind}">{escape(both[0])}</text>'
    return "".join(
        f'<text {where} class="{kind} {locale}" lang="{LOCALES[locale]}">{escape(words)}</text>'
        for locale, words in zip(LOCALES, both, strict=True)
    )


def rect(x: float, y: float, width: float, height: float, kind: str, *, radius: float = 2) -> str:
    """A bar; one that would be too thin to see is a hair."""
    size = f'width="{max(width, 0.5):.1f}" height="{max(height, 0.5):.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} rx="{radius}" class="{kind}"/>'


def line(points: Iterable[tuple[float, float]], kind: str) -> str:
    """A line through points."""
    return f'<polyline points="{_joined(points)}" class="{kind}"/>'


def area(points: Iterable[tuple[float, float]], kind: str) -> str:
    """A filled shape with these corners."""
    return f'<polygon points="{_joined(points)}" class="{kind}"/>'


def grouped(title: Both, *shapes: str) -> str:
    """Shapes that say what they are when one points at them."""
    return f"<g><title>{escape(' / '.join(dict.fromkeys(title)))}</title>{''.join(shapes)}</g>"


def drawing(width: int, height: int, name: str, shapes: Iterable[str]) -> str:
    """A chart; `name` is the id of the heading that names it. The numbers stand in a table beside it."""
    box = f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}"'
    return f'<svg {box} xmlns="http://www.w3.org/2000/svg">{"".join(shapes)}</svg>'


def grid(width: float, left: float, top: float, bottom: float, highest: int) -> tuple[float, list[str]]:
    """Lines and numbers of a vertical axis from 0; gives how much of it one unit takes."""
    ticks = ticks_up_to(highest)
    unit = (bottom - top) / ticks[-1]
    shapes = []
    for tick in ticks:
        y = bottom - tick * unit
        shapes.append(f'<line x1="{left:.1f}" x2="{width:.1f}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        shapes.append(text(left - 8, y + 4, compact(tick), "tick", "end"))
    return unit, shapes


def ticks_up_to(highest: int) -> list[int]:
    """Round numbers from 0 to `highest` or a little above."""
    step = 1
    while step * _TICKS < highest:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return list(range(0, max(highest, 1) + step, step))


def compact(number: int) -> Both:
    """A number in short: 1.2M and 120万."""
    return _short(number, "en"), _short(number, "zh")


def _short(number: int, locale: str) -> str:
    for size, unit in _UNITS[locale]:
        if abs(number) >= size:
            tenths = round(number * 10 / size)
            return f"{tenths // 10:,}{unit}" if tenths % 10 == 0 else f"{tenths / 10:,.1f}{unit}"
    return f"{number:,}"


def _joined(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
