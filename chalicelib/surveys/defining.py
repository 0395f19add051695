"""Surveys: making a draft, changing it, opening and closing it, and reading it in any of its versions.

Every change of a definition is a version of its own, which is put once and never edited. A survey that is open goes on
with the next version at once; an answer is judged by the version on which it was begun.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import msgspec
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from chalicelib.base import clock, ids
from chalicelib.base.dynamo import is_refused
from chalicelib.base.errors import Conflict, Invalid, KeyReused, NotFound, Unavailable, Unmet
from chalicelib.base.retry import attempts
from chalicelib.ledger.posting import Act, Lost, Write, put_once
from chalicelib.program.validation.problem import Problem
from chalicelib.surveys.document import Definition
from chalicelib.surveys.rules import definitions
from chalicelib.surveys.rules.definitions import DefinitionInvalid
from chalicelib.surveys.table import HEAD, DefinitionItem, HeadItem, ListedItem, version_part

Status = Literal["draft", "open", "closed"]

LIST: Final = "list"

BYTES_MAX: Final = 300_000
"""A definition lies in one item of 400 KB at the most."""

_HEAD_LASTS_S: Final = 5
"""So long a process goes by what it knows of an open survey, so that a burst of answers reads its head seldom."""

_REMEMBERED_MAX: Final = 500
_DEFINITIONS = msgspec.json.Decoder(Definition)


class SurveyNotFound(NotFound):
    """No survey has this id, or none with this version."""

    code = "survey_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such survey.", field="survey_id")


class SurveyChanged(Unmet):
    """The survey has changed since it was read."""

    code = "survey_changed"

    def __init__(self) -> None:
        super().__init__("The survey has changed since you read it. Read it again and repeat your change.")


class SurveyCodeFixed(Invalid):
    """A survey keeps its code for ever."""

    code = "survey_code_fixed"


class SurveyNotOpen(Conflict):
    """The survey is a draft, which nobody answers."""

    code = "survey_not_open"


class SurveyClosed(Conflict):
    """The survey is closed."""

    code = "survey_closed"


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """A survey as it is now. `number` is the version of its definition in force, `version` counts all its changes.

    `opened` is the first of its versions that was open to answers, 0 while none was.
    """

    survey_id: str
    code: str
    status: Status
    number: int
    definition: Definition
    version: int
    opened: int
    created_at: str
    changed_at: str
    changed_by: str


_definitions: dict[tuple[str, int], Definition] = {}
_open: dict[str, tuple[int, Survey]] = {}


def survey_id_of(code: str) -> str:
    """The id of the survey that has this code."""
    return ids.derived("srv", code)


def by_code(code: str, *, now: int | None = None) -> Survey:
    """The survey that has this code, as `read` gives it. Raises SurveyNotFound."""
    return read(survey_id_of(code), now=now)


def read(survey_id: str, *, now: int | None = None) -> Survey:
    """A survey. One that is open may be as it was some seconds ago. Raises SurveyNotFound."""
    at = clock.now() if now is None else now
    read_at, known = _open.get(survey_id, (0, None))
    if known is not None and 0 <= at - read_at < _HEAD_LASTS_S:
        return known
    found = read_now(survey_id)
    if found.status == "open":
        _make_room(_open)
        _open[survey_id] = (at, found)
    return found


def read_now(survey_id: str) -> Survey:
    """A survey as it is now. Raises SurveyNotFound."""
    # Other records lie in the same table; only a survey may be read as one.
    if not survey_id.startswith("srv_"):
        raise SurveyNotFound
    head = next(iter(HeadItem.query(survey_id, HeadItem.part == HEAD, consistent_read=True)), None)
    if head is None:
        raise SurveyNotFound
    return _survey(head)


def version(survey_id: str, number: int) -> Definition:
    """One version of a survey. Raises SurveyNotFound."""
    known = _definitions.get((survey_id, number))
    if known is not None:
        return known
    item = _definition_item(survey_id, number)
    if item is None:
        raise SurveyNotFound
    return _kept(survey_id, number, item)


def forget_all() -> None:
    """Forget every survey, as a new process would."""
    _definitions.clear()
    _open.clear()


def create(definition: Definition, *, actor: str, now: int) -> tuple[Survey, bool]:
    """Make a draft, once for its code; gives the survey and whether it was made by the same request before.

    Raises DefinitionInvalid, KeyReused (the code stands for another survey) and Unavailable.
    """
    _check(definition)
    survey_id = survey_id_of(definition.code)
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
    return read_now(survey_id), posted.replayed


def change(survey_id: str, definition: Definition, *, based_on: str, actor: str, now: int) -> Survey:
    """Put the next version in the place of the one that was read (`based_on`, its ETag).

    The same change of the same version, sent again, finds itself done. Raises SurveyNotFound, DefinitionInvalid,
    SurveyCodeFixed, SurveyClosed, SurveyChanged and Unavailable.
    """
    found = read_now(survey_id)
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
    _open.pop(survey_id, None)
    return read_now(survey_id)


def set_status(survey_id: str, status: Literal["open", "closed"], *, actor: str, now: int) -> Survey:
    """Open a draft or a closed survey, or close an open one; what it is already it stays.

    Raises SurveyNotFound, SurveyNotOpen for a draft that is to be closed, and Unavailable.
    """
    for _attempt in attempts():
        found = read_now(survey_id)
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
        _open.pop(survey_id, None)
        return read_now(survey_id)
    raise Unavailable("The survey is being changed by many at once. Send the same request again.", code="busy")


def listed(*, after: str | None, limit: int) -> list[tuple[str, Survey]]:
    """A page of all surveys, newest first, after a place in the list; each with its place."""
    condition = ListedItem.part < after if after else None
    places = list(ListedItem.query(LIST, condition, scan_index_forward=False, limit=limit, consistent_read=True))
    keys = [(place.survey_id, HEAD) for place in places]
    heads = {str(head.key): head for head in HeadItem.batch_get(keys, consistent_read=True)} if keys else {}
    _remember((head.key, int(head.definition)) for head in heads.values())
    return [(str(place.part), _survey(heads[place.survey_id])) for place in places if place.survey_id in heads]


def _remember(wanted: Iterable[tuple[str, int]]) -> None:
    """Read the definitions of several surveys that this process does not know yet, together."""
    missing = [
        (survey_id, version_part(number)) for survey_id, number in wanted if (survey_id, number) not in _definitions
    ]
    for item in DefinitionItem.batch_get(missing) if missing else ():
        _kept(item.key, int(item.part.removeprefix("v")), item)


def _kept(survey_id: str, number: int, item: DefinitionItem) -> Definition:
    _make_room(_definitions)
    found = _definitions[survey_id, number] = _DEFINITIONS.decode(item.document)
    return found


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
    item = _definition_item(found.survey_id, found.number)
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


def _definition_item(survey_id: str, number: int) -> DefinitionItem | None:
    part = version_part(number)
    return next(iter(DefinitionItem.query(survey_id, DefinitionItem.part == part, consistent_read=True)), None)


def _survey(head: HeadItem) -> Survey:
    survey_id, number = str(head.key), int(head.definition)
    return Survey(
        survey_id=survey_id,
        code=head.code,
        status=_status(head.status),
        number=number,
        definition=version(survey_id, number),
        version=head.version,
        opened=head.opened or 0,
        created_at=head.created_at,
        changed_at=head.changed_at,
        changed_by=head.changed_by,
    )


def _status(text: str) -> Status:
    return text if text in {"draft", "open", "closed"} else "closed"  # type: ignore[return-value]


def _make_room(remembered: dict[Any, Any]) -> None:
    if len(remembered) >= _REMEMBERED_MAX:
        remembered.clear()
