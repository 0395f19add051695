"""Writing down what a night says of a member, once: on the account's item, and an alert in the ledger beside it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

import msgspec
from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.base import facts
from chalicelib.base.dynamo import absent, connection, is_refused
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger import sweep
from chalicelib.ledger.chain import Entry, link
from chalicelib.ledger.effects import Effect, fold
from chalicelib.ledger.table import AccountItem, EntryItem, read_tail, to_item
from chalicelib.members.table import set_segments
from chalicelib.program import service as programs
from chalicelib.program.rules import tiers
from chalicelib.scoring import state as states
from chalicelib.scoring import told as telling
from chalicelib.scoring.state import State
from chalicelib.scoring.told import Told

logger = logging.getLogger(__name__)

ACTOR: Final = "system:nightly"
_TAKEN: Final = "ConditionalCheckFailed"


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written of one account: the folded facts if they are new, and what is told if it has changed.

    `alerts` and `cares` (reasons) become entries of the ledger.
    """

    account: AccountItem
    facts: State
    is_new: bool = False
    told: Told | None = None
    alerts: tuple[str, ...] = ()
    cares: tuple[str, ...] = ()


def tell(news: News, *, now: int) -> bool:
    """Write it down; False where another copy of this night's work has done so before. Raises Unavailable."""
    account = news.account
    if not news.is_new and news.told is None:
        return False
    if news.told is not None:
        last = telling.read(account.score_told)
        if last is None or last.segments != news.told.segments:
            set_segments(account.member_id, news.told.segments)
    if news.alerts or news.cares:
        return _tell_with_entries(news, now)
    try:
        AccountItem(account.member_id).update(actions=_actions(news), condition=_unchanged(account))
    except UpdateError as error:
        if is_refused(error):
            return False
        raise
    return True


def _tell_with_entries(news: News, now: int) -> bool:
    """The entries and what was told in one transaction, so that neither is there without the other."""
    account = news.account
    for attempt in attempts():
        tail = read_tail(account.member_id, consistent=attempt > 0)
        if tail is None or tail.state.closed_into:
            return False
        entries = _entries(tail, news, now)
        actions = _actions(_with_seen(news, tail, entries))
        try:
            with TransactWrite(connection=connection()) as transaction:
                for entry in entries:
                    transaction.save(to_item(entry), condition=absent(EntryItem))
                item = AccountItem(account.member_id)
                transaction.update(item, actions=actions, condition=_unchanged(account))
        except TransactWriteError as error:
            if error.cancellation_reasons and (reason := error.cancellation_reasons[-1]) and reason.code == _TAKEN:
                return False
        except (PynamoDBException, BotoCoreError):
            logger.info("what there is to tell of %s is tried again", account.member_id)
        else:
            return True
    raise Unavailable("The account is being written to by many at once.", code="busy")


def _with_seen(news: News, tail: Entry, entries: Sequence[Entry]) -> News:
    """The news with facts that know of these entries, so that the next night need not read and note them.

    They tell scoring nothing; but where others lie between, which it does not know of, it must not be led past them.
    """
    if news.facts.entries != tail.seq:
        return news
    facts = msgspec.structs.replace(news.facts, entries=entries[-1].seq)
    return msgspec.structs.replace(news, facts=facts, is_new=True)


def _entries(tail: Entry, news: News, now: int) -> list[Entry]:
    at = max(now, tail.posted_at)
    current = programs.in_force(now, now=now)
    found: list[Entry] = []
    for kind, reason in [*((facts.ALERT, name) for name in news.alerts), *((facts.CARE, name) for name in news.cares)]:
        before = found[-1] if found else tail
        tier = tiers.standing(current.program, fold(before.state, at).state, at).code
        decision = sweep.decision(
            before,
            at,
            kind=kind,
            actor=ACTOR,
            program=current.version,
            tier=tier,
            effect=Effect(),
            reason=reason,
        )
        found.append(link(tail.member_id, before, decision, at))
    return found


def _actions(news: News) -> list[Action]:
    found: list[Action] = []
    if news.is_new:
        found.append(AccountItem.score_facts.set(states.pack(news.facts)))
    if news.told is not None:
        found.append(AccountItem.score_told.set(telling.pack(news.told)))
        found.append(AccountItem.score_text.set(news.told.text))
    return found


def _unchanged(account: AccountItem) -> Condition:
    """That nobody has written anything of the account's score since it was read."""
    same: Condition = AccountItem.member_id.exists()
    for attribute, value in (
        (AccountItem.score_facts, account.score_facts),
        (AccountItem.score_told, account.score_told),
    ):
        same &= attribute.does_not_exist() if value is None else attribute == value
    return same
