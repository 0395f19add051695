"""Saving an answer that is not finished, and going on with it later, on whatever device.

A draft belongs to the respondent, so it is found wherever the member signs in. It is saved on condition of the draft
that was read, and goes by itself some weeks after it was last saved. It is judged by the version on which it was begun.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
from pynamodb.exceptions import PutError

from chalicelib.base import clock
from chalicelib.base.dynamo import is_refused
from chalicelib.base.errors import NotFound, Unmet
from chalicelib.surveys import preparing, respondents
from chalicelib.surveys.document import Answers
from chalicelib.surveys.respondents import Respondent
from chalicelib.surveys.responding import AnsweredBefore
from chalicelib.surveys.rules import answering
from chalicelib.surveys.table import DRAFT, DraftItem

KEPT_DAYS: Final = 30
"""So long a draft is kept after it was last saved."""

_NUMBER = re.compile(r"[0-9]{1,9}")
_NONE = -1
_ANSWERS = msgspec.json.Decoder(Answers)


class DraftNotFound(NotFound):
    """Nothing is saved, or its time is up."""

    code = "draft_not_found"


class DraftChanged(Unmet):
    """The draft is another than the one that was read; perhaps it was saved on another device."""

    code = "draft_changed"

    def __init__(self) -> None:
        super().__init__("The draft has changed since you read it. Read it again and repeat your change.")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What is saved of an answer. `version` counts the times that it was saved, `number` is the survey's version."""

    response_id: str
    version: int
    number: int
    answers: Answers
    begun_at: str
    saved_at: str
    kept_until: str


def read(respondent: Respondent, *, now: int) -> Draft:
    """What a respondent has saved. Raises DraftNotFound, and AnsweredBefore where the answer was handed in."""
    if respondents.recorded(respondent):
        raise AnsweredBefore
    item = respondents.read_draft(respondent.response_id, now=now)
    if item is None:
        raise DraftNotFound("Nothing is saved of an answer to this survey.")
    return _draft(item)


def save(
    survey_id: str, respondent: Respondent, answers: Answers, *, number: int, based_on: str | None, now: int
) -> Draft:
    """Save what was answered so far in place of the draft that was read (`based_on`, its ETag; None for the first).

    `number` is the version that is being answered, 0 for that of the draft, or else the one in force. The same answers
    saved again on the same draft find themselves saved. Raises SurveyNotFound, SurveyNotOpen, SurveyClosed,
    AnswersInvalid, DraftChanged, AnsweredBefore, InvitationRequired, and what `inviting.check_open` does.
    """
    begun = respondents.begun(respondent, now=now)
    if begun.response is not None or (respondent.earlier and respondents.recorded(respondent)):
        raise AnsweredBefore
    survey = preparing.survey_of(survey_id, number, now=now)
    preparing.answerable(survey)
    preparing.check_invitation(respondent, now=now)
    number, definition = preparing.version_of(survey, number, begun)
    preparing.check_invited(respondent, definition)
    checked = answering.checked(definition, answers, partial=True)
    before = begun.draft
    item = DraftItem(
        respondent.response_id,
        DRAFT,
        version=_based(based_on) + 1,
        definition=number,
        answers=msgspec.json.encode(checked).decode(),
        begun_at=before.begun_at if before else clock.text(now),
        saved_at=clock.text(now),
        gone_at=now + KEPT_DAYS * clock.DAY_S,
    )
    return _put(item, based_on, now)


def _put(item: DraftItem, based_on: str | None, now: int) -> Draft:
    unchanged = (
        DraftItem.version == _based(based_on)
        if based_on is not None
        else DraftItem.key.does_not_exist() | (DraftItem.gone_at <= now)
    )
    try:
        item.save(condition=unchanged)
    except PutError as error:
        # After a time-out there is no code at all, and asking for it fails.
        if not is_refused(error):
            raise
        stored = respondents.read_draft(item.key, now=now)
        # Saved by this very request, whose answer was lost on the way.
        if stored is not None and stored.version == item.version and stored.answers == item.answers:
            return _draft(stored)
        raise DraftChanged from error
    return _draft(item)


def _based(based_on: str | None) -> int:
    """The version that an ETag names; what is none names nothing that there is."""
    if based_on is None:
        return 0
    return int(based_on) if _NUMBER.fullmatch(based_on) else _NONE


def _draft(item: DraftItem) -> Draft:
    return Draft(
        response_id=item.key,
        version=item.version,
        number=item.definition,
        answers=_ANSWERS.decode(item.answers),
        begun_at=item.begun_at,
        saved_at=item.saved_at,
        kept_until=clock.text(item.gone_at),
    )
