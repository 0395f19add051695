from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.program import table
from chalicelib.program.triggers import administer_program
from tests.campaigns import campaign
from tests.programs import document


def asked(action: str, **event: Any) -> dict[str, Any]:
    """The console sends JSON and shows JSON."""
    answer = administer_program(json.loads(json.dumps({"action": action, **event})), None)
    found: dict[str, Any] = json.loads(json.dumps(answer))
    return found


def code_of(answer: dict[str, Any]) -> str:
    return str(answer["error"]["code"])


@pytest.mark.parametrize("event", [{}, {"action": "help"}])
def test_help_says_what_can_be_asked_for(event: dict[str, Any]) -> None:
    actions = {"validate", "publish", "roll_back", "versions", "show", "campaigns", "rewards"}
    assert set(administer_program(event, None)["actions"]) == actions


def test_a_programme_is_published_shown_and_listed() -> None:
    published = asked("publish", document=document(welcome_points=7), by="li.wei", note="opening")
    assert (published["version"], published["published_by"], published["note"]) == (1, "li.wei", "opening")
    assert clock.parse(published["starts_at"]) <= clock.now()
    shown = asked("show")
    assert (shown["version"], shown["document"]) == (1, document(welcome_points=7))
    assert asked("versions") == {"in_force": 1, "versions": [published]}


def test_what_is_shown_can_be_published_again() -> None:
    shown = asked("show")
    assert (shown["version"], shown["starts_at"]) == (0, None)
    assert asked("publish", document=shown["document"], by="li.wei")["version"] == 1


def test_a_document_may_be_pasted_as_text() -> None:
    assert asked("validate", document=json.dumps(document())) == {"valid": True}


def test_a_start_is_given_with_its_offset() -> None:
    asked("publish", document=document(), by="li.wei")
    later = asked("publish", document=document(welcome_points=1), by="li.wei", starts_at="2099-01-01T00:00:00+08:00")
    assert later["starts_at"] == "2098-12-31T16:00:00Z"
    without = asked("publish", document=document(), by="li.wei", starts_at="2099-01-01T00:00:00")
    assert code_of(without) == "invalid_request"


def test_a_version_is_rolled_back_to() -> None:
    asked("publish", document=document(welcome_points=1), by="li.wei")
    asked("publish", document=document(welcome_points=2), by="li.wei")
    back = asked("roll_back", to_version=1, by="li.wei")
    assert (back["version"], back["copy_of"]) == (3, 1)
    assert asked("show", version=3)["document"]["welcome_points"] == 1


def test_every_problem_of_a_document_is_told_with_its_place() -> None:
    answer = asked("validate", document=document(time_zone="Mars/Olympus", base_currency="USD"))
    assert code_of(answer) == "program_invalid"
    assert [problem["field"] for problem in answer["error"]["problems"]] == ["time_zone", "base_currency"]
    assert asked("versions")["versions"] == []


@pytest.mark.parametrize(
    "event",
    [
        {"action": "delete"},
        {"key1": "value1"},
        {"action": "publish", "document": {}},
        {"action": "publish", "document": {}, "by": " "},
        {"action": "show", "version": "3"},
        {"action": "versions", "page": 2},
    ],
)
def test_a_request_that_cannot_be_read_is_pointed_to_help(event: dict[str, Any]) -> None:
    answer = administer_program(event, None)
    assert code_of(answer) == "invalid_request"
    assert "help" in answer["error"]["detail"]


def test_a_version_that_does_not_exist_is_refused() -> None:
    assert code_of(asked("show", version=7)) == "version_not_found"
    assert code_of(asked("roll_back", to_version=7, by="li.wei")) == "version_not_found"


def test_a_fault_of_our_own_is_logged_and_shows_no_stack_trace(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(table, "read_headers", broken)
    with caplog.at_level(logging.ERROR):
        answer = asked("versions")
    assert code_of(answer) == "internal_error"
    assert "secret" not in json.dumps(answer)
    assert "secret inside" in caplog.text


def test_campaigns_are_shown_with_their_states_and_how_full_their_budgets_are() -> None:
    over = campaign("over", ends_at="2020-02-01T00:00", budget={"points": 800})
    draft = campaign("idea", status="draft", budget={"points": 800})
    live = campaign("spring", budget={"points": 800, "awards": 8, "shards": 2})
    asked("publish", document=document(campaigns=[over, draft, live]), by="li.wei")
    shown = asked("campaigns")
    full = {"put_in": 800, "taken": 0, "left": 800}
    assert shown["version"] == 1
    assert [(item["code"], item["state"], item["budget"]) for item in shown["campaigns"]] == [
        ("over", "ended", {"points": full}),
        ("idea", "draft", {}),
        ("spring", "live", {"points": full, "awards": {"put_in": 8, "taken": 0, "left": 8}}),
    ]
    assert shown["campaigns"][0]["ends_at"] == "2020-02-01T00:00"
    assert asked("campaigns", version=0)["campaigns"] == []
    assert code_of(asked("campaigns", version=9)) == "version_not_found"
