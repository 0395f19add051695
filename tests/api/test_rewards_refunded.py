"""An order that was paid with a reward and goes back whole gives the reward back whole: points, stock and limits."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from chalicelib.base import clock
from chalicelib.ledger import auditing
from chalicelib.ledger.table import read_view
from chalicelib.rewards import history
from tests.api import shop
from tests.rewards import act, offer, publish, reward, stock, take

CARD: dict[str, Any] = {
    "kind": "gift_card",
    "worth_minor": {"CNY": 20_00},
    "stock": {"total": 4, "shards": 2},
    "daily": {"total": 3},
    "limits": [{"per": "month", "pieces": 1}],
}


@pytest.fixture
def member_id() -> str:
    """A member with 600 points, before any of them is spent."""
    found = shop.enrol()
    shop.post_order("earned", member_id=found, total_minor=500_00)
    return found


def paid_with(*cards: str, member_id: str, number: str = "paid") -> str:
    """An order of 100 yuan of which each card pays 20; gives its id."""
    payments = [{"type": "points", "amount_minor": 20_00, "redemption_id": card} for card in cards]
    payments.append({"type": "card", "amount_minor": 100_00 - 20_00 * len(cards)})
    answer = shop.post_order(number, member_id=member_id, payments=payments)
    assert answer.status == 201, answer.text
    return str(answer.json["order"]["id"])


def card_of(member_id: str, code: str = "card") -> str:
    answer = take(member_id, code)
    assert answer.status == 201, answer.text
    return str(answer.json["redemption"]["id"])


def is_whole(member_id: str, *, points: int = 600) -> bool:
    """Whether nothing is spent or taken, and the account audits."""
    assert auditing.audit(member_id, read_view(member_id), now=clock.now()).findings == ()
    return (shop.available(member_id), stock("card"), offer(member_id, "card")["available"]) == (
        points,
        (4, 0, 4),
        True,
    )


def test_a_cancelled_order_gives_points_stock_and_limits_back_at_once(member_id: str) -> None:
    publish(reward("card", 500, **CARD))
    order = paid_with(card_of(member_id), member_id=member_id)
    assert (stock("card"), offer(member_id, "card")["available"]) == ((4, 1, 3), False)
    assert shop.cancel(order).status == 201
    assert is_whole(member_id)
    assert take(member_id, "card").status == 201


def test_the_last_part_of_an_order_gives_the_stock_back_and_no_part_before_it(member_id: str) -> None:
    publish(reward("card", 500, **CARD))
    order = paid_with(card_of(member_id), member_id=member_id)
    shop.refund(order, "r1", amount_minor=99_99)
    assert (stock("card"), offer(member_id, "card")["available"]) == ((4, 1, 3), False)
    shop.refund(order, "r2", amount_minor=1)
    assert is_whole(member_id)


def test_whatever_is_repeated_or_comes_after_it_gives_it_back_once(member_id: str) -> None:
    publish(reward("card", 100, **(CARD | {"limits": []})))
    card, other = card_of(member_id), card_of(member_id)
    order = paid_with(card, member_id=member_id)
    for _again in range(3):
        assert shop.refund(order, "r1", amount_minor=100_00).status in {200, 201}
    shop.cancel(order)
    for _again in range(2):
        act(card, "cancel")
    assert (stock("card"), shop.available(member_id)) == ((4, 1, 3), 500)
    act(other, "cancel")
    assert is_whole(member_id)


def test_a_reward_that_the_shop_has_cancelled_is_not_given_back_by_the_refund(member_id: str) -> None:
    publish(reward("card", 100, **(CARD | {"limits": []})))
    card, _other = card_of(member_id), card_of(member_id)
    order = paid_with(card, member_id=member_id)
    shop.refund(order, "r1", amount_minor=50_00)
    assert act(card, "cancel").status == 200
    assert stock("card") == (4, 1, 3)
    shop.cancel(order)
    assert (stock("card"), shop.available(member_id)) == ((4, 1, 3), 500)


def test_a_reward_for_money_alone_comes_back_with_its_order(member_id: str) -> None:
    prices = [{"points": 0, "cash_minor": {"CNY": 20_00}}]
    publish(reward("card", prices=prices, **CARD))
    answer = take(member_id, "card", cash_minor=20_00, currency="CNY")
    order = paid_with(answer.json["redemption"]["id"], member_id=member_id)
    shop.refund(order, "r1", amount_minor=40_00)
    assert stock("card") == (4, 1, 3)
    shop.cancel(order)
    assert is_whole(member_id)
    act(answer.json["redemption"]["id"], "cancel")
    assert is_whole(member_id)


def test_several_rewards_on_one_order_come_back_each(member_id: str) -> None:
    publish(reward("card", 100, **(CARD | {"limits": [{"per": "month", "pieces": 2}]})))
    order = paid_with(card_of(member_id), card_of(member_id), member_id=member_id)
    assert (stock("card"), offer(member_id, "card")["available"]) == ((4, 2, 2), False)
    shop.cancel(order)
    assert is_whole(member_id)


def test_a_discount_has_no_stock_and_comes_back_as_before(member_id: str) -> None:
    publish(reward("card", 500, **CARD))
    redemption = shop.redeem(member_id, 200).json["redemption"]
    payments = [
        {"type": "points", "amount_minor": redemption["amount_minor"], "redemption_id": redemption["id"]},
        {"type": "card", "amount_minor": 100_00 - redemption["amount_minor"]},
    ]
    order = shop.post_order("paid", member_id=member_id, payments=payments).json["order"]["id"]
    shop.cancel(order)
    assert is_whole(member_id)


def test_a_cancellation_that_comes_in_between_gives_the_stock_back_once(member_id: str) -> None:
    publish(reward("card", 100, **(CARD | {"limits": []})))
    card, _other = card_of(member_id), card_of(member_id)
    order = paid_with(card, member_id=member_id)
    real = history.read
    calls: list[str] = []

    def read(redemption_id: str, *, consistent: bool = False) -> history.Redemption:
        found = real(redemption_id, consistent=consistent)
        if not calls:
            calls.append(redemption_id)
            act(card, "cancel")
        return found

    with mock.patch("chalicelib.orders.payments.history.read", read):
        assert shop.cancel(order).status == 201
    assert (stock("card"), shop.available(member_id)) == ((4, 1, 3), 500)
