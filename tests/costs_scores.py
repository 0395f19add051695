"""What it costs to read a score, and to look after scoring from the console."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.base import clock
from chalicelib.program import service as programs
from chalicelib.scoring import keeping
from chalicelib.scoring.console_triggers import administer_scoring
from tests.api import night, scoring_night, shop
from tests.api.client import client, system
from tests.budgets import Budget, Cost
from tests.meter import metered

FIRST_READ = Budget("score: the first that a process reads in five minutes", 0, 3, 3, of="get_score")
READ = Budget("score: nothing new since the night", 0, 1, 2, of="get_score")
READ_NEW = Budget("score: an order since the night", 0, 2, 4, of="get_score")
RUN = Budget("console: begin one more night of a day", 2, 4, 6, of="administer_scoring")
PROGRESS = Budget("console: how far the day's nights are", 0, 15, 15, of="administer_scoring")
REBUILD = Budget("console: make a member's facts anew, which are right", 0, 5, 5, of="administer_scoring")

_READER = system("scores.read")


def scores() -> Iterator[Cost]:
    """Each of them once, after one more night."""
    now = clock.now()
    programs.in_force(now, now=now)
    one, other = _bought("score-1", "+8613600136001"), _bought("score-2", "+8613600136002")
    yield from _night()
    yield _read(FIRST_READ, one)
    yield _read(READ, one)
    shop.post_order("score-since", member_id=other)
    yield _read(READ_NEW, other)
    with metered() as bill:
        assert administer_scoring({"action": "rebuild", "member_id": one}, None)["is_same"]
    yield Cost(REBUILD, bill)


def _night() -> Iterator[Cost]:
    """One more night of this day, and what the console says of it."""
    with night.queued() as lying:
        with metered() as bill:
            assert administer_scoring({"action": "run", "anyway": True}, None)["messages"] == 2
        yield Cost(RUN, bill)
        scoring_night.run(lying)
        with metered() as bill:
            assert administer_scoring({"action": "progress"}, None)["nights"][-1]["is_basis_in_use"]
        yield Cost(PROGRESS, bill)


def _bought(name: str, phone: str) -> str:
    member_id = shop.enrol(name, phone=phone)
    for number in range(3):
        moment = shop.moment(3 + 5 * number)
        assert shop.post_order(f"{name}-{number}", member_id=member_id, occurred_at=moment).status == 201
    night.project(member_id)
    return member_id


def _read(budget: Budget, member_id: str) -> Cost:
    if budget is FIRST_READ:
        keeping.forget()
        # Which programme is in force is known to the process, and in no row.
        programs.in_force(clock.now(), now=clock.now())
    with metered() as bill:
        answer: Any = client.get(f"/v1/members/{member_id}/score", caller=_READER)
    assert answer.status == 200, answer.text
    return Cost(budget, bill)
