"""The contact policy: how often a member is asked at the most. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from chalicelib.base.clock import DAY_S
from chalicelib.program.document.surveys import ContactPolicy

YEAR_S: Final = 365 * DAY_S
KEPT_S: Final = 367 * DAY_S
"""How long a contact is remembered: longer than any gap, and than any invitation is open."""

Refused: TypeAlias = Literal["", "too_soon", "too_many"]


class Contact(msgspec.Struct, frozen=True, array_like=True):
    """That a member was invited at an instant, to what, and until when it may be answered (seconds)."""

    at: int
    invitation_id: str
    expires_at: int


def refusal(policy: ContactPolicy, contacts: Iterable[Contact], *, due: int, now: int) -> Refused:
    """Why a member is not invited `now`, if so: `too_soon` after (or before) another time, or `too_many` in a year.

    It is judged at the instant at which the invitation was `due` as well, so that one which was refused and comes again
    a little later is refused again: it is not put off. What was sent a moment after `now`, by somebody
    quicker, is counted as well.
    """
    times = [contact.at for contact in contacts]
    gap_s = policy.gap_days * DAY_S
    if any(abs(instant - at) < gap_s for at in times for instant in (due, now)):
        return "too_soon"
    since = min(due, now) - YEAR_S
    return "too_many" if sum(since < at for at in times) >= policy.per_year else ""


def remembered(contacts: Sequence[Contact], now: int) -> tuple[Contact, ...]:
    """The contacts that still count for something, oldest first, each once."""
    kept = {contact.invitation_id: contact for contact in contacts if contact.at > now - KEPT_S}
    return tuple(sorted(kept.values(), key=lambda contact: (contact.at, contact.invitation_id)))
