"""What a member has: the account, the statement and the proof, read from the chain."""

from __future__ import annotations

from typing import Literal

import msgspec

from chalicelib.base import clock
from chalicelib.ledger.chain import Entry, entry_hash
from chalicelib.ledger.posting import MemberNotFound, peek
from chalicelib.ledger.state import NEVER, Lifetime, State
from chalicelib.ledger.table import read_page, read_tail
from chalicelib.members.account_schema import (
    AccountOut,
    EntryOut,
    KeepOut,
    LifetimeOut,
    LinkOut,
    LotOut,
    NextTierOut,
    PendingOut,
    StandingOut,
)
from chalicelib.program import service as programs
from chalicelib.program.document import Program, entry_title, localise
from chalicelib.program.rules import tiers


class Statement(msgspec.Struct, frozen=True):
    """A page of a member's statement, newest first; `member_id` is the member that the id stands for."""

    member_id: str
    lines: list[EntryOut]


def account(member_id: str, *, locale: str, now: int) -> AccountOut:
    """A member's account at `now`, read consistently; for an id that was merged, that of the member who took over.

    Raises MemberNotFound.
    """
    found = peek(member_id, now=now, consistent=True)
    state = found.state
    return AccountOut(
        member_id=found.member_id,
        available=state.available,
        owed=state.owed,
        lots=tuple(LotOut(points=lot.points, expires_at=_expiry(lot.expires_at)) for lot in state.lots),
        pending=tuple(
            PendingOut(points=item.points, available_at=clock.text(item.available_at)) for item in state.pending
        ),
        tier=_tier(state, programs.in_force(now, now=now).program, found.posted_at, locale),
        lifetime=_lifetime(state.lifetime),
        as_of=clock.text(found.posted_at),
    )


def statement(member_id: str, *, after_seq: int | None, limit: int, locale: str, now: int) -> Statement:
    """A page of a member's entries, newest first, before `after_seq` if given. Raises MemberNotFound.

    An id that was merged shows the statement of the member who took over.
    """
    program = programs.in_force(now, now=now).program
    entries = _page(member_id, after_seq, newest_first=True, limit=limit)
    if after_seq is None and entries[0].state.closed_into:
        return statement(entries[0].state.closed_into, after_seq=None, limit=limit, locale=locale, now=now)
    return Statement(member_id, [_line(entry, program, locale) for entry in entries])


def proof(member_id: str, *, after_seq: int | None, limit: int) -> list[LinkOut]:
    """A page of the chain under this very id, oldest first, after `after_seq` if given. Raises MemberNotFound."""
    return [_link(entry) for entry in _page(member_id, after_seq, newest_first=False, limit=limit)]


def _page(member_id: str, after_seq: int | None, *, newest_first: bool, limit: int) -> list[Entry]:
    entries = read_page(member_id, after_seq=after_seq, newest_first=newest_first, limit=limit)
    # Every chain has a first entry. Only a consistent read may say that there is none.
    if not entries and after_seq is None:
        tail = read_tail(member_id, consistent=True)
        if tail is None:
            raise MemberNotFound("No member has this id.", field="member_id")
        return [tail]
    return entries


def _tier(state: State, program: Program, at: int, locale: str) -> StandingOut:
    standing = tiers.standing(program, state, at)
    following = None
    if standing.to_next:
        code = standing.to_next.code
        tier = program.tier(code)
        name = localise(tier.name, locale) if tier else code
        following = NextTierOut(code=code, name=name, **msgspec.structs.asdict(standing.to_next.missing))
    return StandingOut(
        code=standing.code,
        name=localise(standing.name, locale),
        since=None if standing.since is None else clock.text(standing.since),
        until=None if standing.until is None else clock.text(standing.until),
        to_next=following,
        to_keep=standing.to_keep,
        missing_to_keep=KeepOut(**msgspec.structs.asdict(keep)) if (keep := standing.missing_to_keep) else None,
    )


def _lifetime(lifetime: Lifetime) -> LifetimeOut:
    return LifetimeOut(
        earned=lifetime.earned,
        restored=lifetime.restored,
        adjusted=lifetime.adjusted,
        merged=lifetime.merged,
        redeemed=lifetime.redeemed,
        expired=lifetime.expired,
        clawed=lifetime.clawed,
    )


def _expiry(expires_at: int) -> str | None:
    return None if expires_at == NEVER else clock.text(expires_at)


def _actor_kind(actor: str) -> Literal["member", "staff", "system"]:
    """What a member learns of whoever did something to the account: not the name."""
    kind = actor.partition(":")[0]
    # Whoever answers by a link answers for the member that it was sent to.
    return "member" if kind in {"member", "link"} else "staff" if kind == "staff" else "system"


def _line(entry: Entry, program: Program, locale: str) -> EntryOut:
    return EntryOut(
        seq=entry.seq,
        kind=entry.kind,
        reason=entry.reason,
        title=entry_title(program, entry.kind, entry.reason, locale),
        points=entry.points,
        expired=entry.expired,
        available=entry.state.available,
        tier=entry.tier,
        record=entry.record,
        actor=_actor_kind(entry.actor),
        amount_minor=entry.amount_minor if entry.currency else None,
        currency=entry.currency or None,
        occurred_at=clock.text(entry.occurred_at),
        posted_at=clock.text(entry.posted_at),
    )


def _link(entry: Entry) -> LinkOut:
    return LinkOut(
        member_id=entry.member_id,
        seq=entry.seq,
        kind=entry.kind,
        record=entry.record,
        reason=entry.reason,
        actor=entry.actor,
        program=entry.program,
        occurred_at=entry.occurred_at,
        posted_at=entry.posted_at,
        points=entry.points,
        expired=entry.expired,
        amount_minor=entry.amount_minor,
        currency=entry.currency,
        tier=entry.tier,
        effect=entry.packed_effect,
        state=entry.packed_state,
        prev=entry.prev,
        hash=entry_hash(entry),
    )
