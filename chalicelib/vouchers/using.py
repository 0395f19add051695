"""Using a voucher on an order, once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.base.retry import attempts
from chalicelib.ledger import points
from chalicelib.ledger.posting import Account, Lost, Plan, Posted, Write, once, post, put_once, replay
from chalicelib.ledger.records import step_name
from chalicelib.program import service as programs
from chalicelib.program.rules import expiry
from chalicelib.vouchers import codes, limits, looking, tallies, totals, uses
from chalicelib.vouchers.looking import Ask, Found
from chalicelib.vouchers.rules import VoucherRefused, Worth
from chalicelib.vouchers.store import read_steps, replacing
from chalicelib.vouchers.table import SLOT, SlotItem, UseStep
from chalicelib.vouchers.uses import OrderName

ON_ORDER_MAX = 20
"""So many vouchers may be on one order at once."""


class Who(msgspec.Struct, frozen=True):
    """Under which key somebody asks, who it is, and when."""

    key: str
    actor: str
    now: int


def redeem(ask: Ask, order: OrderName, who: Who) -> Posted[UseStep]:
    """Use a voucher on an order, once for the key; the session's lock becomes the use.

    Raises as `locking.validate` does, and KeyReused and Unavailable.
    """
    asked = UseStep(
        order.key,
        record_id=ids.derived("vrd", order.source, order.order_id, who.key),
        request_hash=ids.request_hash(ask.sketch, codes.normal(ask.code) or "", ask.session or "", ask.member_id or ""),
    )
    # The same request, sent twice at once, may have used the last one up after the order's steps were read.
    return once(asked, lambda: _recorded(order, asked.record_id), lambda: _redeemed(ask, order, who, asked))


def _recorded(order: OrderName, record_id: str) -> UseStep | None:
    return next((step for step in read_steps(UseStep, order.key) if step.record_id == record_id), None)


def _redeemed(ask: Ask, order: OrderName, who: Who, asked: UseStep) -> Posted[UseStep]:
    for _attempt in attempts():
        steps, live = uses.uses_of(order)
        before = next((step for step in steps if step.record_id == asked.record_id), None)
        if before:
            return replay(asked, before.serialize())
        found = looking.find(ask, who.now)
        taken = sum(uses.worth_of(use).discount_minor for use in live)
        sketch = msgspec.structs.replace(ask.sketch, taken_minor=taken)
        worth = looking.check(found, msgspec.structs.replace(ask, sketch=sketch), who.now)
        _check_company(found, live)
        asked.step = step_name(len(steps))
        try:
            return _redeem(_Use(found, ask, worth, order, who), asked)
        except Lost:
            continue
    raise uses.busy()


class _Use(msgspec.Struct, frozen=True):
    """A use that may be made: of what, for what, worth what, on which order and by whom."""

    found: Found
    ask: Ask
    worth: Worth
    order: OrderName
    who: Who


def _redeem(use: _Use, asked: UseStep) -> Posted[UseStep]:
    now, points_to = use.who.now, use.ask.member_id

    def act(shard: int | None, share: Sequence[Write]) -> Posted[UseStep]:
        step = _step(use, asked)
        if shard is not None:
            step.shard = shard
        writes = [*_taken(use, step), *share]
        if use.worth.points and points_to:
            return post(points_to, lambda account: _credited(account, step, use.worth, writes), now=lambda: now)
        return put_once(step, writes)

    return totals.taking(use.found, asked.record_id, act, now=now)


def _step(use: _Use, asked: UseStep) -> UseStep:
    voucher, known, member_id = use.found.voucher, use.found.known, use.ask.member_id
    at = clock.text(use.who.now)
    return UseStep(
        asked.key,
        asked.step,
        record_id=asked.record_id,
        request_hash=asked.request_hash,
        member_id=member_id,
        kind=facts.VOUCHER_REDEEMED,
        occurred_at=at,
        posted_at=at,
        voucher_id=voucher.key,
        batch_id=known.batch_id,
        source=use.order.source,
        order_id=use.order.order_id,
        actor=use.who.actor,
        worth=msgspec.json.encode(use.worth).decode(),
        currency=use.ask.sketch.currency,
        redeemed_at=at,
        stacking=known.batch.stacking,
        limit_key=use.found.limit.key if use.found.limit else None,
        wallet=f"wallet#{voucher.member_id}" if voucher.member_id else None,
        wallet_step=f"{voucher.posted_at}#{voucher.key}" if voucher.member_id else None,
        is_single=int(use.found.is_single),
    )


def _taken(use: _Use, step: UseStep) -> list[Write]:
    """What is written with a use: the slot, the member's count, the batch's counts, the wallet."""
    found, ask, now = use.found, use.ask, use.who.now
    slot, batch_id = found.slot, found.known.batch_id
    writes = [tallies.counting(batch_id, "redeemed", step.record_id)]
    if found.is_single:
        writes.append(replacing(SlotItem(slot.key, SLOT, version=slot.version, batch_id=batch_id, use=step.record_id)))
    elif slot.session:
        # The session may lock the code again, for another order.
        writes.append(replacing(SlotItem(slot.key, SLOT, version=slot.version, batch_id=batch_id)))
    lease = looking.lease_of(found, ask)
    if found.limit:
        writes.append(replacing(limits.used(found.limit, 1, now, lease=lease)))
    # The lock may be of before a merge, and then it counts under the other id.
    held = (limit for limit in found.further if limits.has_lease(limit, lease, now))
    writes += (replacing(limits.used(limit, 0, now, lease=lease)) for limit in held)
    if step.wallet:
        writes.append(uses.in_wallet(step, now))
    return writes


def _check_company(found: Found, live: Sequence[UseStep]) -> None:
    """Raises VoucherRefused where the vouchers on the order do not go together."""
    if any(use.voucher_id == found.voucher.key for use in live):
        raise VoucherRefused("The order uses this voucher already.", code="voucher_on_order")
    alone = found.known.batch.stacking == "alone"
    if len(live) >= ON_ORDER_MAX or (live and (alone or any(use.stacking == "alone" for use in live))):
        raise looking.not_combinable()


def _credited(account: Account, step: UseStep, worth: Worth, writes: Sequence[Write]) -> Plan[UseStep]:
    """The plan by which the points of a voucher come to the account."""
    expires_at = expiry.expires_at(
        programs.in_force(account.posted_at, now=account.posted_at).program, account.posted_at
    )
    step.lot_expires_at = expires_at
    effect = points.earn(account.state, worth.points, expires_at=expires_at)
    return Plan(uses.decision(account, effect, facts.VOUCHER_REDEEMED, step), step, lambda _entry: writes)
