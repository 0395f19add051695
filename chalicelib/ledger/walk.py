"""The nightly walk over the accounts view: in parallel segments, each in as many legs as it takes.

A message stands for one leg: it says where to go on and what was found so far, so that a leg which dies or comes twice
is walked again from where it began, with the same result. Whoever has something to do for every account joins as a
visitor, and the view is read once for all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from chalicelib.base import clock, queues
from chalicelib.ledger import nights
from chalicelib.ledger.nights import Progress
from chalicelib.ledger.table import AccountItem

logger = logging.getLogger(__name__)

_PAGE = 200
# Enough for one more account, the note and the hand-over.
_RESERVE_MS = 30_000


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """A part of one segment's way.

    `night` is the day that the walk belongs to and `cut` its beginning, in seconds. `after` is the last member that was
    visited. With `per_leg` a leg ends after so many accounts, even if there is time left. `carried` is what the
    visitors have found so far, by their names.
    """

    walk: str
    night: str
    cut: int
    segment: int
    segments: int
    per_leg: int = 0
    leg: int = 1
    after: str = ""
    seen: int = 0
    failed: int = 0
    carried: dict[str, dict[str, Any]] = {}

    @property
    def part(self) -> str:
        """The name of the segment among the night's."""
        return f"{self.walk}#{self.segment:03d}"


class Visitor(Protocol):
    """Somebody with something to do for every account. What it changes must come out alike when it is done twice."""

    def visit(self, account: AccountItem) -> None:
        """Look at one account of the view, which may be a little behind the ledger."""

    def carry(self) -> dict[str, Any]:
        """What it has found so far, as JSON data: the next leg begins with it.

        `failed` among it counts accounts that turned out later than in their visit to be beyond it.
        """


Maker = Callable[[Leg, Mapping[str, Any]], Visitor]
"""Makes a visitor for a leg, from what the leg before carried (empty at first)."""

_LEGS = msgspec.json.Decoder(Leg)


def take_batch(
    event: Mapping[str, Any],
    makers: Callable[[Leg], Mapping[str, Maker]],
    *,
    queue_url: str,
    left_ms: Callable[[], int],
    finish: Callable[[Leg, Progress], None] | None = None,
) -> dict[str, Any]:
    """Walk the legs of a batch from a queue and name the messages that must come again.

    `makers` says who visits the accounts of a leg, `left_ms` how much of the function's time is left, and `finish` what
    is to be done after each leg.
    """
    failed = []
    for record in event["Records"]:
        try:
            leg = _LEGS.decode(record["body"])
            progress = take(leg, makers(leg), queue_url=queue_url, goes_on=lambda: left_ms() > _RESERVE_MS)
            if progress and finish:
                finish(leg, progress)
        except Exception:
            logger.exception("message %s failed", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def take(leg: Leg, makers: Mapping[str, Maker], *, queue_url: str, goes_on: Callable[[], bool]) -> Progress | None:
    """Walk a leg and hand on what is left of its segment to the queue.

    `goes_on` says before each account whether there is time for one more. Answers how far the segment is, or None when
    another copy of the message has come further.
    """
    progress = _walk(leg, makers, goes_on)
    if not nights.note(leg.night, leg.part, progress, now=clock.now()):
        logger.info("%s of %s: another copy of leg %s is ahead", leg.part, leg.night, leg.leg)
        return None
    if not progress.is_done:
        queues.send(queue_url, _next(leg, progress))
    found = ", ".join(f"{name} {_brief(carried)}" for name, carried in progress.carried.items())
    logger.info(
        "%s of %s, leg %s: %s accounts seen, %s failed, %s; %s",
        *(leg.part, leg.night, leg.leg, progress.seen, progress.failed),
        *(found, "done" if progress.is_done else f"goes on after {progress.after}"),
    )
    return progress


def _walk(leg: Leg, makers: Mapping[str, Maker], goes_on: Callable[[], bool]) -> Progress:
    visitors = {name: make(leg, leg.carried.get(name, {})) for name, make in makers.items()}
    seen, failed, after, is_done = 0, 0, leg.after, True
    items = AccountItem.scan(
        segment=leg.segment,
        total_segments=leg.segments,
        page_size=_PAGE,
        last_evaluated_key={"member_id": {"S": leg.after}} if leg.after else None,
    )
    for account in items:
        if seen and (seen == leg.per_leg or not goes_on()):
            is_done = False
            break
        failed += sum(not _visited(visitor, account) for visitor in visitors.values())
        seen, after = seen + 1, account.member_id
    carried = {name: visitor.carry() for name, visitor in visitors.items()}
    return Progress(
        leg=leg.leg,
        seen=leg.seen + seen,
        failed=leg.failed + failed + _failed_of(carried) - _failed_of(leg.carried),
        after=after,
        is_done=is_done,
        carried=carried,
    )


def _failed_of(carried: Mapping[str, Mapping[str, Any]]) -> int:
    return sum(int(found.get("failed", 0)) for found in carried.values())


def _visited(visitor: Visitor, account: AccountItem) -> bool:
    """Whether a visit went well. One account that fails must not keep the night from all that come after it."""
    try:
        visitor.visit(account)
    except Exception:
        logger.exception("the visit to %s failed", account.member_id)
        return False
    return True


def _next(leg: Leg, progress: Progress) -> Leg:
    return msgspec.structs.replace(
        leg,
        leg=leg.leg + 1,
        after=progress.after,
        seen=progress.seen,
        failed=progress.failed,
        carried=progress.carried,
    )


def _brief(carried: Mapping[str, Any]) -> str:
    """The figures among what a visitor carries."""
    return " ".join(f"{name}={value}" for name, value in carried.items() if isinstance(value, int)) or "-"
