"""Moments that a calendar can write and no shop can mean: refused as too early or too late, never a fault of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api import shop
from tests.api.client import client
from tests.tables import empty_tables

EARLY = ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "0500-03-04T18:57:28Z", "1970-01-01T00:00:00Z"]
LATE = ["9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999Z", "2100-02-28T23:59:60Z", "2100-01-01T00:00:00Z"]
CODES = {"occurred_too_long_ago", "occurred_in_future", "invalid_request"}


@pytest.fixture(scope="module", autouse=True)
def tables() -> Iterator[None]:
    """Tables for all of them, since none changes anything."""
    with empty_tables():
        yield


@pytest.fixture(scope="module")
def ordered() -> dict[str, str]:
    """A member and its order."""
    member_id = shop.enrol()
    return {"member": member_id, "order": shop.post_order(member_id=member_id).json["order"]["id"]}


@pytest.mark.parametrize("moment", [*EARLY, *LATE])
def test_a_strange_moment_is_refused_wherever_it_is_said(ordered: dict[str, str], moment: str) -> None:
    before = shop.account(ordered["member"])
    said: dict[str, Any] = {"occurred_at": moment}

    answers = [
        shop.post_order("strange", member_id=ordered["member"], **said),
        shop.post_order("strange", identity={"mail": "nobody@example.com"}, **said),
        shop.refund(ordered["order"], amount_minor=100, **said),
        shop.cancel(ordered["order"], **said),
        client.post("/v1/quotes", json={"currency": "CNY", "total_minor": 100, **said}, caller=shop.SHOP),
    ]

    assert {answer.status for answer in answers} == {400}
    assert {answer.code for answer in answers} <= CODES
    assert shop.account(ordered["member"])["available"] == before["available"]
