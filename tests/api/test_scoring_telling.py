"""What a night writes down of a member, and what it leaves to whoever reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.base import clock, facts
from chalicelib.ledger.table import EntryItem, read_tail, read_view
from chalicelib.ledger.walk import Leg
from chalicelib.program import service as programs
from chalicelib.scoring import gathering, told
from chalicelib.scoring.finishing import WALK
from chalicelib.scoring.told import Told
from chalicelib.scoring.visiting import Scorer
from tests.api import night, scoring_night, shop
from tests.meter import metered


@pytest.fixture
def member() -> str:
    """Somebody who has bought every four days, and has been scored once."""
    one = shop.enrol()
    for purchase in range(6):
        assert shop.post_order(f"o{purchase}", member_id=one, occurred_at=shop.moment(2 + 4 * purchase)).status == 201
    night.project(one)
    scoring_night.whole()
    return one


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def pass_by(days: int) -> None:
        then = clock.now() + days * clock.DAY_S
        monkeypatch.setattr(clock, "now", lambda: then)

    return pass_by


def alerts_of(member: str) -> list[EntryItem]:
    return [entry for entry in EntryItem.query(member) if entry.kind == facts.ALERT]


def scorer() -> Scorer:
    now = clock.now()
    cut = clock.day_start(now, 0, programs.in_force(now, now=now).program.zone)
    return Scorer(Leg(walk=WALK, night=night.today(), cut=cut, segment=0, segments=1), {})


def test_the_facts_know_of_the_alert_that_they_led_to(member: str, later: Callable[[int], None]) -> None:
    later(100)
    scoring_night.whole()
    assert alerts_of(member)
    night.project(member)
    tail = read_tail(member, consistent=True)
    assert tail
    assert scoring_night.facts(member).entries == tail.seq
    account, visitor = read_view(member), scorer()
    assert account
    with metered() as bill:
        visitor.visit(account)
        visitor.carry()
    # It may have changed segment, by tonight's basis; but nothing is read of it.
    assert set(bill.calls) <= {"UpdateItem"}


def test_an_order_that_comes_before_the_alert_is_not_passed_by(member: str, later: Callable[[int], None]) -> None:
    later(100)
    account, visitor = read_view(member), scorer()
    assert account
    before = scoring_night.facts(member).entries
    visitor.visit(account)
    # Between the member's visit and the telling.
    assert shop.post_order("between", member_id=member, occurred_at=clock.text(clock.now() - 60)).status == 201
    visitor.carry()
    assert alerts_of(member)
    assert scoring_night.facts(member).entries == before
    night.project(member)
    later(1)
    scoring_night.whole()
    program = programs.in_force(clock.now(), now=clock.now()).program
    assert scoring_night.facts(member) == gathering.from_the_beginning(member, program)
    assert scoring_night.facts(member).purchase_days == 7


@pytest.mark.parametrize(
    ("score", "is_new", "is_told"),
    [(54, True, False), (55, True, True), (45, True, True), (64, False, False), (65, False, True), (35, False, True)],
)
def test_a_score_that_time_alone_has_moved_is_told_late(score: int, is_new: bool, is_told: bool) -> None:  # noqa: FBT001
    last = Told(day=1, basis=1, score=50, value="mid", behaviour="active")
    now = Told(day=2, basis=2, score=score, value="mid", behaviour="active")
    found = told.next_told(last, now, (), is_new=is_new)
    assert (found is not None) == is_told


def test_a_purchase_of_the_night_before_is_news_on_the_day_that_it_counts_for(
    member: str, later: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    later(12)
    # After midnight, and before the walk: the facts have it tonight, and what is told is still of the day before.
    assert shop.post_order("early", member_id=member, occurred_at=clock.text(clock.now() - 1)).status == 201
    night.project(member)
    scoring_night.whole()
    before = scoring_night.last_told(member)
    assert scoring_night.facts(member).purchase_days == 7
    monkeypatch.setattr(told, "DRIFTED", 1_000)
    later(1)
    scoring_night.whole()
    after = scoring_night.last_told(member)
    assert (after.day, after.score > before.score) == (scoring_night.basis().day, True)
