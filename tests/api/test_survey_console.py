"""Answers sent over HTTP come out of results, tables, lists and exports, and in the console."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest import mock

import msgspec
import pytest

from chalicelib.base import clock, queues
from chalicelib.surveys.crossing import Month
from chalicelib.surveys.result_triggers import administer_surveys, cross_surveys
from tests.api import polls
from tests.api.client import client, link, staff
from tests.pages.test_backtest_page import Elements

EDGE = clock.parse("2026-10-31T16:00:00Z")
"""November begins in Shanghai."""

READER = staff("surveys.read", "surveys.personal")


@pytest.fixture(name="sent", autouse=True)
def _sent() -> Any:
    """What was sent to the queue."""
    messages: list[Any] = []
    with mock.patch.object(queues, "send", lambda _url, message: messages.append(message)):
        yield messages


def ask(action: str, **fields: Any) -> Any:
    return administer_surveys({"action": action, **fields}, None)


def hear(*messages: Any, left_ms: int = 200_000) -> list[str]:
    """Hand messages to the function; gives those that must come again."""
    records = [
        {
            "messageId": str(number),
            "body": message if isinstance(message, str) else msgspec.json.encode(message).decode(),
        }
        for number, message in enumerate(messages)
    ]
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: left_ms)
    answer = cross_surveys({"Records": records}, context)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def results(survey_id: str, query: str = "") -> Any:
    return client.get(f"/v1/surveys/{survey_id}/results{query}", caller=READER).json


def test_an_answer_counts_in_the_month_in_which_it_was_given_in_the_programmes_zone(sent: list[Any]) -> None:
    with mock.patch.object(clock, "now", return_value=EDGE - 1):
        survey_id = polls.opened()
        _member, first = polls.enrol("one", "+8613800138001")
        _member, second = polls.enrol("two", "+8613800138002")
        assert polls.answer(survey_id, first).status == 201
    with mock.patch.object(clock, "now", return_value=EDGE):
        assert polls.answer(survey_id, second).status == 201
        found = results(survey_id)
        assert {cell["value"]: cell["answers"] for cell in found["months"]} == {"2026-10": 1, "2026-11": 1}
        assert (found["first"], found["last"]) == ("2025-12", "2026-11")
        assert hear('{"cross": "night"}') == []
        assert sent[-2:] == [Month(survey_id, "2026-10"), Month(survey_id, "2026-11")]
        assert hear(*sent[-2:]) == []
        nightly = results(survey_id, "?source=nightly")
        assert {cell["value"]: cell["answers"] for cell in nightly["months"]} == {"2026-10": 1, "2026-11": 1}


def test_what_came_by_an_invitation_counts_for_the_response_rate_of_the_month_of_that() -> None:
    with mock.patch.object(clock, "now", return_value=EDGE - 1):
        survey_id = polls.opened()
        member_id, _caller = polls.enrol("one", "+8613800138001")
        invitation = polls.invited(survey_id, member_id, days=30)
    with mock.patch.object(clock, "now", return_value=EDGE + 86_400):
        assert polls.answer(survey_id, link(invitation)).status == 201
        for query, sent_and_answered in (("?from=2026-10&to=2026-10", (1, 1)), ("?from=2026-11&to=2026-11", (0, 0))):
            funnel = results(survey_id, query)["funnel"]
            assert (funnel["sent"], funnel["answered"]) == sent_and_answered


def test_words_are_listed_by_their_dimension_and_exported_harmless() -> None:
    words = polls.question("text", "why", required=False, dimension="service")
    survey_id = polls.opened(questions=[polls.question("nps", "recommend"), words])
    member_id, caller = polls.enrol()
    evil = "=cmd|' /C calc'!A0"
    assert polls.answer(survey_id, caller, {**polls.NINE, "why": {"text": evil}}).status == 201
    path = f"/v1/surveys/{survey_id}/answers"
    (found,) = client.get(f"{path}?personal=true&dimension=service", caller=READER).json["answers"]
    assert (found["answers"]["why"]["text"], found["member_id"]) == (evil, member_id)
    assert client.get(f"{path}?personal=true&dimension=price", caller=READER).json["answers"] == []
    (plain,) = client.get(path, caller=READER).json["answers"]
    assert ("why" in plain["answers"], plain["member_id"]) == (False, None)
    text = client.get(f"{path}/csv?personal=true", caller=READER).json["csv"]
    assert f'"\'{evil}"' in text
    assert member_id in text
    assert evil not in client.get(f"{path}/csv", caller=READER).json["csv"]
    assert results(survey_id)["dimensions"] == [
        {"dimension": "service", "csat": mock.ANY, "ratings": 0, "texts": 1},
    ]


def test_an_admin_reads_exports_and_looks_at_results(sent: list[Any]) -> None:
    survey_id = polls.opened("club_nps")
    _member, caller = polls.enrol()
    polls.answer(survey_id, caller)
    assert set(ask("help")["actions"]) == {"list", "results", "page", "export_results", "export_answers", "cross"}
    assert [line["code"] for line in ask("list")["surveys"]] == ["club_nps"]
    assert ask("results", survey="club_nps")["results"]["answers"] == 1
    assert ask("results", survey=survey_id, source="nightly")["results"]["answers"] == 0
    assert ask("export_results", survey="club_nps", locale="zh-Hans")["csv"].startswith("\ufeff")
    exported = ask("export_answers", survey="club_nps")
    assert (exported["answers"], exported["after"]) == (1, None)
    assert "all answers until now" in ask("page", survey="club_nps")["html"]
    now = clock.now()
    month = clock.text(now + 8 * 3600)[:7]
    assert ask("cross", survey="club_nps", month=month) == {"asked_for": month, "survey_id": survey_id}
    assert sent[-1] == Month(survey_id, month, anew=True)
    assert hear(sent[-1]) == []
    page = ask("page", survey="club_nps")["html"]
    assert "all answers until now" not in page
    assert Elements(page).addresses == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"action": "results", "survey": "nobody"}, "survey_not_found"),
        ({"action": "results"}, "invalid_request"),
        ({"action": "results", "survey": "club_nps", "from": "2026-13"}, "query_invalid"),
        ({"action": "cross", "survey": "club_nps", "month": ""}, "invalid_request"),
        ({"action": "cross", "survey": "club_nps", "month": "today"}, "query_invalid"),
        ({"action": "page", "survey": "club_nps", "group_by": "tier"}, "invalid_request"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_with_its_reason(asked: dict[str, Any], code: str) -> None:
    polls.opened("club_nps")
    assert administer_surveys(asked, None)["error"]["code"] == code


def test_a_message_that_says_nothing_comes_again_alone() -> None:
    survey_id = polls.opened()
    assert hear("{", Month(survey_id, "2026-11"), '{"cross": "week"}') == ["0", "2"]
