"""Members on the page: where they are, who they are, whom to look after."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.base.svg import Both, same, span
from chalicelib.scoring import texts
from chalicelib.scoring.report import numbers
from chalicelib.scoring.report.model import Persona, Report
from chalicelib.scoring.report.parts import panel, plain, table
from chalicelib.scoring.report.words import filled, key, of

_VALUES = ("gold", "high", "mid", "low")
_BEHAVIOURS = ("active", "won_back", "new", "at_risk", "lapsed", "none")
_STAGES = ("growing", "mature", "onboarding", "reactivated", "declining", "dormant", "prospect")
_LOYALTY = ("behavioural", "emotional", "cognitive", "impulse", "undetermined")


def where(report: Report) -> str:
    """The segments as bars of the whole."""
    found = report.segments
    bars = [
        _bar("by_behaviour", [(code, of(texts.BEHAVIOURS, code), found["behaviour"][code]) for code in _BEHAVIOURS]),
        _bar("by_value", [(code, of(texts.VALUES, code), found["value"][code]) for code in _VALUES]),
        _bar(
            "value_held",
            [(code, of(texts.VALUES, code), report.value_by_segment[code]) for code in _VALUES],
            amounts=True,
        ),
        _bar("by_stage", [(f"stage-{code}", of(texts.STAGES, code), found["stage"][code]) for code in _STAGES]),
    ]
    if found["loyalty"]["undetermined"] < sum(found["loyalty"].values()):
        rows = [(f"loyal-{code}", of(texts.LOYALTY, code), found["loyalty"][code]) for code in _LOYALTY]
        bars.append(_bar("by_loyalty", rows))
    return panel("where", f'<div class="bars">{"".join(bars)}</div>')


def _bar(title: str, parts: Sequence[tuple[str, Both, float]], *, amounts: bool = False) -> str:
    total = sum(size for _kind, _name, size in parts)
    shown = [(kind, name, size) for kind, name, size in parts if size > 0]
    pieces, legend = [], []
    for kind, name, size in shown:
        share = numbers.percent(size / total, 1)
        count = numbers.money(size) if amounts else same(f"{size:,.0f}")
        title_words = " / ".join(dict.fromkeys(f"{name[n]}: {count[n]} ({share})" for n in (0, 1)))
        # A share below half a per cent is still to be seen.
        pieces.append(
            f'<i class="seg-{kind}" style="flex-grow:{max(size / total, 0.004):.4f}" title="{title_words}"></i>'
        )
        legend.append(f'<li><i class="seg-{kind}"></i>{span(name)} <b>{span(count)}</b> <small>{share}</small></li>')
    bar = f'<div class="stacked">{"".join(pieces)}</div>'
    return f'<div class="bar"><h3>{span(key(title))}</h3>{bar}<ul class="legend">{"".join(legend)}</ul></div>'


def calls(report: Report) -> str:
    """At risk, and worth most."""
    heads = [key(name) for name in ("member", "at_stake", "silent", "churn", "why", "what_to_do")]
    rows = [
        [
            same(row.member),
            numbers.money(row.at_stake),
            filled("days", days=f"{row.gap_days:,}"),
            same(numbers.percent(row.churn)),
            of(texts.CHURN_REASONS, row.reason),
            of(texts.ACTIONS, row.action),
        ]
        for row in report.calls
    ]
    return panel("calls", table(heads, rows) if rows else plain(key("nobody")), key("calls_note"))


def alerts(report: Report) -> str:
    """What began within the last seven days."""
    counts = "".join(
        f"<li>{span(of(texts.ALERTS, kind))} <b>{count:,}</b></li>"
        for kind, count in report.alert_counts.items()
        if count
    )
    heads = [key(name) for name in ("member", "alert", "at_stake", "silent")]
    rows = [
        [
            same(row.member),
            of(texts.ALERTS, row.kind),
            numbers.money(row.at_stake),
            filled("days", days=f"{row.gap_days:,}"),
        ]
        for row in report.alerts
    ]
    told = f'<ul class="counts">{counts}</ul>{table(heads, rows)}' if rows else plain(key("nobody"))
    return panel("alerts", told)


def personas(report: Report) -> str:
    """A card for each group of members who are alike."""
    total = sum(row.members for row in report.personas)
    found = "".join(_persona(place, row, total) for place, row in enumerate(report.personas))
    return panel("personas", f'<div class="personas">{found}</div>', key("personas_note"))


def _persona(place: int, row: Persona, total: int) -> str:
    levels = "".join(
        f'<div><dt>{span(key(name))}</dt><dd><i style="width:{max(min(value, 1.0), 0.0) * 100:.0f}%"></i></dd></div>'
        for name, value in (("recency", row.recency), ("frequency", row.frequency), ("monetary", row.monetary))
    )
    arrow = "↗" if row.trend > 0.5 else "↘" if row.trend < -0.5 else "→"  # noqa: PLR2004 - half a logarithm
    each = key("each")
    worth = numbers.money(row.value_12)
    told = each[0].format(value=worth[0]), each[1].format(value=worth[1])
    share = numbers.percent(row.members / total if total else 0.0)
    return (
        f'<article class="persona p-{place % 8}"><h3>{span(of(texts.PERSONAS, row.name))} <span>{arrow}</span></h3>'
        f"<p><b>{row.members:,}</b> {span(key('members'))} · {share}</p><dl>{levels}</dl>"
        f"<small>{span(told)}</small></article>"
    )
