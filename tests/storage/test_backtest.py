"""A backtest of today's document gives every member what posting the same facts gave, to the point."""

from __future__ import annotations

import random
from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.ledger.posting import peek
from chalicelib.program import service as programs
from infra.backtest import tables
from infra.backtest.compare import compare
from infra.backtest.replay import replay
from infra.backtest.tally import RuleKey
from infra.installation import Installation
from tests.api import shop
from tests.api.client import client
from tests.api.community import cancel_event, post_event
from tests.api.shop import SHOP
from tests.campaigns import budget
from tests.programs import document, texts, tier

MEMBERS = 4
INSTALLATION = Installation({"LedgerTableName": "huike-test-ledger"})
PROGRAM: dict[str, Any] = {
    "tiers": [tier("member", 0), tier("silver", 150, "1.25"), tier("gold", 400, "1.5")],
    "tier_policy": {"window_months": 3, "keep_months": 3, "downgrade": "one_down"},
    "expiry": {"kind": "rolling_months", "months": 2},
    "pending_days": 3,
    "late_days": 60,
    "welcome_points": 33,
    "redemption": {"points_per": 1, "amount_minor": {"CNY": 1}, "minimum_points": 1},
    "earning_rules": [
        {"kind": "per_amount", "code": "base", "title": texts("base")},
        {
            "kind": "multiplier",
            "code": "tea_day",
            "title": texts("tea day"),
            "factor": "1.5",
            "items": {"categories": ["tea"]},
            "when": {"weekdays": [1, 3, 5]},
        },
        {
            "kind": "bonus",
            "code": "full",
            "title": texts("满额"),
            "points": 20,
            "when": {"minimum_minor": {"CNY": 40_00}},
            "caps": [{"per": "month", "points": 30}],
        },
        {
            "kind": "bonus",
            "code": "birthday",
            "title": texts("birthday"),
            "points": 7,
            "when": {"birthday": "month", "tags": ["friend"]},
        },
        {
            "kind": "per_event",
            "code": "check_in",
            "title": texts("check-in"),
            "events": ["check_in"],
            "points": 9,
            "caps": [{"per": "month", "times": 1}],
        },
    ],
    "events": {"check_in": {"title": texts("check-in")}},
    "campaigns": [
        {
            "code": "opening",
            "title": texts("opening"),
            "status": "active",
            "starts_at": "2020-01-01T00:00",
            "rules": [{"kind": "bonus", "code": "gift", "title": texts("gift"), "points": 11}],
            "budget": {"points": 110, "shards": 1},
        }
    ],
}


