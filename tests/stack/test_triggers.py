"""Everything that AWS invokes: the intake queue, the ledger's stream, the claims, the admins' function."""

from __future__ import annotations

import json
from typing import Any

import httpx

from infra.local import seed
from infra.local.deploy import Stack
from infra.redrive import redrive
from tests.stack.conftest import eventually
from tests.stack.shop import available, enrol, kinds, order, refund, send


def failures(sqs: Any, stack: Stack) -> int:
    return seed.waiting(sqs, stack.outputs["IntakeFailuresUrl"])


def test_an_order_on_the_queue_is_posted(stack: Stack, shop: httpx.Client, sqs: Any) -> None:
    member = enrol(shop)
    before = available(shop, member)

    send(sqs, stack, {"type": "order", "order": order(member)}, group=member)

    eventually(lambda: available(shop, member) == before + 100)


def test_a_member_s_messages_keep_their_order(stack: Stack, shop: httpx.Client, sqs: Any) -> None:
    member = enrol(shop)
    before = available(shop, member)
    sent = order(member)
    messages = [refund(sent, f"r{number}", 1000) for number in range(5)]

    send(sqs, stack, {"type": "order", "order": sent}, *messages, group=member)

    eventually(lambda: kinds(shop, member)[1:] == ["order"] + 5 * ["refund"])
    assert available(shop, member) == before + 50


def test_the_same_message_twice_counts_once(stack: Stack, shop: httpx.Client, sqs: Any) -> None:
    member = enrol(shop)
    sent = order(member)

    # Other whitespace makes another message of it, so the queue's own deduplication does not help.
    again = json.dumps({"type": "order", "order": sent}, indent=1)
    send(sqs, stack, {"type": "order", "order": sent}, again, group=member)
    send(sqs, stack, {"type": "order", "order": order(member)}, group=member)

    eventually(lambda: kinds(shop, member).count("order") == 2)
    assert kinds(shop, member) == ["enrolled", "order", "order"]


def test_a_bad_message_holds_back_only_its_own_group(stack: Stack, shop: httpx.Client, sqs: Any) -> None:
    member = enrol(shop)
    before = failures(sqs, stack)

    send(sqs, stack, "this is no JSON", group="nobody")
    send(sqs, stack, {"type": "order", "order": order(member)}, group=member)

    eventually(lambda: "order" in kinds(shop, member))
    eventually(lambda: failures(sqs, stack) == before + 1)


def test_a_refund_before_its_order_ends_in_the_dead_letters_and_comes_back(
    stack: Stack, shop: httpx.Client, sqs: Any
) -> None:
    member = enrol(shop)
    sent, before = order(member), failures(sqs, stack)
    send(sqs, stack, refund(sent, "early", 1000), group=member)
    eventually(lambda: failures(sqs, stack) == before + 1)

    assert shop.post("/v1/orders", json=sent).status_code == 201
    said = redrive(sqs, stack.outputs["IntakeFailuresUrl"], stack.outputs["IntakeQueueUrl"])

    assert said == f"{before + 1} messages moved"
    eventually(lambda: kinds(shop, member) == ["enrolled", "order", "refund"])


def test_the_accounts_view_follows_the_ledger(stack: Stack, shop: httpx.Client, dynamodb: Any) -> None:
    member = enrol(shop)
    posted = shop.post("/v1/orders", json=order(member)).json()

    def seen() -> dict[str, Any] | None:
        key = {"member_id": {"S": member}}
        item: dict[str, Any] = dynamodb.get_item(TableName=stack.outputs["AccountsTableName"], Key=key).get("Item", {})
        return item if item.get("seq") == {"N": str(posted["entry"]["seq"])} else None

    assert eventually(seen)["available"] == {"N": str(posted["account"]["available"])}


def test_an_order_that_came_before_its_member_is_claimed(shop: httpx.Client) -> None:
    mail = "early-bird@example.com"
    early = order("", identity={"mail": mail})
    del early["member_id"]
    assert shop.post("/v1/orders", json=early).status_code == 202

    # Only an identity that is proved claims, so the person signs up; who that is, the pool says.
    enrolled = shop.post("/v1/members", json={"mail": mail}, headers={"Idempotency-Key": "early-bird"}).json()
    member = enrolled["member"]["id"]

    eventually(lambda: "order" in kinds(shop, member))


def test_an_admin_publishes_a_programme_and_learns_of_mistakes(stack: Stack) -> None:
    shown = seed.administer(stack, {"action": "show"})

    assert seed.administer(stack, {"action": "validate", "document": shown["document"]}) == {"valid": True}
    assert "publish" in seed.administer(stack, {"action": "help"})["actions"]
