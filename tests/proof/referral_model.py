"""The model's referrals: who has brought whom, what the friend has bought since, and what both were paid for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.proof.account_model import Account, Refused
from tests.proof.calendar import DAY_S, month_of
from tests.proof.order_model import Order
from tests.proof.rules_model import (
    CLAIM_DAYS,
    FRIEND_POINTS,
    QUALIFY_DAYS,
    REFERRALS_MONTHLY,
    REFERRER_STEPS,
    Rules,
)

if TYPE_CHECKING:
    from tests.proof.model import Model, Moved

SIDES = ("friend", "referrer")


@dataclass
class Paid:
    """What one of the two was paid; a referrer beyond the cap was paid nothing, and that does not count."""

    points: int
    expiry: int
    month: int | None


@dataclass
class Referral:
    """A claim, the friend's purchases with what refunds have left of each, and what was paid.

    `code_of` is whose code it was, by the id of before any merge; `is_doubled` that a merge was found to make it void.
    """

    friend: str
    referrer: str
    claimed_at: int
    rules: Rules
    code_of: str = ""
    verdict: str = "clear"
    is_doubled: bool = False
    bought: dict[str, tuple[int, int]] = field(default_factory=dict)
    paid: dict[str, Paid] = field(default_factory=dict)

    def counts(self, occurred_at: int) -> bool:
        """Whether a purchase of this instant may qualify."""
        return self.claimed_at <= occurred_at < self.claimed_at + QUALIFY_DAYS * DAY_S

    def due_at(self) -> int | None:
        """When both are to be paid: some days after the first purchase of which anything is left."""
        occurred = [occurred_at for occurred_at, left in self.bought.values() if left]
        return min(occurred) + self.rules.return_days * DAY_S if occurred else None

    def next(self, now: int) -> tuple[str, bool] | None:
        """Whom to pay (True), or take it back from (False), next."""
        due = self.due_at()
        stands = due is not None and self.verdict in ("clear", "approved")
        for side in SIDES:
            if side in self.paid and not stands:
                return side, False
            if side not in self.paid and stands and due is not None and due <= now:
                return side, True
        return None

    def status(self, now: int) -> str:
        """How far it is."""
        if self.verdict in ("held", "refused"):
            return self.verdict
        if self.paid:
            return "paid"
        if self.due_at() is not None:
            return "qualified"
        return "joined" if now < self.claimed_at + QUALIFY_DAYS * DAY_S else "lapsed"


def left_of(order: Order) -> int:
    """What refunds have left of an order's total; nothing once it was cancelled."""
    return 0 if order.cancelled else order.total - order.refunded


