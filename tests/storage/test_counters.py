"""A counter is exact: what was put in is what was taken and what is left, whatever fails or races on the way."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pynamodb.attributes import UnicodeAttribute

from chalicelib.base.dynamo import IntAttribute
from chalicelib.base.errors import KeyReused, Unavailable
from chalicelib.base.settings import settings as engine
from chalicelib.counters import service as counters
from chalicelib.counters.rules import SHARDS_MAX, probe_order
from chalicelib.counters.service import Claim, Counter, CounterNotFound, SoldOut
from chalicelib.ledger import chain, points
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.points import InsufficientPoints
from chalicelib.ledger.posting import Account, Lost, Plan, Posted, Write, peek, post, put_once
from chalicelib.ledger.records import Record
from chalicelib.ledger.state import NEVER
from chalicelib.ledger.table import read_page
from tests import faults
from tests.meter import metered

NOW = 1_800_000_000
STOCK = Counter("stock#tea", 4)
FAULTS = [faults.lost_on_the_way, faults.committed_then_timed_out, faults.conflicting, faults.throttled, faults.failing]


class Sale(Record):
    """A record of these tests; it names the shard that it took from."""

    class Meta:
        table_name = engine().table("members")

    key = UnicodeAttribute(hash_key=True)
    from_shard = IntAttribute(null=True)


def plan(name: str, effect: Effect, shard: int | None = None) -> Plan[Sale]:
    decision = Decision(
        kind="redeemed",
        record=name,
        reason="redeemed",
        actor="system:tests",
        program=1,
        occurred_at=NOW,
        effect=effect,
        tier="base",
    )
    return Plan(decision, Sale(name, request_hash="body", from_shard=shard))


def sell(name: str, amount: int = 1, price: int = 10) -> Posted[Sale]:
    """Sell `amount` of the stock to the member for `price` points."""

    def decide(account: Account, shard: int) -> Plan[Sale]:
        return plan(name, points.spend(account.state, price), shard)

    return counters.post_with_counter("mem_a", Claim(STOCK, amount, name), decide, now=lambda: NOW)


def record(name: str) -> Sale:
    return Sale(name, record_id=name, request_hash="body", kind="sold", occurred_at="x", posted_at="x")


def available() -> int:
    return peek("mem_a", now=NOW, consistent=True).state.available


def reading(name: str = STOCK.name) -> tuple[int, int, int]:
    """Put in, taken and left, each shard holding the invariant for itself."""
    found = counters.read(name)
    for item in found.shards:
        assert item.put_in == item.taken + item.left
        assert min(item.put_in, item.taken, item.left) >= 0
    return found.put_in, found.taken, found.left


@pytest.fixture(autouse=True)
def member() -> None:
    """A member with 1,000 points, and a stock of 8 in 4 shards."""

    def opening(account: Account) -> Plan[Sale]:
        return plan("mem_a", points.earn(account.state, 1000, expires_at=NEVER))

    post("mem_a", opening, opening=True, now=lambda: NOW)
    counters.create(STOCK, 8, now=NOW)


class TestACounter:
    def test_is_made_once_with_its_total_spread(self) -> None:
        assert [item.left for item in counters.read(STOCK.name).shards] == [2, 2, 2, 2]
        sell("one")
        assert counters.create(STOCK, 8, now=NOW).replayed
        assert reading() == (8, 1, 7)

    def test_is_not_made_again_with_another_total(self) -> None:
        with pytest.raises(KeyReused):
            counters.create(STOCK, 9, now=NOW)
        assert reading() == (8, 0, 8)

    @pytest.mark.parametrize("fault", FAULTS)
    def test_is_made_and_filled_once_whatever_fails_on_the_way(self, fault: faults.Fault) -> None:
        other = Counter("stock#cup", 3)
        with faults.calls(fault):
            counters.create(other, 7, now=NOW)
        with faults.calls(fault):
            counters.add(other, 5, key="delivery-1", now=NOW)
        assert counters.add(other, 5, key="delivery-1", now=NOW).replayed
        assert reading(other.name) == (12, 0, 12)

    def test_that_is_not_there_can_neither_be_read_nor_filled_nor_taken_from(self) -> None:
        nothing = Counter("stock#nothing", 2)
        with pytest.raises(CounterNotFound):
            counters.read(nothing.name)
        with pytest.raises(CounterNotFound):
            counters.add(nothing, 1, key="k", now=NOW)
        with pytest.raises(CounterNotFound):
            take(nothing, 1, "op")
        with pytest.raises(CounterNotFound):
            counters.read(nothing.name)

    def test_has_as_many_shards_as_one_transaction_makes(self) -> None:
        counters.create(Counter("wide", SHARDS_MAX), 1000, now=NOW)
        assert reading("wide") == (1000, 0, 1000)
        for shards in (0, SHARDS_MAX + 1):
            with pytest.raises(ValueError, match="shards"):
                Counter("wrong", shards)

    def test_takes_and_is_given_nothing_but_amounts_above_0(self) -> None:
        for amount in (0, -1):
            with pytest.raises(ValueError, match="taken"):
                Claim(STOCK, amount, "op")
            with pytest.raises(ValueError, match="put in"):
                counters.add(STOCK, amount, key="k", now=NOW)


class TestTaking:
    def test_happens_together_with_the_points_and_names_its_shard(self) -> None:
        posted = sell("one")
        assert posted.record.from_shard == probe_order("one", STOCK.shards)[0]
        assert {item.shard: item.taken for item in counters.read(STOCK.name).shards}[posted.record.from_shard] == 1
        assert (reading(), available()) == ((8, 1, 7), 990)

    @pytest.mark.parametrize("fault", FAULTS)
    def test_happens_once_whatever_fails_on_the_way(self, fault: faults.Fault) -> None:
        with faults.calls(fault):
            sell("one")
        assert sell("one").replayed
        assert (reading(), available()) == ((8, 1, 7), 990)

    def test_gives_up_after_a_while_having_taken_nothing(self) -> None:
        with faults.calls(*[faults.conflicting] * 8), pytest.raises(Unavailable):
            sell("one")
        assert (reading(), available()) == ((8, 0, 8), 1000)

    def test_costs_one_item_more_and_no_round_trip(self) -> None:
        with metered() as bill:
            sell("one")
        assert bill.calls == ["Query", "TransactWriteItems"]
        assert bill.write_units <= 6
        assert bill.read_units <= 1

    def test_goes_on_to_the_next_shard_that_holds_enough(self) -> None:
        order = probe_order("one", STOCK.shards)
        for number, shard in enumerate((order[0], order[0], order[1])):
            put_once(record(f"before-{number}"), [counters.take(Claim(STOCK, 1, "x"), shard)])
        assert sell("one", amount=2).record.from_shard == order[2]
        assert reading() == (8, 5, 3)

    def test_finds_the_very_last_one_and_then_is_refused(self) -> None:
        for number in range(8):
            sell(f"sale-{number}")
        with pytest.raises(SoldOut) as caught:
            sell("one too many")
        assert caught.value.counter == STOCK
        assert (reading(), available()) == ((8, 8, 0), 920)

    def test_splits_no_amount_over_shards(self) -> None:
        with pytest.raises(SoldOut):
            sell("three", amount=3)
        assert reading() == (8, 0, 8)

    def test_that_was_refused_may_succeed_when_more_is_put_in(self) -> None:
        with pytest.raises(SoldOut):
            sell("three", amount=3)
        counters.add(STOCK, 4, key="delivery-1", now=NOW)
        assert not sell("three", amount=3).replayed
        assert reading() == (12, 3, 9)

    def test_is_answered_alike_though_all_is_sold_since(self) -> None:
        first = sell("sale-0")
        for number in range(1, 8):
            sell(f"sale-{number}")
        again = sell("sale-0")
        assert (again.replayed, again.record.serialize()) == (True, first.record.serialize())

    def test_takes_nothing_from_whoever_cannot_pay(self) -> None:
        with pytest.raises(InsufficientPoints):
            sell("dear", price=1001)
        assert reading() == (8, 0, 8)

    def test_leaves_other_conditions_to_the_area(self) -> None:
        put_once(record("taken"), ())
        claim = Claim(STOCK, 1, "op")
        guarded = Write(record("taken"), condition=Sale.key.does_not_exist())
        with pytest.raises(Lost) as caught:
            counters.probing(claim, lambda _shard, write: put_once(record("op"), [write, guarded]))
        assert caught.value.model is guarded.model
        assert reading() == (8, 0, 8)

    def test_looks_again_when_others_empty_the_shard_between_looking_and_taking(self) -> None:
        order = probe_order("one", STOCK.shards)
        put_once(record("first"), [counters.take(Claim(STOCK, 2, "x"), order[0])])

        def passing(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
            return real(name, parameters)

        def emptied(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
            put_once(record("second"), [counters.take(Claim(STOCK, 2, "x"), order[1])])
            return real(name, parameters)

        with faults.calls(passing, emptied):
            assert sell("one").record.from_shard == order[2]
        assert reading() == (8, 5, 3)


class TestGivingBack:
    def test_puts_back_into_the_shard_that_it_came_from(self) -> None:
        shard = sell("one").record.from_shard
        assert shard is not None
        put_once(record("back"), [counters.give_back(STOCK.name, shard, 1)])
        assert reading() == (8, 0, 8)
        assert {item.left for item in counters.read(STOCK.name).shards} == {2}

    def test_never_gives_more_back_than_was_taken(self) -> None:
        shard = sell("one").record.from_shard
        assert shard is not None
        with pytest.raises(Lost):
            put_once(record("back"), [counters.give_back(STOCK.name, shard, 2)])
        assert reading() == (8, 1, 7)


def take(counter: Counter, amount: int, name: str) -> int:
    """Take from a counter with no points involved; gives the shard."""

    def act(shard: int, write: Write) -> int:
        put_once(record(name), [write])
        return shard

    return counters.probing(Claim(counter, amount, name), act)


_numbers = itertools.count()
acts = st.lists(st.tuples(st.sampled_from(["take", "take", "give", "add"]), st.integers(1, 5)), max_size=15)


@given(shards=st.integers(1, 4), total=st.integers(0, 20), history=acts)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_unit_is_accounted_for_whatever_happens(shards: int, total: int, history: list[tuple[str, int]]) -> None:
    counter = Counter(f"stock#{next(_numbers)}", shards)
    counters.create(counter, total, now=NOW)
    put_in, sold = total, list[tuple[int, int]]()
    for act, amount in history:
        name = f"{counter.name}#{next(_numbers)}"
        if act == "add":
            counters.add(counter, amount, key=name, now=NOW)
            put_in += amount
        elif act == "give" and sold:
            put_once(record(name), [counters.give_back(counter.name, *sold.pop())])
        elif act == "take":
            most = max(item.left for item in counters.read(counter.name).shards)
            if most >= amount:
                sold.append((take(counter, amount, name), amount))
            else:
                with pytest.raises(SoldOut):
                    take(counter, amount, name)
        taken = sum(amount for _shard, amount in sold)
        assert reading(counter.name) == (put_in, taken, put_in - taken)


def test_the_chain_of_whoever_bought_holds() -> None:
    for number in range(3):
        sell(f"sale-{number}")
    chain.verify(read_page("mem_a", after_seq=None, newest_first=False, limit=9))
