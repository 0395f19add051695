"""Posting to two chains at once: one transaction of an entry on each and the record that both stand for, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic

import msgspec

from chalicelib.base import clock
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger.chain import Decision, Entry, link
from chalicelib.ledger.posting import (
    Account,
    MemberNotFound,
    Outcome,
    Posted,
    R,
    Write,
    account_at,
    commit,
    replay,
)
from chalicelib.ledger.table import read_tail, to_item


class AccountClosed(Exception):
    """An account was merged into another one, so it takes no entry of its own any more."""

    def __init__(self, member_id: str, into: str) -> None:
        super().__init__(f"{member_id} was merged into {into}")
        self.member_id = member_id
        self.into = into


class PairPlan(msgspec.Struct, Generic[R], frozen=True):
    """What is posted to the first chain and to the second, and what is to be written with it.

    `record` is put if absent and completed from the second chain's entry.
    """

    first: Decision
    second: Decision
    record: R
    writes: Sequence[Write] = ()


def post_pair(
    first_id: str,
    second_id: str,
    decide: Callable[[Account, Account], PairPlan[R]],
    *,
    now: Callable[[], int] = clock.now,
) -> Posted[R]:
    """Decide on two open accounts and commit one entry on each, exactly once.

    `decide` must be pure: it is called again whenever another writer was faster. Both accounts are read consistently
    and folded to the same instant, so whatever it refuses is refused for good. The answer carries the second entry.

    Raises MemberNotFound, AccountClosed, KeyReused (the record exists for another request), Lost (a condition of the
    plan's writes failed), whatever `decide` refuses, and Unavailable after eight tries.
    """
    for _attempt in attempts():
        tails = [_open_tail(member_id) for member_id in (first_id, second_id)]
        # Neither chain may run back, and points that move between them must not be judged by two dates.
        at = max(now(), *(tail.posted_at for tail in tails))
        plan = decide(*(account_at(tail, at) for tail in tails))
        first, second = (
            link(tail.member_id, tail, decision, at)
            for tail, decision in zip(tails, (plan.first, plan.second), strict=True)
        )
        plan.record.commit_with(second)
        outcome, found = commit([to_item(first), to_item(second)], plan.record, plan.writes)
        if outcome is Outcome.COMMITTED:
            return Posted(plan.record, replayed=False, entry=second)
        if outcome is Outcome.RECORDED_BEFORE:
            return replay(plan.record, found)
    raise Unavailable("The accounts are being written to by many at once. Send the same request again.", code="busy")


def _open_tail(member_id: str) -> Entry:
    tail = read_tail(member_id, consistent=True)
    if tail is None:
        raise MemberNotFound("No member has this id.", field="member_id")
    if tail.state.closed_into:
        raise AccountClosed(member_id, tail.state.closed_into)
    return tail
