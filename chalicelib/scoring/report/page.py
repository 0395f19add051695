"""The report as one HTML page: nothing is fetched, no script runs; both languages, light and dark are in it."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Final

from chalicelib.base.svg import LOCALES, Both, same, span
from chalicelib.scoring.report import calendar, charts, correction, flows, heat, held, lately, numbers, parts, people
from chalicelib.scoring.report.indicators import cards
from chalicelib.scoring.report.model import Fitted, Report
from chalicelib.scoring.report.parts import figure, grid, panel, table
from chalicelib.scoring.report.words import filled, key

_STYLE: Final = Path(__file__).with_suffix(".css")
_THEMES: Final = ("auto", "light", "dark")


def rendered(report: Report, locale: str = "en") -> str:
    """The page, in `en` or `zh` until the reader chooses the other."""
    title = key("title")[1 if locale == "zh" else 0]
    return "".join(
        [
            f'<!doctype html><html lang="{LOCALES[locale]}"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{escape(title)} · {escape(report.until)}</title>",
            f"<style>{_STYLE.read_text(encoding='utf-8')}</style></head><body>",
            _choices(locale),
            '<div class="page"><div class="wide">',
            _header(report),
            "<main>",
            cards(report.indicators),
            _body(report),
            "</main></div></div></body></html>\n",
        ]
    )


def _choices(locale: str) -> str:
    """Radio buttons that the style sheet looks at: the page needs no script."""
    found = []
    for name, label in (("en", "English"), ("zh", "简体中文")):
        on = " checked" if name == locale else ""
        found.append(f'<input class="choice" type="radio" name="language" id="l-{name}" aria-label="{label}"{on}>')
    for name in _THEMES:
        on = " checked" if name == "auto" else ""
        label = " / ".join(key(name))
        found.append(f'<input class="choice" type="radio" name="theme" id="t-{name}" aria-label="{label}"{on}>')
    return "".join(found)


def _header(report: Report) -> str:
    scope = filled(
        "scope",
        members=f"{report.members:,}",
        purchases=f"{report.purchases:,}",
        first_day=report.first_day,
        until=report.until,
        compared_with=report.compared_with,
    )
    languages = '<label for="l-en">English</label><label for="l-zh" lang="zh-Hans">中文</label>'
    themes = "".join(f'<label for="t-{name}">{span(key(name))}</label>' for name in _THEMES)
    return (
        f'<header><div><p class="over">{escape(report.source)} · {escape(report.until)}</p>'
        f"<h1>{span(key('title'))}</h1><p>{span(scope)}</p></div>"
        f'<div class="switches"><div class="switch">{languages}</div><div class="switch">{themes}</div></div></header>'
    )


def _body(report: Report) -> str:
    return "".join(
        [
            people.where(report),
            _flows(report) if any(flow.before != "not_there" for flow in report.flows) else "",
            lately.changes(report),
            people.calls(report),
            calendar.calendar(report),
            grid(_pareto(report), _prediction(report)),
            _cohorts(report) if any(len(row.shares) > 1 for row in report.cohorts) else "",
            grid(_rfm(report), _scores(report)),
            _months(report) if report.months else "",
            people.personas(report) if report.personas else "",
            grid(people.alerts(report), parts.drifting(report)),
            grid(lately.movers(report, rising=True), lately.movers(report, rising=False)),
            held.points(report),
            grid(_fit(report.model), _fit(report.spend)),
            _notes(report),
        ]
    )


def _flows(report: Report) -> str:
    rows = [[flows.name(flow.before), flows.name(flow.now), same(f"{flow.members:,}")] for flow in report.flows]
    note = filled("flows_note", compared_with=report.compared_with, until=report.until)
    heads = [same(report.compared_with), same(report.until), key("members")]
    return figure("flows", parts.scrolled(flows.sankey(report.flows)), note, heads, rows)


def _pareto(report: Report) -> str:
    held = report.pareto
    note = filled(
        "pareto_note", top=numbers.percent(held.top_20_share, 1), holders=numbers.percent(held.holders_of_80, 1)
    )
    rows = [[same(f"{place}%"), same(numbers.percent(held.curve[place], 1))] for place in (1, 5, 10, 20, 30, 50, 80)]
    return figure("pareto", charts.pareto(held), note, [key("share_members"), key("share_spending")], rows)


def _prediction(report: Report) -> str:
    found = report.prediction
    if found is None or not found.deciles:
        return panel("prediction", parts.plain(key("no_data")))
    rows = [
        [same(f"{row.members:,}"), same(numbers.percent(row.predicted, 1)), same(numbers.percent(row.actual, 1))]
        for row in found.deciles
    ]
    chart = charts.calibration(found.deciles)
    note = filled("prediction_note", compared_with=report.compared_with)
    told = []
    if found.auc is not None:
        told.append(filled("auc_words", auc=numbers.percent(found.auc)))
    if found.bias is not None:
        name = "bias_words" if found.bias >= 0 else "bias_low_words"
        told.append(filled(name, bias=numbers.percent(abs(found.bias))))
    told.append(same(f"Brier {found.brier:.4f} · MAE {found.mae:.3f} · RMSE {found.rmse:.3f}"))
    told += correction.told(report.layer)
    heads = [key("members"), key("predicted"), key("happened")]
    after = "".join(f"<li>{span(words)}</li>" for words in told)
    return figure("prediction", chart, note, heads, rows, after=f'<ul class="told">{after}</ul>')


def _cohorts(report: Report) -> str:
    return figure("cohorts", parts.scrolled(heat.cohorts(report.cohorts)), key("cohorts_note"))


def _rfm(report: Report) -> str:
    return figure("rfm", heat.rfm(report.rfm, report.rfm_value), key("rfm_note"))


def _scores(report: Report) -> str:
    return figure("scores", charts.scores(report.scores), key("scores_note"))


def _months(report: Report) -> str:
    rows = [
        [
            same(numbers.month(row.month)),
            same(f"{row.purchases:,}"),
            same(f"{row.new_members:,}"),
            numbers.money(row.spending),
        ]
        for row in report.months
    ]
    heads = [key("month"), key("purchases"), key("new_members"), key("spending")]
    legend = parts.legend([("active", key("returning_members")), ("fresh", key("new_members"))])
    return figure("months", legend + parts.scrolled(charts.months(report.months)), key("months_note"), heads, rows)


def _fit(model: Fitted) -> str:
    rows = [[same(name), same(f"{value:.4f}"), same(_error(model, name))] for name, value in model.parameters.items()]
    told = [key(model.source)]
    if model.refused:
        reasons = [key(code) for code in model.refused]
        en, zh = (sep.join(reason[n] for reason in reasons) for n, sep in ((0, ", "), (1, "、")))
        words = key("refused")
        told.append((words[0].format(why=en), words[1].format(why=zh)))
    if model.log_likelihood:
        told.append(filled("log_likelihood", value=f"{model.log_likelihood:,.2f}", n=f"{model.members:,}"))
    lines = "".join(f"<li>{span(words)}</li>" for words in told)
    title: Both = tuple(f"{words} · {model.name}" for words in key("fit"))  # type: ignore[assignment]
    content = table([key("parameter"), key("estimate"), key("error")], rows) + f'<ul class="told">{lines}</ul>'
    return panel(title, content)


def _error(model: Fitted, name: str) -> str:
    error = model.standard_errors.get(name)
    return "–" if error is None or model.source != "fitted" else f"{error:.4f}"


def _notes(report: Report) -> str:
    apart = report.indicators.spend_frequency
    notes = [
        key("note_churn"),
        filled(
            "note_value",
            margin=numbers.percent(report.economy["margin"]),
            discount=numbers.percent(report.economy["discount_a_year"]),
        ),
        filled("note_cut", first_day=report.first_day),
        key("note_loyalty"),
    ]
    if apart is not None:
        notes.append(filled("note_correlation", value=numbers.signed(apart.value, 2)))
    notes += [filled(f"note_{code}", **values) for code, values in report.notes]
    return panel("notes", f'<ul class="notes">{"".join(f"<li>{span(note)}</li>" for note in notes)}</ul>')
