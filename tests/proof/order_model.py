"""Orders and redemptions of the model: what they brought, what was taken back, what has become of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.proof.account_model import Lots, Refused
from tests.proof.rules_model import Rules


def shares(figure: int, amounts: Sequence[int]) -> list[int]:
    """A figure dealt out by amounts: whole parts first, what is left one by one to the largest remainders."""
    whole = sum(amounts)
    if not whole:
        return [figure, *[0] * (len(amounts) - 1)] if amounts else []
    parts = [divmod(figure * amount, whole) for amount in amounts]
    dealt = [part for part, _remainder in parts]
    for _ in range(figure - sum(dealt)):
        line = max(range(len(parts)), key=lambda index: (parts[index][1], -index))
        dealt[line] += 1
        parts[line] = (0, -1)
    return dealt


@dataclass
class Redemption:
    """Points spent or held; `taken` are the lots, `returned` what refunds have put back of them."""

    member: str
    points: int
    taken: Lots
    amount_minor: int
    held_until: int | None = None
    committed: bool = False
    released: bool = False
    cancelled: bool = False
    used_by: str | None = None
    returned: int = 0
    pieces: int = 0
    lapses_at: int = 0

    def has_pieces(self, now: int) -> bool:
        """Whether pieces of the stock are its own; those of a hold go back at `lapses_at`, after the points."""
        if self.cancelled or self.released:
            return False
        return self.held_until is None or self.committed or now < self.lapses_at

    def status(self, now: int) -> str:
        """What became of it by now."""
        if self.cancelled:
            return "cancelled"
        if self.used_by:
            return "used"
        if self.released:
            return "released"
        if self.held_until is None or self.committed:
            return "issued"
        return "held" if now < self.held_until else "lapsed"

    def give_back(self, points: int) -> Lots:
        """Put points of it back: of what is still out, what was taken last comes first."""
        out = self.points - self.returned
        spent: Lots = {}
        for expiry in sorted(self.taken):
            spent[expiry] = min(out, self.taken[expiry])
            out -= spent[expiry]
        self.returned += points
        back: Lots = {}
        for expiry in sorted(spent, reverse=True):
            back[expiry] = min(points, spent[expiry])
            points -= back[expiry]
        return {expiry: amount for expiry, amount in back.items() if amount}


@dataclass
class Order:
    """A purchase: its body as sent, what it earned, and the totals of what went back.

    `member` is whom it was posted for, `posted_to` the account that stood for the member then.
    """

    body: dict[str, Any]
    occurred_at: int
    rules: Rules
    member: str | None = None
    posted_to: str | None = None
    points: int = 0
    qualifying: int = 0
    spend_minor: int = 0
    expiry: int = 0
    maturity: int | None = None
    by_line: list[int] = field(default_factory=list)
    by_quantity: list[int] = field(default_factory=list)
    at_large: int = 0
    cancelled: bool = False
    voided: bool = False

    def __post_init__(self) -> None:
        self.by_line = [0] * len(self.lines)
        self.by_quantity = [0] * len(self.lines)

    @property
    def total(self) -> int:
        """What was paid."""
        return int(self.body["total_minor"])

    @property
    def lines(self) -> list[dict[str, int]]:
        """Its lines."""
        found: list[dict[str, int]] = self.body.get("lines", [])
        return found

    @property
    def paid_with(self) -> list[str]:
        """The redemptions that paid a part."""
        return [payment["redemption_id"] for payment in self.body.get("payments", []) if "redemption_id" in payment]

    @property
    def vouchers(self) -> list[str]:
        """The uses of vouchers that it names."""
        return [voucher["redemption_id"] for voucher in self.body.get("vouchers", [])]

    @property
    def eligible(self) -> int:
        """What earns: neither tax nor shipping nor what points paid."""
        spent = sum(payment["amount_minor"] for payment in self.body.get("payments", []) if payment["type"] == "points")
        return max(0, self.total - int(self.body.get("tax_minor", 0) + self.body.get("shipping_minor", 0) + spent))

    @property
    def refunded(self) -> int:
        """What went back in money."""
        return sum(self.by_line) + self.at_large

    @property
    def is_whole(self) -> bool:
        """Whether everything went back."""
        return self.cancelled or 0 < self.total == self.refunded

    def earn(self, tier: str) -> None:
        """Reckon what it brings a member of a tier."""
        self.points, self.qualifying = self.rules.per_order(self.eligible, tier)
        self.spend_minor = self.eligible
        self.expiry = self.rules.expiry(self.occurred_at)
        self.maturity = self.rules.maturity(self.occurred_at)

    def gone(self) -> tuple[int, int, int, int]:
        """Of points, qualifying points, spending and purchases, what went back so far."""
        points = self.points if self.voided else self.part(self.points)
        return points, self.part(self.qualifying), self.part(self.spend_minor), int(self.is_whole)

    def part(self, figure: int, dealt: list[int] | None = None) -> int:
        """Of a figure that the whole order brought, what went back; lines have `dealt`, or else share by amount."""
        if self.is_whole:
            return figure
        amounts = [line["amount_minor"] for line in self.lines]
        dealt = shares(figure, amounts) if dealt is None else dealt
        by_line = sum(
            (
                Fraction(part * back, amount)
                for part, back, amount in zip(dealt, self.by_line, amounts, strict=True)
                if back
            ),
            Fraction(0),
        )
        left = self.total - sum(self.by_line)
        exact = by_line + ((figure - by_line) * self.at_large / left if left else 0)
        return exact.numerator // exact.denominator

    def refund(self, body: dict[str, Any]) -> None:
        """Note a refund by lines or by amount. Refuses what exceeds the order or a line, changing nothing."""
        if self.cancelled:
            raise Refused("refund_exceeds_order")
        by_line, by_quantity = list(self.by_line), list(self.by_quantity)
        for part in body.get("lines", []):
            line = part["line"]
            amount, quantity = self.lines[line]["amount_minor"], self.lines[line]["quantity"]
            back, units = _wish(part, amount, quantity, by_line[line], by_quantity[line])
            by_line[line] += back
            by_quantity[line] += units
            if by_line[line] > amount or by_quantity[line] > quantity:
                raise Refused("refund_exceeds_order")
        at_large = self.at_large + body.get("amount_minor", 0)
        if sum(by_line) + at_large > self.total:
            raise Refused("refund_exceeds_order")
        self.by_line, self.by_quantity, self.at_large = by_line, by_quantity, at_large

    def cancel(self) -> None:
        """Let the rest go back."""
        if self.cancelled:
            raise Refused("order_cancelled")
        self.at_large += self.total - self.refunded
        self.cancelled = True


def _wish(part: dict[str, int], amount: int, quantity: int, gone_minor: int, gone_units: int) -> tuple[int, int]:
    """What a refund takes off one line: an amount, a quantity at its price, or all that is left."""
    if "amount_minor" in part:
        return part["amount_minor"], part.get("quantity", 0)
    if "quantity" in part:
        units = part["quantity"]
        return amount * (gone_units + units) // quantity - amount * gone_units // quantity, units
    return amount - gone_minor, quantity - gone_units
