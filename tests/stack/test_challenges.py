"""A purchase on the deployed stack: stream, router, queue, progress, points."""

from __future__ import annotations

import itertools
import json
from typing import Any

import httpx
import pytest

from chalicelib.base import clock
from infra.local import seed
from infra.local.deploy import Stack
from infra.redrive import redrive
from tests.stack.conftest import eventually
from tests.stack.functions import entries, invoke, queued
from tests.stack.shop import available, enrol, kinds, order

_numbers = itertools.count(1)


@pytest.fixture
def member(shop: httpx.Client) -> str:
    """Somebody for whom the challenges are."""
    number = next(_numbers)
    profile = {"mail": f"player-{number}@example.com", "tags": ["player"]}
    answer = shop.post("/v1/members", json=profile, headers={"Idempotency-Key": f"player-{number}"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["member"]["id"])


def challenge(shop: httpx.Client, member: str, code: str = "tea_card") -> dict[str, Any]:
    answer = shop.get(f"/v1/members/{member}/challenges")
    assert answer.status_code == 200, answer.text
    return next(item for item in answer.json()["challenges"] if item["code"] == code)


def event(member: str, **fields: Any) -> dict[str, Any]:
    name = f"stack-{next(_numbers)}"
    at = clock.text(clock.now() - 60)
    return {"source": "stack", "event_id": name, "type": "check_in", "occurred_at": at, "member_id": member, **fields}


def test_purchases_fill_a_card_and_its_reward_is_paid(shop: httpx.Client, member: str) -> None:
    sent = [order(member) for _purchase in range(2)]
    posted = [shop.post("/v1/orders", json=body).json()["order"]["id"] for body in sent]

    eventually(lambda: "challenge_done" in kinds(shop, member))
    assert (challenge(shop, member)["status"], challenge(shop, member)["done"]) == ("done", 3)
    paid = available(shop, member)

    shop.post(f"/v1/orders/{posted[0]}/cancel", json={"occurred_at": clock.text(clock.now())})

    eventually(lambda: "challenge_undone" in kinds(shop, member))
    assert available(shop, member) == paid - 100 - 50
    assert challenge(shop, member)["earned"] == 1


def test_events_are_posted_and_keep_a_streak(shop: httpx.Client, member: str) -> None:
    yesterday = clock.text(clock.now() - 60 - clock.DAY_S)
    first = shop.post("/v1/events", json=event(member, occurred_at=yesterday))
    assert first.status_code == 201, first.text
    shop.post("/v1/events", json=event(member))

    eventually(lambda: "challenge_done" in kinds(shop, member))

    shop.post(f"/v1/events/{first.json()['event']['id']}/cancel")
    eventually(lambda: "challenge_undone" in kinds(shop, member))


def test_a_notice_that_comes_again_pays_nothing_twice(
    stack: Stack, shop: httpx.Client, dynamodb: Any, member: str
) -> None:
    for _purchase in range(2):
        shop.post("/v1/orders", json=order(member))
    eventually(lambda: "challenge_done" in kinds(shop, member))
    notices = [
        {
            "member_id": member,
            "seq": int(item["seq"]["N"]),
            "kind": item["kind"]["S"],
            "record": item["record"]["S"],
        }
        for item in entries(dynamodb, stack, member)
        if item["kind"]["S"] == "order"
    ]

    assert invoke(stack, "AdvanceChallenges", queued(*notices, *notices[::-1])) == []

    assert kinds(shop, member).count("challenge_done") == 1


def test_poison_ends_in_the_dead_letters_and_holds_nobody_back(
    stack: Stack, shop: httpx.Client, sqs: Any, member: str
) -> None:
    failures, queue = stack.outputs["ChallengesFailuresUrl"], stack.outputs["ChallengesQueueUrl"]
    before = seed.waiting(sqs, failures)
    lost = {"member_id": member, "seq": 2, "kind": "order", "record": "ord_" + "a" * 26}
    for body in ("no notice", json.dumps(lost)):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    shop.post("/v1/orders", json=order(member))

    eventually(lambda: challenge(shop, member)["earned"] == 1)
    eventually(lambda: seed.waiting(sqs, failures) == before + 2)

    assert redrive(sqs, failures, queue) == f"{before + 2} messages moved"
    eventually(lambda: seed.waiting(sqs, failures) == before + 2)
    sqs.purge_queue(QueueUrl=failures)


def test_who_does_not_belong_to_the_audience_plays_no_part(shop: httpx.Client) -> None:
    other = enrol(shop)
    for _purchase in range(3):
        shop.post("/v1/orders", json=order(other))
    assert shop.get(f"/v1/members/{other}/challenges").json()["challenges"] == []
