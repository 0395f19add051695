"""The accounts view: one readable item per member, for admins, scans and reports."""

from __future__ import annotations

from collections.abc import Iterable

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from chalicelib.base import clock
from chalicelib.base.dynamo import is_refused
from chalicelib.ledger.chain import Entry, entry_hash
from chalicelib.ledger.state import NEVER
from chalicelib.ledger.table import AccountItem, read_tail


def latest(entries: Iterable[Entry]) -> dict[str, Entry]:
    """The newest entry of each member; since an entry carries the whole state, no gap needs to be read."""
    newest: dict[str, Entry] = {}
    for entry in entries:
        known = newest.get(entry.member_id)
        if known is None or known.seq < entry.seq:
            newest[entry.member_id] = entry
    return newest


def project(entry: Entry) -> bool:
    """Bring one member's view up to `entry`; False if the view has seen it or a later one.

    Only the projector's own attributes are set, so whatever else is kept on the item stays.
    """
    unseen = AccountItem.seq.does_not_exist() | (AccountItem.seq < entry.seq)
    try:
        AccountItem(entry.member_id).update(actions=_actions(entry), condition=unseen)
    except UpdateError as error:
        if is_refused(error):
            return False
        raise
    return True


def rebuild(member_id: str) -> Entry | None:
    """Make one member's view what the ledger says, whatever it says now; None where there is no such chain.

    A posting may come in between, and its projection be overwritten; so the tail is read again afterwards.
    """
    written: Entry | None = None
    while True:
        tail = read_tail(member_id, consistent=True)
        if tail is None or (written and written.seq == tail.seq):
            return tail
        AccountItem(member_id).update(actions=_actions(tail))
        written = tail


def _actions(entry: Entry) -> list[Action]:
    values = _values(entry)
    actions: list[Action] = [
        getattr(AccountItem, name).set(value) for name, value in values.items() if value is not None
    ]
    return actions + [getattr(AccountItem, name).remove() for name, value in values.items() if value is None]


def _values(entry: Entry) -> dict[str, object]:
    state = entry.state
    next_lot = next((lot for lot in state.lots if lot.expires_at != NEVER), None)
    return {
        "seq": entry.seq,
        "available": state.available,
        "owed": state.owed,
        "pending": sum(pending.points for pending in state.pending),
        "tier": entry.tier,
        "earned": state.lifetime.earned,
        "redeemed": state.lifetime.redeemed,
        "expired": state.lifetime.expired,
        "purchases": state.purchases.count,
        "last_purchase_at": clock.text(state.purchases.last_at) if state.purchases.last_at else None,
        "next_expiry_at": clock.text(next_lot.expires_at) if next_lot else None,
        "next_expiry_points": next_lot.points if next_lot else None,
        "updated_at": clock.text(entry.posted_at),
        "state": entry.packed_state,
        "head": entry_hash(entry),
    }
