"""Changing a referral: on condition that nobody has changed it since it was read, and with all that follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException
from pynamodb.transactions import TransactWrite

from chalicelib.base.dynamo import connection
from chalicelib.base.errors import NotFound, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger.posting import Act, Write
from chalicelib.referrals import terms
from chalicelib.referrals.rules import Referral, due_at
from chalicelib.referrals.table import Stored, lead, read_state, state_write


class ReferralNotFound(NotFound):
    """No referral has this id."""

    code = "referral_not_found"

    def __init__(self) -> None:
        super().__init__("No referral has this id.", field="referral_id")


def read(referral_id: str) -> Stored:
    """A referral as it is now. Raises ReferralNotFound."""
    stored = read_state(referral_id) if referral_id.startswith("rfl_") else None
    if stored is None:
        raise ReferralNotFound
    return stored


def change(referral_id: str, step: Callable[[Referral], Referral]) -> Stored:
    """Make of a referral what `step` says; gives it as it then is. Raises ReferralNotFound and Unavailable.

    `step` must be pure: it is called again whenever another writer was faster.
    """
    for _attempt in attempts():
        stored = read(referral_id)
        after = step(stored.referral)
        if after == stored.referral:
            return stored
        if _commit([state_write(after, stored.version + 1), *_listings(stored.referral, after)]):
            return Stored(stored.version + 1, after)
    raise Unavailable("The referral is being changed by many at once. Send the same request again.", code="busy")


def _listings(before: Referral, after: Referral) -> list[Write]:
    """What keeps the lists of what is held and what is due in step."""
    writes = []
    if before.verdict == "held" != after.verdict:
        writes.append(Write(lead("held", before.referral_id, before.claimed_at), Act.DELETE))
    policy = terms.policy_of(after)
    due = due_at(after, policy)
    if policy.return_days and due is not None and due != due_at(before, policy):
        writes.append(Write(lead("due", after.referral_id, due)))
    return writes


def _commit(writes: Sequence[Write]) -> bool:
    """Whether all was written; if not (or if nobody knows), it is to be decided on anew."""
    try:
        with TransactWrite(connection=connection()) as transaction:
            for write in writes:
                if write.act is Act.DELETE:
                    transaction.delete(write.model)
                else:
                    transaction.save(write.model, condition=write.condition)
    except (PynamoDBException, BotoCoreError):
        return False
    return True
