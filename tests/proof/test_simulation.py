"""Races with faults at every call, by seed: nothing is lost, invented, doubled or given beyond the rules."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.proof.simulation import simulate

SEEDS = int(os.environ.get("HUIKE_PROOF_SEEDS", "450"))
GROUP = 50


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    """What all seeds together went through."""
    return Counter()


@pytest.mark.parametrize("first", range(0, SEEDS, GROUP))
def test_no_interleaving_and_no_fault_moves_a_point_wrongly(first: int, seen: Counter[str]) -> None:
    for seed in range(first, min(first + GROUP, SEEDS)):
        try:
            seen.update(simulate(seed))
        except BaseException as failure:
            failure.add_note(f"replay it: .venv/bin/python -m tests.proof.simulate --seed {seed}")
            raise


def test_the_races_were_races_and_the_faults_did_occur(seen: Counter[str]) -> None:
    everything = (
        *("drop", "throttled", "failed", "conflict", "stale", "timeout after commit", "failure after commit"),
        *("death before", "death after", "condition failed", "replayed", "refused", "unanswered", "commits"),
        *("budget was too low", "budget exhausted", "budget was exhausted a moment before", "budget at its end"),
        *("budget gathered", "stock at its end", "voucher used", "voucher at its end", "voucher went back"),
        *("referral paid", "referral taken back"),
        *("answer taken", "answer by a later version", "answer of who became one", "case opened by an answer"),
        *("case rated", "compensation given alone", "compensation approved"),
    )
    assert [kind for kind in everything if not seen[kind]] == []


def test_a_seed_replays_exactly() -> None:
    assert simulate(7) == simulate(7)
