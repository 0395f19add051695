"""The programme as the model sees it, and the document by which the engine learns the same."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests import programs
from tests.proof.calendar import DAY_S, NEVER, midnight, month_of, month_start

LADDER = (("member", 0, "1"), ("silver", 300, "1.15"), ("gold", 900, "1.5"))
"""Tiers with their thresholds and multipliers; low, so that short histories climb and fall."""
WINDOW_MONTHS = 3
KEEP_MONTHS = 2
DISCOUNT_MINOR = 3
"""What a point is worth at the till, in minor units."""
REDEEMING = {"points_per": 1, "amount_minor": {"CNY": DISCOUNT_MINOR}, "minimum_points": 1, "step_points": 1}


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
            tiers=[programs.tier(code, points, multiplier) for code, points, multiplier in LADDER],
            tier_policy={"window_months": WINDOW_MONTHS, "keep_months": KEEP_MONTHS},
            redemption=REDEEMING,
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
        multiplier = Fraction(next(rate for code, _points, rate in LADDER if code == tier))
        points = multiplier * eligible_minor * self.points / self.per_minor
        return points.numerator // points.denominator, eligible_minor * self.points // self.per_minor


BEGINNING = DAY_S
"""A moment before all others."""
