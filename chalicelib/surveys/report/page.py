"""The page with charts: one HTML file that needs nothing else, light and dark, in English and Chinese: pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final, Literal

from chalicelib.base.svg import Both, same, span
from chalicelib.surveys.report import charts, tables
from chalicelib.surveys.report.charts import Row
from chalicelib.surveys.report.words import WORDS, both, filled, key, signed
from chalicelib.surveys.rules.crossing import OTHERS
from chalicelib.surveys.rules.figures import Cell, Figure, Groups, Results

_STYLE: Final = Path(__file__).with_name("page.css")
_LOWEST: Final = {"nps": -100, "csat": 0, "ces": 0}
_NOTES: Final = ("note_nps", "note_hidden", "note_changes", "note_drivers", "note_flagged")

Score = Literal["nps", "csat", "ces"]


def html(told: Results, groups: Sequence[Groups] = ()) -> str:
    """The page of some results, with as many tables as there are."""
    score = _main(told)
    figures = [
        _scores(told),
        _months(told, score),
        _dimensions(told),
        _drivers(told, score),
        _funnel(told),
        *(_group(each, score) for each in groups if any(cell.value for cell in each.cells)),
    ]
    title = both(told.title)
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title[0])} · {escape(title[1])}</title>",
            f"<style>{_STYLE.read_text(encoding='utf-8')}</style></head><body>",
            '<input class="choice" type="radio" name="l" id="l-en" checked>',
            '<input class="choice" type="radio" name="l" id="l-zh">',
            f'<div class="wide">{_header(told)}<main><div class="cards">{"".join(_cards(told, score))}</div>',
            f'<div class="grid">{"".join(figures)}</div>{_questions(told)}{_notes()}</main></div></body></html>',
        )
    )


def _main(told: Results) -> Score:
    """The score that the survey is about: the first that it has."""
    names: tuple[Score, ...] = ("nps", "csat", "ces")
    return next((name for name in names if getattr(told, name) is not None), "csat")


def _header(told: Results) -> str:
    when = key("live") if told.crossed_at is None else tuple(f"{word} {told.crossed_at}" for word in key("as_of"))
    return (
        f"<header><div><h1>{span(both(told.title))}</h1>"
        f"<p>{escape(told.code)} · {told.first} – {told.last} · {span((when[0], when[1]))}</p></div>"
        '<div class="languages"><label for="l-en">English</label><label for="l-zh">中文</label></div></header>'
    )


def _cards(told: Results, score: Score) -> Iterator[str]:
    main: Figure | None = getattr(told, score)
    if main is not None:
        drawn = charts.gauge(main, _LOWEST[score], "card-main")
        yield f'<div class="card main"><h2 id="card-main">{span(key(score))}</h2>{drawn}{_interval(main)}</div>'
    for name in ("nps", "csat", "ces"):
        figure: Figure | None = getattr(told, name)
        if figure is not None and name != score:
            yield _card(key(name), tables.figure(figure, name)[0], _interval(figure))
    yield _card(key("answers"), same(f"{told.answers:,}"), "")
    if told.funnel.rate is not None:
        rate = told.funnel.rate
        beside = f"<small>{told.funnel.sent:,} {span(key('sent'))}</small>{_interval(rate)}"
        yield _card(key("rate"), tables.figure(rate, "csat")[0], beside)
    flagged = told.flagged
    reasons = (("straight_lined", flagged.straight_lined), ("speeding", flagged.speeding))
    why = f"<small>{' · '.join(f'{span(key(name))} {count:,}' for name, count in reasons)}</small>"
    yield _card(key("flagged"), same(f"{flagged.answers:,}"), why)


def _card(name: Both, value: Both, beside: str) -> str:
    return f'<div class="card"><h2>{span(name)}</h2><strong>{span(value)}</strong>{beside}</div>'


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    told = f"{signed(figure.low)} … {signed(figure.high)}"
    return f"<small>{span(key('interval'))} {told}, n = {figure.n:,}</small>"


def _figure(name: str, title: Both, drawn: str, beside: str, note: Both | None = None) -> str:
    small = f"<small>{span(note)}</small>" if note else ""
    return f'<figure><figcaption id="{name}">{span(title)}{small}</figcaption>{drawn}{beside}</figure>'


def _scores(told: Results) -> str:
    question = next((question for question in told.questions if question.kind == "nps"), None)
    if question is None or not question.counts:
        return ""
    rows = (
        [same(count.value), same(f"{count.count:,}"), same(f"{count.count / question.answers:.1%}")]
        for count in question.counts
    )
    beside = tables.details(key("scores"), [key("score"), key("count"), key("share")], rows)
    return _figure("chart-scores", key("scores"), charts.scores(question, "chart-scores"), beside)


def _months(told: Results, score: Score) -> str:
    if not told.months:
        return ""
    drawn = charts.months(told.months, score, told.changes, "chart-months")
    said = "".join(tables.changes(told, score))
    said = f'<ul class="changes">{said}</ul>' if said else f'<p class="say">{span(key("unchanged"))}</p>'
    named = [(same(cell.value), cell) for cell in told.months]
    beside = said + tables.cells(key("month"), named, _have(told), key("trend"))
    return _figure("chart-months", key("trend"), drawn, beside, key("trend_note"))


def _dimensions(told: Results) -> str:
    if not told.dimensions:
        return ""
    rows = [Row(key(each.dimension), each.csat, each.csat.n) for each in told.dimensions if each.csat.n]
    drawn = charts.rows(rows, 0, "chart-dimensions", unit="%") if rows else ""
    return _figure(
        "chart-dimensions", key("dimensions"), drawn, tables.dimensions(told), key("dimensions_note") if rows else None
    )


def _drivers(told: Results, score: Score) -> str:
    if score != "nps":
        return ""
    if told.drivers is None:
        return _figure("chart-drivers", key("drivers"), "", f'<p class="say">{span(key("no_drivers"))}</p>')
    rows = [
        Row(
            key(each.dimension),
            Figure(n=told.drivers.n, value=each.share, low=each.share_low, high=each.share_high, hidden=None),
            told.drivers.n,
        )
        for each in told.drivers.drivers
    ]
    note = filled("drivers_note", explained=f"{told.drivers.explained:.0f}", n=f"{told.drivers.n:,}")
    drawn = charts.rows(rows, 0, "chart-drivers", unit="%")
    return _figure("chart-drivers", key("drivers"), drawn, tables.drivers(told.drivers), note)


def _group(found: Groups, score: Score) -> str:
    name = f"chart-{found.by}"
    named = [(_named(found.by, cell), cell) for cell in found.cells]
    rows = [Row(words, getattr(cell, score), cell.answers) for words, cell in named]
    drawn = charts.rows(rows, _LOWEST[score], name, unit="" if score == "nps" else "%")
    more = charts.more(len(rows))
    beside = f'<p class="say">{span(more)}</p>' if more else ""
    beside += tables.cells(key("row"), named, [score], key(found.by))
    return _figure(name, key(found.by), drawn, beside, None if found.adds_up else key("overlap"))


def _named(by: str, cell: Cell) -> Both:
    if not cell.value:
        return key("unknown")
    if cell.value == OTHERS:
        return key("others")
    return key(cell.value) if by == "channel" and cell.value in WORDS else same(cell.value)


def _funnel(told: Results) -> str:
    steps = (
        ("sent", told.funnel.sent),
        ("answered", told.funnel.answered),
        ("came_in", told.funnel.answers),
        ("sound", told.funnel.sound),
    )
    rows = ([key(name), same(f"{count:,}")] for name, count in steps)
    beside = tables.details(key("funnel"), [key("row"), key("count")], rows)
    return _figure("chart-funnel", key("funnel"), charts.funnel(told.funnel, "chart-funnel"), beside)


def _questions(told: Results) -> str:
    found = "".join(tables.question(question) for question in told.questions)
    return f'<section class="panel"><h2 class="title">{span(key("questions"))}</h2>{found}</section>'


def _notes() -> str:
    items = "".join(f"<li>{span(key(name))}</li>" for name in _NOTES)
    return f'<section><h2 class="title">{span(key("notes"))}</h2><ul class="notes">{items}</ul></section>'


def _have(told: Results) -> list[str]:
    return [name for name in ("nps", "csat", "ces") if getattr(told, name) is not None]
