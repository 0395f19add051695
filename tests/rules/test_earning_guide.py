"""What docs/programme-reference.md says of earning is true."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from chalicelib.base import clock
from chalicelib.ledger.limits import added_limits
from chalicelib.program.document import Program
from chalicelib.program.rules import expressions
from chalicelib.program.rules.earning import evaluate
from chalicelib.program.rules.inputs import Line, Member, Purchase
from chalicelib.program.validation.expressions import FUNCTIONS
from tests.programs import program
from tests.rules.earning_cases import UNHURRIED, members, programmes, purchases
from tests.rules.test_earning_rules import told

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "programme-reference.md").read_text(encoding="utf-8")
REASONS = set(re.findall(r"`(\w+)`", GUIDE.partition("### Why a rule did not fire")[2].partition("\n## ")[0]))
PROSE = " ".join(GUIDE.split())
_RULES = sorted((ROOT / "chalicelib/program/rules").glob("*.py"))
# Whether a voucher can be issued is known where vouchers are.
SOURCES = "".join(path.read_text() for path in (*_RULES, ROOT / "chalicelib/vouchers/service.py"))


def example(field: str, word: str) -> Program:
    """The programme of the example that has this field and this word."""
    blocks = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL))
    return program(**next(block for block in blocks if field in block and word in json.dumps(block)))


def test_the_tea_shops_purchase_earns_what_the_guide_says() -> None:
    lines = (Line("oolong", "tea", 1, 8_000), Line("pot", "wares", 1, 12_050), Line("cup", "cups", 2, 6_000))
    at = clock.parse("2026-12-08T04:00:00Z")
    bought = Purchase(currency="CNY", total_minor=26_050, lines=lines, occurred_at=at)
    earned = evaluate(example("earning_rules", "tea_set"), bought, Member(tier="silver"))
    assert (earned.points, earned.qualifying_points) == (454, 270)
    assert told(earned) == {"base": 260, "cups": 10, "tier_multiplier": 54, "tea_day": 80, "tea_set": 50}
    assert "That is 454.6, so 454 points, of which 270 qualify." in PROSE


def test_the_double_11_of_the_guide_gives_500_points_at_most() -> None:
    found = example("campaigns", "double11")
    at = clock.parse("2026-11-11T04:00:00Z")
    bought = Purchase(currency="CNY", total_minor=30_000, occurred_at=at)
    first = evaluate(found, bought, Member(tier="gold"))
    assert told(first) == {"base": 300, "tier_multiplier": 150, "double11_points": 300}
    second = evaluate(found, bought, Member(tier="gold", limits=added_limits((), first.limits, at), at=at))
    assert told(second)["double11_points"] == 200


def test_the_guide_lists_all_that_a_condition_may_name() -> None:
    listed = dict(re.findall(r"^\| `((?:event|order|member)\.[^`]+)` \| (\w+) \|", GUIDE, re.MULTILINE))
    assert listed == dict(_paths("", expressions.SCHEMA))


def _paths(path: str, kind: Any) -> Iterator[tuple[str, str]]:
    if isinstance(kind, list):
        yield from _paths(f"{path}[]", kind[0])
    elif isinstance(kind, str):
        yield path, kind
    else:
        for name, part in kind.items():
            yield from _paths(f"{path}.{name}".lstrip("."), part)


def test_the_guide_lists_all_functions() -> None:
    listed = PROSE.partition("uses a function other than ")[2].partition(".")[0]
    assert re.findall(r"`(\w+)`", listed) == list(FUNCTIONS)


@UNHURRIED
@given(programmes(), purchases(), members)
def test_every_reason_is_in_the_guide(found: Program, bought: Purchase, member: Member) -> None:
    assert {item.reason for item in evaluate(found, bought, member).explanations} <= REASONS


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_of_the_guide_is_one(reason: str) -> None:
    kind, _, state = reason.partition("_")
    found = (
        [f'"{reason}"', f'f"{kind}_{{', f'return "{state}"']
        if reason.startswith(("campaign_", "wrong_"))
        else [f'"{reason}"']
    )
    assert any(text in SOURCES for text in found)
