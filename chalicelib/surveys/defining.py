"""Surveys as they are, in any of their versions; `changing` makes them.

Every change of a definition is a version of its own, which is put once and never edited. A survey that is open goes on
with the next version at once; an answer is judged by the version on which it was begun.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec

from chalicelib.base import clock, ids
from chalicelib.base.errors import Conflict, NotFound
from chalicelib.surveys.document import Definition
from chalicelib.surveys.table import HEAD, DefinitionItem, HeadItem, ListedItem, version_part

Status = Literal["draft", "open", "closed"]

LIST: Final = "list"

_HEAD_LASTS_S: Final = 5
"""So long a process goes by what it knows of an open survey, so that a burst of answers reads its head seldom."""

_REMEMBERED_MAX: Final = 500
_DEFINITIONS = msgspec.json.Decoder(Definition)


class SurveyNotFound(NotFound):
    """No survey has this id, or none with this version."""

    code = "survey_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such survey.", field="survey_id")


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
    item = definition_item(survey_id, number)
    if item is None:
        raise SurveyNotFound
    return _kept(survey_id, number, item)


def forget(survey_id: str) -> None:
    """Forget a survey that has just been changed here."""
    _open.pop(survey_id, None)


def forget_all() -> None:
    """Forget every survey, as a new process would."""
    _definitions.clear()
    _open.clear()


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


def definition_item(survey_id: str, number: int) -> DefinitionItem | None:
    """One version as it is stored."""
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
