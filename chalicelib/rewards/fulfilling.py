"""What becomes of a redemption in the shop: it is shipped, and used, each once.

issued ──▶ shipped ──▶ used        only what is to be sent is shipped, and only from `issued`
   └───────────────────▶ used      a till uses what is issued or shipped; an order uses what is issued
issued, shipped, used ──▶ cancelled (a member: from `issued` only)
"""

from __future__ import annotations

import msgspec

from chalicelib.base import clock, ids
from chalicelib.base.errors import Conflict, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger.posting import Lost, Posted, put_once, replay
from chalicelib.rewards.history import SHIPPED, USED, Redemption, RedemptionNotOpen, Status, read
from chalicelib.rewards.schema import ShipIn, UseIn
from chalicelib.rewards.table import RedemptionStep


class NotFulfilledSo(Conflict):
    """What was redeemed does not reach the member in this way."""

    code = "not_fulfilled_so"


class _Change(msgspec.Struct, frozen=True):
    kind: str
    body: ShipIn | UseIn
    allowed: frozenset[Status]
    actor: str
    now: int

    @property
    def fingerprint(self) -> str:
        """By whom and with what it was done: the same again is a replay, anything else comes too late."""
        return ids.request_hash(self.body, self.kind, self.actor)


def ship(redemption: Redemption, body: ShipIn, *, actor: str, now: int) -> Posted[RedemptionStep]:
    """Note that what was redeemed is on its way; repeated alike, it answers the same.

    Raises NotFulfilledSo for what is not sent, RedemptionNotOpen and Unavailable.
    """
    if redemption.issue.fulfilment != "ship":
        raise NotFulfilledSo("What was redeemed is not to be sent.")
    return _noted(redemption, _Change(SHIPPED, body, frozenset({"issued"}), actor, now))


def use(redemption: Redemption, body: UseIn, *, actor: str, now: int) -> Posted[RedemptionStep]:
    """Note that what was redeemed is handed over at a till; repeated alike, it answers the same.

    Raises NotFulfilledSo where nobody hands anything over (a voucher is used by its code), RedemptionNotOpen and
    Unavailable.
    """
    if redemption.issue.fulfilment in {"none", "voucher"}:
        raise NotFulfilledSo("Nothing is handed over for this reward.")
    return _noted(redemption, _Change(USED, body, frozenset({"issued", "shipped"}), actor, now))


def _noted(redemption: Redemption, change: _Change) -> Posted[RedemptionStep]:
    """Put the step after all others, reading them again whenever another one came in between."""
    consistent = False
    for _attempt in attempts():
        done = redemption.find(change.kind)
        if done and done.request_hash == change.fingerprint:
            return replay(done, done.serialize())
        status = redemption.status(change.now)
        if status in change.allowed:
            try:
                return put_once(_step(redemption, change), ())
            except Lost:
                pass
        elif consistent:
            raise RedemptionNotOpen(f"The redemption is {status}.")
        redemption, consistent = read(redemption.redemption_id, consistent=True), True
    raise Unavailable("The redemption is being changed by many at once. Send the same request again.", code="busy")


def _step(redemption: Redemption, change: _Change) -> RedemptionStep:
    at = clock.text(change.now)
    step = RedemptionStep(
        redemption.redemption_id,
        redemption.next_step,
        # The till and the order that use it up are no replay of each other, so the fingerprint is part of the id.
        record_id=ids.derived("rst", redemption.redemption_id, change.kind, change.fingerprint),
        request_hash=change.fingerprint,
        member_id=redemption.member_id,
        kind=change.kind,
        occurred_at=at,
        posted_at=at,
        actor=change.actor,
    )
    if isinstance(change.body, ShipIn):
        step.tracking = change.body.tracking or None
    else:
        step.store = change.body.store or None
    return step
