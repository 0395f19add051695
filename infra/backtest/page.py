"""The report as one HTML page: nothing is fetched, no script runs, and both languages are in it."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from infra.backtest import charts, money, texts
from infra.backtest.report import Comparison, Cost, MemberRow, Pair
from infra.backtest.shapes import Both, key, same, span

_CURRENCY = re.compile("^[A-Z]{3} ")
_LETTER = re.compile(r"[^\W\d_]|…|^\d{4}-")
_STYLE = Path(__file__).with_suffix(".css")


def rendered(report: Comparison, locale: str) -> str:
    """The page, in `en` or `zh` until the reader chooses the other."""
    title = key("title")[1 if locale == "zh" else 0]
    checked = {name: " checked" if name == locale else "" for name in texts.LOCALES}
    radios = "".join(
        f'<input class="choice" type="radio" name="language" id="l-{name}" aria-label="{label}"{checked[name]}>'
        for name, label in (("en", "English"), ("zh", "简体中文"))
    )
    return "".join(
        [
            f'<!doctype html><html lang="{texts.LOCALES[locale]}"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE.read_text(encoding='utf-8')}</style></head>",
            f'<body>{radios}<div class="wide">',
            _header(report),
            "<main>",
            _cards(report),
            _figures(report),
            _tiers(report),
            _members(report),
            _campaigns(report),
            _notes(report),
            "</main></div></body></html>\n",
        ]
    )


def _header(report: Comparison) -> str:
    names = [program.name for program in (report.today, report.candidate)]
    scope = tuple(
        words.format(purchases=f"{report.purchases:,}", members=f"{report.members:,}", source=report.source)
        for words in key("scope")
    )
    called = tuple(
        " → ".join(dict.fromkeys(texts.localised(name, locale) for name in names)) for locale in ("en", "zh")
    )
    legend = "".join(
        f'<li><i class="{kind}"></i>{span(key(name))}</li>' for kind, name in (("today", "today"), ("new", "candidate"))
    )
    return (
        f"<header><div><h1>{span(key('title'))}</h1>"
        f"<p><b>{span((called[0], called[1]))}</b> · {span((scope[0], scope[1]))}</p></div>"
        '<div class="languages"><label for="l-en">English</label><label for="l-zh" lang="zh-Hans">中文</label></div>'
        f'</header><ul class="legend">{legend}</ul>'
    )


def _cards(report: Comparison) -> str:
    cards = [_card(key(name), pair) for name, pair in report.headline]
    if (report.cost.today, report.cost.candidate) != (None, None):
        cards.insert(1, _cost_card(report.cost))
    shares = [("purchases_affected", report.affected, report.purchases)]
    shares += [("members_gaining", report.gaining, report.members), ("members_losing", report.losing, report.members)]
    cards += [
        f'<div class="card"><h2>{span(key(name))}</h2><strong>{count:,}</strong>'
        f"<small>/ {of:,} · {_share(count, of)}</small></div>"
        for name, count, of in shares
    ]
    return f'<div class="cards">{"".join(cards)}</div>'


def _card(title: Both, pair: Pair) -> str:
    share = f" ({_percent(pair.change, pair.today)})" if pair.today and pair.change else ""
    return _told(title, f"{pair.candidate:,}", f"{pair.today:,}", texts.signed(pair.change) + share)


def _cost_card(cost: Cost) -> str:
    old, new, change = (money.written(amount, cost.currency) for amount in (cost.today, cost.candidate, cost.change))
    return _told(key("cost"), new, old, f"+{change}" if cost.change > 0 else change)


def _told(title: Both, candidate: str, today: str, change: str) -> str:
    """A figure under the candidate, and beneath it that of today and the change."""
    return (
        f'<div class="card"><h2>{span(title)}</h2><strong>{candidate}</strong>'
        f"<small>{span(key('today'))} {today} · <b>{change}</b></small></div>"
    )


def _figures(report: Comparison) -> str:
    figures = (_issued_figure, _outstanding_figure, _rules_figure, _tiers_figure, _flows_figure, _distribution_figure)
    return f'<div class="grid">{"".join(figure(report) for figure in figures)}</div>'


def _issued_figure(report: Comparison) -> str:
    rows = [[same(texts.month(row.month)), *_cells(row.issued), *_costs(row.cost)] for row in report.months]
    heads = [key("month"), *_heads("issued", "cost")]
    return _figure("chart-issued", "points_per_month", charts.issued(report), heads, rows, note="issued_note")


def _outstanding_figure(report: Comparison) -> str:
    rows = [
        [same(texts.month(row.month)), *_cells(row.outstanding, row.expired, row.redeemed)] for row in report.months
    ]
    heads = [key("month"), *_heads("outstanding", "expired", "redeemed")]
    chart = charts.outstanding(report)
    return _figure("chart-outstanding", "outstanding_per_month", chart, heads, rows, note="run_off_note")


def _rules_figure(report: Comparison) -> str:
    rows = [
        [(texts.rule_name(row, "en"), texts.rule_name(row, "zh")), *_cells(row.points, row.times, row.cut_points)]
        for row in report.rules
    ]
    heads = [key("rule"), *_heads("points", "times", "cut")]
    return _figure("chart-rules", "by_rule", charts.rules(report), heads, rows)


def _tiers_figure(report: Comparison) -> str:
    rows = [
        [(texts.localised(row.name, "en"), texts.localised(row.name, "zh")), *_cells(row.points, row.members)]
        for row in report.tiers
    ]
    heads = [key("tier"), *_heads("points", "members")]
    return _figure("chart-tiers", "points_by_tier", charts.tiers(report), heads, rows)


def _flows_figure(report: Comparison) -> str:
    return _figure("chart-flows", "tier_flows", charts.flows(report), note="flow_note")


def _distribution_figure(report: Comparison) -> str:
    rows = [[same(f"{bar.low:,} … {bar.high:,}"), same(f"{bar.members:,}")] for bar in report.distribution]
    heads, chart = [key("points"), key("members")], charts.distribution(report)
    return _figure("chart-distribution", "distribution", chart, heads, rows, note="distribution_note")


def _figure(
    name: str,
    title: str,
    chart: str,
    heads: Sequence[Both] = (),
    rows: Sequence[Sequence[Both]] = (),
    *,
    note: str = "",
) -> str:
    small = f"<small>{span(key(note))}</small>" if note else ""
    numbers = f"<details><summary>{span(key('the_numbers'))}</summary>{_table(heads, rows)}</details>" if rows else ""
    return f'<figure><figcaption id="{name}">{span(key(title))}{small}</figcaption>{chart}{numbers}</figure>'


def _tiers(report: Comparison) -> str:
    """The matrix of tiers, today's down and the candidate's across, and who moves."""
    en, zh = texts.tier_names(report, "en"), texts.tier_names(report, "zh")
    counts = {(flow.today, flow.candidate): flow.members for flow in report.flows}
    froms = [code for code in en if any(flow.today == code for flow in report.flows)]
    tos = [code for code in en if any(flow.candidate == code for flow in report.flows)]
    matrix = [
        [(en[old], zh[old]), *(same(f"{counts[old, new]:,}" if (old, new) in counts else "") for new in tos)]
        for old in froms
    ]
    corner = f"{key('today')[0]} ↓ {key('candidate')[0]} →", f"{key('today')[1]} ↓ {key('candidate')[1]} →"
    moves = [
        [
            (f"{en[flow.today]} → {en[flow.candidate]}", f"{zh[flow.today]} → {zh[flow.candidate]}"),
            same(f"{flow.members:,}"),
            same(", ".join(flow.examples)),
        ]
        for flow in report.flows
        if flow.today != flow.candidate
    ]
    told = _table([key("tier"), key("members"), key("examples")], moves) if moves else _plain(key("nobody_moves"))
    return (
        f'<div class="grid">{_panel("members_by_tier", _table([corner, *((en[c], zh[c]) for c in tos)], matrix))}'
        f"{_panel('tier_flows', told)}</div>"
    )


def _members(report: Comparison) -> str:
    panels = [
        _panel(name, _member_table(report, rows) if rows else _plain(key("nobody")))
        for name, rows in (("gain_most", report.gains), ("lose_most", report.losses))
    ]
    return f'<div class="grid">{"".join(panels)}</div>'


def _member_table(report: Comparison, rows: Iterable[MemberRow]) -> str:
    names = [texts.tier_names(report, locale) for locale in ("en", "zh")]
    heads = [key(name) for name in ("member", "purchases", "today", "candidate", "change", "tier")]
    cells = []
    for row in rows:
        tiers = tuple(" → ".join(dict.fromkeys((n[row.tier_today], n[row.tier_candidate]))) for n in names)
        figures = (f"{row.purchases:,}", f"{row.points.today:,}", f"{row.points.candidate:,}")
        change = same(texts.signed(row.points.change))
        cells.append([same(row.member), *map(same, figures), change, (tiers[0], tiers[1])])
    return _table(heads, cells)


def _campaigns(report: Comparison) -> str:
    panels = []
    if report.budgets:
        heads = [key(name) for name in ("campaign", "points", "awards", "spent_at")]
        rows = [
            [
                (texts.localised(row.title, "en"), texts.localised(row.title, "zh")),
                *map(same, texts.budget_cells(row, report)),
            ]
            for row in report.budgets
        ]
        panels.append(_panel("budgets", _table(heads, rows)))
    if len(report.costs) > 1:
        heads = [key(name) for name in ("currency", "purchases", "spending")]
        currencies = [
            [
                same(row.cost.currency),
                same(f"{row.purchases:,}"),
                same(money.written(row.spend_minor, row.cost.currency)),
                *_cells(row.points),
                *_costs(row.cost),
            ]
            for row in report.costs
        ]
        panels.append(_panel("by_currency", _table([*heads, *_heads("points", "cost")], currencies)))
    return f'<div class="grid">{"".join(panels)}</div>' if panels else ""


def _notes(report: Comparison) -> str:
    both = zip(texts.notes(report, "en"), texts.notes(report, "zh"), strict=True)
    notes = "".join(f"<li>{span(pair)}</li>" for pair in both)
    return _panel("notes", f'<ul class="notes">{notes}</ul>')


def _panel(title: str, content: str) -> str:
    return f'<section class="panel"><h2 class="title">{span(key(title))}</h2>{content}</section>'


def _table(heads: Sequence[Both], rows: Iterable[Sequence[Both]]) -> str:
    """A table; columns of numbers stand to the right."""
    cells = list(rows)
    kinds = [' class="n"' if all(_is_number(row[place]) for row in cells) else "" for place in range(len(heads))]
    head = "".join(f'<th scope="col"{kind}>{span(both)}</th>' for kind, both in zip(kinds, heads, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{span(both)}</td>" for kind, both in zip(kinds, row, strict=True)) + "</tr>"
        for row in cells
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _is_number(both: Both) -> bool:
    """Whether a cell holds a number, an amount of money, or nothing."""
    return _LETTER.search(_CURRENCY.sub("", both[0])) is None


def _heads(*names: str) -> list[Both]:
    """For each figure a column for today and one for the candidate."""
    return [
        (f"{key(name)[0]}, {key(side)[0]}", f"{key(name)[1]}（{key(side)[1]}）")
        for name in names
        for side in ("today", "candidate")
    ]


def _cells(*pairs: Pair) -> list[Both]:
    return [same(f"{value:,}") for pair in pairs for value in (pair.today, pair.candidate)]


def _costs(cost: Cost) -> list[Both]:
    return [same(money.written(amount, cost.currency)) for amount in (cost.today, cost.candidate)]


def _plain(both: Both) -> str:
    return f"<p>{span(both)}</p>"


def _percent(change: int, of: int) -> str:
    tenths = round(change * 1000 / of)
    sign = "+" if tenths > 0 else "−" if tenths < 0 else ""
    return f"{sign}{abs(tenths) / 10:.1f}%"


def _share(count: int, of: int) -> str:
    return f"{count * 100 / of:.1f}%" if of else "–"
