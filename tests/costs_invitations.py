"""What invitations to surveys cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from unittest import mock

from app import app
from chalicelib.base import clock
from chalicelib.surveys import defining
from tests.api import asking
from tests.api.asking import DESK, SENDER, buy, by_hand, enrol, holder, invite, notices
from tests.api.client import Response, client
from tests.budgets import Budget, Cost
from tests.meter import metered

UNASKED = Budget("reaction: a purchase after which nobody is asked", 0, 0, 0, of="advance_surveys")
ASKED = Budget("reaction: a purchase leads to an invitation", 8, 6, 7, of="advance_surveys")
ASKED_AGAIN = Budget("reaction: a purchase that has led to an invitation", 0, 5, 5, of="advance_surveys")
LATER = Budget("reaction: a purchase leads to an invitation some days later", 1, 0.5, 2, of="advance_surveys")
REFUSED = Budget("reaction: a purchase soon after an invitation", 0, 6, 6, of="advance_surveys")
DRAWN = Budget("night: a member drawn for the quarterly sample", 8, 4, 4, of="advance_surveys")
IDLE = Budget("hourly: no invitation has come due", 0, 8, 8, of="advance_surveys")
DUE = Budget("hourly: one invitation has come due", 9, 14, 15, of="advance_surveys")
BY_HAND = Budget("invite a member to a survey", 8, 5, 6, of="post_invitation")
BY_HAND_AGAIN = Budget("invite a member again by the same request", 0, 1, 1, of="post_invitation")
OPEN = Budget("a member's two open invitations", 0, 5, 4, of="get_member_survey_invitations")
LINKED = Budget("read the invitation of a link", 0, 1, 1, of="get_linked_invitation")
SENDING = Budget("invitations to be sent, a page of 20", 0, 24, 4, of="get_invitations")
WITHDRAW = Budget("take an invitation back", 1, 2, 3, of="withdraw_invitation")
PAGE = Budget("the answering page", 0, 0, 0, of="get_answer_page")


def invitations() -> Iterator[Cost]:
    """Each of them once; the programme is another one afterwards."""
    asking.publish()
    survey_id = asking.survey("costs")
    everybody = [enrol(f"cost asked {number}", phone=f"+86159002592{number:02}", mail=None) for number in range(20)]
    anna, bert = everybody[:2]
    buy(anna, "unasked")
    yield _reaction(UNASKED, _last(anna))
    yield from _reactions(anna, bert)
    with mock.patch.object(clock, "now", _earlier(clock.now() - 120)):
        yield _cost(BY_HAND, lambda: by_hand(survey_id, anna, "cost"), 201)
        yield _cost(BY_HAND_AGAIN, lambda: by_hand(survey_id, anna, "cost"))
        for member_id in everybody[1:]:
            assert by_hand(survey_id, member_id, f"cost {member_id}").status == 201
    yield _cost(OPEN, lambda: client.get(f"/v1/members/{bert}/survey-invitations", caller=SENDER))
    path = f"/v1/surveys/{survey_id}/invitations"
    yield _cost(SENDING, lambda: client.get(f"{path}?limit=20", caller=SENDER))
    caller = holder(by_hand(survey_id, bert, f"cost {bert}").json["link"])
    yield _cost(LINKED, lambda: client.get("/v1/survey-invitation", caller=caller))
    yield _cost(WITHDRAW, lambda: client.post(f"{path}/{caller.subject}/withdraw", caller=DESK))
    yield _cost(PAGE, lambda: client.get("/v1/answer"))


def _reactions(anna: str, bert: str) -> Iterator[Cost]:
    rules = (
        invite("now", survey="costs", nth_orders=[2]),
        invite("later", survey="costs", nth_orders=[3], after_days=1),
        invite("pulse", on="quarterly", survey="costs"),
    )
    asking.publish(*rules, gap_days=1)
    buy(anna, "asked")
    yield _reaction(ASKED, _last(anna))
    yield _reaction(ASKED_AGAIN, _last(anna))
    buy(anna, "later")
    yield _reaction(LATER, _last(anna))
    yield _reaction(IDLE, json.dumps({"send_due": True}))
    drawn = {"member_id": bert, "invite": "pulse", "quarter": "2026-Q4", "due": clock.now() - 1}
    yield _reaction(DRAWN, json.dumps(drawn))
    yield _reaction(REFUSED, json.dumps({**drawn, "quarter": "2027-Q1"}))
    with mock.patch.object(clock, "now", _earlier(clock.now() + clock.DAY_S + 60)):
        yield _reaction(DUE, json.dumps({"send_due": True}))
    asking.publish()


def _earlier(at: int) -> Callable[[], int]:
    return lambda: at


def _last(member_id: str) -> str:
    """The notice of the last thing that a member did, as the queue carries it."""
    notice = notices(member_id)[-1]
    return json.dumps({name: getattr(notice, name) for name in ("member_id", "seq", "kind", "record")})


def _reaction(budget: Budget, body: str) -> Cost:
    defining.read(defining.survey_id_of("costs"))
    with metered() as bill:
        answer = app.handler_map["advance_surveys"]({"Records": [{"messageId": "m", "body": body}]}, None)
    assert answer == {"batchItemFailures": []}
    return Cost(budget, bill)


def _cost(budget: Budget, act: Callable[[], Response], expected: int = 200) -> Cost:
    with metered() as bill:
        answer = act()
    assert answer.status == expected, answer.text
    return Cost(budget, bill)