@dataclass
class Referrals:
    """All referrals by the engine's ids.

    `devices` tells who has claimed with which, and `led` leads from an account to the referrals of whoever was merged
    into it.
    In a race, `codes` leads from what a claim keeps of a code to its member, and `claiming` is whose was claimed last.
    """

    found: dict[str, Referral] = field(default_factory=dict)
    devices: dict[str, set[str]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    claiming: str = ""
    led: dict[str, list[str]] = field(default_factory=dict)
    times_back: int = 0

    def why_not(self, model: Model, friend: str, code_of: str, now: int) -> list[str]:
        """Every reason not to let somebody claim another one's code, in the order in which they are told."""
        friend, referrer = model.heir(friend), model.heir(code_of)
        if friend not in model.accounts:
            return ["member_not_found"]
        before = [referral for referral in self.found.values() if referral.friend == friend]
        if before:
            return ["referral_already_claimed"] if before[0].code_of != code_of else []
        came, theirs = model.accounts[friend].came_at, model.accounts[referrer].came_at
        mutual = any((r.friend, r.referrer) == (referrer, friend) for r in self.found.values())
        found = [
            ("referral_own_code", friend == referrer),
            ("referral_not_newer", came < theirs),
            ("referral_too_late", now >= came + CLAIM_DAYS * DAY_S),
            ("referral_not_new", model.accounts[friend].purchases > 0),
            ("referral_not_newer", mutual),
        ]
        return [code for code, applies in found if applies]

    def claim(
        self, name: str, model: Model, friend: str, code_of: str, *, at: int, rules: Rules, device: str = ""
    ) -> None:
        """Somebody says who has brought it; whoever comes with the referrer's device, or a stranger's, is suspected."""
        friend, referrer = model.heir(friend), model.heir(code_of)
        users = self.devices.setdefault(device, set()) if device else set()
        verdict = "refused" if referrer in users else "held" if users - {friend} else "clear"
        users.add(friend)
        self.found[name] = Referral(friend, referrer, at, rules, code_of, verdict)

    def hear(self, name: str, order_id: str, order: Order) -> None:
        """A purchase of the friend's is heard of as it is by now; what is gone never comes back."""
        referral, left = self.found[name], left_of(order)
        before = referral.bought.get(order_id)
        if before is None and (not left or not referral.counts(order.occurred_at)):
            return
        referral.bought[order_id] = (order.occurred_at, min(left, before[1]) if before else left)

    def of(self, member: str) -> list[str]:
        """The referrals that an account is the friend of: its own, and those of accounts merged into it."""
        own = [name for name, referral in self.found.items() if referral.friend == member]
        return own + [name for name in self.led.get(member, []) if name not in own]

    def unite(self, model: Model, closed: str, now: int) -> None:
        """Of the referrals of one person the earliest stands, unless the person has brought itself.

        Whatever the person has bought counts, on whichever account.
        """
        heir = model.heir(closed)
        names = [name for name, each in self.found.items() if model.heir(each.friend) == heir]
        self.led[heir] = names = sorted(names, key=lambda name: (self.found[name].claimed_at, name))
        for place, name in enumerate(names):
            referral = self.found[name]
            for order_id, order in model.orders.items():
                if order.member is not None and model.heir(order.member) == heir:
                    self.hear(name, order_id, order)
            if not referral.is_doubled and (place or model.heir(referral.referrer) == heir):
                referral.is_doubled, referral.verdict = True, "refused"
        for name in names:
            self.settle(model, name, now)

    def decide(self, name: str, verdict: str) -> None:
        """Staff approves, which changes nothing for one that nobody doubts, or refuses."""
        referral = self.found[name]
        if not (verdict == "approved" and referral.verdict == "clear"):
            referral.verdict = verdict

    def paid_for(self, model: Model, referrer: str, month: int | None = None) -> int:
        """For how many friends somebody was paid, in all or in a month."""
        heir = model.heir(referrer)
        paid = [
            r.paid["referrer"] for r in self.found.values() if "referrer" in r.paid and model.heir(r.referrer) == heir
        ]
        return sum(each.month is not None and month in (None, each.month) for each in paid)

    def pay(self, model: Model, name: str, side: str, at: int, posted_at: int) -> Moved:
        """Pay one of the two, as the steps and the cap say. `at` is when it was decided, `posted_at` when posted."""
        referral = self.found[name]
        assert referral.next(posted_at) == (side, True), "paid what is not due"
        points, month = FRIEND_POINTS, None
        if side == "referrer":
            month = month_of(posted_at)
            if self.paid_for(model, referral.referrer, month) < REFERRALS_MONTHLY:
                number = self.paid_for(model, referral.referrer) + 1
                points = max((first, given) for first, given in REFERRER_STEPS if first <= number)[1]
            else:
                points, month = 0, None
        paid = Paid(points, referral.rules.expiry(at), month)
        referral.paid[side] = paid

        def act(account: Account) -> None:
            account.count("earned", points)
            account.receive({paid.expiry: points} if points else {})
            account.retier(posted_at)

        return model.moved(referral.friend if side == "friend" else referral.referrer, posted_at, act)

    def take_back(self, model: Model, name: str, side: str, posted_at: int) -> Moved:
        """Take back what one of the two was paid."""
        referral = self.found[name]
        assert referral.next(posted_at) == (side, False), "took back what stands"
        paid = referral.paid.pop(side)
        self.times_back += 1

        def act(account: Account) -> None:
            account.claw(paid.points, paid.expiry, None, spared=True)
            account.retier(posted_at)

        return model.moved(referral.friend if side == "friend" else referral.referrer, posted_at, act)

    def settle(self, model: Model, name: str, now: int) -> int:
        """Pay and take back until all is as it should be; gives how often."""
        times = 0
        while wanted := self.found[name].next(now):
            side, is_done = wanted
            moved = self.pay(model, name, side, now, now) if is_done else self.take_back(model, name, side, now)
            assert moved.points or not is_done or side == "referrer"
            times += 1
        return times


def refuse(codes: list[str]) -> None:
    """Refuse for the first of some reasons."""
    if codes:
        raise Refused(codes[0])
