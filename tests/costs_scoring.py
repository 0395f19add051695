"""What a night of scoring costs: by member, by what there is to tell, and at its end. Files come on top."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.base import clock
from chalicelib.ledger.table import read_view
from chalicelib.ledger.walk import Leg
from chalicelib.members import night as nights
from chalicelib.scoring import keeping, reducing
from chalicelib.scoring.finishing import WALK
from chalicelib.scoring.visiting import Scorer
from tests.api import night, scoring_night, shop
from tests.budgets import Budget, Cost
from tests.meter import metered

FACTS = Budget("night: facts of a member who has bought", 1, 2, 3, of="walk_accounts")
SAME = Budget("night: score a member of whom there is nothing new", 0, 0, 0, of="walk_accounts")
TOLD = Budget("night: tell a member's score for the first time, or another segment", 2, 0, 2, of="walk_accounts")
REDUCE = Budget("night: make the next basis and the report", 8, 3, 4, of="reduce_night")


def scoring() -> Iterator[Cost]:
    """Each of them once; the programme has been scored afterwards."""
    member = shop.enrol("scored", mail="scored@example.com")
    assert shop.post_order("scored", member_id=member).status == 201
    night.project(member)
    yield _visited(FACTS, member)
    # The day's own night was begun by another row.
    with night.queued() as lying:
        nights.again(now=clock.now())
        scoring_night.run(lying)
    with metered() as bill:
        reducing.reduce(f"{night.today()}-02", clock.now(), now=clock.now())
    yield Cost(REDUCE, bill)
    yield _visited(SAME, member)
    scoring_night.forget_told(member)
    yield _visited(TOLD, member)


def _visited(budget: Budget, member: str) -> Cost:
    """One member's share of a leg: the reads that begin the leg are left out."""
    keeping.forget()
    account = read_view(member)
    assert account
    scorer = Scorer(Leg(walk=WALK, night="2026-01-02", cut=clock.now(), segment=0, segments=1), {})
    with metered() as bill:
        scorer.visit(account)
        scorer.carry()
    return Cost(budget, bill)
