"""Whatever is bought, refunded, cancelled, repeated and merged: budgets hold what the orders' records say."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.base import clock
from chalicelib.ledger.table import read_tail
from chalicelib.members import service as members
from chalicelib.orders import claims, history, rules
from chalicelib.program import budgets
from tests.api import shop
from tests.api.client import client
from tests.api.shop import SHOP
from tests.campaigns import bonus, budget, campaign, put_in_force

_rounds = itertools.count()
Step = tuple[str, int, int]

_STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(
        st.sampled_from(["order", "order", "waiting", "refund", "refund", "cancel", "again", "merge", "claim"]),
        st.integers(0, 3),
        st.integers(1, 100_00),
    ),
    max_size=14,
)


class Shop:
    """Two members, somebody who has yet to enrol, and a campaign with little to give."""

    def __init__(self) -> None:
        self.round = next(_rounds)
        self.code = f"c{self.round}"
        self.phones = [f"+86138{self.round:04d}{number:04d}" for number in range(3)]
        caps = [{"per": "ever", "points": 100}]
        rules_ = [bonus(f"{self.code}_gift", 30), {**bonus(f"{self.code}_more", 17), "caps": caps}]
        parts = {"points": 160, "awards": 5, "shards": 3}
        put_in_force(campaign(self.code, rules=rules_, budget=parts))
        budgets.reset_memory()
        self.members = [shop.enrol(f"{self.code}-{phone}", phone=phone) for phone in self.phones[:2]]
        self.orders: list[dict[str, Any]] = []
        self.ids: list[str] = []

    def order(self, who: int, amount_minor: int) -> None:
        """Whoever has no id yet is named by the phone; the last one is nobody's until it is claimed."""
        number = f"{self.code}-{len(self.orders)}"
        body = shop.order(number, identity={"phone": self.phones[who % 3]}, total_minor=amount_minor)
        self.orders.append(body | {"occurred_at": clock.text(clock.now())})
        answer = client.post("/v1/orders", json=self.orders[-1], caller=SHOP)
        assert answer.status in {201, 202}, answer.text
        self.ids.append(answer.json["order"]["id"])

    def again(self, which: int, _amount: int) -> None:
        if self.orders:
            answer = client.post("/v1/orders", json=self.orders[which % len(self.orders)], caller=SHOP)
            assert answer.status in {200, 202}, answer.text

    def refund(self, which: int, amount_minor: int) -> None:
        if self.ids:
            answer = shop.refund(self.ids[which % len(self.ids)], f"r{amount_minor}", amount_minor=amount_minor)
            assert answer.status in {200, 201, 409}, answer.text

    def cancel(self, which: int, _amount: int) -> None:
        if self.ids:
            assert shop.cancel(self.ids[which % len(self.ids)]).status in {200, 201, 409}

    def merge(self, _which: int, _amount: int) -> None:
        answer = client.post(f"/v1/members/{self.members[0]}/merge", json={"into": self.members[1]}, caller=SHOP)
        assert answer.status in {200, 201}, answer.text

    def claim(self, _which: int, _amount: int) -> None:
        members.forget_all()
        self.members.append(shop.enrol(f"{self.code}-late", phone=self.phones[2]))
        claims.claim_all(self.members[-1], now=clock.now())

    def waiting(self, _which: int, amount_minor: int) -> None:
        self.order(2, amount_minor)

    def check(self) -> None:
        """What was taken of the budgets, and used of the limits, is what the orders took less what went back."""
        points = awards = capped = 0
        for order_id in self.ids:
            past = history.read(order_id, consistent=True)
            for take in rules.still_taken(past.earnings, past.refunded):
                points, awards = points + take.points, awards + 1
            back = rules.gone_back(past.earnings, rules.nothing_refunded(past.earnings), past.refunded)
            capped += sum(limit.points for limit in (*past.earnings.limits, *back.limits))
        assert budget(self.code) == (160, points, 160 - points)
        assert budget(self.code, "awards") == (5, awards, 5 - awards)
        tails = {members.survivor_of(member_id) for member_id in self.members}
        states = [tail.state for tail in (read_tail(name, consistent=True) for name in tails) if tail]
        assert sum(limit.points for state in states for limit in state.limits) == capped


@given(_STEPS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_budgets_and_limits_hold_what_the_orders_say(steps: list[Step]) -> None:
    found = Shop()
    for name, which, amount_minor in steps:
        act: Callable[[int, int], None] = getattr(found, name)
        act(which, amount_minor)
        found.check()
