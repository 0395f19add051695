"""Using a voucher on an order, once, and rolling that back, once."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import NotFound, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.counters import service as counters
from chalicelib.ledger import points
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.posting import Account, Act, Lost, Plan, Posted, Write, once, post, put_once, replay
from chalicelib.ledger.records import step_name
from chalicelib.program import service as programs
from chalicelib.program.rules import expiry, tiers
from chalicelib.vouchers import batches, codes, limits, looking, making, tallies, totals
from chalicelib.vouchers.looking import Ask, Found
from chalicelib.vouchers.rules import VoucherRefused, Worth
from chalicelib.vouchers.store import read_all, read_steps, replacing
from chalicelib.vouchers.table import LIMIT, SLOT, LimitItem, SlotItem, UseStep, WalletItem

ON_ORDER_MAX = 20
"""So many vouchers may be on one order at once."""

_WORTH = msgspec.json.Decoder(Worth)


class VoucherUseNotFound(NotFound):
    """The order has no use of this voucher."""

    code = "voucher_use_not_found"


class OrderName(msgspec.Struct, frozen=True):
    """The shop's own name for an order: `order_id` within its system `source`."""

    source: str
    order_id: str

    @property
    def key(self) -> str:
        """Where the uses of vouchers on the order lie."""
        return ids.derived("vor", self.source, self.order_id)


class Who(msgspec.Struct, frozen=True):
    """Under which key somebody asks, who it is, and when."""

    key: str
    actor: str
    now: int


def worth_of(use: UseStep) -> Worth:
    """What a use was worth."""
    return _WORTH.decode(use.worth)


def uses_of(order: OrderName) -> tuple[list[UseStep], list[UseStep]]:
    """All steps of an order's vouchers as they are now, and those of them that are uses and not rolled back."""
    steps = read_steps(UseStep, order.key)
    undone = {step.undoes for step in steps}
    return steps, [step for step in steps if not step.undoes and step.record_id not in undone]


def rolled_back_at(steps: Sequence[UseStep], use: UseStep) -> str | None:
    """When a use was rolled back, None where it stands."""
    return next((str(step.posted_at) for step in steps if step.undoes == use.record_id), None)


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
        steps, live = uses_of(order)
        before = next((step for step in steps if step.record_id == asked.record_id), None)
        if before:
            return replay(asked, before.serialize())
        found = looking.find(ask, who.now)
        taken = sum(worth_of(use).discount_minor for use in live)
        sketch = msgspec.structs.replace(ask.sketch, taken_minor=taken)
        worth = looking.check(found, msgspec.structs.replace(ask, sketch=sketch), who.now)
        _check_company(found, live)
        asked.step = step_name(len(steps))
        try:
            return _redeem(_Use(found, ask, worth, order, who), asked)
        except Lost:
            continue
    raise _busy()


def roll_back(
    code: str, order: OrderName, *, redemption_id: str | None = None, actor: str, now: int
) -> Posted[UseStep]:
    """Take back the use of a voucher on an order (the newest, or the one named), once; it may then be used again.

    Raises VoucherUseNotFound and Unavailable.
    """
    voucher_id = making.voucher_id_of(codes.normal(code) or "")
    for _attempt in attempts():
        steps = read_steps(UseStep, order.key)
        uses = [
            step
            for step in steps
            if not step.undoes and step.voucher_id == voucher_id and redemption_id in (None, step.record_id)
        ]
        if not uses:
            raise VoucherUseNotFound("The order has not used this voucher.", field="order_id")
        done = next((step for step in steps if step.undoes == uses[-1].record_id), None)
        if done:
            return Posted(done, replayed=True)
        try:
            return _undo(uses[-1], step_name(len(steps)), actor, now)
        except Lost:
            continue
    raise _busy()


def roll_back_all(
    order: OrderName, *, until: str | None = None, named: Collection[str] = (), actor: str, now: int
) -> list[UseStep]:
    """Roll back every voucher that an order uses, or those redeemed until an instant (RFC 3339, UTC) or `named`.

    Gives the steps by which that was done. Raises Unavailable, and then some may be rolled back and some not.
    """
    done: list[UseStep] = []
    for _attempt in attempts():
        steps, live = uses_of(order)
        meant = [use for use in reversed(live) if until is None or use.redeemed_at <= until or use.record_id in named]
        try:
            for place, use in enumerate(meant, start=len(steps)):
                done.append(_undo(use, step_name(place), actor, now).record)
        except Lost:
            continue
        return done
    raise _busy()


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
        writes.append(_in_wallet(step, now))
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
    return Plan(_decision(account, effect, facts.VOUCHER_REDEEMED, step), step, lambda _entry: writes)


def _undo(use: UseStep, step: str, actor: str, now: int) -> Posted[UseStep]:
    back = UseStep()
    back.deserialize(use.serialize())
    back.step = step
    back.record_id = ids.derived("vrb", use.record_id)
    back.request_hash = back.record_id
    back.undoes, back.actor, back.kind = use.record_id, actor, facts.VOUCHER_ROLLED_BACK
    back.occurred_at = back.posted_at = clock.text(now)
    writes = _given_back(use, now)
    value = worth_of(use).points
    if not value:
        return put_once(back, writes)

    def plan(account: Account) -> Plan[UseStep]:
        effect = points.claw(account.state, value, expires_at=use.lot_expires_at)
        return Plan(_decision(account, effect, facts.VOUCHER_ROLLED_BACK, back), back, lambda _entry: writes)

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
        writes.append(_in_wallet(use, None))
    return writes


def _in_wallet(use: UseStep, used_at: int | None) -> Write:
    action = WalletItem.used_at.remove() if used_at is None else WalletItem.used_at.set(clock.text(used_at))
    return Write(WalletItem(use.wallet, use.wallet_step), Act.UPDATE, WalletItem.voucher_id.exists(), (action,))


def _decision(account: Account, effect: Effect, kind: str, step: UseStep) -> Decision:
    at = account.posted_at
    current = programs.in_force(at, now=at)
    return Decision(
        kind=kind,
        record=step.record_id,
        reason=kind,
        actor=step.actor,
        program=current.version,
        occurred_at=at,
        effect=effect,
        tier=tiers.standing(current.program, account.state, at).code,
    )


def _busy() -> Unavailable:
    return Unavailable("The voucher is being asked for by many at once. Send the same request again.", code="busy")
