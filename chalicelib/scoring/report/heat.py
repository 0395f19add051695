"""Heat maps of the report, as SVG: RFM, and cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chalicelib.base.svg import drawing, grouped, rect, same, text
from chalicelib.scoring.report import numbers
from chalicelib.scoring.report.words import key
from chalicelib.scoring.rules.kpis import Cohort

_SHADES: Final = 8
_FIVE: Final = 5
_WIDE: Final = 1180
_ROWS_MAX: Final = 18


def rfm(counts: Sequence[Sequence[int]], values: Sequence[Sequence[float]]) -> str:
    """Recency downwards, frequency to the right; shaded by the mean 12-month value."""
    left, top, width, height = 126, 8, 84, 52
    highest = max(max(row) for row in values) or 1.0
    shapes = []
    for row in range(_FIVE):
        for column in range(_FIVE):
            x, y = left + column * width, top + row * height
            count, value = counts[row][column], values[row][column]
            # The root spreads the lower half, where most members are.
            shade = _shade((value / highest) ** 0.5) if count else -1
            worth = numbers.money(value)
            title = tuple(
                f"R{_FIVE - row} F{column + 1}: {count:,} {key('members')[n]}, {key('worth')[n]} {worth[n]}"
                for n in (0, 1)
            )
            cell = rect(x + 2, y + 2, width - 4, height - 4, f"shade-{shade}" if shade >= 0 else "none", radius=8)
            label = text(
                x + width / 2,
                y + height / 2 + 5,
                same(f"{count:,}" if count else ""),
                f"cell on-{shade}",
                "middle",
            )
            shapes.append(grouped((title[0], title[1]), cell, label))
        shapes.append(text(left - 12, top + row * height + height / 2 + 5, same(f"R{_FIVE - row}"), "tick", "end"))
    bottom = top + _FIVE * height
    shapes += [text(left + (n + 0.5) * width, bottom + 18, same(f"F{n + 1}"), "tick", "middle") for n in range(_FIVE)]
    shapes.append(text(0, top + height / 2 + 5, key("recent"), "tick"))
    shapes.append(text(0, bottom - height / 2 + 5, key("long_ago"), "tick"))
    shapes.append(text(left, bottom + 38, key("seldom"), "tick"))
    shapes.append(text(left + _FIVE * width, bottom + 38, key("often"), "tick", "end"))
    return drawing(560, bottom + 46, "chart-rfm", shapes)


def cohorts(rows: Sequence[Cohort]) -> str:
    """A line a cohort; the first month, in which everybody bought, is left out."""
    shown = rows[-_ROWS_MAX:]
    months = max(len(row.shares) for row in shown) - 1
    left, top, height = 164, 28, 30
    width = (_WIDE - left) / max(months, 1)
    highest = max([share for row in shown for share in row.shares[1:]] + [0.01])
    shapes = [text(0, 16, key("cohort"), "tick"), text(left + 2, 16, key("months_after"), "tick")]
    for place, row in enumerate(shown):
        y = top + place * height
        shapes.append(text(0, y + 20, same(numbers.month(row.month)), "label"))
        shapes.append(text(left - 14, y + 20, same(f"{row.members:,}"), "tick", "end"))
        for month, share in enumerate(row.shares[1:]):
            shade = _shade(share / highest)
            title = same(f"{numbers.month(row.month)} +{month + 1}: {numbers.percent(share, 1)} / {row.members:,}")
            cell = rect(left + month * width + 1, y + 1, width - 2, height - 2, f"shade-{shade}", radius=5)
            label = text(
                left + (month + 0.5) * width,
                y + 19.5,
                same(numbers.percent(share)),
                f"small on-{shade}",
                "middle",
            )
            shapes.append(grouped(title, cell, label if width > 34 else ""))  # noqa: PLR2004 - room for 100%
    bottom = top + len(shown) * height
    every = -(-months // 24)
    shapes += [
        text(left + (month + 0.5) * width, bottom + 18, same(str(month + 1)), "tick", "middle")
        for month in range(0, months, max(every, 1))
    ]
    return drawing(_WIDE, bottom + 26, "chart-cohorts", shapes)


def _shade(share: float) -> int:
    return min(int(share * _SHADES), _SHADES - 1)
