"""The function with which an admin looks after the programme from the AWS console."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import msgspec
from chalice.app import Blueprint
from msgspec import Meta

from chalicelib.base import clock
from chalicelib.base.errors import Invalid, Refusal
from chalicelib.program import service
from chalicelib.program.document import encode
from chalicelib.program.service import Publication
from chalicelib.program.validation import InvalidProgram, validate

logger = logging.getLogger(__name__)
blueprint = Blueprint(__name__)

Who = Annotated[str, Meta(max_length=100, pattern=r"\S")]
Note = Annotated[str, Meta(max_length=500)]
Moment = Annotated[datetime, Meta(tz=True)]

_HELP = {
    "validate": {"action": "validate", "document": {"name": "…"}},
    "publish": {
        "action": "publish",
        "document": {"name": "…"},
        "by": "who publishes it",
        "note": "why (optional)",
        "starts_at": "2027-01-01T00:00:00+08:00 (optional; as soon as may be without it)",
    },
    "roll_back": {"action": "roll_back", "to_version": 3, "by": "who rolls back", "note": "why (optional)"},
    "versions": {"action": "versions"},
    "show": {"action": "show", "version": 3, "(without version)": "the one in force"},
}


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="action", kw_only=True):
    pass


class Help(_Request, frozen=True, kw_only=True, tag="help"):
    """What can be asked for."""


class Versions(_Request, frozen=True, kw_only=True, tag="versions"):
    """The list of versions."""


class Show(_Request, frozen=True, kw_only=True, tag="show"):
    """One version's document; without a number that of the version in force."""

    version: int | None = None


class Validate(_Request, frozen=True, kw_only=True, tag="validate"):
    """Check a document; nothing is stored."""

    document: Any


class Publish(_Request, frozen=True, kw_only=True, tag="publish"):
    """Make a document the next version."""

    document: Any
    by: Who
    note: Note = ""
    starts_at: Moment | None = None


class RollBack(_Request, frozen=True, kw_only=True, tag="roll_back"):
    """Make a copy of an earlier version the next one."""

    to_version: int
    by: Who
    note: Note = ""
    starts_at: Moment | None = None


Request = Help | Versions | Show | Validate | Publish | RollBack


@blueprint.lambda_function(name="administer_program")
def administer_program(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Do what `event["action"]` says and answer readable JSON; `{"action": "help"}` lists what can be said."""
    try:
        return _done(_request(event), clock.now())
    except InvalidProgram as refusal:
        problems = [msgspec.to_builtins(problem) for problem in refusal.problems]
        return {"error": {**_error(refusal), "problems": problems}}
    except Refusal as refusal:
        return {"error": _error(refusal)}
    except Exception:
        # An admin is no reader of stack traces; the log keeps it.
        logger.exception("administer_program failed")
        detail = "Something went wrong on our side; the function's log says what. Nothing can be said of the outcome."
        return {"error": {"code": "internal_error", "detail": detail, "field": None}}


def _request(event: Mapping[str, Any]) -> Request:
    try:
        request: Request = msgspec.convert(event or {"action": "help"}, Request)
    except msgspec.ValidationError as error:
        raise Invalid(f'{error}. Send {{"action": "help"}} to see what can be asked for.') from error
    return request


def _done(request: Request, now: int) -> dict[str, Any]:
    match request:
        case Publish():
            starts_at = clock.seconds(request.starts_at) if request.starts_at else None
            return _readable(
                service.publish(request.document, starts_at=starts_at, by=request.by, note=request.note, now=now)
            )
        case RollBack():
            starts_at = clock.seconds(request.starts_at) if request.starts_at else None
            return _readable(
                service.roll_back(request.to_version, starts_at=starts_at, by=request.by, note=request.note, now=now)
            )
        case Validate():
            validate(request.document)
            return {"valid": True}
        case Show():
            return _shown(request.version, now)
        case Versions():
            in_force = service.in_force(now, now=now).version
            return {"in_force": in_force, "versions": [_readable(item) for item in service.versions()]}
        case Help():
            return {"actions": _HELP}


def _shown(number: int | None, now: int) -> dict[str, Any]:
    found = service.in_force(now, now=now) if number is None else service.version(number)
    return {
        "version": found.version,
        "starts_at": clock.text(found.starts_at) if found.version else None,
        "document": msgspec.json.decode(encode(found.program)),
    }


def _readable(publication: Publication) -> dict[str, Any]:
    return asdict(publication) | {
        "starts_at": clock.text(publication.starts_at),
        "published_at": clock.text(publication.published_at),
    }


def _error(refusal: Refusal) -> dict[str, Any]:
    return {"code": refusal.reason_code, "detail": refusal.detail, "field": refusal.field}
