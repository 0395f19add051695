"""Budgets are put into counters with the version that says so: once, only ever more, and by one of two at once."""

from __future__ import annotations

from typing import Any

import pytest
from pynamodb.expressions.update import Action

from chalicelib.base.errors import Refusal
from chalicelib.counters.table import ShardItem, read_shards
from chalicelib.ledger.posting import Write
from chalicelib.program import service, table
from chalicelib.program.budgets import counter_name
from chalicelib.program.service import PublishedMeanwhile
from chalicelib.program.validation import InvalidProgram
from tests import faults
from tests.campaigns import bonus, budget, campaign, publish

NOW = 1_790_000_000
FAULTS = [faults.lost_on_the_way, faults.committed_then_timed_out, faults.conflicting, faults.throttled, faults.failing]


def spring(points: int | None = 1000, shards: int = 4, **fields: Any) -> dict[str, Any]:
    return campaign(budget={"points": points, "shards": shards, **fields.pop("more", {})}, **fields)


def published(*campaigns: dict[str, Any], **changes: Any) -> service.Publication:
    return publish(*campaigns, now=NOW, **changes)


def refused(*campaigns: dict[str, Any]) -> list[tuple[str, str]]:
    """The fields of everything that is wrong, with what is said of each."""
    with pytest.raises(InvalidProgram) as caught:
        published(*campaigns)
    return [(problem.field, problem.detail) for problem in caught.value.problems]


def take(amount: int, shard: int = 0) -> None:
    """As an order would."""
    actions: list[Action] = [ShardItem.left.add(-amount), ShardItem.taken.add(amount)]
    ShardItem(counter_name("spring", "points"), shard).update(actions=actions)


class TestABudget:
    def test_is_put_in_with_the_version_spread_over_its_parts(self) -> None:
        published(spring(more={"awards": 6}))
        assert [item.left for item in read_shards(counter_name("spring", "points"))] == [250] * 4
        assert budget(unit="awards") == (6, 0, 6)

    @pytest.mark.parametrize("fault", FAULTS)
    def test_is_put_in_and_raised_once_whatever_fails_on_the_way(self, fault: faults.Fault) -> None:
        with faults.calls(fault):
            assert published(spring()).version == 1
        with faults.calls(fault):
            assert published(spring(1600)).version == 2
        assert published(spring(1600)).version == 2
        assert budget() == (1600, 0, 1600)

    def test_is_raised_by_the_difference_though_some_was_taken(self) -> None:
        published(spring())
        take(100)
        published(spring(1500))
        assert budget() == (1500, 100, 1400)

    def test_stays_as_it_is_under_a_version_that_says_the_same(self) -> None:
        published(spring())
        take(100)
        published(spring(), welcome_points=3)
        assert budget() == (1000, 100, 900)

    def test_is_never_lowered(self) -> None:
        published(spring(more={"awards": 6}))
        found = refused(spring(999, more={"awards": 5}))
        assert [field for field, _detail in found] == ["campaigns[0].budget.points", "campaigns[0].budget.awards"]
        assert "1000 were put in" in found[0][1]
        assert [item.version for item in service.versions()] == [1]
        assert budget() == (1000, 0, 1000)

    def test_of_an_ended_campaign_is_not_taken_over_by_a_smaller_one_of_the_same_code(self) -> None:
        published(spring(ends_at="2020-02-01T00:00"))
        published()
        assert refused(spring(500))[0][0] == "campaigns[0].budget.points"
        published(spring(1000))
        assert budget() == (1000, 0, 1000)

    def test_that_was_spent_is_not_silently_taken_over_by_next_years_campaign(self) -> None:
        published(spring(ends_at="2020-02-01T00:00"))
        next_year: dict[str, Any] = {"starts_at": "2021-01-01T00:00", "ends_at": "2021-02-01T00:00"}
        take(100)
        (field, detail), *_ = refused(spring(**next_year))
        assert (field, "100 of the 1000" in detail) == ("campaigns[0].budget.points", True)
        published()
        assert refused(spring(ends_at="2020-02-01T00:00"))[0][0] == "campaigns[0].budget.points"
        published(spring(1100, **next_year))
        published(spring(1100, **next_year), welcome_points=3)
        assert budget() == (1100, 100, 1000)

    def test_of_a_campaign_that_goes_on_longer_is_the_same(self) -> None:
        published(spring(ends_at="2020-02-01T00:00"))
        take(100)
        published(spring(ends_at="2020-03-01T00:00"))
        assert budget() == (1000, 100, 900)

    def test_is_not_divided_anew(self) -> None:
        published(spring())
        (field, detail), *_ = refused(spring(2000, shards=5))
        assert (field, "4 parts" in detail) == ("campaigns[0].budget.shards", True)

    def test_is_none_while_the_campaign_is_a_draft(self) -> None:
        published(spring(status="draft"))
        assert read_shards(counter_name("spring", "points")) == []
        published(spring(500, status="draft"))
        published(spring(400, status="paused"))
        assert budget() == (400, 0, 400)

    def test_that_covers_no_award_is_refused(self) -> None:
        (field, detail), *_ = refused(campaign(rules=[bonus("gift", 1001)], budget={"points": 1000, "shards": 4}))
        assert (field, "1001" in detail) == ("campaigns[0].budget.points", True)
        published(campaign(rules=[bonus("gift", 1000)], budget={"points": 1000, "shards": 4}))

    def test_left_out_by_a_later_version_keeps_what_is_in_it(self) -> None:
        published(spring())
        published(campaign())
        published(spring(1200))
        assert budget() == (1200, 0, 1200)


