"""What the writers of the simulation ask for: requests that get in each other's way, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from chalicelib.base import clock, ids
from chalicelib.base.errors import Unavailable
from chalicelib.ledger.posting import MemberNotFound
from chalicelib.ledger.records import Record
from chalicelib.members import adjusting, enrolling, uniting
from chalicelib.members.schema import AdjustmentIn, MemberIn, MergeIn
from chalicelib.members.sweeping import sweep_member
from chalicelib.orders import claims, refunds, service
from chalicelib.orders.schema import CancelIn, OrderIn, RefundIn
from chalicelib.rewards import history
from chalicelib.rewards import service as rewards
from chalicelib.rewards.schema import RedemptionIn
from tests.proof.account_model import Refused
from tests.proof.model import Model, Moved
from tests.proof.order_model import Order
from tests.proof.programme_model import Basket
from tests.proof.programmes import Whole
from tests.proof.rules_model import DISCOUNT_MINOR, Rules

STARTED = 1_800_000_000
SOON = STARTED + 60
PHONE = "+8613800138000"


@dataclass(frozen=True)
class Request:
    """Something that a client wants, under a key of its own, as often as it has to ask.

    `record` is the id of what it leaves behind. `play` is what the model does once it is accepted, posted at an instant
    under some rules, and `guard` refuses as the model would at an instant; `reasons` are all that there are then, where
    the engine does not look at them in one moment.
    """

    name: str
    record: str
    send: Callable[[int], Record | None]
    play: Callable[[Model, int, Rules], Moved | None]
    guard: Callable[[Model, int], None] = lambda _model, _now: None
    reasons: Callable[[Model, int], Sequence[str]] = lambda _model, _now: ()


def enrol(client: str, phone: str) -> Request:
    """Enrol somebody; only one can have the phone."""
    member = ids.derived("mem", client, "enrol")
    body = MemberIn(phone=phone)

    def play(model: Model, at: int, rules: Rules) -> Moved:
        if phone in model.phones:
            raise Refused("identity_taken")
        model.phones[phone] = member
        return model.enrol(member, at, rules)

    return Request(
        f"enrol {client}",
        member,
        lambda now: enrolling.enrol(body, client_id=client, key="enrol", actor="system", now=now).record,
        play,
    )


def merge(closing: str, into: str) -> Request:
    """Make two members one."""
    body = MergeIn(into=into)
    return Request(
        f"merge {closing}",
        ids.derived("mrg", closing),
        lambda now: uniting.merge(closing, body, actor="staff", now=now).record,
        lambda model, at, _rules: model.merge(closing, into, at),
    )


def claim(member: str, copy: int) -> Request:
    """What an enrolment sets off, at least once; before it there is nothing to do but to come again."""

    def send(now: int) -> None:
        try:
            claims.claim_all(member, now=now)
        except MemberNotFound as error:
            raise Unavailable("Not enrolled yet.") from error

    return Request(f"claim {member} {copy}", "", send, lambda _model, _at, _rules: None)


def sweep(member: str) -> Request:
    """The nightly sweep; it leaves an entry only where something is due, and is refused nothing."""

    def send(now: int) -> None:
        sweep_member(member, now=now)

    return Request(f"sweep {member}", "", send, lambda _model, _at, _rules: None)


def adjust(member: str, points: int, key: str) -> Request:
    """Correct points by hand."""
    body = AdjustmentIn(points=points, reason="goodwill")
    return Request(
        f"adjust {points}",
        ids.derived("adj", "staff", member, key),
        lambda now: adjusting.adjust(member, body, key=key, actor="staff", now=now).record,
        lambda model, at, rules: model.adjust(member, points, at, rules),
    )


def order(
    number: str, rules: Rules, *, member: str | None, occurred_at: int = STARTED - 3600, **fields: Any
) -> Request:
    """A purchase, by a member or by whoever has the phone."""
    whose = {"identity": {"phone": PHONE}} if member is None else {"member_id": member}
    body = {
        "source": "shop",
        "order_id": number,
        "occurred_at": clock.text(occurred_at),
        "currency": "CNY",
        "total_minor": 10_000,
        **whose,
        **fields,
    }
    request = msgspec.convert(body, OrderIn)
    name = service.order_id_of("shop", number)

    def play(model: Model, at: int, _rules: Rules) -> Moved | None:
        buyer = member or model.phones.get(PHONE)
        new = model.orders.get(name) or _ordered(body, occurred_at, rules)
        if buyer is None:
            model.unclaimed(name, new)
            return None
        return model.post_order(name, new, buyer, at)

    def guard(model: Model, now: int) -> None:
        model.guard_time(occurred_at, now, rules)
        model.guard_payment(_ordered(body, occurred_at, rules), now)

    return Request(
        f"order {number}", name, lambda now: service.post_order(request, actor="system", now=now).record, play, guard
    )


def _ordered(body: dict[str, Any], occurred_at: int, rules: Rules) -> Order:
    return (Basket if isinstance(rules, Whole) else Order)(body, occurred_at, rules)


def refund(order_number: str, refund_id: str, occurred_at: int, rules: Rules, **wish: Any) -> Request:
    """Take a part of an order back."""
    name = service.order_id_of("shop", order_number)
    body = {"refund_id": refund_id, "occurred_at": clock.text(occurred_at), **wish}
    request = msgspec.convert(body, RefundIn)
    return Request(
        f"refund {order_number} {refund_id}",
        ids.derived("ref", name, refund_id),
        lambda now: refunds.refund(name, request, actor="system", now=now).record,
        lambda model, at, current: model.refund(name, body, at, occurred_at, current),
        lambda model, now: _known(model, name, occurred_at, now, rules),
    )


def cancel_order(order_number: str, occurred_at: int, rules: Rules) -> Request:
    """Take all of an order back."""
    name = service.order_id_of("shop", order_number)
    request = msgspec.convert({"occurred_at": clock.text(occurred_at)}, CancelIn)
    return Request(
        f"cancel order {order_number}",
        ids.derived("can", name),
        lambda now: refunds.cancel(name, request, actor="system", now=now).record,
        lambda model, at, current: model.cancel_order(name, at, occurred_at, current),
        lambda model, now: _known(model, name, occurred_at, now, rules),
    )


def change_pending(order_number: str, *, withdrawing: bool) -> Request:
    """Take an order's waiting points away, or make them available."""
    name = service.order_id_of("shop", order_number)
    act = refunds.withdraw_pending if withdrawing else refunds.release_pending

    def play(model: Model, at: int, current: Rules) -> Moved | None:
        return model.withdraw(name, at, current) if withdrawing else model.release_pending(name, at)

    def guard(model: Model, now: int) -> None:
        present(model.orders, name, "order_not_found")
        model.guard_pending(name, now, withdrawing=withdrawing)

    kind = "pending_cancelled" if withdrawing else "pending_released"
    record = ids.derived("ost", name, kind)
    return Request(f"{kind} {order_number}", record, lambda now: act(name, actor="system", now=now).record, play, guard)


