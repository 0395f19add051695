"""What a programme may say of scoring."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.program.validation import InvalidProgram, validate
from chalicelib.scoring.rules.composite import PARTS, WEIGHTS
from tests.programs import document

NOTHING = dict.fromkeys(PARTS, 0)


def problems(**scoring: Any) -> list[str]:
    with pytest.raises(InvalidProgram) as found:
        validate(document(scoring=scoring))
    return [problem.field for problem in found.value.problems]


def test_without_a_word_the_parts_count_as_they_are_documented() -> None:
    policy = validate(document()).scoring
    assert tuple(percent / 100 for percent in policy.weights.percents) == WEIGHTS
    assert (policy.margin_percent, policy.discount_percent, policy.model) == (100, 15, "mbg-nbd")
    assert policy.expiring_points_min is None


def test_weights_are_those_of_the_parts_in_their_order() -> None:
    for place, name in enumerate(PARTS):
        weights = validate(document(scoring={"weights": {**NOTHING, "staying": 60, name: 40 + 60 * (place == 0)}}))
        assert weights.scoring.weights.percents[place] == 40 + 60 * (place == 0)


@pytest.mark.parametrize("weights", [{"staying": 26}, {"staying": 24}, NOTHING, dict.fromkeys(PARTS, 100)])
def test_weights_add_up_to_a_hundred(weights: dict[str, int]) -> None:
    assert "scoring.weights" in problems(weights=weights)


def test_something_counts_that_is_known_of_everybody() -> None:
    assert problems(weights={**NOTHING, "nps": 50, "csat": 50}) == ["scoring.weights"]
    for name in ("staying", "value", "frequency", "trend"):
        validate(document(scoring={"weights": {**NOTHING, name: 1, "nps": 99}}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("margin_percent", 0),
        ("margin_percent", 101),
        ("discount_percent", -1),
        ("discount_percent", 12.5),
        ("model", "pareto-nbd"),
        ("expiring_points_min", 0),
        ("half_life", 30),
    ],
)
def test_what_makes_no_sense_is_refused(field: str, value: Any) -> None:
    assert problems(**{field: value})[0].startswith("scoring")
