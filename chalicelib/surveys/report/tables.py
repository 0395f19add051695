"""The numbers beside the page's charts, as tables that can be read out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from chalicelib.base.svg import Both, same, span
from chalicelib.surveys.report.words import both, filled, key, signed
from chalicelib.surveys.rules.figures import Cell, CountOut, DriversOut, Figure, QuestionResult, Results

_UNITS = {"nps": "", "csat": " %", "ces": " %", "mean": ""}


def details(caption: Both, head: Sequence[Both], rows: Iterable[Sequence[Both]]) -> str:
    """A table that opens on request."""
    return f"<details><summary>{span(key('numbers'))}</summary>{table(caption, head, rows)}</details>"


def table(caption: Both, head: Sequence[Both], rows: Iterable[Sequence[Both]]) -> str:
    """A table whose first column names the rows, and whose others are numbers."""
    titles = "".join(f'<th scope="col"{_number(place)}>{span(title)}</th>' for place, title in enumerate(head))
    body = "".join(f"<tr>{''.join(_cell(place, value) for place, value in enumerate(row))}</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0"><table><caption>{span(caption)}</caption>'
        f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def cells(name: Both, found: Sequence[tuple[Both, Cell]], scores: Sequence[str], caption: Both) -> str:
    """A table of scores by month, tier, store and so on."""
    head = [name, key("answers"), *(title for score in scores for title in (key(score), key("interval")))]
    rows = (
        [
            named,
            same(f"{cell.answers:,}"),
            *(shown for score in scores for shown in figure(getattr(cell, score), score)),
        ]
        for named, cell in found
    )
    return details(caption, head, rows)


def figure(found: Figure | None, score: str) -> tuple[Both, Both]:
    """A figure and its interval, or why it is not there."""
    if found is None or not found.n:
        return same("–"), same("")
    if found.value is None or found.low is None or found.high is None:
        return key("hidden_too" if found.hidden == "to_keep_others_hidden" else "hidden"), same("")
    unit = _UNITS[score]
    shown = f"{found.value:.2f}" if score == "mean" else signed(found.value)
    ends = (found.low, found.high)
    interval = " … ".join(f"{end:.2f}" if score == "mean" else signed(end) for end in ends)
    return same(f"{shown}{unit}"), same(f"{interval}{unit}")


def dimensions(told: Results) -> str:
    """Satisfaction by dimension, with how much was written about each."""
    head = [key("row"), key("answers"), key("ratings"), key("csat"), key("interval"), key("texts")]
    rows = (
        [
            key(each.dimension),
            same(f"{each.csat.n:,}"),
            same(f"{each.ratings:,}"),
            *figure(each.csat, "csat"),
            same(f"{each.texts:,}"),
        ]
        for each in told.dimensions
    )
    return table(key("dimensions"), head, rows)


def drivers(found: DriversOut) -> str:
    """What moves NPS, in numbers."""
    head = [key("row"), key("share"), key("interval"), key("effect"), key("interval"), key("mean_score")]
    rows = (
        [
            key(each.dimension),
            same(f"{each.share:.0f} %"),
            same(f"{each.share_low:.0f} … {each.share_high:.0f} %"),
            same(signed(each.effect)),
            same(f"{signed(each.effect_low)} … {signed(each.effect_high)}"),
            same(f"{each.score:.0f}"),
        ]
        for each in found.drivers
    )
    return details(key("drivers"), head, rows)


def question(found: QuestionResult) -> str:
    """A question with what was answered, as bars."""
    score = f"{_scored(found)}" if found.score_is else ""
    head = f"<h3>{span(both(found.title))}</h3><p>{span(key('answers'))}: {found.answers:,}{score}</p>"
    if found.rows:
        titles = [key("row"), key("csat"), key("interval"), key("mean")]
        rows = ([both(row.title), *figure(row.csat, "csat"), figure(row.mean, "mean")[0]] for row in found.rows)
        return f'<div class="question">{head}{table(both(found.title), titles, rows)}</div>'
    if found.kind == "text":
        return f'<div class="question">{head}</div>'
    if not found.counts:
        why = key("hidden") if found.answers else key("none")
        return f'<div class="question">{head}<p>{span(why)}</p></div>'
    return f'<div class="question">{head}{_bars(found)}</div>'


def _scored(found: QuestionResult) -> str:
    name = found.score_is or "mean"
    value, interval = figure(found.score, name)
    beside = f" ({interval[0]})" if interval[0] else ""
    return f" · {span(key(name))} {span(value)}{beside}"


def _bars(found: QuestionResult) -> str:
    highest = max(count.count for count in found.counts) or 1
    rows = "".join(_bar(count, found.answers, highest) for count in found.counts)
    head = "".join(
        f'<th scope="col"{kind}>{span(key(name))}</th>'
        for name, kind in (("value", ""), ("count", ' class="n"'), ("share", ' class="n"'))
    )
    return (
        f'<div class="scroll" tabindex="0"><table><caption>{span(both(found.title))}</caption>'
        f'<thead><tr>{head}<td class="draw"></td></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _bar(count: CountOut, answers: int, highest: int) -> str:
    named = both(count.title) if count.title else same(count.value)
    return (
        f'<tr><th scope="row">{span(named)}</th><td class="n">{count.count:,}</td>'
        f'<td class="n">{count.count / answers:.0%}</td>'
        f'<td class="draw"><span class="bar" style="width:{100 * count.count / highest:.1f}%"></span></td></tr>'
    )


def changes(told: Results, score: str) -> Iterator[str]:
    """The changes of a score in words."""
    for change in told.changes:
        if change.score == score:
            ends = f"{signed(change.low)} … {signed(change.high)}"
            difference = f"{signed(change.difference)}; {ends}"
            words = filled(
                "changed",
                month=change.month,
                before=signed(change.before),
                after=signed(change.after),
                difference=difference,
            )
            yield f"<li>{span(words)}</li>"


def _number(place: int) -> str:
    return ' class="n"' if place else ""


def _cell(place: int, value: Both) -> str:
    return f'<td class="n">{span(value)}</td>' if place else f'<th scope="row">{span(value)}</th>'
