"""Whatever comes twice, late or out of order: what is paid is what was done, as anybody can count it."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from unittest import mock

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.base import clock, dynamo
from chalicelib.engagement import reacting
from chalicelib.engagement.hearing import Heard
from chalicelib.engagement.rules.progress import WHOLE, Walk, walked
from chalicelib.engagement.table import read_facts
from chalicelib.engagement.terms import find
from chalicelib.ledger import auditing
from chalicelib.ledger.router import Notice
from chalicelib.ledger.table import read_chain, read_view
from chalicelib.members import service as members
from chalicelib.program import service as programs
from tests.api import shop
from tests.api.client import client
from tests.api.community import CRM, cancel_event, notices, post_event, publish
from tests.challenges import card, quest, streak
from tests.tables import create_tables

PAIR = 2
TEA: dict[str, Any] = {"sku": "oolong", "category": "tea", "quantity": 2, "amount_minor": 60_00}
CUP: dict[str, Any] = {"sku": "cup-07", "category": "home", "quantity": 2, "amount_minor": 40_00}
CHALLENGES = [
    card(stamps=4, given=1, repeats=True, items={"categories": ["tea"]}, each_item=True),
    streak(length=2, repeats=True),
    quest(repeats=True, in_order=True),
]

orders = st.tuples(st.just("buy"), st.integers(1, 6), st.booleans())
refunds = st.tuples(st.just("refund"), st.integers(0, 9), st.booleans())
events = st.tuples(st.just("event"), st.integers(1, 6), st.sampled_from(["check_in", "share"]))
cancels = st.tuples(st.just("cancel"), st.integers(0, 9), st.none())
hearing = st.tuples(st.just("hear"), st.integers(0, 9), st.none())
lives = st.lists(st.one_of(orders, refunds, events, cancels, hearing), min_size=3, max_size=12)


class Life:
    """What a member does, counted by hand."""

    def __init__(self) -> None:
        publish(challenges=CHALLENGES)
        self.member_id = shop.enrol()
        self.heard: set[int] = set()
        self.orders: list[str] = []
        self.events: list[str] = []
        self.tea: dict[str, int] = {}
        self.days: dict[str, int] = {}

    def live(self, what: str, number: int, more: Any, name: int) -> None:
        if what == "buy":
            lines = [TEA, CUP] if more else [CUP, CUP]
            posted = shop.post_order(
                str(name),
                member_id=self.member_id,
                occurred_at=shop.moment(number),
                lines=lines,
                total_minor=sum(line["amount_minor"] for line in lines),
            ).json["order"]
            self.orders.append(posted["id"])
            self.tea[posted["id"]] = 2 if more else 0
        elif what == "refund" and self.orders:
            self.take_back(self.orders[number % len(self.orders)], name, whole=more)
        elif what == "event":
            answer = post_event(str(name), member_id=self.member_id, occurred_at=shop.moment(number), type=more)
            event_id = answer.json["event"]["id"]
            self.events.append(event_id)
            if more == "check_in":
                self.days[event_id] = -number
        elif what == "cancel" and self.events:
            event_id = self.events[number % len(self.events)]
            cancel_event(event_id)
            self.days.pop(event_id, None)
        elif what == "hear":
            self.hear(number)

    def take_back(self, order_id: str, name: int, *, whole: bool) -> None:
        if whole:
            if shop.cancel(order_id).status == 201:
                self.tea[order_id] = 0
        elif shop.refund(order_id, f"r{name}", lines=[{"line": 0, "quantity": 1}]).status == 201:
            self.tea[order_id] = max(self.tea[order_id] - 1, 0)

    def hear(self, number: int) -> None:
        """One notice reaches the queue's function, whichever it is."""
        waiting = notices(self.member_id)
        if waiting:
            reacting.react(waiting[number % len(waiting)], now=clock.now())

    def hear_all(self, chance: random.Random) -> None:
        waiting: list[Notice] = [*notices(self.member_id)] * 2
        chance.shuffle(waiting)
        for notice in waiting:
            reacting.react(notice, now=clock.now())

    @property
    def stamps(self) -> int:
        return sum(self.tea.values())

    @property
    def streaks(self) -> int:
        """How many pairs of days in a row there are, none in two pairs."""
        pairs = run = 0
        days = sorted(set(self.days.values()))
        for before, day in pairwise([-99, *days]):
            run = run + 1 if day == before + 1 else 1
            if run == PAIR:
                pairs, run = pairs + 1, 0
        return pairs

    @property
    def paid(self) -> dict[str, int]:
        """Rounds paid and not taken back, by challenge, as the ledger tells it."""
        signs = {"challenge_done": 1, "challenge_undone": -1}
        rounds: dict[str, int] = {}
        for item in read_chain(self.member_id, consistent=True):
            if item.kind in signs:
                rounds[item.reason] = rounds.get(item.reason, 0) + signs[item.kind]
        return {code: count for code, count in rounds.items() if count}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives, st.randoms(use_true_random=False))
