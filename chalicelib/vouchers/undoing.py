"""Rolling the use of a voucher on an order back, once; the voucher may then be used again."""

from __future__ import annotations

from collections.abc import Collection

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import NotFound
from chalicelib.base.retry import attempts
from chalicelib.counters import service as counters
from chalicelib.ledger import points
from chalicelib.ledger.posting import Account, Lost, Plan, Posted, Write, post, put_once
from chalicelib.ledger.records import step_name
from chalicelib.vouchers import batches, codes, limits, making, tallies, uses
from chalicelib.vouchers.store import read_all, read_steps, replacing
from chalicelib.vouchers.table import LIMIT, SLOT, LimitItem, SlotItem, UseStep
from chalicelib.vouchers.uses import OrderName


class VoucherUseNotFound(NotFound):
    """The order has no use of this voucher."""

    code = "voucher_use_not_found"


def roll_back(
    code: str, order: OrderName, *, redemption_id: str | None = None, actor: str, now: int
) -> Posted[UseStep]:
    """Take back the use of a voucher on an order (the newest, or the one named), once; it may then be used again.

    Raises VoucherUseNotFound and Unavailable.
    """
    voucher_id = making.voucher_id_of(codes.normal(code) or "")
    for _attempt in attempts():
        steps = read_steps(UseStep, order.key)
        found = [
            step
            for step in steps
            if not step.undoes and step.voucher_id == voucher_id and redemption_id in (None, step.record_id)
        ]
        if not found:
            raise VoucherUseNotFound("The order has not used this voucher.", field="order_id")
        done = next((step for step in steps if step.undoes == found[-1].record_id), None)
        if done:
            return Posted(done, replayed=True)
        try:
            return _undo(found[-1], step_name(len(steps)), actor, now)
        except Lost:
            continue
    raise uses.busy()


def roll_back_all(
    order: OrderName, *, until: str | None = None, named: Collection[str] = (), actor: str, now: int
) -> list[UseStep]:
    """Roll back every voucher that an order uses, or those redeemed until an instant (RFC 3339, UTC) or `named`.

    Gives the steps by which that was done. Raises Unavailable, and then some may be rolled back and some not.
    """
    done: list[UseStep] = []
    for _attempt in attempts():
        steps, live = uses.uses_of(order)
        meant = [use for use in reversed(live) if until is None or use.redeemed_at <= until or use.record_id in named]
        try:
            for place, use in enumerate(meant, start=len(steps)):
                done.append(_undo(use, step_name(place), actor, now).record)
        except Lost:
            continue
        return done
    raise uses.busy()


def _undo(use: UseStep, step: str, actor: str, now: int) -> Posted[UseStep]:
    back = UseStep()
    back.deserialize(use.serialize())
    back.step = step
    back.record_id = ids.derived("vrb", use.record_id)
    back.request_hash = back.record_id
    back.undoes, back.actor, back.kind = use.record_id, actor, facts.VOUCHER_ROLLED_BACK
    back.occurred_at = back.posted_at = clock.text(now)
    writes = _given_back(use, now)
    value = uses.worth_of(use).points
    if not value:
        return put_once(back, writes)

    def plan(account: Account) -> Plan[UseStep]:
        effect = points.claw(account.state, value, expires_at=use.lot_expires_at)
        return Plan(uses.decision(account, effect, facts.VOUCHER_ROLLED_BACK, back), back, lambda _entry: writes)

    return post(use.member_id, plan, now=lambda: now)


def _given_back(use: UseStep, now: int) -> list[Write]:
    slot, limit = read_all(
        [(SlotItem, use.voucher_id, SLOT), (LimitItem, use.limit_key, LIMIT) if use.limit_key else None]
    )
    writes = [tallies.counting(use.batch_id, "rolled_back", use.record_id)]
    if use.is_single:
        if slot is None or slot.use != use.record_id:
            # Rolled back by somebody else since the order was read.
            raise Lost(use, {})
        writes.append(replacing(SlotItem(slot.key, SLOT, version=slot.version, batch_id=slot.batch_id)))
    if limit is not None:
        writes.append(replacing(limits.used(limit, -1, now)))
    shard: int | None = use.attribute_values.get("shard")
    if shard is not None:
        writes.append(counters.give_back(batches.counter_name(use.batch_id), shard, 1))
    if use.wallet:
        writes.append(uses.in_wallet(use, None))
    return writes
