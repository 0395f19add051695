"""A survey on the tables, with answers that are committed as the engine commits them."""

from __future__ import annotations

import msgspec

from chalicelib.base import clock
from chalicelib.ledger.posting import Write
from chalicelib.surveys import changing, defining, tallies
from chalicelib.surveys.document import Answers, Definition
from chalicelib.surveys.rules.context import Context
from chalicelib.surveys.table import AnswerItem, answers_key, shard_of
from chalicelib.vouchers.store import write_together
from tests.surveys import SOUND, VISIT, ids

NOW = clock.parse("2026-11-21T18:30:00Z")


def opened(definition: Definition = VISIT) -> str:
    """A survey that is open; gives its id."""
    survey, _replayed = changing.create(definition, actor="admin:test", now=NOW - clock.DAY_S)
    changing.set_status(survey.survey_id, "open", actor="admin:test", now=NOW - clock.DAY_S)
    return survey.survey_id


def writes_of(
    survey_id: str, month: str, given: Answers, context: Context = SOUND, *, number: int = 1, response_id: str = ""
) -> list[Write]:
    """What the answer to a survey writes beside its record."""
    response_id = response_id or next(ids)
    answer = AnswerItem(
        answers_key(survey_id, month, shard_of(response_id)),
        f"{month}-15T12:00:00Z#{response_id}",
        definition=number,
        answers=msgspec.json.encode(given).decode(),
        context=msgspec.json.encode(context).decode(),
    )
    definition = defining.version(survey_id, number)
    return [Write(answer), tallies.counting(survey_id, month, response_id, definition, given, context)]


def answered(survey_id: str, month: str, given: Answers, context: Context = SOUND) -> None:
    """Commit one answer."""
    assert write_together(writes_of(survey_id, month, given, context))
