"""Birthdays on the deployed stack: its policies, index and queues let what the schedule sends reach the gift."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from infra.local.aws import client
from infra.local.deploy import Stack
from tests.stack.conftest import eventually
from tests.stack.functions import invoke, physical_name, queued
from tests.stack.programme import PROGRAMME
from tests.stack.shop import available, kinds

DUE = {"birthdays_due": True}


def enrol(shop: httpx.Client, name: str, birthday: date | None) -> str:
    profile: dict[str, Any] = {"mail": f"born-{name}@example.com", "tags": ["birthday"]}
    if birthday:
        profile["birthday"] = birthday.isoformat()
    answer = shop.post("/v1/members", json=profile, headers={"Idempotency-Key": f"born-{name}"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["member"]["id"])


def test_a_birthday_reaches_its_gift_once(stack: Stack, shop: httpx.Client, dynamodb: Any, sqs: Any) -> None:
    today = datetime.now(ZoneInfo(PROGRAMME["time_zone"])).date()
    born = today.replace(year=1988)
    member, none, old = enrol(shop, "today", born), enrol(shop, "never", None), enrol(shop, "old", born)
    # As a profile lies there that was stored before there was an index.
    name = {"TableName": stack.outputs["MembersTableName"], "Key": {"key": {"S": old}}}
    dynamodb.update_item(**name, UpdateExpression="REMOVE born")
    accounts = {"TableName": stack.outputs["AccountsTableName"], "Key": {"member_id": {"S": old}}}
    eventually(lambda: "Item" in dynamodb.get_item(**accounts, ConsistentRead=True))

    def is_indexed() -> bool:
        return "born" in dynamodb.get_item(**name, ConsistentRead=True)["Item"]

    assert invoke(stack, "GiveBirthdayGifts", queued(DUE)) == []
    eventually(is_indexed)

    def all_given() -> bool:
        sqs.send_message(QueueUrl=stack.outputs["BirthdaysQueueUrl"], MessageBody=json.dumps(DUE))
        return all("birthday_gift" in kinds(shop, who) for who in (member, old))

    eventually(all_given)
    for shard in range(4):
        leg = {"birthday": today.isoformat(), "shard": shard}
        assert invoke(stack, "GiveBirthdayGifts", queued(leg)) == []
    assert [kinds(shop, who).count("birthday_gift") for who in (member, old, none)] == [1, 1, 0]
    assert available(shop, member) == available(shop, none) + 30


def test_the_schedule_asks_every_hour(stack: Stack) -> None:
    found = client("scheduler", stack.endpoint).get_schedule(Name=physical_name(stack, "BirthdaysDue"))
    assert found["ScheduleExpression"] == "cron(0 * * * ? *)"
    assert json.loads(found["Target"]["Input"]) == DUE
