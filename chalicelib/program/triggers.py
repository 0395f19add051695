"""The function with which an admin looks after the programme from the AWS console."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from chalice.app import Blueprint
from msgspec import Meta

from chalicelib.base import clock, console
from chalicelib.base.console import Note, Request, Who
from chalicelib.program import funding, service, stocking
from chalicelib.program.document import Program, encode
from chalicelib.program.document.rewards import Reward
from chalicelib.program.rules import campaigns, rewarding
from chalicelib.program.service import Publication
from chalicelib.program.validation import InvalidProgram, validate

blueprint = Blueprint(__name__)

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
    "campaigns": {"action": "campaigns", "version": 3, "(without version)": "the one in force"},
    "rewards": {"action": "rewards", "version": 3, "(without version)": "the one in force"},
}


class Help(Request, frozen=True, kw_only=True, tag="help"):
    """What can be asked for."""


class Versions(Request, frozen=True, kw_only=True, tag="versions"):
    """The list of versions."""


class Show(Request, frozen=True, kw_only=True, tag="show"):
    """One version's document; without a number that of the version in force."""

    version: int | None = None


class Campaigns(Request, frozen=True, kw_only=True, tag="campaigns"):
    """A version's campaigns as they are now, and how full their budgets are."""

    version: int | None = None


class Rewards(Request, frozen=True, kw_only=True, tag="rewards"):
    """A version's rewards as they are now, and how full their stocks are."""

    version: int | None = None


class Validate(Request, frozen=True, kw_only=True, tag="validate"):
    """Check a document; nothing is stored."""

    document: Any


class Publish(Request, frozen=True, kw_only=True, tag="publish"):
    """Make a document the next version."""

    document: Any
    by: Who
    note: Note = ""
    starts_at: Moment | None = None


class RollBack(Request, frozen=True, kw_only=True, tag="roll_back"):
    """Make a copy of an earlier version the next one."""

    to_version: int
    by: Who
    note: Note = ""
    starts_at: Moment | None = None


Questions = Help | Versions | Show | Campaigns | Rewards | Validate
Requests = Questions | Publish | RollBack


@blueprint.lambda_function(name="administer_program")
def administer_program(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Do what `event["action"]` says and answer readable JSON; `{"action": "help"}` lists what can be said."""
    return console.answer("administer_program", event, Requests, lambda request: _answered(request, clock.now()))


def _answered(request: Requests, now: int) -> dict[str, Any]:
    try:
        return _done(request, now)
    except InvalidProgram as refusal:
        problems = [msgspec.to_builtins(problem) for problem in refusal.problems]
        return {"error": {**console.error(refusal), "problems": problems}}


def _done(request: Requests, now: int) -> dict[str, Any]:
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
        case _:
            return _told(request, now)


def _told(request: Questions, now: int) -> dict[str, Any]:
    match request:
        case Validate():
            validate(request.document)
            return {"valid": True}
        case Show():
            return _shown(request.version, now)
        case Campaigns():
            return _campaigns(request.version, now)
        case Rewards():
            return _rewards(request.version, now)
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


def _campaigns(number: int | None, now: int) -> dict[str, Any]:
    found = service.in_force(now, now=now) if number is None else service.version(number)
    program = found.program
    return {
        "version": found.version,
        "time_zone": program.time_zone,
        "campaigns": [
            {
                "code": campaign.code,
                "title": campaign.title.en,
                "state": campaigns.state_of(program, campaign, now),
                "starts_at": campaign.starts_at,
                "ends_at": campaign.ends_at,
                "budget": _levels(campaign.code),
            }
            for campaign in program.campaigns
        ],
    }


def _rewards(number: int | None, now: int) -> dict[str, Any]:
    found = service.in_force(now, now=now) if number is None else service.version(number)
    program = found.program
    return {
        "version": found.version,
        "time_zone": program.time_zone,
        "rewards": [
            {
                "code": reward.code,
                "title": reward.title.en,
                "state": _state(program, reward, now),
                "starts_at": reward.starts_at,
                "ends_at": reward.ends_at,
                "stock": _stock(reward, now),
            }
            for reward in rewarding.catalogue(program)
        ],
    }


def _state(program: Program, reward: Reward, now: int) -> str:
    match rewarding.closed(program, reward, now):
        case rewarding.NotYet():
            return "scheduled"
        case rewarding.Ended():
            return "ended"
        case _:
            return "live"


def _stock(reward: Reward, now: int) -> dict[str, Any] | None:
    level = stocking.level(reward.code, now)
    return msgspec.structs.asdict(level) if level else None


def _levels(code: str) -> dict[str, Any]:
    """A campaign's budgets as they are now, though no document speaks of them any more."""
    levels = {unit: funding.level(code, unit) for unit in funding.UNITS}
    return {unit: msgspec.structs.asdict(level) for unit, level in levels.items() if level}


def _readable(publication: Publication) -> dict[str, Any]:
    return msgspec.structs.asdict(publication) | {
        "starts_at": clock.text(publication.starts_at),
        "published_at": clock.text(publication.published_at),
    }
