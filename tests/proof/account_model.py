"""One account of the model: dictionaries and integers, and time that passes one event after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.proof import tier_model
from tests.proof.rules_model import Rules
from tests.proof.tier_model import Judge, Months, Term

REMEMBERED = 12
"""How many lapsed lots an account remembers."""
HOLDS = 20

Lots = dict[int, int]
"""Points by the instant at which they expire."""


class Refused(Exception):
    """The model refuses an operation, with the code by which the engine must refuse it as well."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def put(lots: Lots, expiry: int, points: int) -> None:
    """Add points to the lot of an expiry; an empty lot is none."""
    lots[expiry] = lots.get(expiry, 0) + points
    if not lots[expiry]:
        del lots[expiry]


@dataclass
class Account:
    """What one member has. `counted` counts points by cause; `months` holds what counts towards the tier.

    `rules_at` gives the programme in force at an instant. `came_at` is when it was opened, which no merge changes.
    """

    rules_at: Callable[[int], Rules]
    enrolled_at: int
    lots: Lots = field(default_factory=dict)
    waiting: dict[tuple[int, int], int] = field(default_factory=dict)
    lapsed: Lots = field(default_factory=dict)
    holds: dict[str, tuple[int, Lots]] = field(default_factory=dict)
    owed: int = 0
    months: Months = field(default_factory=dict)
    terms: list[Term] = field(default_factory=list)
    purchases: int = 0
    spend_minor: int = 0
    counted: dict[str, int] = field(default_factory=dict)
    came_at: int = 0

    def __post_init__(self) -> None:
        self.came_at = self.enrolled_at

    @property
    def available(self) -> int:
        """What can be spent."""
        return sum(self.lots.values()) - self.owed

    @property
    def pending(self) -> int:
        """What waits for its day."""
        return sum(self.waiting.values())

    @property
    def held(self) -> int:
        """What holds reserve."""
        return sum(sum(lots.values()) for _until, lots in self.holds.values())

    @property
    def total(self) -> int:
        """All points, less what is owed."""
        return self.available + self.pending + self.held

    def count(self, cause: str, points: int) -> None:
        """Note why points came or went."""
        self.counted[cause] = self.counted.get(cause, 0) + points

    def pass_time(self, at: int) -> None:
        """Let everything happen that is due by an instant, one event after the other."""
        while True:
            due = [available_at for available_at, _expiry in self.waiting]
            due += [until for until, _lots in self.holds.values()]
            moment = min([*due, *self.lots, at + 1])
            if moment > at:
                return
            self._happen(moment)

    def _happen(self, moment: int) -> None:
        arriving: Lots = {}
        for (available_at, expiry), points in list(self.waiting.items()):
            if available_at <= moment:
                put(arriving, expiry, points)
                del self.waiting[available_at, expiry]
        for name, (until, lots) in list(self.holds.items()):
            if until <= moment:
                del self.holds[name]
                for expiry, points in lots.items():
                    put(arriving, expiry, points)
        for expiry in sorted(arriving):
            if expiry > moment:
                self.receive({expiry: arriving[expiry]})
            else:
                put(self.lots, expiry, arriving[expiry])
        for expiry in [expiry for expiry in self.lots if expiry <= moment]:
            self.count("expired", self.lots[expiry])
            self.remember(expiry, self.lots.pop(expiry))

    def remember(self, expiry: int, points: int) -> None:
        """Keep in mind that a lot lapsed."""
        put(self.lapsed, expiry, points)
        for oldest in sorted(self.lapsed)[:-REMEMBERED]:
            del self.lapsed[oldest]

    def receive(self, lots: Lots) -> None:
        """Points come in: those that expire soonest repay what is owed, the rest is kept."""
        for expiry, points in sorted(lots.items()):
            repaid = min(points, self.owed)
            self.owed -= repaid
            if points > repaid:
                put(self.lots, expiry, points - repaid)

    def take(self, points: int) -> Lots:
        """Take points, soonest-expiring first. What there is must be enough."""
        taken: Lots = {}
        for expiry in sorted(self.lots):
            part = min(points, self.lots[expiry])
            if part:
                taken[expiry] = part
                put(self.lots, expiry, -part)
            points -= part
        assert not points
        return taken

    def need(self, points: int) -> None:
        """Refuse where less is available."""
        if points > self.available:
            raise Refused("insufficient_points")

    def claw(self, points: int, expiry: int, available_at: int | None, *, spared: bool) -> None:
        """Take an order's points back: pending, lapsed (if `spared`), its own lot, other lots, and then on credit."""
        waiting = 0 if available_at is None else self.waiting.get((available_at, expiry), 0)
        from_waiting = min(points, waiting)
        if from_waiting and available_at is not None:
            self.waiting[available_at, expiry] -= from_waiting
            if not self.waiting[available_at, expiry]:
                del self.waiting[available_at, expiry]
        rest = points - from_waiting
        absorbed = min(rest, self.lapsed.get(expiry, 0)) if spared else 0
        put(self.lapsed, expiry, -absorbed)
        rest -= absorbed
        own = min(rest, self.lots.get(expiry, 0))
        put(self.lots, expiry, -own)
        rest -= own
        others = min(rest, sum(self.lots.values()))
        self.take(others)
        self.owed += rest - others
        self.count("clawed", points - absorbed)

    def qualify(self, month: int, points: int, spend_minor: int, purchases: int) -> None:
        """Let a purchase count towards the tier, or (negative) count no more."""
        for metric, amount in (("points", points), ("spend_minor", spend_minor), ("purchases", purchases)):
            self.months[month, metric] = self.months.get((month, metric), 0) + amount
        self.purchases += purchases
        self.spend_minor += spend_minor

    def retier(self, at: int) -> str:
        """Judge the tier and remember the terms; gives the tier's code."""
        self.terms = self._judge(at).judged(self.months, self.terms, at)
        return self.tier(at)

    def tier(self, at: int) -> str:
        """The tier held at an instant."""
        return self._judge(at).code(self.months, self.terms, at)

    def _judge(self, at: int) -> Judge:
        return Judge.of(self.rules_at(at).ladder, self.enrolled_at)

    def take_over(self, other: Account, at: int) -> None:
        """Everything of another account comes in."""
        self.count("merged", other.total)
        debt = other.owed
        repaid = min(debt, sum(self.lots.values()))
        self.take(repaid)
        self.receive(other.lots)
        self.owed += debt - repaid
        for key, points in other.waiting.items():
            self.waiting[key] = self.waiting.get(key, 0) + points
        self.holds |= other.holds
        for expiry, points in other.lapsed.items():
            self.remember(expiry, points)
        for counted, amount in other.months.items():
            self.months[counted] = self.months.get(counted, 0) + amount
        self.enrolled_at = min(self.enrolled_at, other.enrolled_at)
        self.purchases += other.purchases
        self.spend_minor += other.spend_minor
        self.terms = tier_model.longest(self.terms, other.terms)
        self.retier(at)

    def leave(self) -> None:
        """Nothing is left; only what came and went is remembered."""
        self.count("merged", -self.total)
        for emptied in (self.lots, self.waiting, self.lapsed, self.holds, self.months, self.terms):
            emptied.clear()
        self.owed = self.purchases = self.spend_minor = 0
