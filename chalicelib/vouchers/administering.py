"""What an admin can ask of vouchers from the AWS console."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.base.console import Request, Who
from chalicelib.vouchers import batches, document, importing, jobs
from chalicelib.vouchers.batches import Known

_EXPORT_MAX = 10_000
_LIST_MAX = 100

Key = Annotated[str, Meta(min_length=1, max_length=255)]

_HELP = {
    "create": {"action": "create", "key": "winter-2026", "by": "who makes it", "batch": {"title": "…", "kind": "…"}},
    "list": {"action": "list", "(gives)": f"the newest {_LIST_MAX} batches"},
    "show": {"action": "show", "batch_id": "vbt_…"},
    "pause": {"action": "pause", "batch_id": "vbt_…", "by": "who pauses it"},
    "resume": {"action": "resume", "batch_id": "vbt_…", "by": "who makes it active again"},
    "make": {"action": "make", "batch_id": "vbt_…", "codes": 100_000, "key": "first", "by": "who makes them"},
    "progress": {"action": "progress", "job_id": "vjb_…"},
    "export": {"action": "export", "job_id": "vjb_…", "after": 0, "(gives)": f"up to {_EXPORT_MAX} codes as CSV"},
    "import": {"action": "import", "batch_id": "vbt_…", "codes": ["…"], "key": "list 1", "by": "who imports them"},
}


class Help(Request, frozen=True, kw_only=True, tag="help"):
    """What can be asked for."""


class Create(Request, frozen=True, kw_only=True, tag="create"):
    """Make a batch, once for the key."""

    batch: Any
    key: Key
    by: Who


class List(Request, frozen=True, kw_only=True, tag="list"):
    """The newest batches."""


class Show(Request, frozen=True, kw_only=True, tag="show"):
    """A batch with its counts."""

    batch_id: str


class Pause(Request, frozen=True, kw_only=True, tag="pause"):
    """Refuse a batch's vouchers."""

    batch_id: str
    by: Who


class Resume(Request, frozen=True, kw_only=True, tag="resume"):
    """Take a batch's vouchers again."""

    batch_id: str
    by: Who


class Make(Request, frozen=True, kw_only=True, tag="make"):
    """Make codes in bulk, once for the key."""

    batch_id: str
    codes: Annotated[int, Meta(ge=1, le=jobs.CODES_MAX)]
    key: Key
    by: Who


class Progress(Request, frozen=True, kw_only=True, tag="progress"):
    """How far a bulk job is."""

    job_id: str


class Export(Request, frozen=True, kw_only=True, tag="export"):
    """A job's codes after a number."""

    job_id: str
    after: Annotated[int, Meta(ge=0)] = 0


class Import(Request, frozen=True, kw_only=True, tag="import"):
    """Bring in codes made elsewhere, once for the key."""

    batch_id: str
    codes: Annotated[
        tuple[Annotated[str, Meta(max_length=128)], ...], Meta(min_length=1, max_length=importing.LINES_MAX)
    ]
    key: Key
    by: Who


Requests = Help | List | Create | Show | Pause | Resume | Make | Progress | Export | Import


def done(request: Requests, now: int) -> dict[str, Any]:
    """Do what is asked. Raises whatever the operation refuses."""
    match request:
        case Create() | Show() | Pause() | Resume():
            return _batch(_changed(request, now))
        case Make() | Progress():
            return _progress(_job(request, now))
        case Export():
            page = jobs.export(request.job_id, after=request.after, limit=_EXPORT_MAX)
            return {"csv": page.csv, "codes": page.codes, "after": None if page.is_last else page.last}
        case Import():
            return _imported(request, now)
        case List():
            return {"batches": [_line(known) for _place, known in batches.listed(after=None, limit=_LIST_MAX)]}
        case Help():
            return {"actions": _HELP}


def _changed(request: Create | Show | Pause | Resume, now: int) -> str:
    """Do what is asked of a batch; gives its id."""
    match request:
        case Create():
            batch = document.read(request.batch)
            return str(batches.create(batch, key=request.key, actor=_actor(request.by), now=now).record.key)
        case Pause():
            batches.set_state(request.batch_id, "paused", actor=_actor(request.by), now=now)
        case Resume():
            batches.set_state(request.batch_id, "active", actor=_actor(request.by), now=now)
        case Show():
            pass
    return request.batch_id


def _line(known: Known) -> dict[str, Any]:
    return {
        "batch_id": known.batch_id,
        "title": known.batch.title.en,
        "kind": known.batch.kind,
        "state": known.state,
        "created_at": known.created_at,
    }


def _job(request: Make | Progress, now: int) -> str:
    """Begin a job where that is asked for; gives its id."""
    if isinstance(request, Progress):
        return request.job_id
    actor = _actor(request.by)
    return str(jobs.start(request.batch_id, request.codes, key=request.key, actor=actor, now=now).record.key)


def _actor(by: str) -> str:
    return f"admin:{by.strip()}"


def _batch(batch_id: str) -> dict[str, Any]:
    known = batches.read(batch_id)
    return {
        "batch_id": batch_id,
        "state": known.state,
        "code": known.code,
        "time_zone": known.zone.key,
        "created_at": known.created_at,
        "counts": msgspec.structs.asdict(batches.tally(batch_id)) | {"left": batches.left(known)},
        "batch": msgspec.to_builtins(known.batch),
    }


def _progress(job_id: str) -> dict[str, Any]:
    job = jobs.read(job_id)
    return msgspec.structs.asdict(job) | {"is_done": job.is_done}


def _imported(request: Import, now: int) -> dict[str, Any]:
    import_id, result, _replayed = importing.import_codes(
        request.batch_id, request.codes, key=request.key, actor=_actor(request.by), now=now
    )
    return {"import_id": import_id, **msgspec.to_builtins(result)}
