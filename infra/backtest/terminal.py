"""The report on the terminal."""

from rich.console import Console
from rich.table import Table

from infra.backtest import money, texts
from infra.backtest.report import Comparison, Pair

_SPARK = "▁▂▃▄▅▆▇█"


def show(report: Comparison, console: Console, locale: str) -> None:
    """Print the report, in English or Chinese; merchants' texts are printed as they are, never as markup."""
    say = texts.speaker(locale)
    console.print()
    console.print(
        say("scope").format(purchases=f"{report.purchases:,}", members=f"{report.members:,}", source=report.source),
        markup=False,
    )
    _headline(report, console, locale)
    _rules(report, console, locale)
    _tiers(report, console, locale)
    _months(report, console, locale)
    _members(report, console, locale)
    _budgets(report, console, locale)
    for note in texts.notes(report, locale):
        console.print(f"· {note}", markup=False, style="dim")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", show_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", overflow="fold", min_width=0 if place else 8)
    return table


def _pair(pair: Pair) -> tuple[str, str, str]:
    return f"{pair.today:,}", f"{pair.candidate:,}", _change(pair.change)


def _change(change: int) -> str:
    colour = "green" if change > 0 else "red" if change < 0 else "dim"
    return f"[{colour}]{texts.signed(change)}[/]"


def _headline(report: Comparison, console: Console, locale: str) -> None:
    say = texts.speaker(locale)
    table = _table(say("at_a_glance"), "", say("today"), say("candidate"), say("change"))
    for key, pair in report.headline:
        table.add_row(say(key), *_pair(pair))
    for cost in [report.cost, *(row.cost for row in report.costs if len(report.costs) > 1)]:
        if (cost.today, cost.candidate) != (None, None):
            label = say("cost_in" if cost is report.cost else "purchases_in").format(currency=cost.currency)
            amounts = (cost.today, cost.candidate, cost.change)
            table.add_row(label, *(money.written(amount, cost.currency) for amount in amounts))
    console.print(table)
    console.print()
    affected = f"{report.affected:,}", f"{report.gaining:,}", f"{report.losing:,}"
    console.print(say("affected").format(affected=affected[0], gaining=affected[1], losing=affected[2]))
    console.print()


def _rules(report: Comparison, console: Console, locale: str) -> None:
    say = texts.speaker(locale)
    table = _table(say("by_rule"), "", say("today"), say("candidate"), say("change"), say("times"), say("cut"))
    for row in report.rules:
        table.add_row(
            texts.plain(texts.rule_name(row, locale)),
            *_pair(row.points),
            f"{row.times.candidate:,}",
            f"{row.cut_points.candidate:,}" if row.cut_points.candidate else "",
        )
    console.print(table)
    console.print()


def _tiers(report: Comparison, console: Console, locale: str) -> None:
    say = texts.speaker(locale)
    names = texts.tier_names(report, locale)
    table = _table(say("members_by_tier"), "", say("today"), say("candidate"), say("change"), say("points_given"))
    for row in report.tiers:
        table.add_row(texts.plain(names[row.code]), *_pair(row.members), _change(row.points.change))
    console.print(table)
    moves = [flow for flow in report.flows if flow.today != flow.candidate]
    for flow in moves:
        line = f"  {names[flow.today]} → {names[flow.candidate]}: {flow.members:,} ({', '.join(flow.examples)})"
        console.print(line, markup=False)
    if not moves:
        console.print(f"  {say('nobody_moves')}")
    console.print()


def _months(report: Comparison, console: Console, locale: str) -> None:
    say = texts.speaker(locale)
    sides = (say("today"), say("candidate"))
    columns = [f"{say(name)}\n{side}" for name in ("issued", "expired", "balance") for side in sides]
    table = _table(say("by_month"), "", *columns)
    for row in report.months:
        pairs = (row.issued, row.expired, row.outstanding)
        table.add_row(
            texts.month(row.month), *(f"{value:,}" for pair in pairs for value in (pair.today, pair.candidate))
        )
    console.print(table)
    for name in ("today", "candidate"):
        values = [getattr(row.outstanding, name) for row in report.months]
        console.print(f"  {say('outstanding')} {say(name)}  {_spark(values)}")
    console.print()


def _spark(values: list[int]) -> str:
    """A row of blocks, each as high as its value."""
    top = max([*values, 1])
    return "".join(_SPARK[max(value, 0) * (len(_SPARK) - 1) // top] for value in values)


def _members(report: Comparison, console: Console, locale: str) -> None:
    say = texts.speaker(locale)
    names = texts.tier_names(report, locale)
    for key, rows in (("gain_most", report.gains), ("lose_most", report.losses)):
        if not rows:
            continue
        table = _table(say(key), say("member"), say("purchases"), say("today"), say("candidate"), say("change"), "")
        for row in rows:
            tiers = names[row.tier_today]
            if row.tier_today != row.tier_candidate:
                tiers += f" → {names[row.tier_candidate]}"
            table.add_row(texts.plain(row.member), f"{row.purchases:,}", *_pair(row.points), texts.plain(tiers))
        console.print(table)
        console.print()


def _budgets(report: Comparison, console: Console, locale: str) -> None:
    if not report.budgets:
        return
    say = texts.speaker(locale)
    table = _table(say("budgets"), "", say("points"), say("awards"), say("spent_at"))
    for row in report.budgets:
        table.add_row(texts.plain(texts.localised(row.title, locale)), *texts.budget_cells(row, report))
    console.print(table)
    console.print()
