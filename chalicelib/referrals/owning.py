"""A member's own referral code: made when it is first asked for, and kept for ever."""

from __future__ import annotations

import hashlib
import hmac

import msgspec
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from chalicelib.base.dynamo import connection
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.base.settings import settings
from chalicelib.members import service as members
from chalicelib.referrals import codes
from chalicelib.referrals.table import CODE, CodeItem, OwnCodeItem


def code_of(member_id: str) -> str:
    """A member's code (normalised), made now where there is none yet. Raises MemberNotFound and Unavailable.

    Of a member that was merged it is that of the member who took over.
    """
    found = _known(member_id, consistent=False)
    if found is not None:
        return found
    owner = str(members.read(member_id).key)
    for attempt in attempts():
        found = _known(owner, consistent=True)
        if found is not None:
            return found
        code = _derived(owner, attempt)
        try:
            with TransactWrite(connection=connection()) as transaction:
                transaction.save(CodeItem(_place(code), CODE, member_id=owner), condition=CodeItem.key.does_not_exist())
                transaction.save(OwnCodeItem(owner, CODE, code=code), condition=OwnCodeItem.key.does_not_exist())
        except TransactWriteError:
            # Somebody else has this code, or the member has one by now: the next try finds out.
            continue
        return code
    raise Unavailable("The code is being made by many at once. Send the same request again.", code="busy")


def owner_of(code: str) -> str | None:
    """The member whose code (normalised) this is, None for nobody's."""
    # A code may have been made a moment ago, and whoever is told that it is nobody's is taken for a guesser.
    for consistent in (False, True):
        for item in CodeItem.query(_place(code), CodeItem.part == CODE, consistent_read=consistent):
            return str(item.member_id)
    return None


def _known(member_id: str, *, consistent: bool) -> str | None:
    items = OwnCodeItem.query(member_id, OwnCodeItem.part == CODE, consistent_read=consistent)
    return next((str(item.code) for item in items), None)


def _place(code: str) -> str:
    return f"code#{code}"


def _derived(member_id: str, attempt: int) -> str:
    """The `attempt`-th code of a member; they look drawn to whoever lacks the installation's secret."""
    text = msgspec.json.encode(["referral code", member_id, attempt])
    return codes.made(hmac.digest(settings().id_secret, text, hashlib.sha256)[: codes.RANDOM_BYTES])
