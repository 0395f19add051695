"""What an admin can ask of scoring from the AWS console."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from chalicelib.base import clock
from chalicelib.base.console import Request
from chalicelib.base.errors import Conflict, Invalid
from chalicelib.base.settings import settings
from chalicelib.ledger import nights
from chalicelib.members import night
from chalicelib.program import service as programs
from chalicelib.scoring import explaining, keeping, member, rebuilding, recording, render, schema, sheets, texts
from chalicelib.scoring.finishing import WALK
from chalicelib.scoring.member import NotScoredYet

_FINDINGS: Final = "score"

_HELP: Final = {
    "run": {
        "action": "run",
        "per_leg": 0,
        "anyway": False,
        "(does)": "begins the day's night, or one more of the same day if that was run: everything but the audit",
    },
    "progress": {
        "action": "progress",
        "day": "2026-11-22",
        "(gives)": "how far a day's nights are",
    },
    "export": {
        "action": "export",
        "value": ["high", "mid", "low", "gold"],
        "behaviour": ["none", "new", "active", "at_risk", "lapsed", "won_back"],
        "loyalty": ["impulse", "emotional", "cognitive", "behavioural", "undetermined"],
        "persona": ["regulars"],
        "(gives)": "the last night's members with one of each that is given, as CSV in the bucket; gold ones are high",
    },
    "basis": {"action": "basis", "number": None, "(gives)": "what members are scored by; an earlier one by its number"},
    "alerts": {
        "action": "alerts",
        "after": "2026-11-20#nps",
        "limit": 20,
        "(gives)": "when indicators of the programme have left the band of their past, the latest first",
    },
    "explain": {"action": "explain", "member_id": "mem_…", "locale": "en | zh-Hans | zh-Hant"},
    "rebuild": {
        "action": "rebuild",
        "member_id": "mem_…",
        "(does)": "folds the facts anew, stores what differs",
    },
}

Codes = Annotated[tuple[str, ...], Meta(max_length=20)]


class NightRunning(Conflict):
    """A night is on its way."""

    code = "night_running"


class Help(Request, frozen=True, kw_only=True, tag="help"):
    """What can be asked for."""


class Run(Request, frozen=True, kw_only=True, tag="run"):
    """Begin a night now."""

    per_leg: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    anyway: bool = False


class ReadProgress(Request, frozen=True, kw_only=True, tag="progress"):
    """How far a day's nights are."""

    day: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?!\n)$")] | None = None


class Export(Request, frozen=True, kw_only=True, tag="export"):
    """The members of some segments as a sheet."""

    value: tuple[schema.ValueSegment, ...] = ()
    behaviour: tuple[schema.Behaviour, ...] = ()
    loyalty: tuple[schema.Loyalty, ...] = ()
    persona: Codes = ()


class ReadBasis(Request, frozen=True, kw_only=True, tag="basis"):
    """What members are scored by."""

    number: Annotated[int, Meta(ge=1)] | None = None


class ReadAlerts(Request, frozen=True, kw_only=True, tag="alerts"):
    """When indicators of the programme have left their bands."""

    after: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class _OfMember(Request, frozen=True, kw_only=True):
    member_id: Annotated[str, Meta(min_length=1, max_length=64)]


class Explain(_OfMember, frozen=True, kw_only=True, tag="explain"):
    """A member's score in words."""

    locale: str = "en"


class Rebuild(_OfMember, frozen=True, kw_only=True, tag="rebuild"):
    """Make a member's facts anew."""


Requests = Help | Run | ReadProgress | Export | ReadBasis | ReadAlerts | Explain | Rebuild


def done(request: Requests, now: int) -> dict[str, Any]:
    """Do what is asked. Raises MemberNotFound, NotScoredYet, NightRunning, SheetNotFound and Invalid."""
    match request:
        case Help():
            return {"actions": _HELP}
        case Run():
            return _run(request, now)
        case ReadProgress():
            return _progress(request, now)
        case Export():
            return _export(request)
        case ReadBasis() | ReadAlerts():
            return _alerts(request) if isinstance(request, ReadAlerts) else _basis(request, now)
        case Explain() | Rebuild():
            return _member(request, now)