def redeem(member: str, points: int, key: str, hold_s: int | None = None) -> Request:
    """Spend points, or hold them."""
    body = msgspec.convert(
        {"points": points, "currency": "CNY"} | ({"hold_seconds": hold_s} if hold_s else {}), RedemptionIn
    )
    name = redemption_id(member, key)
    return Request(
        f"redeem {points} {key}",
        name,
        lambda now: rewards.redeem(member, body, key=key, actor="system", now=now).record,
        lambda model, at, _rules: model.redeem(name, member, points, at, hold_s),
    )


def redemption_id(member: str, key: str) -> str:
    """The id that a redemption will have."""
    return ids.derived("red", member, key)


def end(verb: str, member: str, key: str) -> Request:
    """Commit, release or cancel a redemption."""
    name = redemption_id(member, key)
    kind = {"commit": "redeemed", "release": "hold_released", "cancel": "redemption_cancelled"}[verb]

    def send(now: int) -> Record:
        found = history.read(name)
        if verb == "cancel":
            return rewards.cancel(found, actor="system", even_used=True, now=now).record
        return {"commit": rewards.commit, "release": rewards.release}[verb](found, actor="system", now=now).record

    def play(model: Model, at: int, rules: Rules) -> Moved:
        if verb == "cancel":
            return model.cancel_redemption(name, at, rules)
        return model.commit(name, at) if verb == "commit" else model.release(name, at)

    def guard(model: Model, now: int) -> None:
        present(model.redemptions, name, "redemption_not_found")
        model.guard_redemption(name, now, *(["issued", "used"] if verb == "cancel" else ["held"]))

    return Request(f"{verb} {key}", ids.derived("rst", name, kind), send, play, guard)


def paid_with(member: str, key: str, points: int) -> list[dict[str, Any]]:
    """The payments of an order of 10,000 of which a redemption pays its part."""
    amount = points * DISCOUNT_MINOR
    return [
        {"type": "points", "amount_minor": amount, "redemption_id": redemption_id(member, key)},
        {"type": "card", "amount_minor": 10_000 - amount},
    ]


def present(names: Mapping[str, Any], name: str, code: str) -> None:
    """Refuse where there is no such thing."""
    if name not in names:
        raise Refused(code)


def _known(model: Model, name: str, occurred_at: int, now: int, rules: Rules) -> None:
    present(model.orders, name, "order_not_found")
    model.guard_time(occurred_at, now, rules)
