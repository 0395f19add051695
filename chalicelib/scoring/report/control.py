"""A small control chart: an indicator by month, and the band of its past."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from chalicelib.base.svg import line, rect
from chalicelib.scoring.report.model import Drifting

_WIDTH, _HEIGHT = 260, 64
_EDGE: Final = 6


def control(found: Drifting) -> str:
    """The series as a line with its gaps, the band behind it, the smoothed level as a dot at its end."""
    known = [value for value in found.series if value is not None]
    values = [*known, found.low, found.high, found.level]
    low, high = min(values), max(values)
    unit = (_HEIGHT - 2 * _EDGE) / ((high - low) or 1.0)

    def up(value: float) -> float:
        return _HEIGHT - _EDGE - (value - low) * unit

    step = (_WIDTH - 2 * _EDGE) / max(len(found.series) - 1, 1)
    shapes = [rect(0, up(found.high), _WIDTH, up(found.low) - up(found.high), "band", radius=4)]
    for run in _runs(found.series):
        points = [(_EDGE + step * place, up(value)) for place, value in run]
        shapes.append(line(points, "new line") if len(points) > 1 else _alone(points[0]))
    shapes.append(f'<circle cx="{_WIDTH - _EDGE}" cy="{up(found.level):.1f}" r="5" class="level"/>')
    # The figures stand in words beside it.
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">{"".join(shapes)}</svg>'


def _runs(series: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """Months that follow one another and have data, with their places."""
    run: list[tuple[int, float]] = []
    for place, value in enumerate(series):
        if value is not None:
            run.append((place, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _alone(point: tuple[float, float]) -> str:
    return f'<circle cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="2" class="dot"/>'
