"""What events, benefits and challenges cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app import app
from chalicelib.base import clock
from chalicelib.program import service as programs
from tests.api import community, shop
from tests.api.client import Response, client
from tests.api.community import CHECK_IN, CRM
from tests.budgets import Budget, Cost
from tests.challenges import card, streak
from tests.meter import metered
from tests.programs import document, texts

EVENT = Budget("event", 4, 1, 2, of="post_event")
CANCEL_EVENT = Budget("withdraw an event", 4, 1, 3, of="cancel_event")
READ_EVENT = Budget("read an event", 0, 1, 1, of="get_event")
BENEFITS = Budget("benefits", 0, 1, 1, of="get_benefits")
USE = Budget("use a benefit", 4, 1, 2, of="post_benefit_use")
CANCEL_USE = Budget("cancel the use of a benefit", 4, 1, 3, of="cancel_benefit_use")
CHALLENGES = Budget("challenges", 0, 2, 2, of="get_challenges")
COUNT = Budget("reaction: a purchase counts in two challenges", 4, 3.5, 5, of="advance_challenges")
COUNT_EVENT = Budget("reaction: a late event completes a challenge", 10, 5, 8, of="advance_challenges")
AGAIN = Budget("reaction: a notice that comes again", 0, 3, 3, of="advance_challenges")
NOTHING = Budget("reaction: a purchase that counts in no challenge", 0, 1, 1, of="advance_challenges")

_LOUNGE = {"code": "lounge", "kind": "experience", "title": texts("Lounge"), "tiers": ["member"], "uses": 9}


def engagement() -> Iterator[Cost]:
    """Each of them once, for a member of their own; the programme is another one afterwards."""
    member_id = shop.enrol("engaged", phone="+8613400134000")
    _publish(challenges=[])
    shop.post_order("counts in none", member_id=member_id, occurred_at=_now())
    yield _reaction(NOTHING, member_id)
    _publish(challenges=[card(), streak(length=2, events=["check_in"]), card("coffee")], benefits=[_LOUNGE])
    shop.post_order("counts", member_id=member_id, occurred_at=_now())
    yield _reaction(COUNT, member_id)
    yield _reaction(AGAIN, member_id)
    yield from _events(member_id)
    path = f"/v1/members/{member_id}"
    yield _cost(BENEFITS, lambda: client.get(f"{path}/benefits", caller=CRM), 200)
    yield _cost(USE, lambda: community.use(member_id, note="two guests"))
    use_id = community.use(member_id).json["use"]["id"]
    yield _cost(CANCEL_USE, lambda: client.post(f"/v1/benefit-uses/{use_id}/cancel", caller=CRM), 200)
    yield _cost(CHALLENGES, lambda: client.get(f"{path}/challenges", caller=CRM), 200)


def _events(member_id: str) -> Iterator[Cost]:
    body = community.event("costs", member_id=member_id, occurred_at=_now(), channel="app", store="harbour")
    yield _cost(EVENT, lambda: client.post("/v1/events", json=body, caller=CRM))
    yesterday = clock.text(clock.now() - clock.DAY_S)
    _reaction(COUNT, member_id)
    event_id = community.post_event("day before", member_id=member_id, occurred_at=yesterday).json["event"]["id"]
    yield _reaction(COUNT_EVENT, member_id)
    yield _cost(READ_EVENT, lambda: client.get(f"/v1/events/{event_id}", caller=CRM), 200)
    yield _cost(CANCEL_EVENT, lambda: community.cancel_event(event_id), 200)


def _reaction(budget: Budget, member_id: str) -> Cost:
    """The reaction to the last thing that a member did."""
    notice = community.notices(member_id)[-1]
    said = {"member_id": notice.member_id, "seq": notice.seq, "kind": notice.kind, "record": notice.record}
    with metered() as bill:
        answer = app.handler_map["advance_challenges"](community.batch(said), None)
    assert answer == {"batchItemFailures": []}
    return Cost(budget, bill)


def _cost(budget: Budget, act: Callable[[], Response], expected: int = 201) -> Cost:
    with metered() as bill:
        answer = act()
    assert answer.status == expected, answer.text
    return Cost(budget, bill)


def _now() -> str:
    return clock.text(clock.now())


def _publish(**changes: object) -> None:
    """Publish a programme, in force for the last two days, and known to this process."""
    ago = clock.now() - 3 * clock.DAY_S
    rules = [*document()["earning_rules"], CHECK_IN]
    programs.publish(document(earning_rules=rules, **changes), by="li.wei", now=ago)
    programs.reset_cache()
    for instant in (clock.now(), clock.now() - clock.DAY_S):
        programs.in_force(instant, now=clock.now())
