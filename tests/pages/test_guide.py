"""The programme guide is true: what it shows publishes, and what it says a purchase earns, it earns."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.engagement.rules import marks, progress
from chalicelib.program.rules import earning
from chalicelib.program.rules.inputs import Line, Member, Purchase
from chalicelib.program.triggers import administer_program
from chalicelib.program.validation import validate
from infra import retier
from infra.backtest import __main__ as backtest
from infra.errors import InfraError
from tests.pages import guide
from tests.pages.guide import Step
from tests.programs import document
from tests.tables import empty_tables

ROOT = guide.DOCS.parent
TEXTS = {locale: guide.text(locale) for locale in ("en", "zh")}
STEPS = {locale: guide.steps(text, document()) for locale, text in TEXTS.items()}
TOLD = [
    pytest.param(step, story, id=f"{locale}-{story[0].when}-{story[0].what[:20]}")
    for locale, steps in STEPS.items()
    for step in steps
    for story in step.stories
]


@pytest.mark.parametrize("step", STEPS["en"])
def test_every_step_can_be_published(step: Step) -> None:
    validate(step.document)


@pytest.mark.parametrize(("step", "story"), TOLD)
def test_every_story_earns_what_the_guide_says(step: Step, story: list[guide.Row]) -> None:
    assert guide.told(validate(step.document), story) == [row.points for row in story]


def test_the_guide_tells_stories_after_every_step_that_earns() -> None:
    silent = [place for place, step in enumerate(STEPS["en"]) if not step.stories]
    # Benefits, the punch card, expiry and a birthday earn nothing by a purchase alone.
    assert silent == [10, 11, 12, 13]
    assert sum(len(step.stories) for step in STEPS["en"]) == 10


def test_both_languages_show_the_same() -> None:
    assert STEPS["zh"] == STEPS["en"]
    for language in ("json", "csv", "sh"):
        assert guide.blocks(TEXTS["zh"], language) == guide.blocks(TEXTS["en"], language)


def test_the_whole_document_is_the_one_at_the_end() -> None:
    whole = json.loads((guide.DOCS / "tea-shop.json").read_text(encoding="utf-8"))
    assert whole == STEPS["en"][-1].document


def test_multipliers_lift_nobody() -> None:
    lines = (Line("oolong", "tea", 1, 120_00), Line("cup", "ware", 1, 60_00))
    bought = Purchase(currency="CNY", total_minor=180_00, lines=lines, occurred_at=clock.parse("2026-03-10T04:00:00Z"))
    for tier in ("member", "silver", "gold"):
        earned = earning.evaluate(validate(STEPS["en"][2].document), bought, Member(tier=tier))
        assert earned.qualifying_points == 180


@pytest.mark.parametrize(("purchases", "rounds"), [(7, 0), (8, 1), (16, 2)])
def test_eight_purchases_of_tea_fill_a_card(purchases: int, rounds: int) -> None:
    program = validate(STEPS["en"][-1].document)
    facts = []
    for number in range(purchases):
        at = clock.parse("2026-03-10T04:00:00Z") + number * clock.DAY_S
        lines = (Line("green", "tea", 1, 30_00), Line("cup", "ware", 1, 20_00))
        bought = Purchase(currency="CNY", total_minor=50_00, lines=lines, occurred_at=at)
        counted = marks.of_purchase(program, bought, bought, Member(tier="member", at=at))
        facts.append(progress.Fact(fact_id=str(number), occurred_at=at, program=1, marks=counted))
    (card,) = program.challenges
    walk = progress.walked(facts, lambda _version, _code: progress.Terms(card, program.zone)).get("ten_cups")
    assert walk is not None
    assert (walk.rounds, walk.rewards) == (rounds, ((100, rounds),) if rounds else ())


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_link_leads_somewhere(text: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("https://") or (guide.DOCS / link).exists(), link


@pytest.fixture
def _tables() -> Iterator[None]:
    with empty_tables():
        yield


@pytest.mark.usefixtures("_tables")
def test_the_commands_validate_publish_and_roll_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: clock.parse("2026-11-22T04:00:00Z"))
    administer_program({"action": "publish", "document": document(), "by": "tests"}, None)
    answers = [administer_program(request, None) for request in _requests()]
    assert answers[0] == {"valid": True}
    assert (answers[1]["version"], answers[1]["starts_at"]) == (2, "2026-12-31T16:00:00Z")
    assert (answers[2]["version"], answers[2]["copy_of"]) == (3, 1)


def _requests() -> list[dict[str, Any]]:
    """What the guide's commands make."""
    found = []
    for command in re.findall(r"^python3 (.+) > ask\.json$", TEXTS["en"], re.MULTILINE):
        made = subprocess.run(  # noqa: S603 -- the guide is ours
            [sys.executable, *shlex.split(command)], cwd=ROOT, capture_output=True, check=True, timeout=60
        )
        found.append(json.loads(made.stdout))
    return found


def test_make_understands_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_options: object) -> None:
        raise InfraError("The options were understood; there is no installation here.")

    monkeypatch.setattr(retier, "find", nowhere)
    # Whoever gives the tests arguments of their own does not mean these commands.
    monkeypatch.delenv("ARGS", raising=False)
    monkeypatch.delenv("MAKEFLAGS", raising=False)
    commands = re.findall(r"^make (.+)$", TEXTS["en"], re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["backtest"] * 3 + ["retier"] * 2
    for command in commands:
        dry = ["make", "-n", "--no-print-directory", "READY=", *shlex.split(command)]
        made = subprocess.run(  # noqa: S603 -- the guide is ours
            dry, cwd=ROOT, capture_output=True, check=True, text=True, timeout=60
        )
        arguments = shlex.split(made.stdout.splitlines()[-1])
        options = arguments[arguments.index("-m") + 2 :]
        if command.startswith("retier"):
            assert retier.main(options) == 1
        else:
            backtest.options_of(options)


def test_the_spreadsheet_can_be_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "orders.csv").write_text(guide.blocks(TEXTS["en"], "csv")[0], encoding="utf-8")
    candidate, purchases = str(guide.DOCS / "tea-shop.json"), str(tmp_path / "orders.csv")
    page = tmp_path / "report.html"
    assert backtest.main(["--programme", candidate, "--purchases", purchases, "--page", str(page)]) == 0
    assert "3 purchases of 2 members" in capsys.readouterr().out
    assert "Double 11" in page.read_text(encoding="utf-8")
