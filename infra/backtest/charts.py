"""The report's charts, as SVG."""

from collections import defaultdict
from typing import Final

from infra.backtest import texts
from infra.backtest.report import Bar, Comparison, Flow, Pair
from infra.backtest.shapes import Both, area, compact, drawing, grid, grouped, key, line, rect, same, text

_WIDTH: Final = 620
_LEFT: Final = 56
_LABELS: Final = 7
_HEIGHT: Final = 290
_TOP, _BOTTOM = 14, 256
_ROW: Final = 54
_NODE: Final = 14
_GAP: Final = 30
_RIBBONS: Final = 210
_SIDE: Final = 128


def issued(report: Comparison) -> str:
    """Points issued per month, in pairs of bars."""
    highest = max(max(row.issued.today, row.issued.candidate) for row in report.months)
    unit, shapes = grid(_WIDTH, _LEFT, _TOP, _BOTTOM, highest)
    step = (_WIDTH - _LEFT) / len(report.months)
    width = min(step * 0.36, 26)
    for place, row in enumerate(report.months):
        middle = _LEFT + step * (place + 0.5)
        bars = [
            rect(
                middle - width - 1, _BOTTOM - max(row.issued.today, 0) * unit, width, row.issued.today * unit, "today"
            ),
            rect(middle + 1, _BOTTOM - max(row.issued.candidate, 0) * unit, width, row.issued.candidate * unit, "new"),
        ]
        shapes.append(grouped(_paired(texts.month(row.month), row.issued), *bars))
    shapes += _months([row.month for row in report.months], step)
    return drawing(_WIDTH, _HEIGHT, "chart-issued", shapes)


def outstanding(report: Comparison) -> str:
    """Points outstanding at the end of each month, and how they would run off if nobody bought any more."""
    known = [row.outstanding for row in report.months]
    months = [row.month for row in report.months]
    left = _run_off(report)
    later = list(range(months[-1] + 1, months[-1] + 1 + len(left)))
    span = range(months[0], months[-1] + 1 + len(left))
    unit, shapes = grid(_WIDTH, _LEFT, _TOP, _BOTTOM, max(max(pair.today, pair.candidate) for pair in known))
    step = (_WIDTH - _LEFT) / len(span)

    def at(month: int, value: int) -> tuple[float, float]:
        return _LEFT + step * (month - span[0] + 0.5), _BOTTOM - max(value, 0) * unit

    for name, kind in (("today", "today"), ("candidate", "new")):
        solid = [at(month, getattr(pair, name)) for month, pair in zip(months, known, strict=True)]
        dashed = [solid[-1], *(at(month, getattr(pair, name)) for month, pair in zip(later, left, strict=True))]
        shapes.append(area([(solid[0][0], _BOTTOM), *solid, (solid[-1][0], _BOTTOM)], f"{kind} area"))
        shapes += [line(solid, f"{kind} line"), line(dashed, f"{kind} line dashed")]
    for month, pair in zip(months, known, strict=True):
        target = rect(at(month, 0)[0] - step / 2, _TOP, step, _BOTTOM - _TOP, "target", radius=0)
        shapes.append(grouped(_paired(texts.month(month), pair), target))
    return drawing(_WIDTH, _HEIGHT, "chart-outstanding", [*shapes, *_months(list(span), step)])


def _run_off(report: Comparison) -> list[Pair]:
    """What would be left in each month after the last, until nothing expires any more."""
    begins = report.months[-1].month + 1
    gone: defaultdict[int, Pair] = defaultdict(lambda: Pair(0, 0))
    for month, pair in report.run_off:
        # What expires with the last month is only gone after it.
        place = max(month, begins)
        gone[place] = Pair(gone[place].today + pair.today, gone[place].candidate + pair.candidate)
    left, rest = [], report.outstanding
    for month in range(begins, max(gone, default=begins - 1) + 1):
        rest = Pair(rest.today - gone[month].today, rest.candidate - gone[month].candidate)
        left.append(rest)
    return left


def rules(report: Comparison) -> str:
    """Points by rule, in pairs of bars one below the other."""
    rows = [
        ((texts.rule_name(row, "en"), texts.rule_name(row, "zh")), row.points)
        for row in report.rules
        if row.points != Pair(0, 0)
    ]
    return _pairs("chart-rules", rows)


def tiers(report: Comparison) -> str:
    """Points issued by the tier in which the member was."""
    rows = [((texts.localised(row.name, "en"), texts.localised(row.name, "zh")), row.points) for row in report.tiers]
    return _pairs("chart-tiers", rows)


