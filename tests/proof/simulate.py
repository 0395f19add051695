"""`make simulate SEEDS=10000`: races by seed, on all cores, with their progress and what they went through."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.proof.simulation import Run, play, simulate

CHUNK = 25
console = Console()


def run_chunk(first: int, last: int) -> tuple[int, Counter[str], int | None]:
    """Run seeds in a row; gives how many, what they went through, and the first that failed."""
    logging.disable(logging.CRITICAL)
    seen: Counter[str] = Counter()
    for seed in range(first, last):
        try:
            seen.update(simulate(seed))
        except Exception:  # noqa: BLE001 - whatever it is, the seed is the finding
            return seed - first, seen, seed
    return last - first, seen, None


def run_all(first: int, seeds: int, jobs: int) -> int:
    """Run many seeds and print what came of them; gives the exit code."""
    started, done, failed = time.monotonic(), 0, []
    seen: Counter[str] = Counter()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress, ProcessPoolExecutor(jobs) as pool:
        task = progress.add_task("seeds", total=seeds)
        starts = range(first, first + seeds, CHUNK)
        chunks = [pool.submit(run_chunk, start, min(start + CHUNK, first + seeds)) for start in starts]
        for chunk in as_completed(chunks):
            count, found, failing = chunk.result()
            done += count
            seen.update(found)
            progress.advance(task, count)
            if failing is not None:
                failed.append(failing)
    _summary(seen, done, time.monotonic() - started, jobs)
    for seed in sorted(failed):
        console.print(f"[red]seed {seed} failed[/]; replay it: .venv/bin/python -m tests.proof.simulate --seed {seed}")
    return 1 if failed else 0


def _summary(seen: Counter[str], done: int, seconds: float, jobs: int) -> None:
    table = Table("what happened", "times")
    for kind, times in seen.most_common():
        table.add_row(kind, f"{times:,}")
    console.print(table)
    console.print(f"{done:,} seeds in {seconds:.0f} s: {done / seconds:.1f} a second on {jobs} processes")


def run_one(seed: int) -> int:
    """Run one seed and print every call of the race; gives the exit code."""
    run, code = Run(seed), 0
    try:
        play(run)
    except Exception:  # noqa: BLE001 - shown with the calls that led to it
        console.print(traceback.format_exc(), markup=False)
        code = 1
    for line in run.scheduler.trace:
        console.print(line, markup=False)
    for refusal in run.refusals:
        console.print(f"{refusal.request.name} was refused: {refusal.code}", markup=False)
    _summary(run.seen, 1, 1, 1)
    return code


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="replay one seed and print its calls")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    asked = parser.parse_args()
    if asked.seed is not None:
        return run_one(asked.seed)
    return run_all(asked.first, asked.seeds, asked.jobs)


if __name__ == "__main__":
    sys.exit(main())
