"""The five indicators at the head of the page."""

from __future__ import annotations

from chalicelib.base.svg import Both, same, span
from chalicelib.scoring.report import numbers
from chalicelib.scoring.report.model import Change, Indicators
from chalicelib.scoring.report.words import filled, key
from chalicelib.scoring.rules.kpis import Estimate


def cards(found: Indicators) -> str:
    """Satisfaction, loyal behaviour, retention, lifetime value, and how satisfaction and loyalty go together."""
    value = found.value_12_mean
    return "".join(
        [
            f'<div class="cards" role="list" aria-label="{key("indicators")[0]}">',
            _satisfaction(found),
            _card(
                "behaviour",
                same(numbers.percent(found.repeat_rate.now, 1)),
                _points(found.repeat_rate),
                key("repeat_rate"),
                filled("mean_score", score="–" if found.score.now is None else f"{found.score.now:.1f}"),
            ),
            _card(
                "retention",
                same(numbers.percent(found.retention.now, 1)),
                _points(found.retention),
                key("retention_note"),
            ),
            _card(
                "lifetime",
                same("–") if value.now is None else numbers.money(value.now),
                _relative(value),
                key("value_mean"),
                _total(found),
            ),
            _together(found.satisfaction_loyalty),
            "</div>",
            _dimensions(found),
        ]
    )


def _satisfaction(found: Indicators) -> str:
    heard = [filled("heard", since=found.heard_since, surveys=str(found.surveys))] if found.surveys else []
    if found.nps is None and found.csat is None and found.ces is None:
        return _card("satisfaction", key("no_data"), "", key("no_answers"), *heard, empty=True)
    lines = []
    if found.nps is not None:
        lines.append(_interval(found.nps, "between", percent=False))
    for name, share in (("csat", found.csat), ("ces", found.ces)):
        if share is not None:
            words = key(name)
            lines.append((f"{numbers.percent(share.value)} {words[0]}", f"{words[1]} {numbers.percent(share.value)}"))
    lines += heard
    if found.nps is not None:
        return _card("satisfaction", same(numbers.signed(found.nps.value, 0)), "", key("nps"), *lines)
    shown = found.csat or found.ces
    first = numbers.percent(shown.value) if shown else "–"
    return _card("satisfaction", same(first), "", key("csat" if found.csat else "ces"), *lines[1:])


def _dimensions(found: Indicators) -> str:
    """Satisfaction by dimension, a card each."""
    if not found.dimensions:
        return ""
    boxes = (
        _card(
            f"with_{one.dimension}",
            same(numbers.percent(one.share.value)),
            "",
            _interval(one.share, "between_people", percent=True),
        )
        for one in found.dimensions
    )
    label = key("satisfied_with")[0]
    return f'<div class="cards" role="list" aria-label="{label}">{"".join(boxes)}</div>'


def _together(found: Estimate | None) -> str:
    if found is None:
        return _card("together", key("no_data"), "", key("no_pairs"), empty=True)
    return _card(
        "together",
        same(f"ρ {numbers.signed(found.value, 2)}"),
        "",
        _interval(found, "between_members", percent=False, digits=2),
    )


def _total(found: Indicators) -> Both:
    total = numbers.money(found.value_12_total)
    expected = f"{found.expected_purchases:,.0f}"
    words = key("value_total")
    return words[0].format(total=total[0], purchases=expected), words[1].format(total=total[1], purchases=expected)


def _interval(found: Estimate, name: str, *, percent: bool, digits: int = 0) -> Both:
    low, high = (
        numbers.percent(value) if percent else numbers.signed(value, digits) for value in (found.low, found.high)
    )
    return filled(name, low=low, high=high, n=f"{found.n:,}")


def _card(title: str, figure: Both, change: str, *lines: Both, empty: bool = False) -> str:
    small = "".join(f"<small>{span(line)}</small>" for line in lines)
    kind = "card empty" if empty else "card"
    told = f"<h2>{span(key(title))}</h2><strong>{span(figure)}{change}</strong>{small}"
    return f'<div class="{kind}" role="listitem">{told}</div>'


def _points(change: Change) -> str:
    """The change of a share, in percentage points."""
    if change.now is None or change.before is None:
        return ""
    return _chip(change.now - change.before, numbers.signed((change.now - change.before) * 100, 1))


def _relative(change: Change) -> str:
    if change.now is None or not change.before:
        return ""
    share = change.now / change.before - 1.0
    return _chip(share, numbers.signed(share * 100, 1) + "%")


def _chip(change: float, text: str) -> str:
    kind = "same" if text.startswith("±") else "up" if change > 0 else "down"
    return f'<em class="{kind}">{text}</em>'
