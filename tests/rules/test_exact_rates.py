"""Rates that a float would get wrong by a point."""

from __future__ import annotations

import pytest

from chalicelib.program.rules import earning
from chalicelib.program.rules.inputs import Member, Purchase
from tests.programs import program, tier

EXAMPLES = [("1.15", 100_00, 115), ("1.14", 50_00, 57), ("2.3", 100_00, 230)]


@pytest.mark.parametrize(("multiplier", "total_minor", "points"), EXAMPLES)
def test_a_multiplier_is_exact(multiplier: str, total_minor: int, points: int) -> None:
    tiers = [tier("member", 0, multiplier), tier("silver", 1_000), tier("gold", 2_000)]
    purchase = Purchase(currency="CNY", total_minor=total_minor, occurred_at=1_800_000_000)
    assert earning.evaluate(program(tiers=tiers), purchase, Member(tier="member")).points == points
