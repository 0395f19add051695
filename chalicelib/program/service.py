"""The programme's versions: which one is in force, publishing the next, rolling back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.base import clock
from chalicelib.base.errors import Conflict, Invalid, NotFound
from chalicelib.ledger.posting import Lost, Write
from chalicelib.program import table
from chalicelib.program.document import Program, decode, default, encode
from chalicelib.program.table import VersionItem
from chalicelib.program.validation import InvalidProgram, Problem, validate

LEAD_S: Final = 600
"""A version starts this long after it was published, at the earliest."""

# A fact may lie 5 minutes ahead, so a process that looked for new versions 5 minutes ago still knows each one in time.
_CACHED_S: Final = 240
# The first version may start at once; until one is known, look often.
_CACHED_WITHOUT_VERSION_S: Final = 20


class VersionNotFound(NotFound):
    """The programme has no such version."""

    code = "version_not_found"


class PublishedMeanwhile(Conflict):
    """Another version was published at the same moment."""

    code = "published_meanwhile"


class Versioned(msgspec.Struct, frozen=True):
    """A programme with its version, 0 being the default that comes with the engine. `starts_at` is in seconds."""

    version: int
    starts_at: int
    program: Program


class Publication(msgspec.Struct, frozen=True):
    """Who published a version, when, and from when it counts. `copy_of` is the version that a roll-back copied."""

    version: int
    starts_at: int
    published_at: int
    published_by: str
    note: str
    copy_of: int | None


class _Cache(msgspec.Struct):
    """The versions that this process has read. They never change; only whether there is a newer one must be asked."""

    versions: dict[int, Versioned] = {}
    newest: int = 0
    asked_at: int | None = None


_cache = _Cache()


def reset_cache() -> None:
    """Forget every version, as a new process would."""
    _cache.versions.clear()
    _cache.newest, _cache.asked_at = 0, None


def in_force(occurred_at: int, *, now: int) -> Versioned:
    """The programme that counts for a fact of this instant.

    It is the highest version that had started by then, so publishing anew also replaces what was scheduled before. For
    a fact older than every version it is the earliest, and the engine's default as version 0 while none is published.
    """
    newest = _newest(now)
    if not newest:
        return Versioned(0, 0, default())
    return _started(newest, occurred_at)


def version(number: int) -> Versioned:
    """One version. Raises VersionNotFound."""
    return Versioned(0, 0, default()) if number == 0 else _version(number)


def versions() -> list[Publication]:
    """Every published version, newest first."""
    return [_publication(item) for item in table.read_headers()]


def publish(
    document: bytes | str | object,
    *,
    starts_at: int | None = None,
    by: str,
    note: str = "",
    now: int,
) -> Publication:
    """Make a document the next version. Without `starts_at` it starts as soon as may be.

    The very first version may start at once, every other one 10 minutes after it is published. Publishing the newest
    document again changes nothing and answers the version that it has.

    The budgets of its campaigns are put into their counters in the same transaction, at once and not only when the
    version starts; they are only ever raised.

    Raises InvalidProgram for a document that is wrong in itself, breaks with what members already have or lowers a
    budget, Invalid for a start too early, PublishedMeanwhile when another publication was faster.
    """
    return _publish(validate(document), starts_at=starts_at, by=by, note=note, copy_of=None, now=now)


def roll_back(to_version: int, *, starts_at: int | None = None, by: str, note: str = "", now: int) -> Publication:
    """Publish a copy of an earlier version; history is never edited. 0 is the default that comes with the engine.

    Raises VersionNotFound, and what `publish` raises; tiers that only the later versions have may be dropped, though:
    who holds one keeps the place on the ladder that its threshold would have. What was put into budgets stays in them.
    """
    program = version(to_version).program
    return _publish(program, starts_at=starts_at, by=by, note=note, copy_of=to_version, now=now)


def _publish(
    program: Program, *, starts_at: int | None, by: str, note: str, copy_of: int | None, now: int
) -> Publication:
    newest = table.read_newest(above=0)
    if newest and _is_same(newest, program, starts_at):
        return _publication(newest)
    earliest = now + LEAD_S if newest else now
    start = earliest if starts_at is None else starts_at
    if start < earliest:
        raise Invalid(f"The version can start at {clock.text(earliest)} at the earliest.", field="starts_at")
    if newest:
        _check_succession(_before(newest, start), program, is_copy=copy_of is not None)
    number = newest.version + 1 if newest else 1
    item = VersionItem(
        version=number,
        document=encode(program),
        starts_at=clock.text(start),
        published_at=clock.text(now),
        published_by=by,
        note=note,
        copy_of=copy_of,
    )
    # Everybody reads programmes, and only who publishes them needs the counters.
    from chalicelib.program import funding  # noqa: PLC0415

    # Read after the newest version was: whoever raises a budget in between takes the number first.
    before = decode(newest.document) if newest else None
    writes = funding.filling(program, number, newest=before, is_copy=copy_of is not None)
    if _put(item, writes):
        reset_cache()
        return _publication(item)
    # Perhaps it was this very publication, sent twice at once or repeated after a time-out.
    stored = table.read_version(number)
    if stored and _is_same(stored, program, starts_at):
        return _publication(stored)
    raise PublishedMeanwhile("Another version was published at this moment. Look at it before publishing yours again.")


def _put(item: VersionItem, writes: Sequence[Write]) -> bool:
    try:
        return table.put_if_absent(item, writes)
    except Lost:
        # A counter was made meanwhile, and so was the version that it came with.
        return False


def _is_same(item: VersionItem, program: Program, starts_at: int | None) -> bool:
    return decode(item.document) == program and starts_at in (None, clock.parse(item.starts_at))


def _before(newest: VersionItem, start: int) -> Program:
    """The programme that a new version takes over from when it starts; what never came into force binds nobody."""
    return _started(newest.version, start).program


def _check_succession(before: Program, program: Program, *, is_copy: bool) -> None:
    """Raises InvalidProgram where `program` would break what members have under `before`."""
    problems = [] if is_copy else _dropped_tiers(before, program)
    if before.base_currency != program.base_currency:
        problems.append(
            Problem("base_currency", f"What members have spent is counted in {before.base_currency}; it cannot change.")
        )
    if problems:
        raise InvalidProgram(problems)


def _dropped_tiers(before: Program, program: Program) -> list[Problem]:
    codes = [code for tier in before.tiers for code in (tier.code, *tier.replaces)]
    return [
        Problem("tiers", f"The tier {code} is gone; name it in `replaces` of the tier that takes its place.")
        for code in codes
        if program.tier(code) is None
    ]


def _newest(now: int) -> int:
    """The highest version number, 0 for none; asked for again when what is known has grown old."""
    asked_at = _cache.asked_at
    lasts_s = _CACHED_S if _cache.newest else _CACHED_WITHOUT_VERSION_S
    if asked_at is None or not 0 <= now - asked_at < lasts_s:
        item = table.read_newest(above=_cache.newest)
        if item:
            _cache.newest = item.version
            _cache.versions[item.version] = _versioned(item)
        _cache.asked_at = now
    return _cache.newest


def _started(newest: int, instant: int) -> Versioned:
    """The highest version up to `newest` that had started at `instant`, or the earliest of all."""
    for number in range(newest, 1, -1):
        found = _version(number)
        if found.starts_at <= instant:
            return found
    return _version(1)


def _version(number: int) -> Versioned:
    if number not in _cache.versions:
        item = table.read_version(number)
        if item is None:
            raise VersionNotFound(f"The programme has no version {number}.")
        _cache.versions[number] = _versioned(item)
    return _cache.versions[number]


def _versioned(item: VersionItem) -> Versioned:
    return Versioned(item.version, clock.parse(item.starts_at), decode(item.document))


def _publication(item: VersionItem) -> Publication:
    return Publication(
        version=item.version,
        starts_at=clock.parse(item.starts_at),
        published_at=clock.parse(item.published_at),
        published_by=item.published_by,
        note=item.note,
        copy_of=item.copy_of,
    )