class TestAPublication:
    def test_of_more_budgets_than_a_transaction_holds_goes_in_two_steps(self) -> None:
        many = [campaign(f"c{number}", budget={"awards": 100, "shards": 20}) for number in range(5)]
        (field, detail), *_ = refused(*many)
        assert (field, "two steps" in detail) == ("campaigns", True)
        published(*many[:4], many[4] | {"status": "draft"})
        published(*many)
        assert budget("c4", "awards") == (100, 0, 100)

    def test_of_two_at_once_adds_to_a_budget_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The other publication commits after ours has read the budget, and before it is written."""
        published(spring())
        put_if_absent = table.put_if_absent

        def beaten(item: table.VersionItem, writes: list[Write]) -> bool:
            monkeypatch.setattr(table, "put_if_absent", put_if_absent)
            published(spring(1400))
            return put_if_absent(item, writes)

        monkeypatch.setattr(table, "put_if_absent", beaten)
        with pytest.raises(PublishedMeanwhile):
            published(spring(1500))
        assert budget() == (1400, 0, 1400)
        assert published(spring(1500)).version == 3
        assert budget() == (1500, 0, 1500)

    def test_of_two_at_once_makes_a_budget_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        put_if_absent = table.put_if_absent

        def beaten(item: table.VersionItem, writes: list[Write]) -> bool:
            monkeypatch.setattr(table, "put_if_absent", put_if_absent)
            published(spring(1400))
            return put_if_absent(item, writes)

        monkeypatch.setattr(table, "put_if_absent", beaten)
        with pytest.raises(PublishedMeanwhile):
            published(spring(1500))
        assert budget() == (1400, 0, 1400)

    def test_that_is_refused_puts_nothing_in(self) -> None:
        with pytest.raises(Refusal):
            published(spring(), time_zone="Mars/Olympus")
        assert read_shards(counter_name("spring", "points")) == []


class TestARollBack:
    def test_leaves_what_was_put_in_and_later_versions_go_on_from_there(self) -> None:
        published(spring(1000))
        published(spring(1600))
        take(200)
        copy = service.roll_back(1, by="li.wei", note="wrong texts", now=NOW)
        assert (copy.version, budget()) == (3, (1600, 200, 1400))
        assert [field for field, _detail in refused(spring(1200))] == ["campaigns[0].budget.points"]
        published(spring(1700))
        assert budget() == (1700, 200, 1500)
