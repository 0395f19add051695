"""The tally of one purchase: what rules offer, what caps leave of it, and how it is explained."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import msgspec

from chalicelib.base import money
from chalicelib.ledger.state import Limit
from chalicelib.program.rules import caps, conditions
from chalicelib.program.rules.caps import OPEN, Room
from chalicelib.program.rules.compiled import ReadyRule, RuleSet
from chalicelib.program.rules.conditions import Facts
from chalicelib.program.rules.inputs import Award, Explanation, VoucherDue
from chalicelib.program.rules.kinds import Standing
from chalicelib.program.rules.lines import Spread

POINTS_MAX: Final = 9_007_199_254_740_991
"""More points than these no purchase brings, so that every reader of JSON keeps them exact."""
_FIRED: Final = {
    "per_amount": "amount_spent",
    "per_item": "items_bought",
    "multiplier": "multiplied",
    "bonus": "bonus",
}


class Allowance(msgspec.Struct, frozen=True):
    """What the caps of the campaign that is judged leave; it began when all rules had brought `begun_at` points."""

    room: Room = OPEN
    begun_at: Fraction = Fraction(0)


UNLIMITED: Final = Allowance()


class Fit(msgspec.Struct, frozen=True):
    """What caps leave of an offer: None, and the reason, for nothing; `by` is the cap that cut it."""

    spread: Spread | None
    by: str = ""
    reason: str = ""


class Tally(Standing, kw_only=True):
    """How far the judging has come; `points` are always those of `so_far`, floored."""

    facts: Facts
    points: int = 0
    not_qualifying: Fraction = Fraction(0)
    explanations: list[Explanation] = msgspec.field(default_factory=list)
    limits: list[Limit] = msgspec.field(default_factory=list)
    awards: list[Award] = msgspec.field(default_factory=list)
    vouchers: list[VoucherDue] = msgspec.field(default_factory=list)

    def offer(self, rule: ReadyRule) -> Spread | str:
        """What a rule would bring without caps and groups, or why it brings nothing."""
        basket = self.basket
        if not basket.weight:
            return "excluded"
        reason = conditions.first_unmet(rule.checks, self.facts) if rule.checks else ""
        if reason:
            return reason
        if not basket.eligible_minor:
            return "nothing_eligible"
        if not basket.means(rule.selector):
            return "no_matching_lines"
        times = 1
        if rule.threshold is not None:
            times, reason = rule.threshold.times(self.purchase, basket, basket.selection(rule.selector))
        if not reason and rule.last_check is not None:
            reason = rule.last_check(self.facts)
        if not reason:
            reason = conditions.voucher_refusal(self.facts, rule.batch_id)
        if reason or rule.gives is None:
            return reason
        return rule.gives(self, times)

    def fit(self, rule: ReadyRule, offer: Spread, allowance: Allowance) -> Fit:
        """What the rule's caps, and those of its campaign, leave of an offer."""
        room = caps.room(rule.code, rule.caps, self.facts) if rule.caps else OPEN
        if room.reason:
            return Fit(None, room.by, room.reason)
        # A voucher brings no points, so that a campaign's cap of points does not hold it back.
        if allowance.room.reason and not (rule.batch_id and allowance.room.points is not None):
            return Fit(None, f"campaign_{allowance.room.by}", allowance.room.reason)
        if rule.batch_id:
            return Fit(offer)
        most, by = (None if room.points is None else Fraction(room.points)), room.by
        if allowance.room.points is not None:
            left = allowance.room.points - (self.exact() - allowance.begun_at)
            if most is None or left < most:
                most, by = left, f"campaign_{allowance.room.by}"
        if most is None or offer.total <= most * offer.over:
            return Fit(offer)
        if most <= 0:
            return Fit(None, by, "capped")
        return Fit(offer.cut_to(most.numerator, most.denominator), by)

    def give(self, rule: ReadyRule, offer: Spread, fit: Fit) -> None:
        """Add what is left of an offer, and explain it."""
        if rule.batch_id and fit.spread is not None:
            self._give_voucher(rule)
            return
        uncut = min(money.floor(self.exact() + Fraction(offer.total, offer.over)), POINTS_MAX) if fit.by else 0
        points = 0
        if fit.spread is not None:
            points = self.add(fit.spread)
            if rule.is_base:
                self.base.add(fit.spread)
                if not rule.qualifies:
                    self.not_qualifying += Fraction(fit.spread.total, fit.spread.over)
        cut_points = uncut - self.points if fit.by else 0
        by = fit.by if cut_points or fit.reason else ""
        if points:
            reason = _FIRED[rule.kind]
            if rule.caps:
                self.limits += caps.uses(rule.code, rule.caps, self.facts, points)
        else:
            reason = fit.reason or "less_than_one_point"
        self.explanations.append(Explanation(rule.code, bool(points), reason, points, rule.campaign, cut_points, by))

    def _give_voucher(self, rule: ReadyRule) -> None:
        self.vouchers.append(VoucherDue(rule.code, rule.batch_id))
        self.limits += caps.uses(rule.code, rule.caps, self.facts, 0)
        self.explanations.append(Explanation(rule.code, True, "voucher", 0, rule.campaign))  # noqa: FBT003

    def add(self, spread: Spread) -> int:
        """Add to what all rules have brought; the whole points that come of it."""
        self.so_far.add(spread)
        before, self.points = self.points, min(self.so_far.total // self.so_far.over, POINTS_MAX)
        if spread.total < 0:
            self.is_lowered = True
        return self.points - before

    def qualifying_points(self) -> int:
        """What the base rules that qualify have brought, floored."""
        if not self.not_qualifying:
            return self.base.total // self.base.over
        return money.floor(Fraction(self.base.total, self.base.over) - self.not_qualifying)

    def exact(self) -> Fraction:
        """What all rules have brought, not floored."""
        return Fraction(self.so_far.total, self.so_far.over)

    def silence(self, rules: RuleSet, reason: str) -> None:
        """Explain that none of these rules fired."""
        for unit in (*rules.base, *rules.extras):
            self.explanations.extend(rule.silent(reason) for rule in unit.rules)