class Story:
    """A shop's year: orders, refunds, cancellations and redemptions by four members, by a seed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
        self.random, self.now = random.Random(seed), clock.parse("2025-09-01T04:00:00Z")  # noqa: S311 -- a story, no secret
        self.number = 0
        self.orders: list[tuple[str, dict[str, Any]]] = []
        self.redemptions: list[str] = []
        self.events: list[str] = []
        monkeypatch.setattr(clock, "now", lambda: self.now)
        programs.publish(document(**PROGRAM), by="tests", now=self.now)
        self.members = [self.enrol(place) for place in range(MEMBERS)]

    def enrol(self, place: int) -> str:
        birthday = f"1990-{1 + 2 * place:02d}-29"
        return shop.enrol(f"e{place}", mail=f"m{place}@example.com", birthday=birthday, tags=["friend"])

    def go_on(self, steps: int) -> None:
        for _step in range(steps):
            self.now += self.random.randrange(1, 12) * clock.DAY_S // 2
            programs.reset_cache()
            rest = [self.refund, self.cancel, self.redeem, self.put_back, self.check_in, self.withdraw]
            self.random.choice([self.buy] * 5 + rest)()

    def buy(self) -> None:
        self.number += 1
        lines: list[dict[str, Any]] = [
            {"sku": sku, "category": category, "quantity": 2, "amount_minor": self.random.randrange(1, 60_00)}
            for sku, category in (("oolong", "tea"), ("cup", "home"))
        ]
        shipping = self.random.choice([0, 6_00])
        body = shop.order(
            str(self.number),
            member_id=self.random.choice(self.members),
            occurred_at=clock.text(self.now - self.random.randrange(0, 20 * clock.DAY_S)),
            total_minor=sum(line["amount_minor"] for line in lines) + shipping,
            shipping_minor=shipping,
            lines=lines,
        )
        answer = client.post("/v1/orders", json=body, caller=SHOP)
        assert answer.status == 201, answer.text
        self.orders.append((answer.json["order"]["id"], body))

    def refund(self) -> None:
        if self.orders:
            order_id, body = self.random.choice(self.orders)
            line = {"line": self.random.randrange(2), "amount_minor": 1 + body["lines"][0]["amount_minor"] // 7}
            parts = {"lines": [line]} if self.random.random() < 0.5 else {"amount_minor": 1 + body["total_minor"] // 5}
            self.number += 1
            shop.refund(order_id, f"r{self.number}", occurred_at=clock.text(self.now), **parts)

    def cancel(self) -> None:
        if self.orders:
            shop.cancel(self.random.choice(self.orders)[0], occurred_at=clock.text(self.now))

    def check_in(self) -> None:
        self.number += 1
        answer = post_event(
            str(self.number), member_id=self.random.choice(self.members), occurred_at=clock.text(self.now)
        )
        assert answer.status == 201, answer.text
        self.events.append(answer.json["event"]["id"])

    def withdraw(self) -> None:
        if self.events:
            cancel_event(self.random.choice(self.events))

    def redeem(self) -> None:
        member = self.random.choice(self.members)
        answer = shop.redeem(member, self.random.randrange(1, 60), f"k{self.now}")
        if answer.status == 201:
            self.redemptions.append(answer.json["redemption"]["id"])

    def put_back(self) -> None:
        if self.redemptions:
            path = f"/v1/redemptions/{self.random.choice(self.redemptions)}/cancel"
            client.post(path, json={}, caller=SHOP)


@pytest.mark.parametrize("seed", range(3))
def test_every_member_has_what_posting_gave(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    story = Story(monkeypatch, seed)
    story.go_on(90)
    recorded = tables.recorded(INSTALLATION, lambda _count: None, as_posted=True)
    today = tables.program_in_force(INSTALLATION, story.now)
    tally = replay(today, recorded)
    story.now = recorded.facts[-1].posted_at
    for member in story.members:
        assert tally.states[member] == peek(member, now=story.now).state
        account = shop.account(member)
        assert (tally.tiers[member], tally.states[member].available) == (account["tier"]["code"], account["available"])
    assert not tally.refused
    assert sum(rule.points for rule in tally.rules.values()) == tally.total.earned
    happened = tally.total
    # The story is long enough for everything that may happen to points.
    assert min(happened.earned, happened.clawed, happened.redeemed, happened.restored, happened.expired) > 0
    assert tally.rules[RuleKey("full")].cut_points > 0
    assert tally.rules[RuleKey("check_in")].points > 0
    assert (left := 110 - tally.budgets["opening"].points) >= 0
    assert budget("opening") == (110, 110 - left, left)


def test_the_same_document_twice_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, 7)
    story.go_on(40)
    recorded = tables.recorded(INSTALLATION, lambda _count: None)
    today = tables.program_in_force(INSTALLATION, story.now)
    report = compare(recorded, replay(today, recorded), replay(today, recorded))
    assert report.members == MEMBERS
    assert report.affected == report.gaining == report.losing == 0
    assert report.budgets[0].points <= 110
    assert {item.missing for item in report.unjudged} == set()


def test_purchases_that_were_imported_late_count_by_their_own_months(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, 11)
    member = story.members[0]
    for days_ago in (50, 30, 10):
        occurred_at = clock.text(story.now - days_ago * clock.DAY_S)
        bought = shop.post_order(str(days_ago), member_id=member, total_minor=50_00, occurred_at=occurred_at)
        late = clock.text(story.now - (days_ago - 1) * clock.DAY_S)
        assert shop.refund(bought.json["order"]["id"], amount_minor=10_00, occurred_at=late).status == 201
    spans = []
    for as_posted in (False, True):
        recorded = tables.recorded(INSTALLATION, lambda _count: None, as_posted=as_posted)
        tally = replay(tables.program_in_force(INSTALLATION, story.now), recorded)
        assert not tally.refused
        spans.append([month.earned > 0 for month in tally.months.values()])
    assert spans == [[True, True, True], [True]]