def test_what_is_paid_is_what_was_done_in_whatever_order_it_is_heard(
    deeds: list[tuple[str, int, Any]], chance: random.Random
) -> None:
    start_anew()
    life = Life()
    for name, (what, number, more) in enumerate(deeds):
        life.live(what, number, more, name)
    life.hear_all(chance)
    _home, stored = reacting.locate(life.member_id)
    walks = stored.progress.walks
    assert walks == walked(read_facts(life.member_id), find)
    tea, daily = walks.get("tea_card", Walk()), walks.get("daily", Walk())
    assert (tea.rounds, tea.counts.get(WHOLE, 0)) == divmod(life.stamps, 3)
    assert daily.rounds == life.streaks
    assert life.paid == {code: walk.rounds for code, walk in walks.items() if walk.rounds}
    assert auditing.audit(life.member_id, read_view(life.member_id), now=clock.now()).findings == ()


def start_anew() -> None:
    """Empty tables within one test: with what earlier examples left, moto would grow slower and slower."""
    dynamodb = boto3.client("dynamodb")
    for name in dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName=name)
    create_tables(dynamodb)
    members.forget_all()
    programs.reset_cache()


def interrupted(notice: Notice, at: int, meanwhile: Callable[[], object]) -> None:
    """React to a notice, and let something else happen just before the `at`-th transaction."""
    real: Any = dynamo.client()
    send = real._make_api_call
    seen: list[str] = []

    def call(operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "TransactWriteItems":
            seen.append(operation)
            if len(seen) == at:
                meanwhile()
        return send(operation, parameters)

    with mock.patch.object(real, "_make_api_call", call):
        reacting.react(notice, now=clock.now())


@pytest.fixture
def member_id() -> str:
    publish(challenges=[card(stamps=2, given=0)])
    return shop.enrol()


@pytest.mark.parametrize("at", [1, 2])
def test_two_functions_that_hear_the_same_at_once_pay_once(member_id: str, at: int) -> None:
    for number in range(2):
        shop.post_order(str(number), member_id=member_id)
    first, second = notices(member_id)
    reacting.react(first, now=clock.now())
    interrupted(second, at, lambda: reacting.react(second, now=clock.now()))
    assert [item.kind for item in read_chain(member_id, consistent=True)].count("challenge_done") == 1


@pytest.mark.parametrize("at", [1, 2])
def test_a_cancellation_that_is_heard_in_between_leaves_nothing_paid(member_id: str, at: int) -> None:
    order_ids = [shop.post_order(str(number), member_id=member_id).json["order"]["id"] for number in range(2)]
    first, second = notices(member_id)
    reacting.react(first, now=clock.now())

    def cancel() -> None:
        shop.cancel(order_ids[0])
        reacting.react(notices(member_id)[-1], now=clock.now())

    interrupted(second, at, cancel)
    kinds = [item.kind for item in read_chain(member_id, consistent=True)]
    assert kinds.count("challenge_done") == kinds.count("challenge_undone") == 0
    assert reacting.locate(member_id)[1].progress.walks["tea_card"].counts == {WHOLE: 1}


def test_a_merge_of_many_facts_leaves_none_behind() -> None:
    publish(challenges=[card(stamps=150, given=0)])
    closed, into = shop.enrol("a"), shop.enrol("b", phone="+8613900139000")
    for number in range(100):
        marks = {"tea_card": {"": 1}}
        reacting.count(closed, Heard(f"ord_{number}", 1_700_000_000 + number, 1, marks, lambda: {"tea_card": {"": 1}}))
    client.post(f"/v1/members/{closed}/merge", json={"into": into}, caller=CRM)
    for notice in notices(into):
        reacting.react(notice, now=clock.now())
    assert len(read_facts(into)) == 100
    assert reacting.locate(closed)[0] == into
    assert reacting.locate(closed)[1].progress.walks["tea_card"].counts == {WHOLE: 100}
