"""What every decision on a redemption has in common."""

from __future__ import annotations

import msgspec

from chalicelib.base import clock, facts
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.posting import Account
from chalicelib.program.rules import expiry, tiers
from chalicelib.program.service import Versioned
from chalicelib.rewards.table import RedemptionStep


class Fact(msgspec.Struct, frozen=True):
    """What happens: the kind of entry, the id of its record, and who does it."""

    kind: str
    record_id: str
    actor: str


def decision(fact: Fact, terms: RedemptionStep, effect: Effect, account: Account, current: Versioned) -> Decision:
    """The entry for a step of the redemption whose terms are `terms`. What is spent counts as activity."""
    state, at = account.state, account.posted_at
    if fact.record_id == terms.redemption_id:
        effect = msgspec.structs.replace(effect, redeemed=(fact.record_id,))
    if fact.kind == facts.REDEEMED:
        effect = msgspec.structs.replace(effect, extended_to=expiry.extended_to(current.program, at))
    return Decision(
        kind=fact.kind,
        record=fact.record_id,
        reason=fact.kind,
        actor=fact.actor,
        program=current.version,
        occurred_at=at,
        effect=effect,
        tier=tiers.standing(current.program, state, at).code,
        amount_minor=terms.amount_minor or 0,
        currency=terms.currency or "",
    )


def issued(asked: RedemptionStep, account: Account, effect: Effect, until: int | None) -> RedemptionStep:
    """The first step of a redemption, held until an instant or issued at once; its terms are still to be written."""
    step = RedemptionStep(
        asked.redemption_id,
        asked.step,
        request_hash=asked.request_hash,
        note=asked.note,
        actor=asked.actor,
        taken=msgspec.msgpack.encode(effect.debits),
        held_until=clock.text(until) if until else None,
    )
    step.before = list(account.state.redeemed) or None
    return step
