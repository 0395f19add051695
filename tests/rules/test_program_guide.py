"""What the guide in docs/programme-reference.md says is true."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.program.document import Program, default
from chalicelib.program.rules.earning import evaluate
from chalicelib.program.rules.expiry import expires_at
from chalicelib.program.rules.inputs import Member, Payment, Purchase
from tests.programs import program

GUIDE = (Path(__file__).parents[2] / "docs" / "programme-reference.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)]


@pytest.mark.parametrize("changes", EXAMPLES)
def test_every_example_fits_into_the_default(changes: dict[str, Any]) -> None:
    assert program(**changes) != default()


def test_every_field_is_explained() -> None:
    explained = set(re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE))
    assert explained == set(Program.__struct_fields__)


def test_the_worked_purchase_earns_what_the_guide_says() -> None:
    paid = (Payment("points", 1_000), Payment("card", 10_990))
    bought = Purchase(currency="CNY", total_minor=11_990, shipping_minor=1_000, payments=paid, occurred_at=0)
    earned = evaluate(default(), bought, Member(tier="silver"))
    assert (earned.eligible_minor, earned.points, earned.qualifying_points) == (9_990, 119, 99)


@pytest.mark.parametrize(
    ("kind", "date"), re.findall(r"^\| `(\{.*?\})` \| at the start of (\d+ \w+ \d+)", GUIDE, re.MULTILINE)
)
def test_points_of_november_2026_expire_when_the_guide_says(kind: str, date: str) -> None:
    found = program(expiry=json.loads(kind))
    earned = int(datetime(2026, 11, 21, 12, tzinfo=found.zone).timestamp())
    lapses = datetime.fromtimestamp(expires_at(found, earned), found.zone)
    assert f"{lapses.day} {lapses:%B %Y}" == date
