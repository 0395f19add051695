"""What rewards cost: taken and held with their stock, fulfilled, and looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from chalicelib.base import clock
from chalicelib.program import service as programs
from tests.api import shop
from tests.api import voucher_shop as vouchers
from tests.api.client import Response, client
from tests.api.shop import SHOP
from tests.budgets import Budget, Cost
from tests.meter import metered
from tests.programs import document
from tests.rewards import act, reward, take

TAKE = Budget("redeem a reward with stock and a limit", 6, 1, 2, of="post_redemption")
TAKE_DAILY = Budget("redeem a reward with stock and so many a day", 8, 1, 2, of="post_redemption")
TAKE_SOLD_OUT = Budget("redeem a reward that is sold out", 6, 4, 6, of="post_redemption")
TAKE_VOUCHER = Budget("redeem a reward that is a voucher, with stock", 12, 4, 4, of="post_redemption")
HOLD = Budget("hold a reward with stock", 6, 2, 3, of="post_redemption")
COMMIT = Budget("commit a held reward", 6, 1, 3, of="commit_redemption")
RELEASE = Budget("release a held reward", 6, 1, 3, of="release_redemption")
CANCEL_REWARD = Budget("cancel a reward with stock", 6, 1, 3, of="cancel_redemption")
CANCEL_PAID = Budget("cancel an order that a reward with stock has paid for", 8, 2, 4, of="cancel_order")
SHIP = Budget("ship what was redeemed", 2, 0.5, 2, of="ship_redemption")
USE = Budget("use what was redeemed, at a till", 2, 0.5, 2, of="use_redemption")
LIST = Budget("a member's redemptions, a page of 5", 0, 3, 6, of="get_redemptions")
CATALOGUE = Budget("catalogue page of 20 rewards with stock in 1 part", 0, 11, 2, of="get_rewards")
CATALOGUE_SHARDED = Budget("one reward with stock in 8 parts", 0, 5, 2, of="get_reward")


def rewards(member_id: str) -> Iterator[Cost]:
    """Each of them once; the programme is another one afterwards."""
    goods = {"fulfilment": "ship", "limits": [{"per": "ever", "pieces": 99}]}
    batch_id = vouchers.make(owner="member")
    _published(
        reward("tenth", 10, fulfilment="voucher", voucher_batch_id=batch_id, stock={"total": 9}),
        reward("a_mug", 10, stock={"total": 100, "shards": 8}, **goods),
        reward("daily", 10, stock={"total": 100}, daily={"total": 100, "shards": 1}),
        reward("card", 10, kind="gift_card", worth_minor={"CNY": 10_00}, stock={"total": 9}, limits=goods["limits"]),
        reward("gone", 10, stock={"total": 0, "shards": 4}),
        *(reward(f"r{number}", kind="charity", stock={"total": 9}) for number in range(20)),
    )
    yield _cost(TAKE, lambda: take(member_id, "a_mug", key="a mug"))
    take(member_id, "daily")
    yield _cost(TAKE_DAILY, lambda: take(member_id, "daily", key="daily"))
    yield _cost(TAKE_VOUCHER, lambda: take(member_id, "tenth", key="tenth"))
    yield _cost(TAKE_SOLD_OUT, lambda: take(member_id, "gone", key="gone"), 409)
    yield _cost(HOLD, lambda: take(member_id, "a_mug", key="held", hold_seconds=600))
    held = take(member_id, "a_mug", key="held", hold_seconds=600).json["redemption"]["id"]
    yield _cost(COMMIT, lambda: act(held, "commit"), 200)
    yield _cost(CANCEL_REWARD, lambda: act(held, "cancel"), 200)
    released = take(member_id, "a_mug", hold_seconds=600).json["redemption"]["id"]
    yield _cost(RELEASE, lambda: act(released, "release"), 200)
    paid = _paid_with(take(member_id, "card").json["redemption"]["id"], member_id)
    yield _cost(CANCEL_PAID, lambda: shop.cancel(paid))
    sent = take(member_id, "a_mug").json["redemption"]["id"]
    yield _cost(SHIP, lambda: act(sent, "ship", tracking="SF1234567890"), 200)
    yield _cost(USE, lambda: act(sent, "use", store="shanghai-1"), 200)
    path = f"/v1/members/{member_id}/redemptions?limit=5"
    yield _cost(LIST, lambda: client.get(path, caller=SHOP), 200)
    path = f"/v1/rewards?member_id={member_id}&limit=20&kind=charity"
    yield _cost(CATALOGUE, lambda: client.get(path, caller=SHOP), 200)
    path = f"/v1/rewards/a_mug?member_id={member_id}"
    yield _cost(CATALOGUE_SHARDED, lambda: client.get(path, caller=SHOP), 200)


def _paid_with(redemption_id: str, member_id: str) -> str:
    """An order that a reward has paid for; its id."""
    paid = [{"type": "points", "amount_minor": 10_00, "redemption_id": redemption_id}]
    answer = shop.post_order("paid with a card", member_id=member_id, total_minor=10_00, payments=paid)
    assert answer.status == 201, answer.text
    return str(answer.json["order"]["id"])


def _cost(budget: Budget, act: Callable[[], Response], expected: int = 201) -> Cost:
    with metered() as bill:
        answer = act()
    assert answer.status == expected, answer.text
    return Cost(budget, bill)


def _published(*found: dict[str, Any]) -> None:
    """Publish a catalogue, in force from now on, and known to this process."""
    programs.publish(document(rewards=found), by="li.wei", now=clock.now() - programs.LEAD_S)
    programs.in_force(clock.now(), now=clock.now())