def flows(report: Comparison) -> str:
    """Members' tiers today on the left, under the candidate on the right, and who goes where between them."""
    order = [row.code for row in report.tiers][::-1]
    shown = sorted(report.flows, key=lambda flow: (order.index(flow.today), order.index(flow.candidate)))
    unit = _RIBBONS / max(report.members, 1)
    left = _stack(order, shown, unit, side="today")
    right = _stack(order, shown, unit, side="candidate")
    height = max(y + size for nodes in (left, right) for y, size in nodes.values()) + 12
    names = {row.code: (texts.localised(row.name, "en"), texts.localised(row.name, "zh")) for row in report.tiers}
    rank = {code: place for place, code in enumerate(order)}
    shapes, begins = [], ({code: y for code, (y, _) in left.items()}, {code: y for code, (y, _) in right.items()})
    for flow in shown:
        size = _thickness(flow, unit)
        move = rank[flow.today] - rank[flow.candidate]
        kind = "ribbon same" if not move else "ribbon up" if move > 0 else "ribbon down"
        path = _ribbon(begins[0][flow.today], begins[1][flow.candidate], size)
        begins[0][flow.today] += size
        begins[1][flow.candidate] += size
        title = tuple(f"{names[flow.today][n]} → {names[flow.candidate][n]}: {flow.members:,}" for n in (0, 1))
        shapes.append(grouped((title[0], title[1]), f'<path d="{path}" class="{kind}"/>'))
    for nodes, x, label_x, anchor in (
        (left, _SIDE, _SIDE - 10, "end"),
        (right, _WIDTH - _SIDE - _NODE, _WIDTH - _SIDE + 10, "start"),
    ):
        counts = _counted(report.flows, "today" if nodes is left else "candidate")
        for code, (y, size) in nodes.items():
            shapes.append(rect(x, y, _NODE, size, "node", radius=3))
            shapes.append(text(label_x, y + size / 2 - 2, names[code], "label", anchor))
            shapes.append(text(label_x, y + size / 2 + 13, same(f"{counts[code]:,}"), "tick", anchor))
    return drawing(_WIDTH, int(height), "chart-flows", shapes)


def distribution(report: Comparison) -> str:
    """Members by how much they gain or lose."""
    bars = report.distribution
    unit, shapes = grid(_WIDTH, _LEFT, _TOP, _BOTTOM, max((bar.members for bar in bars), default=1))
    step = (_WIDTH - _LEFT) / max(len(bars), 1)
    for place, bar in enumerate(bars):
        kind = "up" if bar.low > 0 else "down" if bar.high < 0 else "same"
        x, height = _LEFT + step * place, bar.members * unit
        label = _between(bar)
        title = f"{label[0]}: {bar.members:,}", f"{label[1]}：{bar.members:,}"
        shapes.append(grouped(title, rect(x + step * 0.1, _BOTTOM - height, step * 0.8, height, kind)))
        shapes.append(text(x + step / 2, _BOTTOM - height - 4, same(f"{bar.members:,}"), "tick", "middle"))
        if len(bars) <= _LABELS or (len(bars) - 1 - place) % 2 == 0:
            shapes.append(text(x + step / 2, _BOTTOM + 17, _short_bound(bar), "tick", "middle"))
    return drawing(_WIDTH, _HEIGHT, "chart-distribution", shapes)


def _short_bound(bar: Bar) -> Both:
    """The bound of a bar that lies further out, with its sign."""
    bound = bar.high if bar.high > 0 else bar.low
    if not bound:
        return same("0")
    short = compact(abs(bound))
    sign = "+" if bound > 0 else "−"
    return sign + short[0], sign + short[1]


def _between(bar: Bar) -> Both:
    if bar.low == bar.high == 0:
        return key("no_difference")
    return same(f"{texts.signed(bar.low)} … {texts.signed(bar.high)}")


def _pairs(name: str, rows: list[tuple[Both, Pair]]) -> str:
    highest = max([max(pair.today, pair.candidate) for _label, pair in rows] + [1])
    unit = (_WIDTH - 120) / highest
    shapes = []
    for place, (label, pair) in enumerate(rows):
        y = place * _ROW
        shapes.append(text(0, y + 14, label, "label"))
        for offset, value, kind in ((20, pair.today, "today"), (35, pair.candidate, "new")):
            width = max(value, 0) * unit
            shapes.append(grouped(same(f"{value:,}"), rect(0, y + offset, width, 12, kind)))
            shapes.append(text(width + 7, y + offset + 10, same(f"{value:,}"), "tick"))
    return drawing(_WIDTH, max(len(rows), 1) * _ROW, name, shapes)


def _months(months: list[int], step: float) -> list[str]:
    """The names of so many months as fit below the axis."""
    every = -(-len(months) // _LABELS)
    return [
        text(_LEFT + step * (place + 0.5), _BOTTOM + 20, same(texts.month(month)), "tick", "middle")
        for place, month in enumerate(months)
        if place % every == 0
    ]


def _paired(label: str, pair: Pair) -> Both:
    en, zh = (f"{label}: {key('today')[n]} {pair.today:,}, {key('candidate')[n]} {pair.candidate:,}" for n in (0, 1))
    return en, zh


def _counted(shown: tuple[Flow, ...], side: str) -> defaultdict[str, int]:
    counts: defaultdict[str, int] = defaultdict(int)
    for flow in shown:
        counts[getattr(flow, side)] += flow.members
    return counts


def _thickness(flow: Flow, unit: float) -> float:
    """How thick a ribbon is: a few members can be seen as well."""
    return max(flow.members * unit, 1.5)


def _stack(order: list[str], shown: list[Flow], unit: float, *, side: str) -> dict[str, tuple[float, float]]:
    """Where each tier stands on one side, and how high it is."""
    nodes, y = {}, 12.0
    for code in order:
        size = sum(_thickness(flow, unit) for flow in shown if getattr(flow, side) == code)
        if size:
            nodes[code] = (y, size)
            y += size + _GAP
    return nodes


def _ribbon(left: float, right: float, size: float) -> str:
    x0, x1 = _SIDE + _NODE, _WIDTH - _SIDE - _NODE
    middle = (x0 + x1) / 2
    return (
        f"M{x0},{left:.1f} C{middle},{left:.1f} {middle},{right:.1f} {x1},{right:.1f} "
        f"L{x1},{right + size:.1f} C{middle},{right + size:.1f} {middle},{left + size:.1f} {x0},{left + size:.1f} Z"
    )
