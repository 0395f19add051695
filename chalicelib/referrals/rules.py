"""What becomes of a referral: which purchases qualify it, when it is paid, and when that goes back. Pure.

Everything follows from what is known of the friend's purchases, the verdict and the date, so it does not matter in
what order, how late or how often any of it was heard of.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from chalicelib.base import clock
from chalicelib.ledger import limits
from chalicelib.ledger.state import NEVER, Limit
from chalicelib.program.document import Program
from chalicelib.program.document.referrals import ReferralPolicy, ReferralReward
from chalicelib.program.rules import windows
from chalicelib.referrals.scoring import Verdict

Side: TypeAlias = Literal["friend", "referrer"]
Status: TypeAlias = Literal["joined", "qualified", "paid", "held", "refused", "lapsed"]

ORDERS_MAX: Final = 20
"""So many of a friend's purchases are remembered; a later one than these would hardly be the first."""

_EVER: Final = "referral:friends"


class Order(msgspec.Struct, array_like=True, frozen=True):
    """A purchase of the friend's: what refunds have left of its total, and of what it counts in the base currency."""

    order_id: str
    occurred_at: int
    left_minor: int
    spend_minor: int


class Paid(msgspec.Struct, frozen=True):
    """What one of the two was paid: points with their expiry, a voucher of a batch under `key`, and the limits used.

    `is_capped` says that the referrer had been paid for as many friends as the policy allows, and got nothing.
    """

    points: int
    expires_at: int
    key: str
    voucher_batch: str | None = None
    limits: tuple[Limit, ...] = ()
    is_capped: bool = False


class Referral(msgspec.Struct, frozen=True, kw_only=True):
    """A claim and all that has become of it. `program` is the version whose policy it goes by.

    `initial` is all that the referrer sees of the friend. `turns` counts the payments, and the taking back of them.
    Stored as JSON: fields are only added with a default.
    """

    referral_id: str
    referrer_id: str
    friend_id: str
    claimed_at: int
    program: int
    initial: str = ""
    score: int = 0
    reasons: tuple[str, ...] = ()
    verdict: Verdict = "clear"
    decided_by: str = ""
    decided_at: int = 0
    orders: tuple[Order, ...] = ()
    friend: Paid | None = None
    referrer: Paid | None = None
    turns: int = 0

    def paid(self, side: Side) -> Paid | None:
        """What one of the two has been paid, if anything."""
        return self.friend if side == "friend" else self.referrer


class Payment(msgspec.Struct, frozen=True):
    """What is to be done next for one of the two: to pay (`is_done`), or to take back."""

    side: Side
    is_done: bool


class Due(msgspec.Struct, frozen=True):
    """What the referrer is to get for one more friend, and what it uses up; `is_capped` where that is nothing."""

    reward: ReferralReward
    limits: tuple[Limit, ...]
    is_capped: bool = False


def heard(referral: Referral, policy: ReferralPolicy, order: Order) -> Referral:
    """The referral after a purchase was heard of, as refunds have left it by now; what is gone never comes back."""
    known = {item.order_id: item for item in referral.orders}
    before = known.get(order.order_id)
    if before is None:
        in_time = referral.claimed_at <= order.occurred_at < buys_until(referral, policy)
        if not in_time or not order.left_minor or len(known) == ORDERS_MAX:
            return referral
        known[order.order_id] = order
    else:
        known[order.order_id] = msgspec.structs.replace(
            before,
            left_minor=min(before.left_minor, order.left_minor),
            spend_minor=min(before.spend_minor, order.spend_minor),
        )
    orders = tuple(sorted(known.values(), key=lambda item: (item.occurred_at, item.order_id)))
    return msgspec.structs.replace(referral, orders=orders)


def buys_until(referral: Referral, policy: ReferralPolicy) -> int:
    """Until when a purchase may qualify."""
    return referral.claimed_at + policy.qualify_days * clock.DAY_S


