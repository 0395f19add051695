"""The real services beside the model: whatever is asked in whatever order, the two agree and no point is lost."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from chalicelib.base import dynamo
from tests.proof.machine import REACHED
from tests.proof.machine_trade import Trade
from tests.proof.store import Shadow, Store, intercepted
from tests.tables import empty_tables

RUNS = int(os.environ.get("HUIKE_PROOF_RUNS", "150"))
"""How many histories; `make test` runs a fixed few, anybody may run more."""
STEPS = int(os.environ.get("HUIKE_PROOF_STEPS", "40"))


class TradeOnMoto(Trade):
    """On moto, with the store in memory beside it: every call of the engine must be answered alike by both."""

    @contextlib.contextmanager
    def tables(self) -> Iterator[object]:
        with empty_tables():
            shadow = Shadow(dynamo.client()._make_api_call, Store())  # type: ignore[attr-defined]
            with intercepted(shadow.call):
                yield shadow


@pytest.mark.parametrize(("machine", "runs"), [(Trade, RUNS), (TradeOnMoto, max(RUNS // 30, 1))])
def test_the_engine_does_what_the_model_says(machine: type[RuleBasedStateMachine], runs: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            # The same histories every time, unless somebody asks for others.
            derandomize="HUIKE_PROOF_RUNS" not in os.environ,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_everything_was_tried() -> None:
    everything = {
        *(("adjust", code) for code in ("accepted", "insufficient_points")),
        *(
            ("order", code)
            for code in ("accepted", "occurred_in_future", "occurred_too_long_ago", "redemption_not_open")
        ),
        *(("refund", code) for code in ("accepted", "refund_exceeds_order")),
        *((f"{verb} pending", code) for verb in ("release", "cancel") for code in ("accepted", "nothing_pending")),
        *((kind, code) for kind in ("redeem", "hold") for code in ("accepted", "insufficient_points")),
        *((f"{verb} redemption", "accepted") for verb in ("commit", "release", "cancel")),
        *((kind, "accepted") for kind in ("enrol", "claim", "cancel order", "merge")),
        *((f"{verb} redemption", "redemption_not_open") for verb in ("commit", "release", "cancel")),
    }
    assert {found for found in everything if not REACHED[found]} == set()
