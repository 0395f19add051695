"""The line that a request leaves in the log says how it went, and nothing of anybody."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from chalicelib.base import dynamo
from chalicelib.base.settings import settings
from tests.api import shop
from tests.api.client import client, member
from tests.api.shop import PHONE, SHOP

MAIL = "li.ming@example.com"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def billing() -> Iterator[None]:
    """Answers to transactions carry their units, one part for each table as DynamoDB has it."""
    events = dynamo.client().meta.events

    def bill(parsed: dict[str, Any], **_rest: Any) -> None:
        parsed["ConsumedCapacity"] = [{"TableName": "orders", "CapacityUnits": 2.0}] * 2

    events.register_first("after-call.dynamodb.TransactWriteItems", bill)
    yield
    events.unregister("after-call.dynamodb.TransactWriteItems", bill)


def test_one_line_of_json_per_request_says_how_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    member_id = shop.enrol()
    capsys.readouterr()

    client.get(f"/v1/members/{member_id}/account", caller=SHOP)

    (line,) = lines(capsys)
    assert line.pop("Milliseconds") > 0
    assert line.pop("request_id").startswith("request-")
    assert line == {
        "event": "request",
        "caller": "system",
        "Stage": "test",
        "Operation": "GET /v1/members/{member_id}/account",
        "outcome": "ok",
        "status": 200,
        "Requests": 1,
        "Errors": 0,
        "read_units": 1.0,
        "write_units": 0,
    }


def test_a_refusal_is_told_by_its_code_and_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    client.get("/v1/members/mem_nobody/account", caller=SHOP)
    client.get("/v1/members/mem_nobody/account")

    unknown, stranger = lines(capsys)
    assert (unknown["status"], unknown["outcome"], unknown["Errors"]) == (404, "member_not_found", 0)
    assert (stranger["status"], stranger["outcome"], stranger["caller"]) == (401, "unauthenticated", "nobody")


@pytest.mark.usefixtures("billing")
def test_what_dynamodb_bills_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Moto tells nothing of transactions, so the answers are given what DynamoDB would say in them."""
    member_id = shop.enrol()
    capsys.readouterr()

    shop.post_order("1", member_id=member_id)

    (line,) = lines(capsys)
    assert line["write_units"] == 4
    assert line["read_units"] > 0


def test_nobody_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    names = {"family": "Ouyang", "given": "Xiu"}
    member_id = shop.enrol(phone=PHONE, mail=MAIL, names=names)
    order_id = shop.post_order("order-77", identity={"phone": PHONE}).json["order"]["id"]
    client.get(f"/v1/members/{member_id}", caller=SHOP)
    client.get(f"/v1/orders/{order_id}", caller=SHOP)
    client.get("/v1/orders?source=shop&order_id=order-77", caller=SHOP)
    client.get("/v1/members/me", caller=member("the-sign-in", phone=PHONE, mail=MAIL))
    client.post("/v1/members", json={"phone": "not a phone " + PHONE}, caller=SHOP, key="secret-key")

    said = capsys.readouterr().out

    secrets = [member_id, order_id, "order-77", PHONE, PHONE[-8:], MAIL, *names.values(), "the-sign-in", "secret-key"]
    assert [secret for secret in secrets if secret in said] == []
    assert len(said.splitlines()) == 7


def test_metrics_are_in_the_line_only_where_they_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    client.get("/v1/program", caller=SHOP)
    measured = dataclasses.replace(settings(), request_metrics=True)
    with mock.patch("chalicelib.web.request_log.settings", return_value=measured):
        client.get("/v1/program", caller=SHOP)

    plain, line = lines(capsys)
    assert "_aws" not in plain
    (metric,) = line["_aws"]["CloudWatchMetrics"]
    assert metric["Namespace"] == "Huike"
    assert [found["Name"] for found in metric["Metrics"]] == ["Requests", "Errors", "Milliseconds"]
    for name in (*metric["Dimensions"][0], *(found["Name"] for found in metric["Metrics"])):
        assert name in line
