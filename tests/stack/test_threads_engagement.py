"""Real threads at benefits and challenges: what is counted is counted exactly, and what is done is paid once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from chalicelib.base import clock
from chalicelib.base.errors import Refusal
from chalicelib.engagement import benefits, events, reacting
from chalicelib.engagement.schema import BenefitUseIn, EventIn
from chalicelib.ledger import auditing
from chalicelib.ledger.router import Notice
from chalicelib.ledger.table import read_chain, read_view
from chalicelib.orders import refunds, service
from chalicelib.orders.schema import CancelIn, OrderIn
from infra.local.aws import LocalAws
from tests import writers
from tests.api.community import notices, publish
from tests.challenges import card, streak
from tests.local_engine import engine_on
from tests.programs import texts

_WRITERS = 16
_ACTOR = "system:threads"
_AT = clock.now() - 600


@pytest.fixture(autouse=True)
def engine(tmp_path: Path) -> Iterator[None]:
    """The engine on a DynamoDB of its own, without the deployed functions beside it."""
    with engine_on(LocalAws(tmp_path)):
        yield


def order(name: str, member_id: str) -> OrderIn:
    body = {
        "source": "threads",
        "order_id": name,
        "member_id": member_id,
        "occurred_at": clock.text(_AT),
        "currency": "CNY",
        "total_minor": 100_00,
    }
    return msgspec.convert(body, OrderIn)


def sound(member_id: str) -> bool:
    return auditing.audit(member_id, read_view(member_id), now=clock.now(), consistent=True).findings == ()


def test_a_benefit_is_used_as_often_as_it_may_be_and_no_more() -> None:
    lounge = {"code": "lounge", "kind": "experience", "title": texts("Lounge"), "tiers": ["member"], "uses": 5}
    publish(benefits=[lounge])
    (member_id,) = writers.enrolled(1)

    def use(number: int) -> str:
        try:
            benefits.use(member_id, "lounge", BenefitUseIn(), key=f"use-{number}", actor=_ACTOR, now=clock.now())
        except Refusal as refusal:
            return refusal.reason_code
        return "used"

    with ThreadPoolExecutor(_WRITERS) as threads:
        said = Counter(threads.map(use, range(40)))

    assert said["used"] == 5
    assert set(said) <= {"used", "benefit_used_up", "busy"}
    assert [item.kind for item in read_chain(member_id, consistent=True)].count("benefit_used") == 5
    assert sound(member_id)


def test_rounds_are_paid_for_what_stands_in_the_end_and_once() -> None:
    publish(challenges=[card(stamps=4, given=1, repeats=True), streak(length=2, repeats=True)])
    (member_id,) = writers.enrolled(1)
    order_ids = []
    for number in range(14):
        service.post_order(order(str(number), member_id), actor=_ACTOR, now=clock.now())
        order_ids.append(service.order_id_of("threads", str(number)))
    for day in range(4):
        at = clock.text(_AT - day * clock.DAY_S)
        body = {"source": "threads", "event_id": str(day), "type": "check_in", "occurred_at": at}
        event = msgspec.convert({**body, "member_id": member_id}, EventIn)
        events.post_event(event, None, owner="", actor=_ACTOR, now=clock.now())
    cancel = msgspec.convert({"occurred_at": clock.text(_AT)}, CancelIn)
    heard = notices(member_id)

    def cancelling(order_id: str) -> None:
        refunds.cancel(order_id, cancel, actor=_ACTOR, now=clock.now())
        for notice in [one for one in notices(member_id) if one.kind == "order_cancelled"]:
            hear(notice)

    with ThreadPoolExecutor(_WRITERS) as threads:
        shuffled = heard * 3
        random.Random(7).shuffle(shuffled)  # noqa: S311 -- an order of arrival, not a secret
        done = [threads.submit(hear, notice) for notice in shuffled]
        done += [threads.submit(cancelling, order_id) for order_id in order_ids[:4]]
        for one in done:
            one.result()

    _home, stored = reacting.locate(member_id)
    assert (stored.progress.walks["tea_card"].rounds, stored.progress.walks["daily"].rounds) == (10 // 3, 2)
    signs = {"challenge_done": 1, "challenge_undone": -1}
    paid: Counter[str] = Counter()
    for item in read_chain(member_id, consistent=True):
        paid[item.reason] += signs.get(item.kind, 0)
    assert (paid["tea_card"], paid["daily"]) == (3, 2)
    assert sound(member_id)


def hear(notice: Notice) -> None:
    """React as the queue makes the function do: what fails comes again, five times at the most."""
    for attempt in range(5):
        try:
            reacting.react(notice, now=clock.now())
        except Refusal:
            if attempt == 4:
                raise
        else:
            return
