"""The flow of members between segments, as Sankey diagrams."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.base.svg import Both, drawing, grouped, rect, same, text
from chalicelib.scoring import texts
from chalicelib.scoring.report.model import Flow
from chalicelib.scoring.report.words import key, of

ORDER: Final = (
    *("active", "won_back", "new", "at_risk", "lapsed", "none"),
    *("gold", "high", "mid", "low"),
    "not_there",
)
_NODE: Final = 16
_GAP: Final = 22
_BEHAVIOUR: Final = {"active": 3, "won_back": 3, "new": 2, "at_risk": 1, "lapsed": 0, "none": 1, "not_there": 2}
_WORTH: Final = {**_BEHAVIOUR, "gold": 3, "high": 2, "mid": 1, "low": 0}


class Frame(msgspec.Struct, frozen=True):
    """How large a diagram is: its whole width, the room for names on either side, the height of all ribbons."""

    chart: str
    width: int = 1180
    side: int = 170
    height: int = 300


WIDE: Final = Frame("chart-flows")


def name(code: str) -> Both:
    """What a segment is called, value segments in short."""
    return of(texts.BEHAVIOURS, code) if code in texts.BEHAVIOURS else key(code)


def sankey(flows: Sequence[Flow], frame: Frame = WIDE) -> str:
    """Segments as they were on the left, as they are on the right, each ribbon as thick as members are many."""
    shown = sorted(flows, key=lambda flow: (ORDER.index(flow.before), ORDER.index(flow.now)))
    unit = frame.height / max(sum(flow.members for flow in shown), 1)
    left, right = _stack(shown, unit, "before"), _stack(shown, unit, "now")
    begins = [{code: y for code, (y, _size, _members) in side.items()} for side in (left, right)]
    shapes = []
    for flow in shown:
        size = _thickness(flow, unit)
        change = _WORTH[flow.now] - _WORTH[flow.before]
        kind = "came" if flow.before == "not_there" else "same" if not change else "up" if change > 0 else "down"
        path = _ribbon(frame, begins[0][flow.before], begins[1][flow.now], size)
        begins[0][flow.before] += size
        begins[1][flow.now] += size
        title = tuple(f"{name(flow.before)[n]} → {name(flow.now)[n]}: {flow.members:,}" for n in (0, 1))
        shapes.append(grouped((title[0], title[1]), f'<path d="{path}" class="ribbon {kind}"/>'))
    for side, x, label_x, anchor in (
        (left, frame.side, frame.side - 12, "end"),
        (right, frame.width - frame.side - _NODE, frame.width - frame.side + 12, "start"),
    ):
        for code, (y, size, members) in side.items():
            shapes.append(rect(x, y, _NODE, size, f"seg-{code}", radius=4))
            shapes.append(text(label_x, y + size / 2 - 1, name(code), "label", anchor))
            shapes.append(text(label_x, y + size / 2 + 15, same(f"{members:,}"), "tick", anchor))
    height = max([y + size for side in (left, right) for y, size, _members in side.values()] + [40.0]) + 14
    return drawing(frame.width, int(height), frame.chart, shapes)


def _thickness(flow: Flow, unit: float) -> float:
    return max(flow.members * unit, 1.2)


def _stack(shown: Sequence[Flow], unit: float, side: str) -> dict[str, tuple[float, float, int]]:
    sizes: defaultdict[str, float] = defaultdict(float)
    members: defaultdict[str, int] = defaultdict(int)
    for flow in shown:
        sizes[getattr(flow, side)] += _thickness(flow, unit)
        members[getattr(flow, side)] += flow.members
    nodes, y = {}, 14.0
    for code in ORDER:
        if sizes[code]:
            nodes[code] = (y, sizes[code], members[code])
            # A label needs its room beside the thinnest node as well.
            y += max(sizes[code] + _GAP, 40.0)
    return nodes


def _ribbon(frame: Frame, left: float, right: float, size: float) -> str:
    x0, x1 = frame.side + _NODE, frame.width - frame.side - _NODE
    middle = (x0 + x1) / 2
    return (
        f"M{x0},{left:.1f} C{middle},{left:.1f} {middle},{right:.1f} {x1},{right:.1f} "
        f"L{x1},{right + size:.1f} C{middle},{right + size:.1f} {middle},{left + size:.1f} {x0},{left + size:.1f} Z"
    )
