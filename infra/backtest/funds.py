"""Campaigns' budgets in memory: one pot each, where an installation keeps them in shards."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from chalicelib.program.document import Program
from chalicelib.program.rules.inputs import Award, Earned, Gained
from chalicelib.program.rules.takes import Take
from infra.backtest.tally import BudgetTally

_POT = 0
_Brought = TypeVar("_Brought", Earned, Gained)


class _Left(msgspec.Struct):
    """What is left of a campaign's budget; None is without end."""

    points: int | None
    awards: int | None


class Funds:
    """What is left of the budgets of a programme, told in `tallies` by campaign."""

    def __init__(self, program: Program, tallies: dict[str, BudgetTally]) -> None:
        self._left = {
            campaign.code: _Left(campaign.budget.points, campaign.budget.awards)
            for campaign in program.campaigns
            if campaign.budget is not None
        }
        self._tallies = tallies
        tallies |= {code: BudgetTally() for code in self._left}

    def brought(self, evaluate: Callable[[frozenset[str]], _Brought], at: int) -> tuple[_Brought, tuple[Take, ...]]:
        """What a purchase or event brings with the budgets as they are at `at`, and what it takes of them.

        As in an installation an award is never split: a campaign that cannot cover it gives nothing this time.
        """
        exhausted: frozenset[str] = frozenset()
        brought = evaluate(exhausted)
        while short := {award.campaign for award in brought.awards if not self._covers(award)}:
            for campaign in short:
                self._tallies[campaign].spent_at = self._tallies[campaign].spent_at or at
            exhausted |= short
            brought = evaluate(exhausted)
        return brought, tuple(self._take(award) for award in brought.awards if award.campaign in self._left)

    def give_back(self, back: Iterable[tuple[Take, int, int]]) -> None:
        """Put back points and awards, as a refund does."""
        for take, points, awards in back:
            self._move(take.campaign, -points, -awards)

    def _covers(self, award: Award) -> bool:
        left = self._left.get(award.campaign)
        if left is None:
            return True
        return (left.points is None or left.points >= award.points) and (left.awards is None or left.awards > 0)

    def _take(self, award: Award) -> Take:
        self._move(award.campaign, award.points, 1)
        left = self._left[award.campaign]
        shards: Sequence[int | None] = [None if limit is None else _POT for limit in (left.points, left.awards)]
        return Take(award.campaign, award.points, *shards)

    def _move(self, campaign: str, points: int, awards: int) -> None:
        left, tally = self._left[campaign], self._tallies[campaign]
        left.points = None if left.points is None else left.points - points
        left.awards = None if left.awards is None else left.awards - awards
        tally.points += points
        tally.awards += awards
