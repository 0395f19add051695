"""Real threads: sixteen writers at one engine and one DynamoDB, with faults below the SDK."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from chalicelib.base import clock, facts, ids
from chalicelib.counters import service as counters
from chalicelib.counters.service import Claim
from chalicelib.counters.service import Counter as Stock
from chalicelib.ledger import points
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.posting import Account, Plan, Posted, once
from chalicelib.ledger.state import NEVER
from chalicelib.members.table import AdjustmentItem, read_adjustment
from infra.local.aws import LocalAws
from tests import wire, writers, writers_audit
from tests.local_engine import engine_on

_ROUNDS = 20
_MEMBERS = 5
_RATE = 0.10
# What a request of these stories may be refused with, whatever the threads do: too few points at its moment, and what
# then follows from a redemption that never came about.
_LAWFUL = {"insufficient_points", "redemption_not_found", "order_not_found"}


@pytest.fixture(scope="module", autouse=True)
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The engine on a DynamoDB of its own, without the deployed functions beside it."""
    with engine_on(LocalAws(tmp_path_factory.mktemp("threads"))):
        yield


def test_sixteen_writers_with_faults_lose_nothing_double_nothing_and_are_told_the_truth() -> None:
    members = writers.enrolled(_MEMBERS)

    with wire.faulty(_RATE, seed=20) as met:
        run = writers.write(members, _ROUNDS)

    writers_audit.check(run, writers_audit.chains(members))
    assert {code for _request, code in run.refusals} <= _LAWFUL
    answered = Counter(ack.request for ack in run.acks) + Counter(request for request, _code in run.refusals)
    assert set(answered.values()) == {2}, "every request was sent twice"
    # A run in which nothing went wrong would prove nothing.
    kinds = (*wire.ANYWHERE, *wire.TO_TRANSACTIONS)
    assert all(met[fault.__name__] for fault in kinds), met
    assert sum(met[fault.__name__] for fault in kinds) > 0.05 * met["sent"]
    assert run.replays > len(run.acks) / 3


_STOCK = Stock("stock#threads", 8)
_AMOUNT = 5
_TAKERS = 230


def taken(number: int, member_id: str) -> Posted[AdjustmentItem]:
    """Take from the stock for a member, once; its record notes the shard."""
    record_id = ids.derived("adj", "threads", str(number))

    def decide(account: Account, shard: int) -> Plan[AdjustmentItem]:
        decision = Decision(
            kind=facts.ADJUSTED,
            record=record_id,
            reason="goodwill",
            actor="system:threads",
            program=0,
            occurred_at=account.posted_at,
            effect=points.adjustment(account.state, _AMOUNT, NEVER),
            tier="member",
        )
        item = AdjustmentItem(record_id, request_hash=record_id, reason="goodwill", actor="threads", note=str(shard))
        return Plan(decision, item)

    asked = AdjustmentItem(record_id, record_id=record_id, request_hash=record_id)
    claim = Claim(_STOCK, _AMOUNT, record_id)
    return once(asked, lambda: read_adjustment(record_id), lambda: counters.post_with_counter(member_id, claim, decide))


def taking(number: int, member_id: str) -> writers.Story:
    return lambda send: send(f"take-{number}", lambda: taken(number, member_id))


def test_a_counter_of_a_thousand_ends_exactly_at_zero() -> None:
    members = writers.enrolled(_MEMBERS)
    counters.create(_STOCK, 1000, now=clock.now())

    with wire.faulty(_RATE, seed=21) as met:
        run = writers.play([taking(number, members[number % _MEMBERS]) for number in range(_TAKERS)])

    found = counters.read(_STOCK.name)
    assert (found.put_in, found.taken, found.left) == (1000, 1000, 0)
    assert all(shard.put_in == shard.taken and shard.left == 0 for shard in found.shards)
    assert not run.given_up
    winners = Counter(ack.request for ack in run.acks)
    assert len(winners) == 1000 // _AMOUNT
    assert Counter(run.refusals) == {
        (f"take-{number}", "sold_out"): 2 for number in range(_TAKERS) if f"take-{number}" not in winners
    }
    assert set(winners.values()) == {2}
    noted = [read_adjustment(record) for record in {ack.record for ack in run.acks}]
    by_shard = Counter(record.note for record in noted if record)
    assert by_shard == {str(shard.shard): shard.taken // _AMOUNT for shard in found.shards}
    assert sum(met.values()) > met["sent"]
