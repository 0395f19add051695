"""What answers say, on the deployed package: the schedule's message reaches the tables, and an admin the page."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx

from chalicelib.base import clock
from infra.local import polls
from infra.local.aws import client
from infra.local.deploy import Stack
from tests.stack.conftest import eventually
from tests.stack.functions import invoke, physical_name, queued
from tests.stack.test_surveys import opened

NIGHT = {"cross": "night"}
_ANSWERS = 40


def ask(stack: Stack, action: str, **fields: Any) -> Any:
    payload = json.dumps({"action": action, **fields}).encode()
    name = physical_name(stack, "AdministerSurveys")
    answer = client("lambda", stack.endpoint).invoke(FunctionName=name, Payload=payload)
    said = answer["Payload"].read().decode()
    assert "FunctionError" not in answer, said
    return json.loads(said)


def test_the_night_makes_tables_of_what_was_answered(stack: Stack, shop: httpx.Client, sqs: Any) -> None:
    survey_id = opened(shop, "stack_results", points=0)
    at, path = clock.text(clock.now() - 60), f"/v1/surveys/{survey_id}"
    titles = "key,occurred_at,store,recommend,areas.product,areas.service,areas.price,areas.after_sales,improve"
    rows = [
        f"{n},{at},store {n % 2},{n % 11},{n % 5 + 1},4,3,4,{'=1+1' if n % 11 < 7 else ''}" for n in range(_ANSWERS)
    ]
    brought = shop.post(f"{path}/imports", json={"source": "paper", "csv": "\n".join([titles, *rows])}).json()
    assert brought["taken"] == _ANSWERS, brought["refused"][:3]

    live = shop.get(f"{path}/results").json()
    assert (live["answers"], live["nps"]["n"], live["source"]) == (_ANSWERS, _ANSWERS, "live")
    assert shop.get(f"{path}/results?source=nightly").json()["answers"] == 0

    sqs.send_message(QueueUrl=stack.outputs["CrossingsQueueUrl"], MessageBody=json.dumps(NIGHT))
    eventually(lambda: shop.get(f"{path}/results?source=nightly").json()["answers"] == _ANSWERS)
    nightly = shop.get(f"{path}/results?group_by=store").json()
    assert {cell["value"]: cell["answers"] for cell in nightly["groups"]["cells"]} == {"store 0": 20, "store 1": 20}
    assert nightly["nps"] == live["nps"]
    # Fired twice, it finds nothing new.
    assert invoke(stack, "CrossSurveys", queued(NIGHT)) == []
    assert shop.get(f"{path}/results?group_by=store").json()["crossed_at"] == nightly["crossed_at"]

    listed = shop.get(f"{path}/answers?limit=100&nps=detractor&personal=true").json()["answers"]
    assert {answer["answers"]["improve"]["text"] for answer in listed} == {"=1+1"}
    text = shop.get(f"{path}/answers/csv?personal=true").json()["csv"]
    assert text.count('"\'=1+1"') == len(listed)
    assert shop.get(f"{path}/results/csv").json()["csv"].startswith("\ufeff")
    assert "By store" in ask(stack, "page", survey="stack_results")["html"]
    assert ask(stack, "export_answers", survey="stack_results")["answers"] == _ANSWERS
    assert ask(stack, "results", survey="nobody")["error"]["code"] == "survey_not_found"
    month = nightly["months"][0]["value"]
    assert ask(stack, "cross", survey="stack_results", month=month) == {"asked_for": month, "survey_id": survey_id}
    eventually(lambda: shop.get(f"{path}/results?source=nightly").json()["crossed_at"] > nightly["crossed_at"])


def test_the_demo_s_survey_is_there_to_be_looked_at(stack: Stack, shop: httpx.Client, browser: httpx.Client) -> None:
    polls.bring_in(stack, datetime.now(UTC), lambda _count: None, count=400)
    polls.bring_in(stack, datetime.now(UTC), lambda _count: None, count=400)
    survey_id = next(each["id"] for each in shop.get("/v1/surveys").json()["surveys"] if each["code"] == polls.CODE)
    eventually(lambda: shop.get(f"/v1/surveys/{survey_id}/results?source=nightly").json()["answers"] > 300)
    shown = browser.get(f"/surveys/{polls.CODE}")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "What moves NPS" in shown.text
    assert browser.get("/surveys/nobody").status_code == 404


def test_the_schedule_asks_every_night(stack: Stack) -> None:
    found = client("scheduler", stack.endpoint).get_schedule(Name=physical_name(stack, "CrossingsDue"))
    assert json.loads(found["Target"]["Input"]) == NIGHT
    assert found["ScheduleExpression"].startswith("cron(")
    assert found["State"] in {"ENABLED", "DISABLED"}
