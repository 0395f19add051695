"""Repairs: what an audit found is put right by a new entry, for history is never edited."""

from __future__ import annotations

from typing import Literal

import msgspec

from chalicelib.base import facts, ids
from chalicelib.base.errors import Invalid
from chalicelib.ledger import points
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.posting import Account, Plan, Posted, once, post
from chalicelib.members.table import AdjustmentItem, read_adjustment
from chalicelib.program import service as programs
from chalicelib.program.rules import expiry, tiers

AuditReason = Literal["record_without_entry", "entry_without_record", "wrong_points", "counted_twice", "chain_broken"]
"""What an audit can find; a code, since the ledger keeps it for ever. Words belong into the record's note."""


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """`points` to be added (or, below zero, taken away), and why. `repair_id` tells a repetition from a new one."""

    repair_id: str
    member_id: str
    points: int
    reason: AuditReason
    note: str = ""


def repair(wanted: Repair, *, by: str, now: int) -> Posted[AdjustmentItem]:
    """Post a repair once for its `repair_id`.

    Raises Invalid (`points_invalid`), InsufficientPoints, MemberNotFound, KeyReused and Unavailable.
    """
    name = ids.derived("rep", wanted.member_id, wanted.repair_id)
    request_hash = ids.request_hash(wanted)
    asked = AdjustmentItem(name, record_id=name, request_hash=request_hash)

    def plan(account: Account) -> Plan[AdjustmentItem]:
        item = AdjustmentItem(
            name, request_hash=request_hash, reason=wanted.reason, actor=f"admin:{by}", note=wanted.note or None
        )
        return Plan(_decision(account, wanted, name, by=by, now=now), item)

    return once(asked, lambda: read_adjustment(name), lambda: post(wanted.member_id, plan, now=lambda: now))


def _decision(account: Account, wanted: Repair, record: str, *, by: str, now: int) -> Decision:
    if wanted.points == 0:
        raise Invalid("A repair moves at least one point.", field="points", code="points_invalid")
    current = programs.in_force(now, now=now)
    state, at = account.state, account.posted_at
    return Decision(
        kind=facts.REPAIRED,
        record=record,
        reason=wanted.reason,
        actor=f"admin:{by}",
        program=current.version,
        occurred_at=at,
        effect=points.adjustment(state, wanted.points, expiry.expires_at(current.program, at)),
        tier=tiers.standing(current.program, state, at).code,
    )
