"""What queues and streams set off: every message may come twice, late or broken."""

from __future__ import annotations

import base64
import json
from typing import Any
from unittest import mock

import boto3
import pytest

from chalicelib.base import clock, dynamo, queues
from chalicelib.base.settings import settings
from chalicelib.ledger import projector, router, stream
from chalicelib.ledger.table import AccountItem
from chalicelib.orders import claims, intake
from tests.api import shop
from tests.api.client import client
from tests.api.shop import PHONE, SHOP


def batch(*bodies: Any, group: str = "group") -> dict[str, Any]:
    """A batch as the intake queue hands it over."""
    return {
        "Records": [
            {
                "messageId": f"m{index}",
                "attributes": {"MessageGroupId": group},
                "body": body if isinstance(body, str) else json.dumps(body),
            }
            for index, body in enumerate(bodies)
        ]
    }


def failed(answer: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def order_message(number: str, **fields: Any) -> dict[str, Any]:
    return {"type": "order", "order": shop.order(number, **fields)}


def refund_message(number: str, **fields: Any) -> dict[str, Any]:
    refund = {"refund_id": "r1", "occurred_at": shop.moment(0.5), **fields}
    return {"type": "refund", "source": "shop", "order_id": number, "refund": refund}


def stream_event(member_id: str) -> dict[str, Any]:
    """A member's whole chain as the stream brings it."""
    items = boto3.client("dynamodb").query(
        TableName=settings().table("ledger"),
        KeyConditionExpression="member_id = :m",
        ExpressionAttributeValues={":m": {"S": member_id}},
    )["Items"]
    return {
        "Records": [
            {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "NewImage": encoded(item)}}
            for number, item in enumerate(items)
        ]
    }


def encoded(item: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value for name, value in item.items()
    }


class TestTheIntakeQueue:
    def test_posts_orders_refunds_and_cancellations(self) -> None:
        member_id = shop.enrol()
        cancel = {"type": "cancel", "source": "shop", "order_id": "2", "cancel": {"occurred_at": shop.moment(0.5)}}
        answer = intake.take_batch(
            batch(
                order_message("1", member_id=member_id),
                refund_message("1", amount_minor=50_00),
                order_message("2", member_id=member_id),
                cancel,
            ),
            now=clock.now(),
        )
        assert failed(answer) == []
        assert shop.available(member_id) == 150

    def test_takes_a_message_that_comes_twice_once(self) -> None:
        member_id = shop.enrol()
        message = order_message("1", member_id=member_id)
        for _delivery in range(3):
            assert failed(intake.take_batch(batch(message, message), now=clock.now())) == []
        assert shop.available(member_id) == 200

    def test_leaves_what_follows_a_failure_of_the_same_member_for_later(self) -> None:
        member_id = shop.enrol()
        messages = batch(
            order_message("1", member_id=member_id), refund_message("unknown", amount_minor=1), order_message("2")
        )
        messages["Records"] += [
            {**batch(order_message("3", member_id=member_id), group="other")["Records"][0], "messageId": "m3"}
        ]
        assert failed(intake.take_batch(messages, now=clock.now())) == ["m1", "m2"]
        assert shop.available(member_id) == 300

    @pytest.mark.parametrize(
        "body",
        ["", "{", "[]", '{"type":"gift"}', "\ud800", '{"type":"order","order":{}}', '{"type":"order","order":{"x":1}}'],
    )
    def test_hands_a_malformed_message_back(self, body: str) -> None:
        assert failed(intake.take_batch(batch(body), now=clock.now())) == ["m0"]

    def test_logs_no_text_of_a_refused_message(self, caplog: pytest.LogCaptureFixture) -> None:
        intake.take_batch(batch(order_message("1", identity={"phone": PHONE}, currency="EUR")), now=clock.now())
        assert "refused" in caplog.text
        assert "138" not in caplog.text


class TestTheAccountsView:
    def project(self, event: dict[str, Any]) -> None:
        newest = projector.latest(arrival.entry for arrival in stream.read(event).arrivals)
        for entry in newest.values():
            projector.project(entry)

    def test_follows_the_ledger(self) -> None:
        member_id = shop.enrol()
        shop.post_order(member_id=member_id)
        self.project(stream_event(member_id))
        item = AccountItem.get(member_id)
        assert (item.seq, item.available, item.tier, item.purchases) == (2, 200, "member", 1)

    def test_never_goes_back_when_a_batch_comes_late_or_twice(self) -> None:
        member_id = shop.enrol()
        early = stream_event(member_id)
        shop.post_order(member_id=member_id)
        self.project(stream_event(member_id))
        self.project(early)
        self.project(early)
        assert AccountItem.get(member_id).seq == 2

    def test_leaves_what_others_keep_on_the_item(self) -> None:
        member_id = shop.enrol()
        boto3.client("dynamodb").put_item(
            TableName=settings().table("accounts"), Item={"member_id": {"S": member_id}, "segment": {"S": "gold"}}
        )
        self.project(stream_event(member_id))
        item = boto3.client("dynamodb").get_item(
            TableName=settings().table("accounts"), Key={"member_id": {"S": member_id}}
        )["Item"]
        assert (item["segment"], item["seq"]) == ({"S": "gold"}, {"N": "1"})


