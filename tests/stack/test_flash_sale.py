"""A flash sale: sixteen writers on a thousand pieces, every request sent twice, and exactly a thousand are sold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from chalicelib.base import clock
from chalicelib.counters import service as counters
from chalicelib.ledger.posting import Posted
from chalicelib.program import service as programs
from chalicelib.rewards import history
from chalicelib.rewards import service as rewards
from chalicelib.rewards.schema import RedemptionIn
from chalicelib.rewards.table import RedemptionStep, touches_of
from infra.local.aws import LocalAws
from tests import wire, writers, writers_audit
from tests.local_engine import engine_on
from tests.programs import document
from tests.rewards import reward

_PIECES = 1000
_WANTED = 1060
_MEMBERS = 20
_RATE = 0.05


@pytest.fixture(scope="module", autouse=True)
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The engine on a DynamoDB of its own, without the deployed functions beside it."""
    with engine_on(LocalAws(tmp_path_factory.mktemp("flash"))):
        yield


def buying(number: int, member_id: str) -> writers.Story:
    """Take a piece; every fifth one holds it first and commits it then, as a checkout does."""
    key, holds = f"buy-{number}", number % 5 == 0
    body = RedemptionIn(reward_id="drop", hold_seconds=900) if holds else RedemptionIn(reward_id="drop")

    def story(send: writers.Send) -> None:
        found: list[str] = []

        def take() -> Posted[RedemptionStep]:
            posted = rewards.redeem(member_id, body, key=key, actor="system:flash", now=clock.now())
            found.append(posted.record.redemption_id)
            return posted

        send(f"{key}-{'hold' if holds else 'take'}", take)
        if holds and found:
            send(f"{key}-commit", lambda: rewards.commit(history.read(found[0]), actor="system:flash", now=clock.now()))

    return story


def test_sixteen_writers_sell_exactly_a_thousand() -> None:
    members = writers.enrolled(_MEMBERS)
    drop = reward("drop", 1, stock={"total": _PIECES, "shards": 8})
    programs.publish(document(rewards=[drop]), by="tests", now=clock.now())
    programs.reset_cache()

    with wire.faulty(_RATE, seed=22) as met:
        run = writers.play([buying(number, members[number % _MEMBERS]) for number in range(_WANTED)])

    stock = counters.read("stock#drop")
    assert (stock.put_in, stock.taken, stock.left) == (_PIECES, _PIECES, 0)
    assert not any(shard.left or shard.holds() for shard in stock.shards), "all holds were committed"
    assert not run.given_up
    sold = {ack.record: ack for ack in run.acks if not ack.request.endswith("-commit")}
    assert len(sold) == _PIECES
    assert {code for _request, code in run.refusals} == {"sold_out"}
    by_shard: Counter[int] = Counter()
    for redemption_id in sold:
        redemption = history.read(redemption_id, consistent=True)
        assert redemption.status(clock.now()) == "issued"
        by_shard.update(touch.shard for touch in touches_of(redemption.issue))
    assert by_shard == {shard.shard: shard.taken for shard in stock.shards}
    spent = Counter(ack.member_id for ack in sold.values())
    chains = writers_audit.chains(members)
    assert {member: chain[-1].state.lifetime.redeemed for member, chain in chains.items()} == spent
    assert sum(met.values()) > met["sent"]
