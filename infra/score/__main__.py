"""`make score DATA=orders.csv`: scores a file of purchases (`customer_id,date,amount`) without any AWS.

Writes report.html, report.json and members.csv to OUT. Amounts below 0 are refunds.
"""

import argparse
import os
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infra.errors import InfraError
from infra.local.paths import LOCAL

_EPOCH: Final = date(1970, 1, 1).toordinal()
_MODELS: Final = ("mbg-nbd", "bg-nbd")
_EXPIRY_MONTHS_MAX: Final = 120


def main(arguments: list[str] | None = None) -> int:
    """Score, write, and say the main figures; ends with 1 where the file, or an option, makes no sense."""
    # More threads only burn time on arrays of this size; numpy reads it when it is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    options = options_of(arguments)
    console = Console()
    try:
        _run(options, console)
    except InfraError as error:
        print(f"score: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"score: {error.filename} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    """The options that the command line gives."""
    parser = argparse.ArgumentParser(prog="python -m infra.score", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="purchases: customer_id,date,amount")
    parser.add_argument("--model", default=_MODELS[0], choices=_MODELS, help="(default: %(default)s)")
    parser.add_argument("--until", default="", metavar="DAY", help="score as of this day (default: the last purchase)")
    parser.add_argument("--out", type=Path, default=LOCAL / "score", metavar="DIR", help="where to write")
    parser.add_argument("--zone", default="UTC", help="whose days count for moments (default: %(default)s)")
    parser.add_argument("--margin", type=float, default=1.0, help="share of a purchase that is profit, 0 to 1")
    parser.add_argument("--discount", type=float, default=0.15, help="what a year's waiting costs (default: 0.15)")
    parser.add_argument("--surveys", type=Path, metavar="FILE", help="answers: customer_id,date,kind,answer")
    parser.add_argument("--points", type=Path, metavar="FILE", help="points: date,points; redeemed ones below 0")
    parser.add_argument("--expiry-months", type=int, default=24, help="age at which points expire (default: 24)")
    parser.add_argument("--locale", choices=("en", "zh"), default="en", help="language (the page has both)")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace, console: Console) -> None:
    from chalicelib.scoring.report import build  # noqa: PLC0415 - after the setting that numpy reads
    from chalicelib.scoring.rules.outcomes import Economy  # noqa: PLC0415

    zone = _checked(options)
    begun = time.perf_counter()
    with _progress() as bar:
        task = bar.add_task("reading purchases", total=None)
        rows, until, notes = _read(options, zone, lambda lines: bar.advance(task, lines))
        bar.update(task, total=len(rows.day), completed=len(rows.day))
        task = bar.add_task("scoring", total=3)
        found = build.assessed(rows, until, options.model, Economy(options.margin, options.discount))
        bar.advance(task)
        report = build.report(rows, found, source=options.data.name, until=until, notes=notes)
        bar.advance(task)
        _write(options, rows, found, report)
        bar.advance(task)
    _told(report, options, console, time.perf_counter() - begun)


def _progress() -> Progress:
    columns = (TextColumn("  {task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # What is printed may go into a file; the bar stays on the terminal.
    return Progress(*columns, console=Console(stderr=True))


def _checked(options: argparse.Namespace) -> ZoneInfo:
    if not 0.0 < options.margin <= 1.0:
        raise InfraError(f"--margin is a share above 0 and up to 1, not {options.margin}.")
    if not 0.0 <= options.discount <= 10.0:  # noqa: PLR2004 - no money is so dear
        raise InfraError(f"--discount is a yearly rate such as 0.15, not {options.discount}.")
    if not 1 <= options.expiry_months <= _EXPIRY_MONTHS_MAX:
        raise InfraError(f"--expiry-months is 1 to {_EXPIRY_MONTHS_MAX}, not {options.expiry_months}.")
    try:
        return ZoneInfo(options.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise InfraError(f"{options.zone} is no time zone; write it like Asia/Shanghai.") from None


def _read(options: argparse.Namespace, zone: ZoneInfo, advance: Any) -> tuple[Any, int, tuple[Any, ...]]:
    """The rows, the day to score, and what is to be told beside the figures."""
    from infra.score import reading  # noqa: PLC0415

    rows = reading.purchases(options.data, zone, advance)
    until = reading.day_of(options.until, zone) if options.until else int(rows.day.max())
    notes: list[tuple[str, dict[str, str]]] = []
    if not (rows.day <= until).any():
        first = date.fromordinal(int(rows.day.min()) + _EPOCH)
        raise InfraError(f"UNTIL={options.until} is before the first purchase of {options.data.name}, on {first}.")
    if later := int((rows.day > until).sum()):
        notes.append(("later", {"count": f"{later:,}"}))
    if unmatched := rows.until(until).refunds_unmatched:
        notes.append(("unmatched", {"count": f"{unmatched:,}"}))
    if options.surveys:
        answers, others = reading.answers(options.surveys, rows.names, zone)
        rows = msgspec.structs.replace(rows, answers=answers)
        if others:
            notes.append(("strangers", {"count": f"{others:,}"}))
    if options.points:
        found = reading.points(options.points, zone, until, options.expiry_months)
        rows = msgspec.structs.replace(rows, points=found)
    return rows, until, tuple(notes)


def _write(options: argparse.Namespace, rows: Any, found: Any, report: Any) -> None:
    from chalicelib.scoring.report.export import write  # noqa: PLC0415
    from chalicelib.scoring.report.page import rendered  # noqa: PLC0415

    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "report.html").write_text(rendered(report, options.locale), encoding="utf-8")
    (options.out / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    # The mark tells spreadsheets that this is UTF-8.
    with (options.out / "members.csv").open("w", encoding="utf-8-sig", newline="") as out:
        write(rows.names, found.now, out)


def _told(report: Any, options: argparse.Namespace, console: Console, seconds: float) -> None:
    from chalicelib.scoring.report import correction  # noqa: PLC0415

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    say(f"{report.members:,} customers, {report.purchases:,} purchase days until {report.until}, in {seconds:.1f} s")
    for model in (report.model, report.spend):
        values = ", ".join(f"{name} {value:.4f}" for name, value in model.parameters.items())
        why = f" ({model.source}: {', '.join(model.refused)})" if model.refused else ""
        say(f"{model.name}: {values}; log-likelihood {model.log_likelihood:,.2f}{why}")
    if report.prediction and report.prediction.auc is not None:
        say(
            f"predicted on {report.compared_with}: AUC {report.prediction.auc:.3f}, Brier {report.prediction.brier:.4f}"
        )
        # The report's own words, in English.
        for words, _chinese in correction.told(report.layer):
            say(f"  {words}")
    say(f"top 20% hold {report.pareto.top_20_share:.1%} of spending")
    for name in ("report.html", "report.json", "members.csv"):
        say(f"wrote {options.out / name}")


if __name__ == "__main__":
    sys.exit(main())
