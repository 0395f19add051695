"""Campaigns' budgets in one transaction with what takes from them: exact, whatever fails or races on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import TRIES
from chalicelib.base.settings import settings as engine
from chalicelib.counters.rules import probe_order
from chalicelib.counters.table import ShardItem, read_shards
from chalicelib.ledger import points
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.posting import Account, Act, Lost, Plan, Posted, Write, peek, post, put_once
from chalicelib.ledger.records import Record
from chalicelib.ledger.state import NEVER
from chalicelib.program import budgets, funding
from chalicelib.program.budgets import Funds, counter_name
from chalicelib.program.document import Program
from chalicelib.program.rules.inputs import Award
from chalicelib.program.rules.takes import Take
from tests import faults
from tests.campaigns import budget, campaign
from tests.programs import program

NOW = 1_800_000_000
FAULTS = [faults.lost_on_the_way, faults.committed_then_timed_out, faults.conflicting, faults.throttled, faults.failing]


class Gain(Record):
    """A record of these tests; it keeps the takes."""

    class Meta:
        table_name = engine().table("members")

    key = UnicodeAttribute(hash_key=True)
    takes = UnicodeAttribute(null=True)


def plan(name: str, gained: int, takes: Sequence[Take] = (), writes: Sequence[Write] = ()) -> Any:
    def planned(account: Account) -> Plan[Gain]:
        decision = Decision(
            kind="order",
            record=name,
            reason="order",
            actor="system:tests",
            program=1,
            occurred_at=NOW,
            effect=points.earn(account.state, gained, expires_at=NEVER),
            tier="base",
        )
        return Plan(decision, Gain(name, request_hash="body", takes=str(list(takes))), lambda _entry: writes)

    return planned


def gain(name: str, found: Program, *, amount: int = 50, writes: Sequence[Write] = ()) -> Posted[Gain]:
    """100 points, and `amount` from each campaign that can pay for it."""

    def decide(account: Account, funds: Funds) -> tuple[Plan[Gain], tuple[Take, ...]]:
        codes = [item.code for item in found.campaigns if item.code not in funds.exhausted]
        takes = funds.takes([Award(code, amount) for code in codes])
        return plan(name, 100 + amount * len(codes), takes, writes)(account), takes

    return budgets.post("mem_a", found, name, decide, now=lambda: NOW)


def funded(**campaigns: dict[str, Any]) -> Program:
    """A programme with these budgets, put in."""
    found = program(campaigns=[campaign(code, 1, budget=parts) for code, parts in campaigns.items()])
    for write in funding.filling(found, 1):
        write.model.save()
    return found


def drain(amount: int, shard: int, unit: str = "points") -> None:
    """As another order would."""
    actions: list[Action] = [ShardItem.left.add(-amount), ShardItem.taken.add(amount)]
    ShardItem(counter_name("spring", unit), shard).update(actions=actions)


def balance() -> int:
    return peek("mem_a", now=NOW, consistent=True).state.available


@pytest.fixture(autouse=True)
def member() -> Iterator[None]:
    """A member with nothing."""
    budgets.reset_memory()
    post("mem_a", plan("mem_a", 0), opening=True, now=lambda: NOW)
    yield
    budgets.reset_memory()


class TestAnOperation:
    def test_takes_points_and_an_award_from_the_shards_that_its_record_names(self) -> None:
        posted = gain("op", funded(spring={"points": 800, "awards": 8, "shards": 4}))
        shard = probe_order("op", 4)[0]
        assert posted.record.takes == str([Take("spring", 50, shard, shard)])
        assert (budget(), budget(unit="awards"), balance()) == ((800, 50, 750), (8, 1, 7), 150)

    @pytest.mark.parametrize("fault", FAULTS)
    def test_takes_once_whatever_fails_on_the_way(self, fault: faults.Fault) -> None:
        found = funded(spring={"points": 800, "shards": 4})
        with faults.calls(fault):
            gain("op", found)
        assert gain("op", found).replayed
        assert (budget(), balance()) == ((800, 50, 750), 150)

    def test_without_budgets_takes_two_requests_and_with_them_too(self) -> None:
        for found in (program(), funded(spring={"points": 800})):
            with faults.calls() as made:
                gain(f"op of {len(found.campaigns)}", found)
            assert made == ["Query", "TransactWriteItems"]

    def test_looks_at_all_shards_before_it_goes_without(self) -> None:
        found = funded(spring={"points": 150, "shards": 3})
        for shard in probe_order("op", 3)[:2]:
            drain(50, shard)
        gain("op", found)
        assert (budget(), balance()) == ((150, 150, 0), 150)
        gain("next", found)
        assert (budget(), balance()) == ((150, 150, 0), 250)

    def test_goes_without_the_campaign_of_which_one_of_two_budgets_is_spent(self) -> None:
        found = funded(spring={"points": 800, "awards": 1, "shards": 1})
        gain("one", found)
        gain("two", found)
        assert (budget(), budget(unit="awards"), balance()) == ((800, 50, 750), (1, 1, 0), 250)

    def test_may_find_one_campaign_after_the_other_spent(self) -> None:
        """Each try shows the next one: as in a group of which the best gives."""
        codes = [f"c{number}" for number in range(2 * TRIES)]
        found = funded(**{code: {"points": 50, "shards": 1} for code in codes})
        for code in codes[:-1]:
            ShardItem(counter_name(code, "points"), 0).update(actions=[ShardItem.left.set(0), ShardItem.taken.set(50)])

        def decide(account: Account, funds: Funds) -> tuple[Plan[Gain], tuple[Take, ...]]:
            takes = funds.takes([Award(next(code for code in codes if code not in funds.exhausted), 50)])
            return plan("op", 50)(account), takes

        with faults.calls():
            budgets.post("mem_a", found, "op", decide, now=lambda: NOW)
        assert budget(codes[-1]) == (50, 50, 0)

    def test_gives_up_after_eight_tries_when_others_are_always_faster(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = funded(spring={"points": 100, "shards": 2})
        looked = Funds.looked

        def beaten(funds: Funds, takes: Sequence[Take]) -> Funds:
            """Whichever shard was found is emptied, and the other one filled, before it can be taken from."""
            result = looked(funds, takes)
            for item in read_shards(counter_name("spring", "points")):
                left = 0 if item.left else 50
                ShardItem(item.name, item.shard).update(
                    actions=[ShardItem.left.set(left), ShardItem.taken.set(50 - left)]
                )
            return result

        drain(50, probe_order("op", 2)[0])
        monkeypatch.setattr(Funds, "looked", beaten)
        with faults.calls() as made, pytest.raises(Unavailable):
            gain("op", found)
        assert made.count("TransactWriteItems") == TRIES
        assert balance() == 0

    def test_is_told_when_a_write_of_its_own_failed_and_takes_nothing(self) -> None:
        found = funded(spring={"points": 800, "shards": 1})
        absent = Write(ShardItem("stock#tea", 0), Act.UPDATE, ShardItem.left >= 1, (ShardItem.left.add(-1),))
        with pytest.raises(Lost) as caught:
            gain("op", found, writes=[absent])
        assert caught.value.model is absent.model
        assert (budget(), balance()) == ((800, 0, 800), 0)

    def test_whose_budget_was_never_put_in_goes_without(self) -> None:
        gain("op", program(campaigns=[campaign(budget={"points": 100})]))
        assert balance() == 100


class TestABudgetThatWasFoundSpent:
    def test_is_looked_at_before_anything_is_sent(self) -> None:
        found = funded(spring={"points": 50, "shards": 1})
        gain("one", found)
        gain("two", found)
        with faults.calls() as made:
            gain("three", found)
        assert made.count("TransactWriteItems") == 1
        assert balance() == 350

    def test_is_taken_from_again_as_soon_as_something_comes_back(self) -> None:
        found = funded(spring={"points": 50, "shards": 1})
        gain("one", found)
        gain("two", found)
        refund = Gain("refund", record_id="refund", request_hash="r", kind="k", occurred_at="x", posted_at="x")
        put_once(refund, budgets.giving_back(Take("spring", 50, 0), 50, 0))
        gain("three", found)
        assert (budget(), balance()) == ((50, 50, 0), 400)


class TestWhatIsGivenBack:
    def test_goes_to_the_shards_of_the_take(self) -> None:
        gain("op", funded(spring={"points": 800, "awards": 8, "shards": 4}))
        shard = probe_order("op", 4)[0]
        back = budgets.giving_back(Take("spring", 50, shard, shard), 20, 1)
        put_once(Gain("r", record_id="r", request_hash="r", kind="k", occurred_at="x", posted_at="x"), back)
        assert (budget(), budget(unit="awards")) == ((800, 30, 770), (8, 0, 8))

    def test_is_nothing_of_a_budget_that_the_campaign_had_not(self) -> None:
        assert budgets.giving_back(Take("spring", 50, None, 2), 20, 0) == []
        assert budgets.giving_back(Take("spring", 50, 1, None), 0, 1) == []
        assert len(budgets.giving_back(Take("spring", 50, 1, 2), 20, 1)) == 2


class TestAQuotesLook:
    def test_tells_what_could_be_paid_and_takes_nothing(self) -> None:
        found = funded(spring={"points": 50, "shards": 1}, summer={"points": 49, "shards": 1})

        def awards(exhausted: frozenset[str]) -> list[Award]:
            return [Award(code, 50) for code in ("spring", "summer") if code not in exhausted]

        assert budgets.affordable(found, "quote", awards).exhausted == {"summer"}
        assert (budget(), budget("summer")) == ((50, 0, 50), (49, 0, 49))


class TestTheLastOfABudget:
    def test_is_gathered_in_one_shard_where_none_covers_it_alone(self) -> None:
        found = funded(spring={"points": 95, "shards": 4})
        takes = [gain(f"op-{number}", found).record.takes for number in range(2)]
        assert (budget(), balance()) == ((95, 50, 45), 250)
        assert [take for take in takes if take != "[]"] == [takes[0]]

    def test_is_spent_to_the_last_award_that_it_covers(self) -> None:
        found = funded(spring={"points": 1000, "shards": 8})
        for number in range(12):
            gain(f"op-{number}", found, amount=97)
        assert (budget(), balance()) == ((1000, 970, 30), 12 * 100 + 970)

    def test_comes_back_to_the_shard_that_it_was_gathered_in(self) -> None:
        found = funded(spring={"points": 100, "shards": 5})
        gain("op", found)
        (item,) = [item for item in read_shards(counter_name("spring", "points")) if item.taken]
        assert item.taken == 50
        back = budgets.giving_back(Take("spring", 50, int(item.shard)), 50, 0)
        put_once(Gain("r", record_id="r", request_hash="r", kind="k", occurred_at="x", posted_at="x"), back)
        assert budget() == (100, 0, 100)

    @pytest.mark.parametrize("fault", FAULTS)
    def test_is_gathered_once_whatever_fails_on_the_way(self, fault: faults.Fault) -> None:
        found = funded(spring={"points": 60, "shards": 4})
        with faults.calls(fault):
            gain("op", found)
        assert gain("op", found).replayed
        assert (budget(), balance()) == ((60, 50, 10), 150)
