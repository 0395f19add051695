"""The model's vouchers: who has one, who has used it on which order, and what came back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.proof.account_model import Account, Refused
from tests.proof.calendar import midnight
from tests.proof.rules_model import Rules

if TYPE_CHECKING:
    from tests.proof.model import Model, Moved


@dataclass(frozen=True)
class Terms:
    """What a batch says: vouchers that are used once or shared by all, for points or (0) for a tenth off."""

    is_single: bool = True
    points: int = 0
    total: int | None = None
    per_member: int | None = None
    is_personal: bool = False
    days: int | None = None

    def ends_at(self, issued_at: int) -> int | None:
        """When a voucher that is issued then is over: with the end of so many days after that of the issue."""
        return None if self.days is None else midnight(issued_at, self.days + 1)


@dataclass
class Voucher:
    """A voucher of a batch; `owner` is whom it was issued to."""

    batch: str
    owner: str | None = None
    ends_at: int | None = None


@dataclass
class Use:
    """A use of a voucher on an order. `expiry` is that of the points that it brought."""

    voucher: str
    order: str
    member: str | None
    at: int
    points: int = 0
    expiry: int = 0
    is_live: bool = True


@dataclass(frozen=True)
class Lock:
    """A session has a voucher, or one use of it, until an instant."""

    voucher: str
    session: str
    member: str | None
    until: int


@dataclass(frozen=True)
class Wish:
    """A voucher, for whom, by which session and on which order (none where it is only locked)."""

    voucher: str
    member: str | None
    session: str | None = None
    order: str | None = None


@dataclass
class Vouchers:
    """All vouchers by the engine's ids. `seen_at` is the latest instant at which somebody laid hands on one."""

    batches: dict[str, Terms] = field(default_factory=dict)
    vouchers: dict[str, Voucher] = field(default_factory=dict)
    uses: dict[str, Use] = field(default_factory=dict)
    locks: dict[tuple[str, str], Lock] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    seen_at: int = 0

    def count(self, batch: str, what: str) -> None:
        """One more was issued, locked, redeemed or rolled back."""
        self.counts[batch, what] = self.counts.get((batch, what), 0) + 1

    def issue(self, name: str, batch: str, owner: str | None, at: int) -> None:
        """A voucher of a batch comes to be."""
        self.vouchers.setdefault(name, Voucher(batch, owner, self.batches[batch].ends_at(at)))
        self.count(batch, "issued")

    def live(self, batch: str) -> list[Use]:
        """The uses of a batch's vouchers that stand."""
        return [use for use in self.uses.values() if use.is_live and self.vouchers[use.voucher].batch == batch]

    def locked(self, batch: str, now: int, but: Wish | None = None) -> list[Lock]:
        """The locks on a batch's vouchers that hold at an instant, but for whoever asks."""
        own = (but.voucher, but.session) if but else None
        return [
            lock
            for key, lock in self.locks.items()
            if now < lock.until and key != own and self.vouchers[lock.voucher].batch == batch
        ]

    def has(self, wish: Wish, now: int) -> Lock | None:
        """The lock of whoever asks."""
        lock = self.locks.get((wish.voucher, wish.session or ""))
        return lock if lock and now < lock.until else None

    def why_not(self, model: Model, wish: Wish, now: int) -> list[str]:
        """Every reason not to use a voucher at an instant, in the order in which they are told."""
        voucher = self.vouchers.get(wish.voucher)
        if voucher is None:
            return ["voucher_not_found"]
        terms, live = self.batches[voucher.batch], self.live(voucher.batch)
        others = self.locked(voucher.batch, now, but=wish)
        heir = model.heir(wish.member) if wish.member else None
        mine = sum(bool(use.member) and model.heir(use.member or "") == heir for use in live)
        mine += sum(bool(lock.member) and model.heir(lock.member or "") == heir for lock in others)
        found = {
            "voucher_of_another": terms.is_personal and wish.member and model.heir(voucher.owner or "") != heir,
            "voucher_expired": voucher.ends_at is not None and now >= voucher.ends_at,
            "voucher_used_up": terms.is_single and any(use.voucher == wish.voucher for use in live),
            "voucher_locked": terms.is_single and any(lock.voucher == wish.voucher for lock in others),
            "voucher_needs_member": not wish.member and bool(terms.is_personal or terms.per_member or terms.points),
            "voucher_member_limit": terms.per_member is not None and mine >= terms.per_member,
            "voucher_on_order": any(use.voucher == wish.voucher and use.order == wish.order for use in live),
        }
        codes = [code for code, applies in found.items() if applies]
        is_full = terms.total is not None and len(live) + len(others) >= terms.total
        return codes + ["voucher_used_up"] * is_full

    def lock(self, model: Model, wish: Wish, now: int, ttl_s: int) -> Lock:
        """Keep a voucher for a session; whoever has it already keeps it as it was."""
        _refuse(self.why_not(model, wish, now))
        before = self.has(wish, now)
        if before:
            return before
        lock = Lock(wish.voucher, wish.session or "", wish.member, now + ttl_s)
        self.put(lock)
        return lock

    def put(self, lock: Lock) -> None:
        """A session has a voucher; of a single one there is one lock."""
        batch = self.vouchers[lock.voucher].batch
        if self.batches[batch].is_single:
            self.free(lock.voucher)
        self.locks[lock.voucher, lock.session] = lock
        self.count(batch, "locked")

    def free(self, voucher: str, session: str | None = None) -> None:
        """A lock is over: a session's, or whosever it is."""
        for key in [key for key in self.locks if key[0] == voucher and session in (None, key[1])]:
            del self.locks[key]

    def redeem(self, model: Model, name: str, wish: Wish, at: int, rules: Rules) -> Moved | None:
        """Use a voucher on an order."""
        _refuse(self.why_not(model, wish, at))
        return self.use(model, name, wish, at, rules)

    def use(self, model: Model, name: str, wish: Wish, at: int, rules: Rules) -> Moved | None:
        """A voucher is used: its points come, and whoever had it locked has it no more."""
        batch = self.vouchers[wish.voucher].batch
        terms = self.batches[batch]
        use = Use(wish.voucher, wish.order or "", wish.member, at, terms.points, rules.expiry(at))
        self.uses[name] = use
        self.count(batch, "redeemed")
        self.free(wish.voucher, None if terms.is_single else wish.session or "")
        if not use.points or use.member is None:
            return None

        def act(account: Account) -> None:
            account.count("earned", use.points)
            account.receive({use.expiry: use.points})

        return model.moved(use.member, at, act)

    def newest(self, voucher: str, order: str) -> str:
        """The latest use of a voucher on an order."""
        found = [name for name, use in self.uses.items() if (use.voucher, use.order) == (voucher, order)]
        if not found:
            raise Refused("voucher_use_not_found")
        return found[-1]

    def roll_back(self, model: Model, name: str, at: int) -> Moved | None:
        """Take a use back, once: it may be used again, and its points go."""
        use = self.uses[name]
        assert use.is_live, "a use was rolled back twice"
        use.is_live = False
        self.count(self.vouchers[use.voucher].batch, "rolled_back")
        if not use.points or use.member is None:
            return None
        return model.moved(use.member, at, lambda account: account.claw(use.points, use.expiry, None, spared=True))

    def gone_back(self, order: str, until: int) -> list[str]:
        """The uses on an order that go back when all of it does, at an instant."""
        return [name for name, use in self.uses.items() if use.is_live and use.order == order and use.at <= until]


def _refuse(codes: list[str]) -> None:
    if codes:
        raise Refused(codes[0])
