"""`make backtest PROGRAMME=candidate.json`: what a candidate would have done to purchases that were made.

Without more, these are the purchases that `make run` brings in, and today's document is the demo's.
"""

import argparse
import functools
import gc
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import Progress

from infra import installation
from infra.errors import InfraError
from infra.local import assets
from infra.local.paths import LOCAL, PORT
from infra.local.seed import DEMO_PROGRAM

if TYPE_CHECKING:
    from chalicelib.program.document import Program
    from infra.backtest.recorded import Recorded
    from infra.backtest.report import Comparison

_INVALID = 2
_RUNNING = "local"
_PAGE = LOCAL / "backtest.html"


def main(arguments: list[str] | None = None) -> int:
    """Compare and show; ends with 2 where a document is invalid, and with 1 where there is nothing to replay."""
    options = options_of(arguments)
    # The engine reads its settings when it is imported. Nothing is posted from here.
    os.environ.setdefault("HUIKE_TABLE_PREFIX", "backtest-")
    os.environ.setdefault("HUIKE_ID_SECRET", "nothing is posted")
    from chalicelib.program.validation import InvalidProgram  # noqa: PLC0415

    console = Console()
    try:
        report = _compared(options, console)
    except InvalidProgram as refusal:
        console.print("The document cannot be published:", style="red")
        for problem in refusal.problems:
            console.print(f"  {problem.field or 'document'}: {problem.detail}", markup=False, soft_wrap=True)
        return _INVALID
    except (InfraError, BotoCoreError, ClientError) as error:
        print(f"backtest: {error}", file=sys.stderr)
        return 1
    _shown(report, options, console)
    return 0


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    """The options that the command line gives."""
    parser = argparse.ArgumentParser(prog="python -m infra.backtest", description=__doc__)
    parser.add_argument("--programme", type=Path, required=True, metavar="FILE", help="the candidate document")
    parser.add_argument("--today", type=Path, metavar="FILE", help="today's document (default: see the guide)")
    parser.add_argument(
        "--purchases", type=Path, metavar="FILE", help="a .csv file, or the intake's messages, one a line"
    )
    parser.add_argument(
        "--members", type=Path, metavar="FILE", help="birthdays, tags, segments, enrolments: .csv or JSON"
    )
    parser.add_argument("--stack", help=f"read an installation: a CloudFormation stack, or {_RUNNING} for `make run`'s")
    parser.add_argument(
        "--as-posted", action="store_true", help="of a stack: facts arrive when they came, not when they occurred"
    )
    parser.add_argument("--port", type=int, default=PORT, help="port of the local stack's front")
    parser.add_argument("--whole", action="store_true", help="all 69,659 demo purchases, not those of `make run`")
    parser.add_argument("--locale", choices=("en", "zh"), default="en", help="language (the page has both)")
    parser.add_argument("--page", type=Path, default=_PAGE, metavar="FILE", help="where the HTML page is written")
    return parser.parse_args(arguments)


def _compared(options: argparse.Namespace, console: Console) -> "Comparison":
    from infra.backtest.compare import compare  # noqa: PLC0415
    from infra.backtest.replay import replay  # noqa: PLC0415

    # What is wrong with the candidate is said before anything is read.
    candidate = _document(options.programme)
    with installation.progress() as bar:
        today, recorded = _read(options, bar)
        if not recorded.facts:
            raise InfraError("Nothing was recorded.")
        begun = time.perf_counter()
        tallies = []
        # Nothing here has cycles; looking for them takes a third of the time.
        gc.disable()
        for name, program in (("today's document", today), ("the candidate", candidate)):
            task = bar.add_task(name, total=len(recorded.facts))
            tallies.append(replay(program, recorded, today.zone, functools.partial(bar.advance, task)))
        gc.enable()
        seconds = time.perf_counter() - begun
    report = compare(recorded, *tallies)
    console.print(f"[green]✓[/green] {2 * report.purchases:,} evaluations in {seconds:.1f} s", highlight=False)
    return report


def _read(options: argparse.Namespace, bar: Progress) -> "tuple[Program, Recorded]":
    """Today's document and what was recorded."""
    from chalicelib.base import clock  # noqa: PLC0415
    from chalicelib.program.document import default  # noqa: PLC0415
    from infra.backtest import files, tables  # noqa: PLC0415

    today = _document(options.today) if options.today else None
    task = bar.add_task("reading purchases", total=None)
    if options.stack:
        stack = None if options.stack == _RUNNING else options.stack
        found = installation.find(argparse.Namespace(stack=stack, port=options.port, local=None))
        today = today or tables.program_in_force(found, clock.now())
        recorded = tables.recorded(found, functools.partial(bar.advance, task), as_posted=options.as_posted)
    elif options.purchases:
        today = today or default()
        recorded = files.read(options.purchases, today.zone)
    else:
        today = today or _document(DEMO_PROGRAM)
        recorded = files.demo(assets.purchases(whole=options.whole), datetime.now(UTC))
    if options.members:
        recorded = files.with_members(recorded, options.members)
    bar.update(task, total=len(recorded.facts), completed=len(recorded.facts))
    return today, recorded


def _document(path: Path) -> "Program":
    """A document as publishing would take it. Raises InvalidProgram and InfraError."""
    from chalicelib.program.validation import validate  # noqa: PLC0415

    try:
        return validate(path.read_bytes())
    except OSError as error:
        raise InfraError(f"{path} cannot be read: {error.strerror}.") from None


def _shown(report: "Comparison", options: argparse.Namespace, console: Console) -> None:
    from infra.backtest import page, terminal  # noqa: PLC0415

    terminal.show(report, console, options.locale)
    options.page.parent.mkdir(parents=True, exist_ok=True)
    options.page.write_text(page.rendered(report, options.locale), encoding="utf-8")
    console.print(f"\n[green]✓[/green] {options.page}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
