"""Batches from queues as Lambda may deliver them: twice, in another order, failing in part, and with poison in them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from infra.local import seed
from infra.local.deploy import Stack
from infra.redrive import redrive
from tests.stack.conftest import eventually
from tests.stack.functions import invoke, queued
from tests.stack.shop import available, enrol, kinds, order, refund, send

POISON = ["", "no JSON", "[]", '{"type":"gift"}', '{"type":"order","order":{"order_id":1}}', "\ud83d"]


def message(sent: dict[str, Any]) -> dict[str, Any]:
    return {"type": "order", "order": sent}


class TestTheIntake:
    def test_a_batch_that_comes_twice_is_posted_once(self, stack: Stack, shop: httpx.Client) -> None:
        member = enrol(shop)
        sent = order(member)
        batch = queued(message(sent), refund(sent, "r1", 3000), groups=[member, member])

        assert [invoke(stack, "IntakeOrders", batch) for _delivery in range(3)] == [[], [], []]

        assert kinds(shop, member) == ["enrolled", "order", "refund"]

    def test_a_message_twice_in_one_batch_is_posted_once(self, stack: Stack, shop: httpx.Client) -> None:
        member = enrol(shop)
        sent = message(order(member))

        assert invoke(stack, "IntakeOrders", queued(sent, sent, sent)) == []

        assert kinds(shop, member) == ["enrolled", "order"]

    def test_a_refund_that_overtakes_its_order_is_asked_for_again_and_counts_then(
        self, stack: Stack, shop: httpx.Client
    ) -> None:
        member = enrol(shop)
        before, sent = available(shop, member), order(member)
        early = refund(sent, "early", 10_000)

        assert invoke(stack, "IntakeOrders", queued(early, message(sent))) == ["m0"]
        assert invoke(stack, "IntakeOrders", queued(early)) == []

        assert available(shop, member) == before

    @pytest.mark.parametrize("poison", POISON)
    def test_poison_is_handed_back_and_its_neighbours_are_posted(
        self, stack: Stack, shop: httpx.Client, poison: str
    ) -> None:
        member = enrol(shop)

        assert invoke(stack, "IntakeOrders", queued(message(order(member)), poison, message(order(member)))) == ["m1"]

        assert kinds(shop, member) == ["enrolled", "order", "order"]

    def test_behind_a_failure_its_group_waits_and_others_do_not(self, stack: Stack, shop: httpx.Client) -> None:
        member, other = enrol(shop), enrol(shop)
        sent = order(member)
        batch = [refund(order(member), "of-nothing", 100), message(sent), message(order(other)), refund(sent, "r", 100)]

        again = invoke(stack, "IntakeOrders", queued(*batch, groups=["a", "a", "b", "a"]))

        assert again == ["m0", "m1", "m3"]
        assert (kinds(shop, member), kinds(shop, other)) == (["enrolled"], ["enrolled", "order"])

    def test_a_batch_of_nothing_but_failures_is_handed_back_whole(self, stack: Stack) -> None:
        batch = queued(*POISON, message(order("mem_nobody")))

        assert invoke(stack, "IntakeOrders", batch) == [f"m{number}" for number in range(len(POISON) + 1)]

    def test_a_changed_body_under_a_known_key_is_handed_back(self, stack: Stack, shop: httpx.Client) -> None:
        member = enrol(shop)
        sent = order(member)
        assert invoke(stack, "IntakeOrders", queued(message(sent))) == []

        assert invoke(stack, "IntakeOrders", queued(message({**sent, "total_minor": 99_999}))) == ["m0"]

        assert kinds(shop, member) == ["enrolled", "order"]

    def test_a_message_of_a_newer_version_waits_for_that_version(self, stack: Stack, shop: httpx.Client) -> None:
        member = enrol(shop)
        newer = order(member, gift_wrapping="red")

        assert invoke(stack, "IntakeOrders", queued(message(newer), {"type": "exchange"})) == ["m0", "m1"]

        assert kinds(shop, member) == ["enrolled"]


class TestTheClaims:
    def waiting(self, shop: httpx.Client, mail: str) -> None:
        """Post an order of somebody who is no member yet."""
        sent = order("", identity={"mail": mail})
        del sent["member_id"]
        assert shop.post("/v1/orders", json=sent).status_code == 202

    def enrolled(self, shop: httpx.Client, mail: str) -> str:
        answer = shop.post("/v1/members", json={"mail": mail}, headers={"Idempotency-Key": mail})
        return str(answer.json()["member"]["id"])

    def test_a_notice_that_comes_again_claims_nothing_twice(self, stack: Stack, shop: httpx.Client) -> None:
        self.waiting(shop, "twice@example.com")
        member = self.enrolled(shop, "twice@example.com")
        notice = {"member_id": member, "seq": 1, "kind": "enrolled", "record": member}

        assert invoke(stack, "ClaimOrders", queued(notice, notice)) == []
        assert invoke(stack, "ClaimOrders", queued(notice)) == []

        eventually(lambda: "order" in kinds(shop, member))
        assert kinds(shop, member) == ["enrolled", "order"]

    @pytest.mark.parametrize("poison", ["", "no JSON", "[]", "{}", '{"member_id":7}', '{"member_id":"mem_nobody"}'])
    def test_poison_is_handed_back_and_its_neighbours_are_claimed(
        self, stack: Stack, shop: httpx.Client, poison: str
    ) -> None:
        notice = {"member_id": enrol(shop), "seq": 1, "kind": "enrolled", "record": "x", "of_a_newer_version": True}

        assert invoke(stack, "ClaimOrders", queued(notice, poison, notice)) == ["m1"]

    def test_what_fails_for_good_lies_in_the_dead_letters_and_can_be_sent_again(self, stack: Stack, sqs: Any) -> None:
        failures, queue = stack.outputs["ClaimsFailuresUrl"], stack.outputs["ClaimsQueueUrl"]
        notice = {"member_id": "mem_of_a_table_that_is_restored_later", "seq": 1, "kind": "enrolled", "record": "x"}
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(notice))
        eventually(lambda: seed.waiting(sqs, failures) == 1)

        assert redrive(sqs, failures, queue) == "1 messages moved"

        eventually(lambda: seed.waiting(sqs, failures) == 1)
        sqs.purge_queue(QueueUrl=failures)


def test_duplicates_in_another_order_on_the_real_queue_are_posted_once(
    stack: Stack, shop: httpx.Client, sqs: Any
) -> None:
    member = enrol(shop)
    before, sent = available(shop, member), order(member)
    texts = [json.dumps(message(sent), indent=indent) for indent in range(4)]
    refunds = [json.dumps(refund(sent, "same", 4000), indent=indent) for indent in range(4)]

    # Two groups, as a shop would send that fails over to another sender: no order holds between them.
    send(sqs, stack, refunds[0], texts[0], texts[1], refunds[1], group=f"{member}-a")
    send(sqs, stack, texts[2], refunds[2], refunds[3], texts[3], group=f"{member}-b")

    eventually(lambda: available(shop, member) == before + 60)
    eventually(lambda: seed.waiting(sqs, stack.outputs["IntakeQueueUrl"]) == 0)
    assert kinds(shop, member) == ["enrolled", "order", "refund"]
