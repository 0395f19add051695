"""A member's facts made anew from the whole ledger, and held against those that are stored."""

from __future__ import annotations

from typing import Any

import msgspec
from pynamodb.exceptions import UpdateError

from chalicelib.base.dynamo import is_refused
from chalicelib.base.errors import Unavailable
from chalicelib.ledger import posting
from chalicelib.ledger.table import AccountItem, read_view
from chalicelib.program import service as programs
from chalicelib.scoring import gathering
from chalicelib.scoring import state as states
from chalicelib.scoring.member import stored_facts
from chalicelib.scoring.state import State


class Rebuilt(msgspec.Struct, frozen=True):
    """`differs` names what was stored otherwise: what it was, and what it is now. `stored` says whether it was."""

    member_id: str
    entries: int
    is_same: bool
    was_stored: bool
    differs: dict[str, Any]


def rebuild(member_id: str, *, now: int) -> Rebuilt:
    """Fold a member once more from the beginning and store what differs. Raises MemberNotFound and Unavailable.

    What the ledger has had since the facts were stored is no difference: both are as of now.
    """
    found = posting.peek(member_id, now=now, consistent=True).member_id
    program = programs.in_force(now, now=now).program
    view = read_view(found)
    stored = stored_facts(view)
    fresh = gathering.from_the_beginning(found, program)
    if view is None or not view.score_facts:
        # The next night folds them from the beginning by itself.
        return Rebuilt(found, fresh.entries, is_same=False, was_stored=False, differs={})
    known = gathering.brought_up_to(found, stored, program) if stored else None
    differs = _differences(known, fresh)
    if differs:
        _store(view, states.pack(fresh))
    return Rebuilt(found, fresh.entries, is_same=not differs, was_stored=True, differs=differs)


def _differences(known: State | None, fresh: State) -> dict[str, Any]:
    """By field what is stored and what the ledger says; all of it where what is stored cannot even be read."""
    said = msgspec.to_builtins(known) if known else None
    ledger = msgspec.to_builtins(fresh)
    return {
        name: {"stored": said[place] if said else "unreadable", "ledger": ledger[place]}
        for place, name in enumerate(fresh.__struct_fields__)
        if said is None or said[place] != ledger[place]
    }


def _store(view: AccountItem, packed: bytes) -> None:
    try:
        AccountItem(view.member_id).update(
            actions=[AccountItem.score_facts.set(packed)], condition=AccountItem.score_facts == view.score_facts
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
        raise Unavailable("A night has just written the member's facts. Try again.", code="busy") from error
