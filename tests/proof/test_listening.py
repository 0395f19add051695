"""Surveys and cases beside the model, step by step, among orders, redemptions and merges."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.proof.machine import REACHED
from tests.proof.machine_listening import Listening
from tests.proof.test_state_machine import RUNS, STEPS, OnMoto


class ListeningOnMoto(Listening, OnMoto):
    pass


MACHINES = [(Listening, max(RUNS * 2 // 3, 1)), (ListeningOnMoto, max(RUNS // 150, 1))]
OUTCOMES = {
    "accepted": (
        *("make survey", "open survey", "edit survey", "answer", "answer on paper", "invite", "answer invitation"),
        *("complain", "take case", "move case", "give points"),
    ),
    "answered_before": ("answer", "answer invitation"),
    "case_state_forbids": ("move case",),
}


@pytest.mark.parametrize(("machine", "runs"), MACHINES)
def test_the_engine_does_what_the_model_says(machine: type[RuleBasedStateMachine], runs: int) -> None:
    wanted = settings(
        max_examples=runs,
        stateful_step_count=STEPS,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=wanted)


def test_everything_was_tried() -> None:
    wanted = [(kind, code) for code, kinds in OUTCOMES.items() for kind in kinds]
    assert [outcome for outcome in wanted if not REACHED[outcome]] == []
