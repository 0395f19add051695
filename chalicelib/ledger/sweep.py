"""Writing down what time alone did to an account: matured points, lapsed lots and holds that ran out."""

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


def record_of(member_id: str, after_seq: int) -> str:
    """The id that the sweep after entry `after_seq` goes by. There is no record behind it: the entry says all."""
    return f"swp_{ids.request_hash((member_id, after_seq), 'swept')}"


def is_due(state: State, at: int) -> bool:
    """Whether time has changed a state by `at` in a way that no entry says yet."""
    return fold(state, at).state != state


def sweep(member_id: str, standing: Callable[[State, int], tuple[str, int]], *, now: int) -> Entry | None:
    """Post the entry that folds a member's state to `now`, or None where there is nothing to fold (any more).

    `standing` gives the tier's code and the programme's version for a folded state at an instant. The entry is its own
    evidence: it is put if absent, and once it is there nothing is due, so however often this is called it happens once.
    Since nothing else is written, it is a single put, at a quarter of the price of a posting. Raises Unavailable.
    """
    for attempt in attempts():
        tail = read_tail(member_id, consistent=attempt > 0)
        if tail is None:
            return None
        at = max(now, tail.posted_at)
        if not is_due(tail.state, at):
            return None
        tier, version = standing(fold(tail.state, at).state, at)
        entry = link(member_id, tail, _decision(tail, at, tier, version), at)
        try:
            to_item(entry).save(condition=absent(EntryItem))
        except (PynamoDBException, BotoCoreError):
            # Taken by another writer, by this very try, or lost on the way: the next read of the tail tells.
            continue
        return entry
    raise Unavailable("The account is being written to by many at once.", code="busy")


def _decision(tail: Entry, at: int, tier: str, version: int) -> Decision:
    return Decision(
        kind=facts.SWEPT,
        record=record_of(tail.member_id, tail.seq),
        reason=facts.SWEPT,
        actor="system:nightly",
        program=version,
        occurred_at=at,
        effect=Effect(),
        tier=tier,
    )
