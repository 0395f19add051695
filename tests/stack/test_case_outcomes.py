"""Counts of cases on the deployed stack: the path of the statistics is no case's, and the role may count."""

from __future__ import annotations

from typing import Any

import httpx

from infra.local.deploy import Stack
from tests.stack.test_cases import send


def month(shop: httpx.Client) -> Any:
    answer = shop.get("/v1/cases/statistics")
    assert answer.status_code == 200, answer.text
    return answer.json()["months"][-1]


def test_the_month_counts_what_is_opened(stack: Stack, shop: httpx.Client) -> None:
    assert stack
    before = month(shop)
    case_id = send(shop, "stack-counted", dimension="price")
    send(shop, "stack-counted-praise", kind="praise")
    after = month(shop)

    assert after["cases"] == before["cases"] + 2
    assert after["complaints"]["cases"] == before["complaints"]["cases"] + 1
    found, had = (counts["complaints_by_dimension"].get("price", {"cases": 0})["cases"] for counts in (after, before))
    assert found == had + 1
    refused = shop.post(
        f"/v1/cases/{case_id}/cause", json={"cause": "no_such_cause"}, headers={"Idempotency-Key": "stack-cause"}
    )
    assert (refused.status_code, refused.json()["code"]) == (400, "cause_unknown")


def test_actions_are_listed_and_outcomes_are_of_actions(stack: Stack, shop: httpx.Client) -> None:
    assert stack
    assert shop.get("/v1/case-actions?state=overdue").json() == {"actions": [], "next_cursor": None}
    answer = shop.get("/v1/case-causes/packaging/outcome?action_id=act_none")
    assert (answer.status_code, answer.json()["code"]) == (404, "action_not_found")
