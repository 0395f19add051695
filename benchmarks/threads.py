"""Acknowledged operations a second at 16 writers, every request sent twice, on the local AWS's DynamoDB.

One process with 16 threads plays every client and the engine, and one emulator in Python plays DynamoDB, so the figures
say how contention and faults slow the engine down, not what AWS does. What was acknowledged is checked afterwards.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import tests.conftest  # noqa: F401 -- sets the environment that the engine reads when it is imported
from infra.local.aws import LocalAws
from infra.local.paths import LOCAL
from tests import wire, writers, writers_audit
from tests.local_engine import engine_on

_ROUNDS = 20
_SIZES = (5, 50)
_RATES = (0.0, 0.10)


def main() -> None:
    """Print one row for each number of members and rate of faults."""
    logging.disable(logging.WARNING)
    LOCAL.mkdir(exist_ok=True)
    print("| members | faults | requests sent | acknowledged | replays | entries | seconds | acknowledged a second |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    for size in _SIZES:
        for rate in _RATES:
            print(_row(size, rate), flush=True)


def _row(size: int, rate: float) -> str:
    with TemporaryDirectory(dir=LOCAL) as folder, engine_on(LocalAws(Path(folder))):
        members = writers.enrolled(size)
        with wire.faulty(rate, seed=1) if rate else contextlib.nullcontext(Counter[str]()) as met:
            run = writers.write(members, _ROUNDS)
        chains = writers_audit.chains(members)
        writers_audit.check(run, chains)
    entries = sum(len(chain) for chain in chains.values()) - size
    faults = sum(count for name, count in met.items() if name != "sent")
    sent = len(run.acks) + len(run.refusals) + run.sent_again
    acknowledged = len(run.acks)
    return (
        f"| {size} | {faults} ({rate:.0%}) | {sent} | {acknowledged} | {run.replays} | {entries} | {run.seconds:.1f} "
        f"| {acknowledged / run.seconds:.0f} |"
    )


if __name__ == "__main__":
    main()