def _run(request: Run, now: int) -> dict[str, Any]:
    day = _day(now)
    before = night.names_of(day)
    if not before:
        begun = night.start(now=now, per_leg=request.per_leg)
        return {"night": begun.day, "messages": begun.messages, "what": "the day's own night, with sweep and audit"}
    if not request.anyway and not _is_walked(before[-1]):
        raise NightRunning(
            f'The night {before[-1]} is not through: see {{"action": "progress"}}. If a segment has died, send its '
            'message again (infra.redrive nightly), or say "anyway": true.'
        )
    begun = night.again(now=now, per_leg=request.per_leg, number=len(before) + 1)
    return {"night": begun.day, "messages": begun.messages, "what": f"one more night of {day}, without the audit"}


def _progress(request: ReadProgress, now: int) -> dict[str, Any]:
    days = [request.day] if request.day else [_day(now), _day(now - clock.DAY_S)]
    for day in days:
        if names := night.names_of(day):
            made_in = keeping.made_in()
            return {"nights": [_night(name, made_in) for name in names]}
    raise Invalid(f"No night was begun on {' or '.join(days)}.", field="day", code="night_unknown")


def _night(name: str, made_in: str | None) -> dict[str, Any]:
    segments = [_segment(item) for item in nights.parts_of(name) if not item.part.startswith("audit#")]
    walked = [segment for segment in segments if segment["walk"] == WALK]
    return {
        "night": name,
        "segments": segments,
        "seen": sum(segment["seen"] for segment in walked),
        "failed": sum(segment["failed"] for segment in walked),
        "is_walked": _is_walked(name),
        "is_basis_in_use": name == made_in,
        "report": f"reports/{name}/report.html",
    }


def _segment(item: nights.ProgressItem) -> dict[str, Any]:
    walk, _, number = item.part.partition("#")
    carried = msgspec.json.decode(item.carried)
    return {
        "walk": walk,
        "segment": int(number),
        "legs": item.leg,
        "seen": item.seen,
        "is_done": bool(item.is_done),
        "updated_at": item.updated_at,
        **carried.get(_FINDINGS, {}),
        # All that failed, of whichever visitor.
        "failed": item.failed,
    }


def _is_walked(name: str) -> bool:
    found = nights.progress_of(name, WALK)
    return len(found) == settings().nightly_segments and all(segment.is_done for segment in found)


def _export(request: Export) -> dict[str, Any]:
    unknown = sorted(set(request.persona) - set(texts.PERSONAS))
    if unknown:
        raise Invalid(f"There is no persona {unknown[0]}.", field="persona")
    wanted = {
        "value_segment": request.value,
        "behaviour": request.behaviour,
        "loyalty_type": request.loyalty,
        "persona": request.persona,
    }
    found = sheets.export(
        {name: codes for name, codes in wanted.items() if codes}, night=keeping.made_in() or "unknown"
    )
    return {"key": found.key, "members": found.members, "link": found.link, "link_lasts_s": sheets.LINK_LASTS_S}


def _member(request: Explain | Rebuild, now: int) -> dict[str, Any]:
    if isinstance(request, Rebuild):
        built: dict[str, Any] = msgspec.to_builtins(rebuilding.rebuild(request.member_id, now=now))
        return built
    found = render.score_of(member.read(request.member_id, now=now), request.locale)
    return {"text": explaining.in_words(found, request.locale), "score": msgspec.to_builtins(found)}


def _basis(request: ReadBasis, now: int) -> dict[str, Any]:
    if request.number is None:
        found = keeping.current(now=now, fresh=True)
        if found is None:
            raise NotScoredYet('No night has been run yet; {"action": "run"} begins one.')
        return explaining.basis_of(found)
    found = keeping.numbered(request.number)
    if found is None:
        raise Invalid("There is no basis of this number.", field="number", code="basis_unknown")
    return explaining.basis_of(found)


def _alerts(request: ReadAlerts) -> dict[str, Any]:
    found = [_alert(item) for item in recording.alerts(after=request.after, limit=request.limit)]
    return {"alerts": found, "after": found[-1]["alert"] if len(found) == request.limit else None}


def _alert(item: recording.AlertItem) -> dict[str, Any]:
    day, _, indicator = item.part.partition("#")
    told = {"alert": item.part, "day": day, "indicator": indicator, "direction": item.direction}
    levels = {name: round(float(getattr(item, name)), 4) for name in ("level", "low", "high")}
    return {**told, **levels, "night": item.made_in, "told_at": item.put_at}


def _day(now: int) -> str:
    zone = programs.in_force(now, now=now).program.zone
    return night.day_of(now, zone)
