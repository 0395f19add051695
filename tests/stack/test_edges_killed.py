"""Functions that end mid-way, and answers that come too late: the request comes again and counts once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from infra.local import seed
from infra.local.deploy import Stack
from tests.stack.conftest import eventually
from tests.stack.shop import enrol, kinds, order, refund, send
from tests.stack.way import Way, between, once, pause

Plan = Callable[[Way], None]


def before_it_reads(way: Way) -> None:
    way.before = once("Query", way.kill)


def between_read_and_commit(way: Way) -> None:
    way.after = once("Query", way.kill)


def as_the_commit_leaves(way: Way) -> None:
    """The request to commit is on its way when the function ends; it is carried out though nobody waits for it."""
    way.before = once("TransactWriteItems", way.kill)


def after_the_commit(way: Way) -> None:
    way.after = once("TransactWriteItems", way.kill)


KILLS: list[Plan] = [before_it_reads, between_read_and_commit, as_the_commit_leaves, after_the_commit]


@pytest.mark.parametrize("plan", KILLS)
def test_a_message_whose_function_was_killed_comes_again_and_is_posted_once(
    stack: Stack, shop: httpx.Client, sqs: Any, plan: Plan
) -> None:
    member = enrol(shop)
    sent = order(member)
    with between(stack, "IntakeOrders") as way:
        plan(way)

        send(sqs, stack, {"type": "order", "order": sent}, refund(sent, "r1", 5000), group=member)

        eventually(lambda: kinds(shop, member)[1:] == ["order", "refund"])
        eventually(lambda: seed.waiting(sqs, stack.outputs["IntakeQueueUrl"]) == 0)

    assert kinds(shop, member) == ["enrolled", "order", "refund"]
    assert way.passed.count("TransactWriteItems") >= 2


@pytest.mark.parametrize("plan", [between_read_and_commit, after_the_commit])
def test_a_request_whose_function_was_killed_is_sent_again_and_posted_once(
    stack: Stack, shop: httpx.Client, plan: Plan
) -> None:
    member = enrol(shop)
    sent = order(member)
    with between(stack, "APIHandler") as way:
        plan(way)
        first = shop.post("/v1/orders", json=sent)
        way.before = way.after = None

        again = shop.post("/v1/orders", json=sent)

    assert first.status_code >= 500
    assert again.status_code in {200, 201}, again.text
    assert kinds(shop, member) == ["enrolled", "order"]
    assert shop.post("/v1/orders", json=sent).json() == again.json()


def test_a_request_that_timed_out_while_the_function_committed_is_answered_when_it_is_sent_again(
    stack: Stack, shop: httpx.Client
) -> None:
    member = enrol(shop)
    sent = order(member)
    with between(stack, "APIHandler") as way:
        way.after = once("TransactWriteItems", pause(3))
        with pytest.raises(httpx.ReadTimeout):
            shop.post("/v1/orders", json=sent, timeout=2)

        again = shop.post("/v1/orders", json=sent)

    assert (again.status_code, again.json()["entry"]["seq"]) == (200, 2)
    assert kinds(shop, member) == ["enrolled", "order"]


def test_a_view_whose_projector_was_killed_catches_up(stack: Stack, shop: httpx.Client, dynamodb: Any) -> None:
    member = enrol(shop)
    with between(stack, "ProjectAccounts") as way:
        way.before = once("UpdateItem", way.kill)
        posted = shop.post("/v1/orders", json=order(member)).json()

        def seen() -> bool:
            key = {"member_id": {"S": member}}
            item = dynamodb.get_item(TableName=stack.outputs["AccountsTableName"], Key=key).get("Item", {})
            return bool(item.get("seq") == {"N": str(posted["entry"]["seq"])})

        eventually(seen)
