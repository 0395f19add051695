"""Real threads: sixteen writers at one engine and one DynamoDB, with faults below the SDK."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

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
