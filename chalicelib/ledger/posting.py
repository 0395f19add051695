"""Posting: one transaction of an entry and the business record that it stands for, once.

`post` is the only writer of points. It reads the tail of the member's chain, lets the area decide on it, and commits
the next entry together with the area's writes. Whatever goes wrong on the way ends in one of three states: committed,
recognised as committed before, or not committed at all.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.base import clock
from chalicelib.base.dynamo import absent, connection, key_of
from chalicelib.base.errors import KeyReused, NotFound, Refusal, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger.chain import Decision, Entry, link
from chalicelib.ledger.effects import fold
from chalicelib.ledger.points import StateRefusal
from chalicelib.ledger.records import Record, place_of
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


class Account(msgspec.Struct, frozen=True):
    """What an area decides on: the state folded to the posting time, and that time."""

    member_id: str
    state: State
    posted_at: int
    seq: int


class Act(enum.Enum):
    """What a write does. The order is that in which PynamoDB sends a transaction, and so that of its answer."""

    CHECK = enum.auto()
    DELETE = enum.auto()
    PUT = enum.auto()
    UPDATE = enum.auto()


class Write(msgspec.Struct, frozen=True):
    """One more write of the transaction. A check writes nothing and needs a condition, an update needs `actions`."""

    model: Model
    act: Act = Act.PUT
    condition: Condition | None = None
    actions: Sequence[Action] = ()


class Posted(msgspec.Struct, Generic[R], frozen=True):
    """The stored record of an operation, and whether it had been stored before. `entry` is None on a replay."""

    record: R
    replayed: bool
    entry: Entry | None = None


class Plan(msgspec.Struct, Generic[R], frozen=True):
    """A decision and what is to be written with it.

    `record` is put if absent and completed from the entry; `writes` are further writes, made once the entry is known.
    """

    decision: Decision
    record: R
    writes: Callable[[Entry], Sequence[Write]] = lambda _entry: ()


class Outcome(enum.Enum):
    """What came of a transaction. `AGAIN` says that it must be decided on anew, for nothing is known to be written."""

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
        outcome, found = commit([to_item(entry)], plan.record, plan.writes(entry))
        if outcome is Outcome.COMMITTED:
            return Posted(plan.record, replayed=False, entry=entry)
        if outcome is Outcome.RECORDED_BEFORE:
            return replay(plan.record, found)
        consistent = True
    raise Unavailable("The account is being written to by many at once. Send the same request again.", code="busy")


def once(record: R, found: Callable[[], R | None], act: Callable[[], Posted[R]]) -> Posted[R]:
    """Do `act`, or where it is refused, answer what `found` says was recorded for the same request before.

    What was accepted once is answered alike for ever: though its points are spent by now, its time is long past, or its
    member is gone. `record` carries the key and fingerprint of the request. Raises KeyReused for a changed body.
    """
    try:
        return act()
    except (KeyReused, Unavailable):
        raise
    except Refusal:
        recorded = found()
        if recorded is None:
            raise
        return replay(record, recorded.serialize())


def peek(member_id: str, *, now: int, consistent: bool = False) -> Account:
    """A member's account folded to `now`, to be looked at only. Raises MemberNotFound."""
    account, _tail, _consistent = _read(member_id, consistent=consistent, opening=False, now=lambda: now)
    return account


def put_once(record: R, writes: Sequence[Write]) -> Posted[R]:
    """Commit a record that moves no points and `writes` with it, exactly once. Raises as `post` does."""
    for _attempt in attempts():
        outcome, found = commit([], record, writes)
        if outcome is Outcome.COMMITTED:
            return Posted(record, replayed=False)
        if outcome is Outcome.RECORDED_BEFORE:
            return replay(record, found)
    raise Unavailable("The record is being written to by many at once. Send the same request again.", code="busy")


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


def account_at(tail: Entry, at: int) -> Account:
    """The account after `tail`, folded to `at`."""
    return Account(tail.member_id, fold(tail.state, at).state, at, tail.seq)


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
    return account_at(tail, max(now(), tail.posted_at)), tail, consistent


def commit(entries: Sequence[EntryItem], record: Model, writes: Sequence[Write]) -> tuple[Outcome, RawItem]:
    """Send the transaction of `entries`, `record` and `writes`, and tell what came of it.

    Gives the raw record that was there already where it was. Raises Lost.
    """
    try:
        with TransactWrite(connection=connection()) as transaction:
            transaction.save(record, condition=absent(type(record)), return_values="ALL_OLD")
            for entry in entries:
                entry.place = place_of(record)
                transaction.save(entry, condition=absent(EntryItem))
            for write in writes:
                _add(transaction, write)
    except TransactWriteError as error:
        return _judge(error, len(entries), writes)
    except (PynamoDBException, BotoCoreError):
        # Throttled, timed out or failed on the way: it may have been committed, which the next try finds out.
        return Outcome.AGAIN, {}
    return Outcome.COMMITTED, {}


def _add(transaction: TransactWrite, write: Write) -> None:
    match write.act:
        case Act.CHECK:
            hash_key, range_key = key_of(write.model)
            transaction.condition_check(type(write.model), hash_key, range_key, condition=write.condition)
        case Act.DELETE:
            transaction.delete(write.model, condition=write.condition)
        case Act.PUT:
            transaction.save(write.model, condition=write.condition, return_values="ALL_OLD")
        case Act.UPDATE:
            transaction.update(
                write.model, actions=list(write.actions), condition=write.condition, return_values="ALL_OLD"
            )


def _judge(error: TransactWriteError, entries: int, writes: Sequence[Write]) -> tuple[Outcome, RawItem]:
    """Why a transaction was cancelled.

    The reasons come in the order of `Act`; among the puts the record is the first and the entries follow it. The record
    counts before all else, for a replay makes other conditions fail as well.
    """
    reasons = list(error.cancellation_reasons)
    ordered = sorted(writes, key=lambda write: write.act.value)
    ahead = sum(write.act.value < Act.PUT.value for write in ordered)
    order: list[Write | None] = [*ordered[:ahead], None, *([None] * entries), *ordered[ahead:]]
    if len(reasons) != len(order):
        return Outcome.AGAIN, {}
    record = reasons[ahead]
    if record and record.code == "ConditionalCheckFailed" and record.raw_item:
        return Outcome.RECORDED_BEFORE, record.raw_item
    entry_taken = any(reasons[ahead + 1 : ahead + 1 + entries])
    for write, reason in zip(order, reasons, strict=True):
        # With a stale tail the area's own reads were stale too: only a current one may blame its writes.
        if write and reason and reason.code == "ConditionalCheckFailed" and not entry_taken:
            raise Lost(write.model, reason.raw_item or {})
    return Outcome.AGAIN, {}
