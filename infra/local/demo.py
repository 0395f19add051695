"""The demo as a whole: which purchases, in which steps, with what progress, and whether the counts agree."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infra.errors import InfraError
from infra.local import cdnow, polls, scored, seed
from infra.local.assets import purchases
from infra.local.deploy import Stack
from infra.local.start import step


def bring_in_demo(stack: Stack, console: Console, *, keep: Path | None, limit: int | None) -> None:
    """Publish, enrol, send, wait and check; what a kept folder says is there already stays."""
    kept = _kept(keep)
    if kept.get("done"):
        console.print(f"[green]✓[/green] the demo is in {keep} already")
        return
    rows = cdnow.read(purchases(), datetime.fromisoformat(kept["now"]), limit)
    with step(console, "publishing the demo programme"):
        seed.publish(stack)
    customers = list(dict.fromkeys(row.customer for row in rows))
    with _progress(console) as progress:
        task = progress.add_task("enrolling members", total=len(customers))
        members = seed.enrol(stack, customers, lambda count: progress.advance(task, count))
        sending = progress.add_task("sending purchases", total=len(rows))
        seed.send(stack, rows, members, lambda count: progress.advance(sending, count))
        posting = progress.add_task("posting purchases", total=len(rows))
        seed.drain(stack, stack.outputs["IntakeQueueUrl"], lambda count: progress.advance(posting, count), len(rows))
        surveyed = progress.add_task("bringing in answers", total=polls.ANSWERS)
        polls.bring_in(stack, datetime.fromisoformat(kept["now"]), lambda count: progress.advance(surveyed, count))
        scoring = progress.add_task("scoring at night", total=2 * len(members))
        scored.run(stack, len(members), lambda count: progress.advance(scoring, count))
    with step(console, "counting"):
        found = seed.check(stack)
    if (found.orders, found.entries, found.failures) != (len(rows), len(rows), 0):
        raise InfraError(f"{len(rows)} purchases were sent, but the tables hold something else: {found}.")
    console.print(
        f"[green]✓[/green] {found.orders:,} orders = {found.entries:,} entries, {found.points:,} points earned "
        f"by {len(members):,} members"
    )
    if keep is not None:
        _marker(keep).write_text(json.dumps(kept | {"done": True}), encoding="utf-8")


def _kept(keep: Path | None) -> dict[str, Any]:
    """What is known of a demo begun earlier: the day that the purchases were moved to must not change half-way."""
    fresh: dict[str, Any] = {"now": datetime.now(UTC).isoformat(), "done": False}
    if keep is None:
        return fresh
    try:
        known: dict[str, Any] = json.loads(_marker(keep).read_text(encoding="utf-8"))
    except FileNotFoundError:
        _marker(keep).write_text(json.dumps(fresh), encoding="utf-8")
        return fresh
    return known


def _marker(keep: Path) -> Path:
    return keep / "demo.json"


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("  {task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )
