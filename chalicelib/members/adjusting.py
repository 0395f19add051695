"""Adjustments: points corrected by hand, for a reason that the programme knows."""

from __future__ import annotations

from chalicelib.base import facts, ids
from chalicelib.base.errors import Invalid
from chalicelib.ledger import points
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.posting import Account, Plan, Posted, once, post
from chalicelib.members.schema import AdjustmentIn
from chalicelib.members.table import AdjustmentItem, read_adjustment
from chalicelib.program import service as programs
from chalicelib.program.rules import expiry, tiers


def adjust(member_id: str, body: AdjustmentIn, *, key: str, actor: str, now: int) -> Posted[AdjustmentItem]:
    """Adjust a member's points, once for the Idempotency-Key `key` of this actor.

    Raises Invalid (`points_invalid`, `reason_invalid`), InsufficientPoints, MemberNotFound, KeyReused and Unavailable.
    """
    adjustment_id = ids.derived("adj", actor, member_id, key)
    request_hash = ids.request_hash(body)
    asked = AdjustmentItem(adjustment_id, record_id=adjustment_id, request_hash=request_hash)

    def plan(account: Account) -> Plan[AdjustmentItem]:
        item = AdjustmentItem(
            adjustment_id, request_hash=request_hash, reason=body.reason, actor=actor, note=body.note or None
        )
        return Plan(_decision(account, body, adjustment_id, actor=actor, now=now), item)

    return once(asked, lambda: read_adjustment(adjustment_id), lambda: post(member_id, plan, now=lambda: now))


def _decision(account: Account, body: AdjustmentIn, record: str, *, actor: str, now: int) -> Decision:
    current = programs.in_force(now, now=now)
    state, at = account.state, account.posted_at
    if body.points == 0:
        raise Invalid("An adjustment moves at least one point.", field="points", code="points_invalid")
    if body.reason not in current.program.reasons.adjustments:
        known = ", ".join(sorted(current.program.reasons.adjustments))
        raise Invalid(f"The programme knows these reasons: {known}.", field="reason", code="reason_invalid")
    return Decision(
        kind=facts.ADJUSTED,
        record=record,
        reason=body.reason,
        actor=actor,
        program=current.version,
        occurred_at=at,
        effect=points.adjustment(state, body.points, expiry.expires_at(current.program, at)),
        tier=tiers.standing(current.program, state, at).code,
    )
