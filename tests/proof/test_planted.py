"""The planted faults must fit the engine as it is, or `make mutants` would prove nothing."""

from __future__ import annotations

import ast

import pytest

from tests.proof.mutant import Mutant
from tests.proof.mutants import ROOT
from tests.proof.planted import MUTANTS

WANTED = 25


def test_there_are_enough_of_them() -> None:
    assert len({mutant.fault for mutant in MUTANTS}) == len(MUTANTS) >= WANTED


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.fault)
def test_a_fault_changes_one_place_and_is_still_a_program(mutant: Mutant) -> None:
    source = (ROOT / "chalicelib" / mutant.path).read_text()
    assert source.count(mutant.text) == 1
    assert mutant.planted != mutant.text
    ast.parse(source.replace(mutant.text, mutant.planted))
