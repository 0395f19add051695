"""A night of scoring on the deployed package: the walk, the reduction with numpy in its layer, and the report."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from infra.local.aws import client
from infra.local.deploy import Stack
from tests.stack.conftest import eventually
from tests.stack.shop import enrol, order
from tests.stack.test_night import nights, view


def test_a_night_scores_everybody_and_writes_the_report(stack: Stack, shop: httpx.Client, dynamodb: Any) -> None:
    birthday = datetime.now(UTC).date() + timedelta(days=5)
    buyer, looker = enrol(shop), enrol(shop, birthday=birthday.replace(year=1988).isoformat())
    assert shop.post("/v1/orders", json=order(buyer)).status_code == 201
    eventually(lambda: view(stack, dynamodb, buyer).get("seq") == {"N": "2"} and view(stack, dynamodb, looker))
    files, bucket = client("s3", stack.endpoint), stack.outputs["FilesBucketName"]

    nights(stack, dynamodb, {})

    eventually(lambda: "score_told" in view(stack, dynamodb, buyer))
    eventually(lambda: "score_told" in view(stack, dynamodb, looker))
    assert view(stack, dynamodb, looker)["score_text"]["S"].endswith(" low none")
    found = {item["Key"] for item in files.list_objects_v2(Bucket=bucket, Prefix="reports/latest/")["Contents"]}
    assert {key.rpartition("/")[2] for key in found} == {
        *("report.html", "report.zh.html", "report.json", "members.csv", "care.csv")
    }
    told = json.loads(files.get_object(Bucket=bucket, Key="reports/latest/report.json")["Body"].read())
    assert told["members"] >= 2
    assert told["holdings"]["members"] >= 2
    assert told["holdings"]["outstanding"] > 0
    sheet = files.get_object(Bucket=bucket, Key="reports/latest/members.csv")["Body"].read().decode()
    assert buyer in sheet
    cares = files.get_object(Bucket=bucket, Key="reports/latest/care.csv")["Body"].read().decode("utf-8-sig")
    assert f"{birthday},birthday,{looker}," in cares


def test_the_front_shows_the_report_of_the_last_night(browser: httpx.Client) -> None:
    page = browser.get("/night/report.html")
    assert page.status_code == 200, page.text
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert browser.get("/night/passwords").status_code == 404