def qualified_at(referral: Referral, policy: ReferralPolicy) -> int | None:
    """When the purchase occurred that qualified the friend; None while none has, or where too much went back."""
    spent_minor = 0
    for order in referral.orders:
        if not order.left_minor:
            continue
        spent_minor += order.spend_minor
        if policy.minimum_minor is None or spent_minor >= policy.minimum_minor:
            return order.occurred_at
    return None


def due_at(referral: Referral, policy: ReferralPolicy) -> int | None:
    """When the rewards are due: with the purchase that qualified, or the end of its return window."""
    found = qualified_at(referral, policy)
    return None if found is None else found + policy.return_days * clock.DAY_S


def status(referral: Referral, policy: ReferralPolicy, now: int) -> Status:
    """What has become of a referral by now."""
    if referral.verdict in ("refused", "held"):
        return "refused" if referral.verdict == "refused" else "held"
    if referral.friend is not None or referral.referrer is not None:
        return "paid"
    if qualified_at(referral, policy) is not None:
        return "qualified"
    return "joined" if now < buys_until(referral, policy) else "lapsed"


def next_payment(referral: Referral, policy: ReferralPolicy, now: int) -> Payment | None:
    """What is to be paid or taken back next, None where all is as it should be."""
    due = due_at(referral, policy)
    stands = due is not None and referral.verdict in ("clear", "approved")
    for side in _SIDES:
        paid = referral.paid(side)
        if paid is not None and not stands:
            return Payment(side, is_done=False)
        if paid is None and stands and due is not None and now >= due and _rewarded(policy, side):
            return Payment(side, is_done=True)
    return None


def settled(referral: Referral, side: Side, paid: Paid | None) -> Referral:
    """The referral after a payment, or after one was taken back (None)."""
    turns = referral.turns + 1
    if side == "friend":
        return msgspec.structs.replace(referral, friend=paid, turns=turns)
    return msgspec.structs.replace(referral, referrer=paid, turns=turns)


def friend_due(policy: ReferralPolicy) -> Due:
    """What the friend is to get."""
    return Due(policy.friend, ())


def referrer_due(program: Program, policy: ReferralPolicy, used: tuple[Limit, ...], at: int) -> Due:
    """What the referrer is to get for one more friend, given the limits that the account has used up at `at`."""
    number = paid_friends(used, at) + 1
    step = max(
        (step for step in policy.referrer if step.from_friend <= number),
        key=lambda step: step.from_friend,
        default=None,
    )
    uses = [Limit(_EVER, NEVER, 1, step.points if step else 0)]
    if policy.cap is not None and policy.cap.per != "ever":
        until = windows.period_end(policy.cap.per, at, program.zone)
        uses.append(Limit(f"referral:{policy.cap.per}", until, 1, 0))
    if step is None or left_in_period(program, policy, used, at) == 0:
        return Due(ReferralReward(), (), is_capped=True)
    return Due(step, tuple(uses))


def left_in_period(program: Program, policy: ReferralPolicy, used: tuple[Limit, ...], at: int) -> int | None:
    """For how many more friends the referrer may be paid in the period that runs at `at`; None for any number."""
    if policy.cap is None:
        return None
    if policy.cap.per == "ever":
        return max(policy.cap.friends - paid_friends(used, at), 0)
    until = windows.period_end(policy.cap.per, at, program.zone)
    found = limits.used(used, f"referral:{policy.cap.per}", until, at)
    return max(policy.cap.friends - found.count, 0) if found else 0


def paid_friends(used: tuple[Limit, ...], at: int) -> int:
    """For how many friends a referrer was paid so far, those taken back left out."""
    found = limits.used(used, _EVER, NEVER, at)
    return found.count if found else 0


def _rewarded(policy: ReferralPolicy, side: Side) -> bool:
    rewards = (policy.friend,) if side == "friend" else policy.referrer
    return any(reward.points or reward.voucher_batch for reward in rewards)


_SIDES: Final[tuple[Side, Side]] = ("friend", "referrer")
