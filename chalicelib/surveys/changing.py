"""Making a survey's draft, changing it, opening and closing it; what becomes of it is put once and never edited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from chalicelib.base import clock, ids
from chalicelib.base.dynamo import is_refused
from chalicelib.base.errors import Invalid, KeyReused, Unavailable, Unmet
from chalicelib.base.retry import attempts
from chalicelib.ledger.posting import Act, Lost, Write, put_once
from chalicelib.program.validation.problem import Problem
from chalicelib.surveys import defining
from chalicelib.surveys.defining import LIST, Survey, SurveyClosed, SurveyNotOpen
from chalicelib.surveys.document import Definition
from chalicelib.surveys.rules import definitions
from chalicelib.surveys.rules.definitions import DefinitionInvalid
from chalicelib.surveys.table import HEAD, DefinitionItem, HeadItem, ListedItem, version_part

BYTES_MAX: Final = 300_000
"""A definition lies in one item of 400 KB at the most."""


class SurveyChanged(Unmet):
    """The survey has changed since it was read."""

    code = "survey_changed"

    def __init__(self) -> None:
        super().__init__("The survey has changed since you read it. Read it again and repeat your change.")


class SurveyCodeFixed(Invalid):
    """A survey keeps its code for ever."""

    code = "survey_code_fixed"


def create(definition: Definition, *, actor: str, now: int) -> tuple[Survey, bool]:
    """Make a draft, once for its code; gives the survey and whether it was made by the same request before.

    Raises DefinitionInvalid, KeyReused (the code stands for another survey) and Unavailable.
    """
    _check(definition)
    survey_id = defining.survey_id_of(definition.code)
    item = _next(survey_id, definition, number=1, based_on=0, actor=actor, now=now)
    at = clock.text(now)
    head = HeadItem(
        survey_id,
        HEAD,
        version=1,
        code=definition.code,
        status="draft",
        definition=1,
        created_at=at,
        changed_at=at,
        changed_by=actor,
    )
    posted = put_once(item, [Write(head, Act.PUT), Write(ListedItem(LIST, f"{at}#{survey_id}"), Act.PUT)])
    return defining.read_now(survey_id), posted.replayed


def change(survey_id: str, definition: Definition, *, based_on: str, actor: str, now: int) -> Survey:
    """Put the next version in the place of the one that was read (`based_on`, its ETag).

    The same change of the same version, sent again, finds itself done. Raises SurveyNotFound, DefinitionInvalid,
    SurveyCodeFixed, SurveyClosed, SurveyChanged and Unavailable.
    """
    found = defining.read_now(survey_id)
    if definition.code != found.code:
        raise SurveyCodeFixed("The code of a survey stays; make another survey for another code.", field="code")
    _check(definition)
    if based_on != str(found.version):
        if _is_done(found, definition, based_on):
            return found
        raise SurveyChanged
    if found.status == "closed":
        raise SurveyClosed("The survey is closed. Open it again before you change it.")
    number = found.number + 1
    item = _next(survey_id, definition, number=number, based_on=found.version, actor=actor, now=now)
    try:
        put_once(item, [_moving(found, (HeadItem.definition.set(number),), actor=actor, now=now)])
    except (Lost, KeyReused) as error:
        raise SurveyChanged from error
    defining.forget(survey_id)
    return defining.read_now(survey_id)


def set_status(survey_id: str, status: Literal["open", "closed"], *, actor: str, now: int) -> Survey:
    """Open a draft or a closed survey, or close an open one; what it is already it stays.

    Raises SurveyNotFound, SurveyNotOpen for a draft that is to be closed, and Unavailable.
    """
    for _attempt in attempts():
        found = defining.read_now(survey_id)
        if found.status == status:
            return found
        if found.status == "draft" and status == "closed":
            raise SurveyNotOpen("The survey was never open.")
        actions = [HeadItem.status.set(status)]
        if not found.opened:
            actions.append(HeadItem.opened.set(found.number))
        moving = _moving(found, actions, actor=actor, now=now)
        try:
            moving.model.update(actions=list(moving.actions), condition=moving.condition)
        except UpdateError as error:
            # After a time-out there is no code at all, and asking for it fails.
            if not is_refused(error):
                raise
            # Somebody has changed it since it was read.
            continue
        defining.forget(survey_id)
        return defining.read_now(survey_id)
    raise Unavailable("The survey is being changed by many at once. Send the same request again.", code="busy")


def _moving(found: Survey, actions: Sequence[Action], *, actor: str, now: int) -> Write:
    """The write that brings the head one version further, if nobody has done so since it was read."""
    told = (
        HeadItem.version.set(found.version + 1),
        HeadItem.changed_at.set(clock.text(now)),
        HeadItem.changed_by.set(actor),
    )
    return Write(HeadItem(found.survey_id, HEAD), Act.UPDATE, HeadItem.version == found.version, (*actions, *told))


def _is_done(found: Survey, definition: Definition, based_on: str) -> bool:
    """Whether the version in force is what this very change has made."""
    item = defining.definition_item(found.survey_id, found.number)
    return item is not None and str(item.based_on) == based_on and item.request_hash == ids.request_hash(definition)


def _check(definition: Definition) -> None:
    """Raises DefinitionInvalid."""
    definitions.check(definition)
    if len(msgspec.json.encode(definition)) > BYTES_MAX:
        raise DefinitionInvalid([Problem("questions", f"The definition has more than {BYTES_MAX} bytes.")])


def _next(
    survey_id: str, definition: Definition, *, number: int, based_on: int, actor: str, now: int
) -> DefinitionItem:
    at = clock.text(now)
    return DefinitionItem(
        survey_id,
        version_part(number),
        record_id=ids.derived("srd", survey_id, str(based_on)),
        request_hash=ids.request_hash(definition),
        kind="survey_defined",
        occurred_at=at,
        posted_at=at,
        document=msgspec.json.encode(definition).decode(),
        based_on=based_on,
        actor=actor,
    )
