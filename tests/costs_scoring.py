"""What a night of scoring costs: by member, by what there is to tell, and at its end. Files come on top."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from chalicelib.base import clock
from chalicelib.ledger.table import AccountItem, read_view
from chalicelib.ledger.walk import Leg
from chalicelib.members import night as nights
from chalicelib.program import service as programs
from chalicelib.scoring import keeping, listening, recording, reducing, told
from chalicelib.scoring.console_triggers import administer_scoring
from chalicelib.scoring.finishing import WALK, Reduction
from chalicelib.scoring.recording import AlertItem
from chalicelib.scoring.visiting import Scorer
from chalicelib.surveys import defining
from tests.api import night, scoring_night, shop
from tests.budgets import Budget, Cost
from tests.meter import metered

FACTS = Budget("night: facts of a member who has bought", 1, 2, 3, of="walk_accounts")
SAME = Budget("night: score a member of whom there is nothing new", 0, 0, 0, of="walk_accounts")
TOLD = Budget("night: tell a member's score for the first time, or another segment", 2, 0, 2, of="walk_accounts")
CARE = Budget("night: tell a member of an anniversary, or of a tier about to be lost", 4, 1, 2, of="walk_accounts")
SURVEYS = 4
"""So many are there by then."""
REDUCE = Budget(f"night: make the next basis and the report, with {SURVEYS} surveys", 16, 400, 90, of="reduce_night")
LISTEN = Budget("night: what one survey more adds to that", 0, 56, 2, of="reduce_night")
ALERTS = Budget("console: a page of the programme's alerts", 0, 1, 1, of="administer_scoring")


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
        nights.again(now=clock.now())
        reduction = _walked(lying)
    with metered() as bill:
        reducing.reduce(reduction.night, reduction.cut, now=clock.now())
    yield Cost(REDUCE, bill)
    yield from _programme()
    yield _visited(SAME, member)
    scoring_night.forget_told(member)
    yield _visited(TOLD, member)
    yield _anniversary(member)


def _anniversary(member: str) -> Cost:
    """A year later, of a member whose segments have been told already."""
    then = clock.now() + 366 * clock.DAY_S
    _visited(CARE, member, cut=then)
    known = scoring_night.last_told(member)
    untold = told.pack(msgspec.structs.replace(known, alerted=(-1,) * len(known.alerted)))
    AccountItem(member).update(actions=[AccountItem.score_told.set(untold)])
    night.project(member)
    return _visited(CARE, member, cut=then)


def _walked(lying: night.Queues) -> Reduction:
    """Walk a night to its end; gives what asks for its reduction."""
    while True:
        queue, body = lying.messages.pop(0)
        if queue == "scoring":
            return msgspec.json.decode(body, type=Reduction)
        if queue == "nightly":
            scoring_night.deliver(queue, body)


def _programme() -> Iterator[Cost]:
    month = clock.month_of(clock.now(), programs.in_force(clock.now(), now=clock.now()).program.zone)
    # Drafts are not read.
    found = [survey for _place, survey in defining.listed(after=None, limit=100) if survey.opened]
    assert len(found) == SURVEYS, REDUCE
    survey = found[0]
    with metered() as bill:
        listening.read(survey.survey_id, range(month - listening.WHOLE_MONTHS, month + 1))
    yield Cost(LISTEN, bill)
    item = AlertItem(
        part="2026-01-01#nps", direction="falling", level=-5.5, low=10.25, high=30.5, made_in="2026-01-02", put_at="now"
    )
    assert recording.tell(item)
    with metered() as bill:
        assert administer_scoring({"action": "alerts"}, None)["alerts"]
    yield Cost(ALERTS, bill)


def _visited(budget: Budget, member: str, *, cut: int | None = None) -> Cost:
    """One member's share of a leg: the reads that begin the leg are left out."""
    keeping.forget()
    account = read_view(member)
    assert account
    scorer = Scorer(Leg(walk=WALK, night="2026-01-02", cut=cut or clock.now(), segment=0, segments=1), {})
    with metered() as bill:
        scorer.visit(account)
        scorer.carry()
    return Cost(budget, bill)
