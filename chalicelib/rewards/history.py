"""A redemption as its steps tell it."""

from __future__ import annotations

from typing import Literal

import msgspec

from chalicelib.base import clock, facts
from chalicelib.base.errors import Conflict, NotFound
from chalicelib.ledger.records import step_name
from chalicelib.ledger.state import Lot
from chalicelib.rewards.table import RedemptionStep, read_steps

USED = "used"
"""The kind of the step by which an order or a till uses a redemption up."""
SHIPPED = "shipped"
"""The kind of the step by which what was redeemed is sent."""
RETURNED = "returned"
"""The kind of the step by which a refund of that order puts a part of it back."""

Status = Literal["held", "lapsed", "released", "issued", "shipped", "used", "cancelled"]

_TAKEN = msgspec.msgpack.Decoder(tuple[Lot, ...])


class RedemptionNotFound(NotFound):
    """No redemption has this id."""

    code = "redemption_not_found"


class RedemptionNotOpen(Conflict):
    """What is asked for does not go with what became of the redemption."""

    code = "redemption_not_open"


class Redemption(msgspec.Struct, frozen=True):
    """A redemption and all that happened to it."""

    steps: tuple[RedemptionStep, ...]

    @property
    def redemption_id(self) -> str:
        """Its id."""
        return str(self.issue.redemption_id)

    @property
    def issue(self) -> RedemptionStep:
        """Its first step, with the terms."""
        return self.steps[0]

    @property
    def member_id(self) -> str:
        """Whose points it spends."""
        return str(self.issue.member_id)

    @property
    def next_step(self) -> str:
        """The name of the step that comes next."""
        return step_name(len(self.steps))

    @property
    def returned_points(self) -> int:
        """What refunds have put back so far."""
        return max((step.returned_points or 0 for step in self.steps), default=0)

    @property
    def is_returned(self) -> bool:
        """Whether refunds of its order have put all of it back, with the stock and the limits that a reward took."""
        spent_points = int(self.issue.spent_points)
        return any(step.kind == RETURNED and step.returned_points == spent_points for step in self.steps)

    @property
    def spent_lots(self) -> tuple[Lot, ...]:
        """The lots that it took and that no refund has put back yet."""
        kept = int(self.issue.spent_points) - self.returned_points
        lots = []
        for lot in _TAKEN.decode(self.issue.taken):
            part = min(kept, lot.points)
            kept -= part
            if part:
                lots.append(Lot(lot.expires_at, part))
        return tuple(lots)

    def find(self, kind: str) -> RedemptionStep | None:
        """The step of this kind, if there is one."""
        return next((step for step in self.steps if step.kind == kind), None)

    def status(self, now: int) -> Status:
        """What became of it by now; a hold lapses by its date, whether or not anybody looks."""
        if self.find(facts.REDEMPTION_CANCELLED):
            return "cancelled"
        if self.find(USED):
            return "used"
        if self.find(SHIPPED):
            return "shipped"
        if self.find(facts.HOLD_RELEASED):
            return "released"
        if self.issue.kind != facts.HELD or self.find(facts.REDEEMED):
            return "issued"
        return "held" if now < clock.parse(self.issue.held_until) else "lapsed"


def read(redemption_id: str, *, consistent: bool = False) -> Redemption:
    """A redemption. Raises RedemptionNotFound, which only a consistent read may say."""
    steps = read_steps(redemption_id, consistent=consistent)
    if not steps and not consistent:
        steps = read_steps(redemption_id, consistent=True)
    if not steps:
        raise RedemptionNotFound("No redemption has this id.", field="redemption_id")
    return Redemption(tuple(steps))


def returned_lots(lots: tuple[Lot, ...], points: int) -> tuple[Lot, ...]:
    """Which of the lots that are still spent a refund puts back for `points`: those taken last come back first."""
    back = []
    for lot in reversed(lots):
        part = min(points, lot.points)
        points -= part
        if part:
            back.append(Lot(lot.expires_at, part))
    return tuple(reversed(back))
