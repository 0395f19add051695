"""Who has brought a member: the referral code that comes with an enrolment.

Referrals are an area above this one. Whoever knows all areas (`chalicelib.api`) says here who judges codes; members
know no more of a code than what is written with the enrolment, and what is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
from msgspec import UnsetType

from chalicelib.ledger.posting import Write
from chalicelib.members.schema import ReferralIn
from chalicelib.members.table import ProfileItem


class Brought(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a code. It is stored with the enrolment (JSON): fields are only added with a default.

    Where the code was claimed, `referral_id` names the referral and `status` says how it stood then; else `refused` is
    the code of the problem for which it was not.
    """

    referral_id: str = ""
    status: str = ""
    refused: str = ""


class Judged(msgspec.Struct, frozen=True):
    """A code that was looked at: what became of it, what is written with the enrolment, and what is done after it."""

    brought: Brought
    writes: Sequence[Write] = ()
    afterwards: Callable[[], None] = lambda: None


class Judge(Protocol):
    """Whoever knows referral codes. Neither refuses a code: what is wrong with it is in the answer."""

    def judge(self, friend: ProfileItem, sent: ReferralIn, *, now: int) -> Judged:
        """Look at the code of somebody who is not enrolled yet, reading only. Raises Unavailable."""

    def claim(self, member_id: str, sent: ReferralIn, *, now: int) -> Brought:
        """Claim a code for a member. Raises Unavailable."""


_STORED = msgspec.json.Decoder(Brought)
_loaded: Callable[[], Judge] | None = None


def judged_by(load: Callable[[], Judge]) -> None:
    """Have codes judged by what `load` gives; it is called when a code comes, for most enrolments bring none."""
    global _loaded  # noqa: PLW0603 -- said once, when the application is put together
    _loaded = load


def judge(friend: ProfileItem, sent: ReferralIn | UnsetType, *, now: int) -> Judged | None:
    """What becomes of the code of somebody who enrols, None without one. Raises Unavailable."""
    return None if isinstance(sent, UnsetType) else _judge().judge(friend, sent, now=now)


def claim(member_id: str, sent: ReferralIn | UnsetType, *, now: int) -> Brought | None:
    """Claim a code for a member who was there before the enrolment, None without one. Raises Unavailable."""
    return None if isinstance(sent, UnsetType) else _judge().claim(member_id, sent, now=now)


def stored(item: ProfileItem) -> Brought | None:
    """What became of the code that came with a member's enrolment, None where none did."""
    return _STORED.decode(item.brought) if item.brought else None


def packed(brought: Brought) -> str:
    """The stored form."""
    return msgspec.json.encode(brought).decode()


def _judge() -> Judge:
    if _loaded is None:
        raise LookupError("nobody was named who judges referral codes")
    return _loaded()
