"""A small control chart: an indicator by month, and the band of its past."""

from __future__ import annotations

from typing import Final

from chalicelib.base.svg import line, rect
from chalicelib.scoring.report.model import Drifting

_WIDTH, _HEIGHT = 260, 64
_EDGE: Final = 6


def control(found: Drifting) -> str:
    """The series as a line, the band behind it, the smoothed level as a dot at its end."""
    values = [*found.series, found.low, found.high, found.level]
    low, high = min(values), max(values)
    unit = (_HEIGHT - 2 * _EDGE) / ((high - low) or 1.0)

    def up(value: float) -> float:
        return _HEIGHT - _EDGE - (value - low) * unit

    step = (_WIDTH - 2 * _EDGE) / max(len(found.series) - 1, 1)
    points = [(_EDGE + step * place, up(value)) for place, value in enumerate(found.series)]
    shapes = [
        rect(0, up(found.high), _WIDTH, up(found.low) - up(found.high), "band", radius=4),
        line(points, "new line"),
        f'<circle cx="{_WIDTH - _EDGE}" cy="{up(found.level):.1f}" r="5" class="level"/>',
    ]
    # The figures stand in words beside it.
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">{"".join(shapes)}</svg>'