def test_a_failing_entry_is_asked_for_again_with_all_that_follow() -> None:
    member_id = shop.enrol()
    shop.post_order(member_id=member_id)
    batch = stream.read(stream_event(member_id))
    handled: list[int] = []

    def handle(entry: Any) -> None:
        if entry.seq == 2:
            raise RuntimeError
        handled.append(entry.seq)

    assert failed(stream.deliver(batch, lambda _arrival: True, handle)) == ["1"]
    assert handled == [1]


def test_only_facts_that_somebody_asked_for_are_routed() -> None:
    member_id = shop.enrol()
    order_id = shop.post_order(member_id=member_id).json["order"]["id"]
    shop.redeem(member_id, 100)
    sent: list[dict[str, Any]] = []
    queue = mock.Mock(send_message=lambda **message: sent.append(message))
    with mock.patch.object(queues, "client", return_value=queue):
        for arrival in stream.read(stream_event(member_id)).arrivals:
            router.route(arrival.entry)
    assert [json.loads(message["MessageBody"]) for message in sent] == [
        {"member_id": member_id, "seq": 1, "kind": "enrolled", "record": member_id},
        # For challenges, for referrals, and for surveys.
        *[{"member_id": member_id, "seq": 2, "kind": "order", "record": order_id}] * 3,
    ]


class TestAnUnclaimedOrder:
    def test_is_claimed_once_by_whoever_enrols_with_its_identity(self) -> None:
        for number in range(3):
            shop.post_order(str(number), identity={"phone": PHONE})
        shop.post_order("stranger's", identity={"phone": "+8613900139000"})
        member_id = shop.enrol()
        assert claims.claim_all(member_id, now=clock.now()) == 3
        assert claims.claim_all(member_id, now=clock.now()) == 0
        assert shop.available(member_id) == 400
        order = client.get("/v1/orders?source=shop&order_id=1", caller=SHOP).json
        assert (order["status"], order["member_id"], order["earned_points"]) == ("posted", member_id, 100)

    def test_that_somebody_has_claimed_is_nobody_elses_any_more(self) -> None:
        order_id = shop.post_order(identity={"phone": PHONE}).json["order"]["id"]
        member_id = shop.enrol()
        other = shop.enrol("other", phone="+8613900139000")
        assert claims.claim(order_id, member_id, now=clock.now())
        assert not claims.claim(order_id, other, now=clock.now())
        assert (shop.available(member_id), shop.available(other)) == (200, 100)

    def test_brings_what_its_refunds_have_left(self) -> None:
        order_id = shop.post_order(identity={"phone": PHONE}).json["order"]["id"]
        shop.refund(order_id, amount_minor=33_33)
        member_id = shop.enrol()
        claims.claim_all(member_id, now=clock.now())
        assert shop.available(member_id) == 167
        shop.refund(order_id, "r2", amount_minor=66_67)
        assert shop.available(member_id) == 100

    def test_that_was_cancelled_brings_nothing(self) -> None:
        order_id = shop.post_order(identity={"phone": PHONE}).json["order"]["id"]
        shop.cancel(order_id)
        member_id = shop.enrol()
        assert claims.claim_all(member_id, now=clock.now()) == 0
        assert shop.available(member_id) == 100

    def test_keeps_no_phone_where_it_waits(self) -> None:
        shop.post_order(identity={"phone": PHONE})
        items = boto3.client("dynamodb").scan(TableName=settings().table("orders"))["Items"]
        pointer = next(item for item in items if item["order_id"]["S"].startswith("unclaimed#"))
        assert "138" not in json.dumps(pointer)

    def test_of_somebody_who_enrols_at_that_moment_is_posted_to_them(self) -> None:
        """The identity is looked up, then its member enrols, then the order would be kept as unclaimed."""
        real: Any = dynamo.client()
        send = real._make_api_call
        enrolled: list[str] = []

        def call(operation: str, parameters: dict[str, Any]) -> Any:
            if operation == "TransactWriteItems" and not enrolled:
                enrolled.append("")
                enrolled[0] = shop.enrol()
            return send(operation, parameters)

        with mock.patch.object(real, "_make_api_call", call):
            answer = shop.post_order(identity={"phone": PHONE})
        assert (answer.status, answer.json["account"]["member_id"]) == (201, enrolled[0])
