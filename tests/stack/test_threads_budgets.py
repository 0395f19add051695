"""Real threads at a campaign: sixteen writers race for its budget and a member's limits, with faults below the SDK."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from chalicelib.base import clock
from chalicelib.base.errors import Refusal
from chalicelib.ledger.table import read_tail
from chalicelib.orders import history, refunds, service
from chalicelib.orders.history import History
from chalicelib.orders.schema import CancelIn, OrderIn
from chalicelib.program import budgets
from chalicelib.program import service as programs
from infra.local.aws import LocalAws
from tests import wire, writers, writers_audit
from tests.campaigns import bonus, budget, campaign, publish
from tests.local_engine import engine_on

_MEMBERS = 5
_RATE = 0.10
_ORDERS = 60
_EARLIER = clock.now() - clock.DAY_S


@pytest.fixture(autouse=True)
def engine(tmp_path: Path) -> Iterator[None]:
    """The engine on a DynamoDB of its own, without the deployed functions beside it."""
    with engine_on(LocalAws(tmp_path)):
        budgets.reset_memory()
        yield


def order(name: str, member_id: str, occurred_at: int) -> OrderIn:
    """An order of 100 yuan."""
    body = {
        "source": "threads",
        "order_id": name,
        "member_id": member_id,
        "occurred_at": clock.text(occurred_at),
        "currency": "CNY",
        "total_minor": 100_00,
    }
    return msgspec.convert(body, OrderIn)


def posting(name: str, member_id: str, *, cancelled: bool = False) -> writers.Story:
    """Post an order, and cancel it again where that is wanted."""
    occurred_at = clock.now() - 60
    body = order(name, member_id, occurred_at)
    cancel = msgspec.convert({"occurred_at": clock.text(occurred_at)}, CancelIn)
    order_id = service.order_id_of("threads", name)

    def story(send: writers.Send) -> None:
        send(name, lambda: service.post_order(body, actor="system:threads", now=clock.now()))
        if cancelled:
            send(f"{name}/cancel", lambda: refunds.cancel(order_id, cancel, actor="system:threads", now=clock.now()))

    return story


def played(count: int, members: list[str], *, cancel_every: int = 0) -> list[History]:
    """Let sixteen writers post so many orders, each twice, with faults; the orders as they are afterwards."""
    names = [f"order-{number}" for number in range(count)]
    stories = [
        posting(name, members[number % len(members)], cancelled=cancel_every > 0 and number % cancel_every == 0)
        for number, name in enumerate(names)
    ]
    with wire.faulty(_RATE, seed=31) as met:
        run = writers.play(stories)
    assert sum(met.values()) > met["sent"]
    assert run.refusals == []
    writers_audit.check(run, writers_audit.chains(members))
    assert set(Counter(ack.request for ack in run.acks).values()) == {2}, "every request was sent twice"
    return [history.read(service.order_id_of("threads", name), consistent=True) for name in names]


def taken(orders: list[History]) -> tuple[int, int]:
    """The points and awards that the orders' records say they took and have not given back."""
    takes = [take for past in orders if not past.refunded.cancelled for take in past.earnings.takes]
    return sum(take.points for take in takes), len(takes)


@pytest.mark.parametrize(("given", "shards"), [(50, 4), (70, 8)])
def test_a_budget_is_spent_to_its_last_award_and_no_further(given: int, shards: int) -> None:
    """Of 50 points every shard holds a whole number; of 70 the last ones are gathered from several shards."""
    publish(campaign("raced", given, budget={"points": 1000, "awards": 40, "shards": shards}), now=_EARLIER)
    orders = played(_ORDERS, writers.enrolled(_MEMBERS))
    awards = 1000 // given
    assert budget("raced") == (1000, awards * given, 1000 % given)
    assert budget("raced", "awards") == (40, awards, 40 - awards)
    assert taken(orders) == (awards * given, awards)
    assert Counter(past.earnings.points for past in orders) == {100 + given: awards, 100: _ORDERS - awards}


def test_what_cancelled_orders_give_back_is_taken_by_others_exactly() -> None:
    publish(campaign("returned", 30, budget={"points": 600, "awards": 15, "shards": 3}), now=_EARLIER)
    orders = played(_ORDERS, writers.enrolled(_MEMBERS), cancel_every=2)
    points, awards = taken(orders)
    assert points == 30 * awards == sum(past.earnings.points - 100 for past in orders if not past.refunded.cancelled)
    assert budget("returned") == (600, points, 600 - points)
    assert budget("returned", "awards") == (15, awards, 15 - awards)


def test_a_member_gains_as_often_as_the_cap_says_and_not_once_more() -> None:
    publish(campaign("capped", rules=[bonus("gift", 10, caps=[{"per": "day", "times": 5}])]), now=_EARLIER)
    members = writers.enrolled(1)
    orders = played(24, members)
    assert Counter(len(past.earnings.limits) for past in orders) == {1: 5, 0: 19}
    tail = read_tail(members[0], consistent=True)
    assert tail
    assert [(limit.count, limit.points) for limit in tail.state.limits] == [(5, 50)]


def test_only_one_order_of_many_at_once_is_the_first() -> None:
    publish(campaign("first", rules=[bonus("gift", 500, when={"first_purchase": True})]), now=_EARLIER)
    orders = played(16, writers.enrolled(1))
    assert Counter(past.earnings.points for past in orders) == {600: 1, 100: 15}


def test_of_sixteen_publications_at_once_a_budget_holds_what_the_newest_says() -> None:
    def published(total: int) -> bool:
        try:
            publish(campaign("filled", 1, budget={"points": total, "shards": 8}))
        except Refusal:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        done = list(threads.map(published, range(1000, 2600, 100)))
    newest = programs.versions()[0].version
    (found,) = programs.version(newest).program.campaigns
    assert newest == sum(done) > 0
    assert found.budget
    assert budget("filled") == (found.budget.points, 0, found.budget.points)
