"""An account's state: plain, packed data. What may be done to it stands in `points`.

It is stored in every ledger entry as MessagePack arrays, so a field is only ever added at the end of its struct, with a
default; an older state then reads as if the field had been empty. All instants are whole seconds.
"""

from __future__ import annotations

import msgspec

NEVER = 0xFFFF_FFFF
"""The expiry of points that do not expire: the last instant that fits four bytes."""

LOTS_MAX = 60
PENDING_MAX = 62
HOLDS_MAX = 20
MONTHS_MAX = 36
LIMITS_MAX = 20
"""How many limits a programme may have; an account remembers two periods of each."""
EXPIRED_MAX = 12
"""How many lapsed lots are remembered: a year of them, longer than any refund window."""


class Lot(msgspec.Struct, array_like=True, frozen=True):
    """Points that expire together."""

    expires_at: int
    points: int


class Pending(msgspec.Struct, array_like=True, frozen=True):
    """Points that become available, together, at one instant."""

    available_at: int
    expires_at: int
    points: int


class Limit(msgspec.Struct, array_like=True, frozen=True):
    """How far a limit of the programme is used up in the period that ends at `until` (NEVER for one without end).

    As a delta it may be negative.
    """

    limit_id: str
    until: int
    count: int
    points: int


class Hold(msgspec.Struct, array_like=True, frozen=True):
    """Points reserved for a checkout until an instant: `lots` says which, so that none expires while it is held.

    `limits` is how much of the programme's limits it uses up for as long as it lasts, and for good once committed.
    """

    hold_id: str
    until: int
    lots: tuple[Lot, ...]
    limits: tuple[Limit, ...] = ()

    @property
    def points(self) -> int:
        """How many points it reserves."""
        return sum(lot.points for lot in self.lots)


class Month(msgspec.Struct, array_like=True, frozen=True):
    """What counted towards the tier in one calendar month (year x 12 + month - 1). As a delta it may be negative."""

    month: int
    points: int = 0
    spend_minor: int = 0
    purchases: int = 0
    activity: int = 0


class TierRecord(msgspec.Struct, array_like=True, frozen=True):
    """A tier that was reached: valid until `until` for as long as its months still hold what it needed.

    `needed` (points) and its fellows are the thresholds at the time, 0 for a metric that was not asked for, and
    `is_any` says that one of them was enough. `window_months` is the length of the window that reached it (0: that of
    today's programme), so a later programme cannot take back what an earlier one gave. The window ends with
    `reached_month`, or with the month of `since` where that is 0: they differ for a tier that one from further up fell
    to, since that stands on what the higher one was reached with. `year_month` is the month of the calendar (1 to 12)
    with which the year began that counted, 0 where it was no year.
    """

    code: str
    since: int
    until: int
    needed: int
    window_months: int = 0
    reached_month: int = 0
    needed_spend_minor: int = 0
    needed_purchases: int = 0
    needed_activity: int = 0
    is_any: bool = False
    year_month: int = 0


class Purchases(msgspec.Struct, array_like=True, frozen=True):
    """Purchases in short; as a delta, counts may be negative and the instants are those of one purchase."""

    count: int = 0
    spend_minor: int = 0
    first_at: int = 0
    last_at: int = 0


class Lifetime(msgspec.Struct, array_like=True, frozen=True):
    """All points that ever came or went, by cause; none is ever negative except `adjusted` and `merged`.

    `merged` is what came with another account that was merged into this one, less what left with this one.
    """

    earned: int = 0
    restored: int = 0
    adjusted: int = 0
    redeemed: int = 0
    expired: int = 0
    clawed: int = 0
    merged: int = 0

    @property
    def net(self) -> int:
        """What must be in lots, pending and held, less what is owed."""
        came = self.earned + self.restored + self.adjusted + self.merged
        return came - self.redeemed - self.expired - self.clawed


class State(msgspec.Struct, array_like=True, frozen=True):
    """Everything that decides what an account may do next.

    `lots` and `expired` are sorted by expiry, `pending` by availability; `expired` remembers what lapsed of each lot so
    that a later refund takes its share from there first. No lot expires before `active_until`, the date to which the
    member's activity has put expiry off (0 where it never did). `limits` are sorted by id and period.
    `enrolled_at` is 0 in chains that began before it was kept. `redeemed` is the record of the latest redemption, and
    of members merged in that of theirs: each record leads to the one before it.
    """

    version: int = 1
    lots: tuple[Lot, ...] = ()
    pending: tuple[Pending, ...] = ()
    expired: tuple[Lot, ...] = ()
    holds: tuple[Hold, ...] = ()
    owed: int = 0
    months: tuple[Month, ...] = ()
    tiers: tuple[TierRecord, ...] = ()
    purchases: Purchases = Purchases()
    lifetime: Lifetime = Lifetime()
    limits: tuple[Limit, ...] = ()
    closed_into: str = ""
    active_until: int = 0
    enrolled_at: int = 0
    redeemed: tuple[str, ...] = ()

    @property
    def held(self) -> int:
        """Points reserved by holds; they are in no lot meanwhile."""
        return sum(hold.points for hold in self.holds)

    @property
    def available(self) -> int:
        """What may be spent now, for a state folded to now; negative while more is owed than there is."""
        return sum(lot.points for lot in self.lots) - self.owed

    @property
    def total(self) -> int:
        """All that the account holds, less what it owes; always `lifetime.net`."""
        return self.available + self.held + sum(pending.points for pending in self.pending)


_DECODER = msgspec.msgpack.Decoder(State)
_ENCODER = msgspec.msgpack.Encoder()


def pack(state: State) -> bytes:
    """The stored form of a state."""
    return _ENCODER.encode(state)


def unpack(packed: bytes) -> State:
    """The inverse of `pack`, for this and every earlier version."""
    return _DECODER.decode(packed)
