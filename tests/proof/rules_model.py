"""The programme as the model sees it, and the document by which the engine learns the same."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests import programs
from tests.proof.calendar import DAY_S, NEVER, midnight, month_of, month_start

CODES = ("member", "silver", "gold")
MULTIPLIERS = ("1", "1.15", "1.5")
WINDOW_MONTHS = 3
KEEP_MONTHS = 2
DISCOUNT_MINOR = 3
"""What a point is worth at the till, in minor units."""
REDEEMING = {"points_per": 1, "amount_minor": {"CNY": DISCOUNT_MINOR}, "minimum_points": 1, "step_points": 1}
STOCK, PIECES_EACH, PIECE_POINTS = 3, 2, 5
"""Of the one reward: how many pieces there are, how many one member may have, and what one costs."""
PIECE = {
    "code": "piece",
    "kind": "goods",
    "title": programs.texts("piece"),
    "prices": [{"points": PIECE_POINTS}],
    "limits": [{"per": "ever", "pieces": PIECES_EACH}],
    "stock": {"total": STOCK},
}
FRIEND_POINTS, REFERRER_STEPS, REFERRALS_MONTHLY = 20, ((1, 30), (2, 70)), 2
"""Of referrals: what a friend is paid, the referrer by the number of friends, and for how many of them in a month."""
CLAIM_DAYS, QUALIFY_DAYS = 14, 60
REFERRALS = {
    "share_url": "https://shop.example/join/{code}",
    "claim_days": CLAIM_DAYS,
    "qualify_days": QUALIFY_DAYS,
    "referrer": [{"from_friend": first, "points": points} for first, points in REFERRER_STEPS],
    "friend": {"points": FRIEND_POINTS},
    "cap": {"per": "month", "friends": REFERRALS_MONTHLY},
    "fraud": {"claims_per_hour": 200, "claims_per_day": 200},
}


@dataclass(frozen=True)
class Ladder:
    """How tiers are reached: what silver and gold need of each metric, all of it or any of it, and what counts.

    The thresholds are low, so that short histories climb and fall.
    """

    points: tuple[int, int] | None = (300, 900)
    spend_minor: tuple[int, int] | None = None
    purchases: tuple[int, int] | None = None
    any_of: bool = False
    period: str = "rolling"
    year_start: int = 1

    def needs(self, place: int) -> list[tuple[str, int]]:
        """What a tier needs of each metric."""
        if not place:
            return []
        given = (("points", self.points), ("spend_minor", self.spend_minor), ("purchases", self.purchases))
        return [(metric, both[place - 1]) for metric, both in given if both]

    def document(self) -> dict[str, Any]:
        """The part of the document that says so."""
        tiers: list[dict[str, Any]] = []
        for place, (code, multiplier) in enumerate(zip(CODES, MULTIPLIERS, strict=True)):
            thresholds = {f"threshold_{metric}": needed for metric, needed in self.needs(place)}
            tiers.append({**programs.tier(code, multiplier=multiplier), **thresholds})
        policy: dict[str, Any] = {"match": "any" if self.any_of else "all"}
        if self.period == "rolling":
            policy |= {"window_months": WINDOW_MONTHS, "keep_months": KEEP_MONTHS}
        else:
            policy |= {"period": self.period, "year_start_month": self.year_start}
        return {"tiers": tiers, "tier_policy": policy}


POINTS = Ladder()
YEAR = Ladder(spend_minor=(30_000, 60_000), period="calendar_year", year_start=3)
"""Points and spending, by years that begin in March."""
MEMBERSHIP = Ladder(purchases=(2, 4), any_of=True, period="membership_year")
"""Points or purchases, by years that begin with the enrolment."""


@dataclass(frozen=True)
class Rules:
    """What differs from one version of the programme to the next."""

    points: int = 1
    per_minor: int = 100
    welcome_points: int = 50
    pending_days: int = 0
    expiry_months: int | None = 2
    grace_days: int = 10
    late_days: int = 40
    refund_window_days: int = 75
    version: int = 0
    ladder: Ladder = POINTS
    return_days: int = 0

    def document(self) -> dict[str, Any]:
        """The document to be published."""
        months = self.expiry_months
        return programs.document(
            currencies={"CNY": {"points": self.points, "per_minor": self.per_minor}},
            welcome_points=self.welcome_points,
            pending_days=self.pending_days,
            expiry={"kind": "never"} if months is None else {"kind": "rolling_months", "months": months},
            grace_days=self.grace_days,
            late_days=self.late_days,
            refund_window_days=self.refund_window_days,
            redemption=REDEEMING,
            rewards=[PIECE],
            referrals={**REFERRALS, "return_days": self.return_days},
            **self.ladder.document(),
        )

    def expiry(self, occurred_at: int) -> int:
        """When points of an instant lapse: after whole months."""
        if self.expiry_months is None:
            return NEVER
        return month_start(month_of(occurred_at) + self.expiry_months + 1)

    def maturity(self, occurred_at: int) -> int | None:
        """When points of an instant may be spent; None for at once."""
        return midnight(occurred_at, self.pending_days) if self.pending_days else None

    def alive_again(self, expiry: int, at: int) -> int:
        """The expiry with which a lot comes back: its own, or, where that is past, with grace to a month's start."""
        if expiry > at or not self.grace_days:
            return expiry
        earliest = midnight(at, self.grace_days + 1)
        month = month_of(earliest)
        return earliest if month_start(month) == earliest else month_start(month + 1)

    def refundable_until(self, occurred_at: int) -> int:
        """When the refund window of an order is over."""
        return midnight(occurred_at, self.refund_window_days + 1)

    def too_late(self, occurred_at: int, now: int) -> bool:
        """Whether a fact lies too far back."""
        return occurred_at < midnight(now, -self.late_days)

    def too_early(self, occurred_at: int, now: int) -> bool:
        """Whether a fact lies in the future, by more than clocks may differ."""
        return occurred_at - now > 5 * 60

    def per_order(self, eligible_minor: int, tier: str) -> tuple[int, int]:
        """Points and qualifying points for an amount: each cut to whole points once."""
        multiplier = Fraction(MULTIPLIERS[CODES.index(tier)])
        points = multiplier * eligible_minor * self.points / self.per_minor
        return points.numerator // points.denominator, eligible_minor * self.points // self.per_minor


BEGINNING = DAY_S
"""A moment before all others."""
