"""Posting: one transaction of an entry and the business record that it stands for, once.

`post` is the only writer of points. It reads the tail of the member's chain, lets the area decide on it, and commits the
next entry together with the area's writes. Whatever goes wrong on the way ends in one of three states: committed,
recognised as committed before, or not committed at all.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.base import clock
from chalicelib.base.dynamo import connection
from chalicelib.base.errors import KeyReused, NotFound, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger.chain import Decision, Entry, link
from chalicelib.ledger.effects import fold
from chalicelib.ledger.points import StateRefusal
from chalicelib.ledger.records import Record
from chalicelib.ledger.state import State
from chalicelib.ledger.table import EntryItem, read_tail, to_item

R = TypeVar("R", bound=Record)
RawItem = dict[str, dict[str, Any]]


class MemberNotFound(NotFound):
    """No member has this id."""

    code = "member_not_found"


class Lost(Exception):
    """A write failed its condition: what the area decided on has changed, so it must read again.

    `model` is what could not be written and `found` the raw item that stands in its place (empty where there is none).
    """

    def __init__(self, model: Model, found: RawItem) -> None:
        super().__init__(f"{type(model).__name__} has changed")
        self.model = model
        self.found = found


@dataclass(frozen=True)
class Account:
    """What an area decides on: the state folded to the posting time, and that time."""

    member_id: str
    state: State
    posted_at: int
    seq: int


@dataclass(frozen=True)
class Write:
    """One more write of the transaction: a put, or with `actions` an update, or with `delete` a deletion."""

    model: Model
    condition: Condition | None = None
    actions: Sequence[Action] | None = None
    delete: bool = False


@dataclass(frozen=True)
class Posted(Generic[R]):
    """The stored record of an operation, and whether it had been stored before. `entry` is None on a replay."""

    record: R
    replayed: bool
    entry: Entry | None = None


@dataclass(frozen=True)
class Plan(Generic[R]):
    """A decision and what is to be written with it.

    `record` is put if absent and completed from the entry; `writes` are further writes, made once the entry is known.
    """

    decision: Decision
    record: R
    writes: Callable[[Entry], Sequence[Write]] = lambda _entry: ()


class _Outcome(enum.Enum):
    COMMITTED = enum.auto()
    RECORDED_BEFORE = enum.auto()
    AGAIN = enum.auto()


def post(
    member_id: str,
    decide: Callable[[Account], Plan[R]],
    *,
    opening: bool = False,
    now: Callable[[], int] | None = None,
) -> Posted[R]:
    """Decide on a member's account and commit the decision, exactly once.

    `decide` must be pure: it is called again whenever another writer was faster. With `opening` the chain begins here.

    Raises MemberNotFound, KeyReused (the record exists for another request), Lost (a condition of `writes` failed),
    whatever `decide` refuses, and Unavailable after eight tries.
    """
    consistent = False
    for _attempt in attempts():
        account, tail, consistent = _read(member_id, consistent=consistent, opening=opening, now=now or clock.now)
        try:
            plan = decide(account)
        except StateRefusal:
            if consistent or opening:
                raise
            account, tail, consistent = _read(account.member_id, consistent=True, opening=opening, now=now or clock.now)
            plan = decide(account)
        entry = link(account.member_id, tail, plan.decision, account.posted_at)
        plan.record.commit_with(entry)
        outcome, found = _commit(entry, plan)
        if outcome is _Outcome.COMMITTED:
            return Posted(plan.record, replayed=False, entry=entry)
        if outcome is _Outcome.RECORDED_BEFORE:
            return replay(plan.record, found)
        consistent = True
    raise Unavailable("The account is being written to by many at once. Send the same request again.", code="busy")


def replay(record: R, found: RawItem) -> Posted[R]:
    """The answer to a request whose record was found stored (as a raw item).

    Raises KeyReused when it was stored for another request under the same key, and Lost when its place was taken by
    another operation altogether.
    """
    stored = type(record)()
    stored.deserialize(found)
    if stored.record_id != record.record_id:
        raise Lost(record, found)
    if stored.request_hash != record.request_hash:
        raise KeyReused("This key was used before for a request with another body. Nothing was changed.")
    return Posted(stored, replayed=True)


def _read(
    member_id: str, *, consistent: bool, opening: bool, now: Callable[[], int]
) -> tuple[Account, Entry | None, bool]:
    """The account to decide on, its tail, and whether the read was consistent."""
    if opening:
        return Account(member_id, State(), now(), 0), None, True
    tail = read_tail(member_id, consistent=consistent)
    if tail is None and not consistent:
        consistent = True
        tail = read_tail(member_id, consistent=True)
    if tail is None:
        raise MemberNotFound("No member has this id.", field="member_id")
    if tail.state.closed_into:
        return _read(tail.state.closed_into, consistent=consistent, opening=False, now=now)
    # A clock that ran back must not reorder the chain.
    posted_at = max(now(), tail.posted_at)
    return Account(member_id, fold(tail.state, posted_at).state, posted_at, tail.seq), tail, consistent


def _commit(entry: Entry, plan: Plan[R]) -> tuple[_Outcome, RawItem]:
    """Send the transaction and tell what came of it; `found` is the record that was there already."""
    writes = plan.writes(entry)
    absent_entry = EntryItem.member_id.does_not_exist()
    absent_record = type(plan.record)._hash_key_attribute().does_not_exist()
    transaction = TransactWrite(connection=connection())
    transaction.save(plan.record, condition=absent_record, return_values="ALL_OLD")
    transaction.save(to_item(entry), condition=absent_entry)
    for write in writes:
        _add(transaction, write)
    try:
        transaction._commit()
    except TransactWriteError as error:
        return _judge(error, writes)
    except (PynamoDBException, BotoCoreError):
        # Throttled, timed out or failed on the way: it may have been committed, which the next try finds out.
        return _Outcome.AGAIN, {}
    return _Outcome.COMMITTED, {}


def _add(transaction: TransactWrite, write: Write) -> None:
    if write.delete:
        transaction.delete(write.model, condition=write.condition)
    elif write.actions is not None:
        transaction.update(
            write.model, actions=list(write.actions), condition=write.condition, return_values="ALL_OLD"
        )
    else:
        transaction.save(write.model, condition=write.condition, return_values="ALL_OLD")


def _judge(error: TransactWriteError, writes: Sequence[Write]) -> tuple[_Outcome, RawItem]:
    """Why a transaction was cancelled.

    PynamoDB sends deletions, then puts, then updates, and the reasons come in that order; the record is the first put
    and the entry the second. The record counts before all else, for a replay makes other conditions fail as well.
    """
    reasons = list(error.cancellation_reasons)
    deletions = [write for write in writes if write.delete]
    puts = [write for write in writes if not write.delete and write.actions is None]
    updates = [write for write in writes if write.actions is not None]
    order: list[Write | None] = [*deletions, None, None, *puts, *updates]
    if len(reasons) != len(order):
        return _Outcome.AGAIN, {}
    record = reasons[len(deletions)]
    if record and record.code == "ConditionalCheckFailed" and record.raw_item:
        return _Outcome.RECORDED_BEFORE, record.raw_item
    entry_taken = reasons[len(deletions) + 1]
    for write, reason in zip(order, reasons, strict=True):
        # With a stale tail the area's own reads were stale too: only a current one may blame its writes.
        if write and reason and reason.code == "ConditionalCheckFailed" and not entry_taken:
            raise Lost(write.model, reason.raw_item or {})
    return _Outcome.AGAIN, {}
