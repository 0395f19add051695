"""What campaigns add to the costs: facts of the profile, budgets in counters, and publishing them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from app import app
from chalicelib.base import clock
from chalicelib.program import budgets
from chalicelib.program import service as programs
from tests.api import shop, voucher_shop
from tests.api.client import Response, client
from tests.api.shop import SHOP
from tests.budgets import Budget, Cost
from tests.campaigns import campaign
from tests.meter import metered
from tests.programs import document, texts

EARN_ASKING = Budget("earn: the programme asks for the profile", 4, 1, 3, of="post_order")
EARN_FUNDED = Budget("earn: a campaign with a budget", 6, 1, 2, of="post_order")
EARN_FUNDED_TWICE = Budget("earn: a campaign with budgets of points and of awards", 8, 1, 2, of="post_order")
EARN_SPENT = Budget("earn: a campaign whose budget is known to be spent", 4, 2, 4, of="post_order")
REFUND_FUNDED = Budget("refund of what a campaign with a budget gave", 6, 1, 3, of="post_refund")
QUOTE_FUNDED = Budget("quote: a campaign with a budget", 0, 2, 2, of="post_quote")
EARN_VOUCHER = Budget("earn: a campaign gives a voucher", 10, 2, 3, of="post_order")
REFUND_VOUCHER = Budget("refund of all of an order that a voucher was given for", 8, 3, 4, of="post_refund")
PUBLISH_FUNDED = Budget("console: publish a campaign with a budget in 8 parts", 34, 6, 4, of="administer_program")
CAMPAIGNS = Budget("console: campaigns and their budgets", 0, 4, 2, of="administer_program")

_SPRING = campaign("spring", budget={"awards": 800})
_BOTH = campaign("summer", budget={"points": 8000, "awards": 800})
_SPENT = campaign("autumn", budget={"awards": 1, "shards": 1})


def campaigns(member_id: str) -> Iterator[Cost]:
    """Each of them once; the programme is another one afterwards."""
    budgets.reset_memory()
    yield _publishing(_SPRING)
    yield _cost(EARN_FUNDED, lambda: _earn("funded", member_id))
    order_id = client.get("/v1/orders?source=shop&order_id=funded", caller=SHOP).json["id"]
    quote = {"currency": "CNY", "total_minor": 100_00, "member_id": member_id}
    yield _cost(QUOTE_FUNDED, lambda: client.post("/v1/quotes", json=quote, caller=SHOP), 200)
    yield _cost(REFUND_FUNDED, lambda: shop.refund(order_id, amount_minor=100_00))
    _publishing(_BOTH)
    yield _cost(EARN_FUNDED_TWICE, lambda: _earn("twice", member_id))
    _publishing(_SPENT)
    _earn("the last", member_id)
    _earn("the first without", member_id)
    yield _cost(EARN_SPENT, lambda: _earn("without", member_id))
    with metered() as bill:
        assert "error" not in app.handler_map["administer_program"]({"action": "campaigns"}, None)
    yield Cost(CAMPAIGNS, bill)
    _publishing(campaign("winter", audience={"tags": ["press"]}))
    yield _cost(EARN_ASKING, lambda: _earn("asking", member_id))
    yield from _vouchers(member_id)


def _vouchers(member_id: str) -> Iterator[Cost]:
    gift = {"kind": "voucher", "code": "gift", "title": texts("gift"), "voucher_batch_id": voucher_shop.make()}
    _publishing(campaign("thanks", rules=[gift]))
    yield _cost(EARN_VOUCHER, lambda: _earn("thanked", member_id))
    order_id = client.get("/v1/orders?source=shop&order_id=thanked", caller=SHOP).json["id"]
    yield _cost(REFUND_VOUCHER, lambda: shop.refund(order_id, amount_minor=100_00))


def _earn(number: str, member_id: str) -> Response:
    return shop.post_order(number, member_id=member_id, occurred_at=clock.text(clock.now()))


def _cost(budget: Budget, act: Callable[[], Response], expected: int = 201) -> Cost:
    with metered() as bill:
        answer = act()
    assert answer.status == expected, answer.text
    return Cost(budget, bill)


def _publishing(found: dict[str, Any]) -> Cost:
    """Publish a programme with this campaign, in force from now on, and known to this process."""
    with metered() as bill:
        programs.publish(document(campaigns=[found]), by="li.wei", now=clock.now() - programs.LEAD_S)
    for ago_s in (0, clock.DAY_S):
        programs.in_force(clock.now() - ago_s, now=clock.now())
    return Cost(PUBLISH_FUNDED, bill)
