"""Histories of the state machine, as many as one likes, with what came of them and how fast they went."""

from __future__ import annotations

import argparse
import logging
import sys
import time

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from rich.console import Console
from rich.table import Table

from tests.proof.machine import REACHED, STEP
from tests.proof.machine_programme import Community
from tests.proof.machine_referrals import Referring
from tests.proof.machine_trade import Trade

console = Console()


def main() -> int:
    """Run histories (other ones every time) and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=150, help="how many histories")
    parser.add_argument("--steps", type=int, default=40, help="steps in each, at the most")
    parser.add_argument("--programmes", action="store_true", help="under whole programmes, with events and budgets")
    parser.add_argument("--friends", action="store_true", help="with vouchers and referrals")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    started = time.monotonic()
    wanted = settings(
        max_examples=asked.runs,
        stateful_step_count=asked.steps,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    machine = Community if asked.programmes else Referring if asked.friends else Trade
    run_state_machine_as_test(machine, settings=wanted)
    seconds, steps = time.monotonic() - started, REACHED.pop(STEP)
    table = Table("request", "outcome", "times")
    for (kind, outcome), times in sorted(REACHED.items()):
        table.add_row(kind, outcome, f"{times:,}")
    console.print(table)
    console.print(f"{steps:,} steps in {seconds:.0f} s: {steps / seconds:.0f} a second, all invariants after each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
