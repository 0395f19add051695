"""Tiers by several metrics and by years, from the shop's orders to what the member sees."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.program import service as programs
from tests import programs as documents
from tests.api import shop
from tests.api.client import client
from tests.programs import tier

DECEMBER = clock.parse("2027-12-30T04:00:00Z")
TIERS = [
    tier("member"),
    tier("silver", threshold_spend_minor=500_00, threshold_purchases=3),
    tier("gold", threshold_spend_minor=2_000_00, threshold_purchases=9),
]


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    go_to(monkeypatch, DECEMBER)


def go_to(monkeypatch: pytest.MonkeyPatch, instant: int) -> None:
    monkeypatch.setattr(clock, "now", lambda: instant)


def publish(**policy: Any) -> None:
    document = documents.document(tiers=TIERS, tier_policy={"period": "calendar_year", **policy})
    programs.publish(document, by="tests", note="", now=DECEMBER - clock.DAY_S)


def buy(member_id: str, number: str, yuan: int, at: int | None = None) -> dict[str, Any]:
    answer = shop.post_order(
        number,
        member_id=member_id,
        total_minor=yuan * 100,
        occurred_at=clock.text(clock.now() - 60 if at is None else at),
    )
    assert answer.status == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def held(member_id: str) -> dict[str, Any]:
    found: dict[str, Any] = shop.account(member_id)["tier"]
    return found


def test_any_way_reaches_a_tier_and_the_nearest_is_named() -> None:
    publish(match="any")
    member_id = shop.enrol()
    buy(member_id, "1", 100)
    missing = held(member_id)["to_next"]
    assert missing == {
        "code": "silver",
        "name": "silver",
        "points": None,
        "spend_minor": 400_00,
        "purchases": 2,
        "activity": None,
        "match": "any",
        "nearest": "purchases",
    }
    buy(member_id, "2", 1)
    assert buy(member_id, "3", 1)["account"]["tier"] == "silver"
    found = held(member_id)
    assert (found["code"], found["until"], found["to_keep"]) == ("silver", "2028-12-31T16:00:00Z", None)
    assert found["missing_to_keep"] == {
        "points": None,
        "spend_minor": 500_00,
        "purchases": 3,
        "activity": None,
        "match": "any",
        "nearest": found["missing_to_keep"]["nearest"],
    }


def test_all_of_them_are_needed_where_the_programme_says_so_and_a_refund_takes_its_part() -> None:
    publish()
    member_id = shop.enrol()
    buy(member_id, "1", 800)
    buy(member_id, "2", 1)
    assert held(member_id)["to_next"]["purchases"] == 1
    last = buy(member_id, "3", 1)
    assert last["account"]["tier"] == "silver"
    at = clock.text(clock.now())
    answer = client.post(f"/v1/orders/{last['order']['id']}/cancel", json={"occurred_at": at}, caller=shop.SHOP)
    assert answer.json["account"]["tier"] == "member"


def test_a_purchase_of_december_that_arrives_in_january_counts_for_its_year(monkeypatch: pytest.MonkeyPatch) -> None:
    publish()
    member_id = shop.enrol()
    buy(member_id, "1", 800)
    buy(member_id, "2", 1)
    go_to(monkeypatch, clock.parse("2028-01-02T04:00:00Z"))
    assert held(member_id)["to_next"]["purchases"] == 3, "of the new year there is nothing yet"
    assert buy(member_id, "3", 1, DECEMBER)["account"]["tier"] == "silver"
    assert held(member_id)["until"] == "2028-12-31T16:00:00Z"


def test_after_a_merge_the_older_accounts_year_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    publish(period="membership_year")
    older = shop.enrol("older")
    go_to(monkeypatch, clock.parse("2028-03-05T04:00:00Z"))
    younger = shop.enrol("younger", phone="+8613900139000")
    for number in range(3):
        buy(younger, str(number), 300)
    assert held(younger)["until"] == "2030-02-28T16:00:00Z"
    client.post(f"/v1/members/{older}/merge", json={"into": younger}, caller=shop.SHOP)
    assert held(younger)["until"] == "2030-02-28T16:00:00Z", "what was promised stays"
    for number in range(3, 6):
        buy(younger, str(number), 2_000)
    found = held(younger)
    assert (found["code"], found["until"]) == ("silver", "2030-02-28T16:00:00Z"), "six purchases of nine"
    for number in range(6, 9):
        buy(younger, str(number), 1)
    found = held(younger)
    assert (found["code"], found["until"]) == ("gold", "2029-11-30T16:00:00Z"), "the older one enrolled in December"
