"""Alerts: near a deadline and after it, each once, however late or often the schedule runs."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from app import app
from chalicelib.base import clock
from chalicelib.cases import watching
from chalicelib.cases.changing import Doing, change, read
from chalicelib.cases.table import SHARDS, Stored
from chalicelib.cases.triggers import CasesNotWatched
from tests import faults
from tests.api import desk
from tests.api.desk import listed, step, watch

NOTHING = {"near": 0, "breach": 0, "reminder": 0, "failed": 0, "left": 0}


@pytest.fixture(autouse=True)
def _policy() -> None:
    desk.publish()


def alerts(case_id: str) -> list[tuple[str, str]]:
    return [(step["deadline"], step["level"]) for step in desk.work(case_id)["steps"] if step["kind"] == "case_alerted"]


def test_somebody_is_told_before_and_after_a_deadline_and_once_each() -> None:
    case_id = desk.opened(severity="high")
    assert watch(6.3) == NOTHING
    assert watch(6.5) == {**NOTHING, "near": 1}
    assert watch(6.5) == watch(7.9) == NOTHING
    assert watch(8) == {**NOTHING, "breach": 1}
    assert watch(8) == NOTHING
    assert alerts(case_id) == [("assign", "near"), ("assign", "breach")]


def test_after_a_breach_somebody_is_reminded_until_something_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = desk.opened(severity="critical")
    assert watch(2)["breach"] == 1
    assert watch(19.3)["near"] == 1
    assert watch(24)["breach"] == 1
    assert watch(47.9) == NOTHING
    assert watch(48)["reminder"] == 1
    began = clock.now()
    monkeypatch.setattr(clock, "now", lambda: began + 70 * 3600)
    step(case_id, "notes", note="On it.")
    monkeypatch.undo()
    assert watch(93) == NOTHING
    assert watch(94.1)["reminder"] == 1
    assert alerts(case_id)[-2:] == [("resolve", "reminder")] * 2


def test_a_late_schedule_says_what_has_passed_and_not_that_it_is_near() -> None:
    case_id = desk.opened(severity="high")
    assert watch(30) == {**NOTHING, "breach": 1}
    assert alerts(case_id) == [("assign", "breach")]
    assert watch(30) == NOTHING
    assert watch(38.4) == {**NOTHING, "near": 1}


def test_what_is_assigned_or_resolved_in_time_is_not_told_of() -> None:
    case_id = desk.taken(desk.opened(severity="high"))
    assert watch(8) == NOTHING
    assert watch(38.4) == {**NOTHING, "near": 1}
    step(case_id, "analyse")
    step(case_id, "resolve")
    assert watch(100) == NOTHING
    assert alerts(case_id) == [("resolve", "near")]


def test_a_reopened_case_is_watched_by_its_new_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = desk.opened(severity="high")
    watch(8)
    desk.taken(case_id, "analyse", "resolve")
    began = clock.now()
    monkeypatch.setattr(clock, "now", lambda: began + 20 * 3600)
    step(case_id, "reopen")
    monkeypatch.undo()
    assert watch(26) == NOTHING
    assert watch(26.5)["near"] == 1
    assert watch(28)["breach"] == 1


def test_a_case_that_is_told_of_stays_in_its_lists_and_can_be_moved() -> None:
    case_id = desk.taken(desk.opened(severity="critical"))
    watch(30)
    assert listed() == listed("?owner=me") == [case_id]
    assert step(case_id, "analyse").status == 200


def test_every_alert_is_a_line_and_a_metric_and_names_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    case_id = desk.taken(desk.opened(severity="critical", text="secret words"))
    capsys.readouterr()
    watch(24)
    printed = capsys.readouterr().out
    lines = [json.loads(line) for line in printed.splitlines()]

    told = next(line for line in lines if line.get("event") == "case_alert")
    assert (told["case_id"], told["level"], told["deadline"], told["owner"]) == (
        case_id,
        "breach",
        "resolve",
        "staff:li",
    )
    assert [line["CasesBreached"] for line in lines if "CasesBreached" in line] == [1]
    assert "secret" not in printed


def test_more_than_fits_is_told_in_the_end_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_AT_ONCE", 2)
    cases = [desk.opened(severity="critical") for _ in range(3 * SHARDS)]
    left = iter([True] * 5)
    assert watching.watch(now=clock.now() + 7200, has_time=lambda: next(left, False)) == {
        **NOTHING,
        "breach": 5,
        "left": 1,
    }
    assert watch(2) == {**NOTHING, "breach": len(cases) - 5}
    assert all(alerts(case_id) == [("assign", "breach")] for case_id in cases)


def test_a_case_that_cannot_be_told_of_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, *others = (desk.opened(severity="critical") for _ in range(4))

    def failing(case_id: str) -> Stored:
        if case_id == broken:
            raise RuntimeError("broken")
        return read(case_id)

    monkeypatch.setattr("chalicelib.cases.watching.read", failing)
    assert watch(2) == {**NOTHING, "breach": 3, "failed": 1}
    monkeypatch.undo()
    assert watch(2) == {**NOTHING, "breach": 1}
    assert all(alerts(case_id) == [("assign", "breach")] for case_id in (broken, *others))


def test_two_runs_at_once_tell_of_a_case_once(monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = desk.opened(severity="critical")
    told: list[int] = []

    def overtaken(doing: Doing, rule: Any) -> Any:
        if not told:
            told.append(0)
            told[0] = watch(2)["breach"]
        return change(doing, rule)

    monkeypatch.setattr("chalicelib.cases.watching.change", overtaken)
    assert watch(2) == NOTHING
    assert told == [1]
    assert alerts(case_id) == [("assign", "breach")]


def test_the_function_watches_until_its_time_is_nearly_up() -> None:
    desk.opened(severity="critical")
    assert app.handler_map["watch_cases"]({}, SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)) == NOTHING


def test_a_function_that_could_not_tell_of_a_case_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)
    desk.opened(severity="critical")
    late = clock.now() + 7_200
    monkeypatch.setattr(clock, "now", lambda: late)
    with faults.calls(*[faults.throttled] * 8), pytest.raises(CasesNotWatched):
        app.handler_map["watch_cases"]({}, context)
    assert app.handler_map["watch_cases"]({}, context)["breach"] == 1


def test_nobody_is_reminded_for_ever() -> None:
    case_id = desk.opened(severity="critical")
    told = [watch(24 * day)["reminder"] for day in range(1, 40)]
    assert sum(told) == 30
    assert watch(24 * 100) == NOTHING
    assert listed() == [case_id]


def test_the_watch_reads_nothing_but_what_is_due() -> None:
    for _ in range(5):
        desk.opened()
    with faults.calls() as made:
        assert watch(1) == NOTHING
    assert made == ["Query"] * SHARDS
