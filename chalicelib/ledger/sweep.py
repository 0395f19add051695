"""Entries that are their own evidence: what time alone did to an account, a tier looked at anew, what a night tells.

Time matures points, ends lots, holds and the terms of tiers; a new version of the programme may move a tier.
"""

from __future__ import annotations

from collections.abc import Callable

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from chalicelib.base import facts, ids
from chalicelib.base.dynamo import absent
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger.chain import Decision, Entry, link
from chalicelib.ledger.effects import Effect, fold
from chalicelib.ledger.state import State
from chalicelib.ledger.table import EntryItem, read_tail, to_item

_PREFIXES = {facts.SWEPT: "swp", facts.RETIERED: "tir", facts.ALERT: "alr", facts.CARE: "car"}
KINDS = tuple(_PREFIXES)
"""The kinds of entries that have no record: the entry says all."""


def record_of(kind: str, member_id: str, after_seq: int) -> str:
    """The id that an entry of one of these kinds goes by which follows entry `after_seq`."""
    return f"{_PREFIXES[kind]}_{ids.request_hash((member_id, after_seq), kind)}"


def is_due(state: State, at: int) -> bool:
    """Whether time has changed a state by `at` in a way that no entry says yet."""
    return fold(state, at).state != state


def decision(
    tail: Entry, at: int, *, kind: str, actor: str, program: int, tier: str, effect: Effect, reason: str = ""
) -> Decision:
    """The decision to post an entry of one of these kinds after `tail`, for `reason` if there are several."""
    return Decision(
        kind=kind,
        record=record_of(kind, tail.member_id, tail.seq),
        reason=reason or kind,
        actor=actor,
        program=program,
        occurred_at=at,
        effect=effect,
        tier=tier,
    )


def append(member_id: str, decide: Callable[[Entry, int], Decision | None], *, now: int) -> Entry | None:
    """Post what `decide(tail, at)` makes of a member's last entry and the time, or None where that is nothing.

    `decide` must be pure, and find nothing to do once its entry is there: so however often this is called it happens
    once. The entry is put if absent; since nothing else is written, it is a single put, at a quarter of the price of a
    posting. Raises Unavailable.
    """
    for attempt in attempts():
        tail = read_tail(member_id, consistent=attempt > 0)
        if tail is None:
            return None
        at = max(now, tail.posted_at)
        decided = decide(tail, at)
        if decided is None:
            return None
        entry = link(member_id, tail, decided, at)
        try:
            to_item(entry).save(condition=absent(EntryItem))
        except (PynamoDBException, BotoCoreError):
            # Taken by another writer, by this very try, or lost on the way: the next read of the tail tells.
            continue
        return entry
    raise Unavailable("The account is being written to by many at once.", code="busy")
