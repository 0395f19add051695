"""Bringing in answers that were given elsewhere: on the phone to a call centre, or on paper.

Every row stands for itself and is taken once, under its source and key: what was sent before adds nothing, and what
cannot be taken is named by its line and can be sent again when it is right. Who is a member gets points and a fact like
everybody who answers; of somebody unknown nothing is kept but the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.base import clock
from chalicelib.base.errors import Invalid, Refusal, Unavailable
from chalicelib.members import service as members
from chalicelib.orders.schema import Identity, MemberId, Moment
from chalicelib.orders.service import named
from chalicelib.surveys import preparing, respondents, responding
from chalicelib.surveys.defining import Survey
from chalicelib.surveys.document import Answers, Channel
from chalicelib.surveys.preparing import Submission
from chalicelib.surveys.rules import reading
from chalicelib.surveys.rules.reading import Line

ROWS_MAX: Final = 200
"""So many answers one import takes."""

SECONDS_MAX: Final = 15
"""After so long no further row is begun, so that there is an answer before the gateway gives up."""


class RowIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One answer as it is brought in. `key` names it for ever; at most one of `member_id` and `identity` is given."""

    key: Annotated[str, Meta(max_length=100, pattern=r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]+(?!\n)$")]
    occurred_at: Moment
    answers: Answers
    channel: Literal["phone", "paper", "import"] = "import"
    version: Annotated[int, Meta(ge=1, le=1_000_000)] = 0
    member_id: MemberId | UnsetType = UNSET
    identity: Identity | UnsetType = UNSET
    seconds: Annotated[int, Meta(ge=0, le=86_400)] = 0
    store: Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]*(?!\n)$")] = ""
    locale: Literal["en", "zh-Hans", "zh-Hant", ""] = ""


class BadRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was not taken, and why."""

    line: int
    key: str
    code: str
    field: str | None
    detail: str


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an import."""

    taken: int
    repeated: int
    refused: tuple[BadRow, ...]


def bring_in(
    survey: Survey,
    lines: Iterator[Line],
    *,
    source: str,
    actor: str,
    now: int,
    clock_now: Callable[[], int] = clock.now,
) -> Imported:
    """Take in every row that can be taken. Raises SurveyNotOpen and SurveyClosed, which are about all of them.

    Where the database is busy, or the time is up, the rows that are left are refused as `busy`: they may be sent again.
    """
    preparing.answerable(survey)
    counted = {"taken": 0, "repeated": 0}
    refused: list[BadRow] = []
    begun_at = clock_now()
    for line in lines:
        key = str(line.row.get("key", ""))[:100]
        try:
            if clock_now() - begun_at > SECONDS_MAX:
                raise Unavailable("There was no time left for this row. Send it again.", code="busy")
            is_repeated = _take(survey, _row(line), source=source, actor=actor, now=now)
            counted["repeated" if is_repeated else "taken"] += 1
        except Refusal as refusal:
            refused.append(
                BadRow(line=line.number, key=key, code=refusal.reason_code, field=refusal.field, detail=refusal.detail)
            )
    return Imported(**counted, refused=tuple(refused))


def _row(line: Line) -> RowIn:
    """A line's row. Raises Invalid."""
    if line.fault is not None:
        raise line.fault
    try:
        return msgspec.convert(line.row, RowIn)
    except msgspec.ValidationError as error:
        detail, _at, path = str(error).partition(" - at `$.")
        raise Invalid(f"{detail}.", field=path.strip("`") or None, code="row_invalid") from error


def _take(survey: Survey, row: RowIn, *, source: str, actor: str, now: int) -> bool:
    """Take one answer; gives whether it was taken before. Raises what `responding.respond` does."""
    respondent = respondents.of_row(survey.survey_id, source, row.key, _member_of(row))
    channel: Channel = row.channel
    submission = Submission(
        survey_id=survey.survey_id,
        answers=row.answers,
        channel=channel,
        actor=actor,
        occurred_at=clock.seconds(row.occurred_at),
        version=row.version,
        seconds=row.seconds,
        store=row.store,
        locale=row.locale,
    )
    return responding.respond(submission, respondent, now=now).replayed


def _member_of(row: RowIn) -> str | None:
    """The member that a row names; None where it names nobody, or nobody known. Raises Invalid."""
    if row.member_id is not UNSET and row.identity is not UNSET:
        raise Invalid("Name the member either by member_id or by identity.", field="member_id")
    if row.member_id is not UNSET:
        return row.member_id
    if row.identity is UNSET:
        return None
    return members.find(members.identity_key(*named(row.identity)))


def lines_of(survey: Survey, *, csv: str | None, json_lines: str | None) -> Iterator[Line]:
    """The lines of an import in either form. Raises Invalid (`import_invalid`) for what is none as a whole."""
    if (csv is None) == (json_lines is None):
        raise Invalid("Send either csv or json_lines.", field="csv", code="import_invalid")
    lines = list(
        reading.json_lines(json_lines) if json_lines is not None else reading.csv_lines(csv or "", survey.definition)
    )
    if not 1 <= len(lines) <= ROWS_MAX:
        raise Invalid(f"An import has 1 to {ROWS_MAX} rows, not {len(lines)}.", code="import_invalid")
    return iter(lines)
