"""Stock is put in with the version that says so, once, and only ever more of it."""

from __future__ import annotations

import pytest

from chalicelib.base import clock
from chalicelib.counters import holding
from chalicelib.counters import service as counters
from chalicelib.counters.service import CounterNotFound
from chalicelib.counters.table import read_shards
from chalicelib.ledger.posting import put_once
from chalicelib.program import service as programs
from chalicelib.program.triggers import administer_program
from chalicelib.program.validation import InvalidProgram
from tests.programs import document
from tests.rewards import reward, stock

NOW = 1_800_000_000


def publish(*rewards: object, at: int = NOW) -> int:
    return programs.publish(document(rewards=rewards), by="tests", now=at).version


def test_publishing_puts_the_pieces_in_at_once_and_once() -> None:
    for _again in range(2):
        assert publish(reward(stock={"total": 10, "shards": 3})) == 1
    assert stock() == (10, 0, 10)
    assert len(counters.read("stock#mug").shards) == 3


def test_a_raise_adds_the_difference_and_what_was_taken_stays_taken() -> None:
    publish(reward(stock={"total": 10}))
    counter = counters.Counter("stock#mug", 1)
    put_once(counters._fill(counter, 4, "fil_taken", "test", NOW), [counters.take(counters.Claim(counter, 4, "a"), 0)])
    publish(reward(stock={"total": 15}))
    assert stock() == (15, 4, 11)


@pytest.mark.parametrize(
    ("changed", "path"),
    [({"total": 9, "shards": 2}, "rewards[0].stock.total"), ({"total": 10, "shards": 3}, "rewards[0].stock.shards")],
)
def test_a_stock_is_neither_lowered_nor_divided_anew(changed: dict[str, int], path: str) -> None:
    publish(reward(stock={"total": 10, "shards": 2}))
    with pytest.raises(InvalidProgram) as refusal:
        publish(reward(stock=changed))
    assert [problem.field for problem in refusal.value.problems] == [path]
    assert stock() == (10, 0, 10)


def test_a_reward_that_comes_back_has_the_stock_that_it_had() -> None:
    publish(reward(stock={"total": 10}))
    publish(reward("other"))
    with pytest.raises(InvalidProgram):
        publish(reward(stock={"total": 5}))
    publish(reward(stock={"total": 12}))
    assert stock() == (12, 0, 12)


def test_a_roll_back_leaves_in_what_was_put_in() -> None:
    publish(reward(stock={"total": 10}))
    publish(reward(stock={"total": 20}))
    programs.roll_back(1, by="tests", now=NOW)
    assert stock() == (20, 0, 20)


def test_what_is_refused_puts_nothing_in() -> None:
    with pytest.raises(InvalidProgram):
        publish(reward(stock={"total": 10}), reward(stock={"total": 10}))
    with pytest.raises(CounterNotFound):
        stock()


def test_one_publication_takes_so_many_parts() -> None:
    rewards = [reward(f"r{number}", stock={"total": 20, "shards": 20}) for number in range(5)]
    with pytest.raises(InvalidProgram, match="100 parts"):
        publish(*rewards)
    publish(*rewards[:4])
    publish(*rewards)
    assert stock("r4") == (20, 0, 20)


def test_the_console_shows_what_was_put_in_sold_held_and_is_left() -> None:
    publish(reward(stock={"total": 10}, ends_at="2000-01-01T00:00"), reward("free", points=1))
    counter, now = counters.Counter("stock#mug", 1), clock.now()
    for number, lapses_at in enumerate((None, now + 60, now)):
        write = holding.take_from(read_shards("stock#mug")[0], 2, now - 60, lapses_at=lapses_at)
        put_once(counters._fill(counter, 2, f"fil_{number}", "test", NOW), [write])
    answer = administer_program({"action": "rewards"}, None)
    mug, free = answer["rewards"]
    assert (mug["code"], mug["state"], free["state"], free["stock"]) == ("mug", "ended", "live", None)
    assert mug["stock"] == {"put_in": 10, "sold": 2, "held": 2, "left": 6}
