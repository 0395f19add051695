"""What an order has used of vouchers: a chain of steps, each a use or the rolling back of one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.base import clock, ids
from chalicelib.base.errors import Unavailable
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.posting import Account, Act, Write
from chalicelib.program import service as programs
from chalicelib.program.rules import tiers
from chalicelib.vouchers.rules import Worth
from chalicelib.vouchers.store import read_steps
from chalicelib.vouchers.table import UseStep, WalletItem

_WORTH = msgspec.json.Decoder(Worth)


class OrderName(msgspec.Struct, frozen=True):
    """The shop's own name for an order: `order_id` within its system `source`."""

    source: str
    order_id: str

    @property
    def key(self) -> str:
        """Where the uses of vouchers on the order lie."""
        return ids.derived("vor", self.source, self.order_id)


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


def in_wallet(use: UseStep, used_at: int | None) -> Write:
    """The write that tells the wallet when its voucher was used, None where it may be used again."""
    action = WalletItem.used_at.remove() if used_at is None else WalletItem.used_at.set(clock.text(used_at))
    return Write(WalletItem(use.wallet, use.wallet_step), Act.UPDATE, WalletItem.voucher_id.exists(), (action,))


def decision(account: Account, effect: Effect, kind: str, step: UseStep) -> Decision:
    """The entry of a step of a voucher for points."""
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


def busy() -> Unavailable:
    """The refusal where others were faster again and again."""
    return Unavailable("The voucher is being asked for by many at once. Send the same request again.", code="busy")
