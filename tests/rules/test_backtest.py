"""What a backtest counts, and how it reads what was recorded."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import clock
from chalicelib.engagement.schema import EventIn
from chalicelib.orders.schema import OrderIn
from chalicelib.program.document import Program, default
from infra.backtest import money
from infra.backtest.compare import compare, distribution
from infra.backtest.recorded import Bought, Fact, Happened, Person, Spent, TakenBack, Withdrawn, in_order
from infra.backtest.replay import replay
from infra.backtest.report import Comparison, Pair
from tests.campaigns import bonus, campaign
from tests.programs import document, program, texts, tier

NOON = clock.parse("2026-03-10T04:00:00Z")
RICH = program(
    welcome_points=10,
    tiers=[tier("member", 0), tier("silver", 100, "1.5"), tier("gold", 300, "2")],
    expiry={"kind": "rolling_months", "months": 1},
)


def bought(key: str = "1", member: str = "ann", day: float = 0, total_minor: int = 100_00, **fields: Any) -> Bought:
    """A purchase, some days after the first one."""
    at = NOON + int(day * clock.DAY_S)
    body = {
        "source": "shop",
        "order_id": key,
        "occurred_at": clock.text(at),
        "currency": "CNY",
        "total_minor": total_minor,
        **fields,
    }
    return Bought(key, member, at, at, msgspec.convert(body, OrderIn))


def back(key: str = "1", day: float = 1, amount_minor: int | None = None) -> TakenBack:
    """A refund of an amount, or the cancellation."""
    at = NOON + int(day * clock.DAY_S)
    return TakenBack(key, at, at, (), amount_minor)


def compared(candidate: Program, *facts: Fact, today: Program | None = None, **people: Person) -> Comparison:
    """The report on two programmes, today's being the engine's default."""
    recorded, before = in_order("tests", facts, people), today or default()
    return compare(recorded, replay(before, recorded), replay(candidate, recorded, before.zone))


class TestTheReport:
    def test_sets_points_of_both_documents_side_by_side(self) -> None:
        report = compared(program(currencies={"CNY": {"points": 3, "per_minor": 100}}), bought(), bought("2", "bob"))
        assert report.headline == (("issued", Pair(400, 800)), ("outstanding", Pair(400, 800)))
        assert (report.purchases, report.affected, report.gaining, report.losing) == (2, 2, 2, 0)
        assert [(row.member, row.points.change) for row in report.gains] == [("ann", 200), ("bob", 200)]

    def test_counts_a_refund_against_the_month_in_which_it_came(self) -> None:
        report = compared(default(), bought(), back(day=30, amount_minor=50_00))
        assert [(row.month % 12 + 1, row.issued.today) for row in report.months] == [(3, 200), (4, -50)]
        assert report.total_today.clawed == 50

    def test_expires_by_the_date_though_nobody_comes_by(self) -> None:
        report = compared(RICH, bought(), bought("2", "bob", day=100))
        april = report.months[1]
        assert april.expired == Pair(0, 110)
        assert april.outstanding == Pair(200, 0)

    def test_counts_the_vouchers_that_rules_give(self) -> None:
        """Within their caps and the campaign's awards, of which a refund gives one of each back."""
        gives = {"kind": "voucher", "title": texts("gift"), "voucher_batch_id": "vbt_" + "a" * 26}
        daily = {**gives, "code": "daily", "caps": [{"per": "day", "times": 1}]}
        party = campaign(rules=[{**gives, "code": "party"}], budget={"awards": 1, "shards": 1})
        visit = {**gives, "code": "visit", "events": ["visit"]}
        rules = [*document()["earning_rules"], daily, visit]
        candidate = program(earning_rules=rules, campaigns=[party])
        report = compared(candidate, bought(), back(day=0), bought("2"), bought("3", "bob", day=1))
        assert dict(report.headline)["vouchers"] == Pair(0, 5)
        times = {row.key.rule: row.times.candidate for row in report.rules}
        assert (times["daily"], times["party"], times["visit"]) == (3, 2, 0)
        assert [row.awards for row in report.budgets] == [1]
        assert [one.missing for one in report.unjudged] == [("events",)]

    def test_says_how_the_rest_would_run_off(self) -> None:
        report = compared(RICH, bought())
        assert [(month % 12 + 1, pair) for month, pair in report.run_off] == [(4, Pair(0, 110)), (3, Pair(200, 0))]

    def test_tells_who_moves_to_which_tier(self) -> None:
        report = compared(RICH, bought(total_minor=150_00), bought("2", "bob"), bought("3", "cat", total_minor=50_00))
        flows = [(flow.today, flow.candidate, flow.members, flow.examples) for flow in report.flows]
        assert flows == [("member", "member", 1, ("cat",)), ("member", "silver", 2, ("ann", "bob"))]

    def test_values_points_by_the_redemption_of_each_document(self) -> None:
        dearer = program(redemption={"points_per": 50, "amount_minor": {"CNY": 100}, "minimum_points": 50})
        report = compared(dearer, bought())
        assert [report.cost.today, report.cost.candidate] == [200, 400]
        worthless = msgspec.structs.replace(default(), redemption=None)
        assert compared(worthless, bought()).cost.candidate is None

    def test_takes_only_recorded_redemptions_and_refuses_what_the_candidate_cannot_pay(self) -> None:
        spent = Spent("r1", "ann", NOON + clock.DAY_S, 150)
        report = compared(program(welcome_points=0), bought(), spent)
        assert (report.total_today.redeemed, report.total_candidate.redeemed) == (150, 0)
        assert report.refused == (("insufficient_points", Pair(0, 1)),)

    def test_counts_a_currency_that_is_not_taken_as_refused(self) -> None:
        report = compared(default(), bought(currency="USD"), bought("2"))
        assert report.refused == (("currency_not_accepted", Pair(1, 1)),)
        assert report.purchases == 2

    def test_shows_what_caps_cut(self) -> None:
        capped = bonus(points=30, caps=[{"per": "ever", "points": 40}])
        candidate = program(earning_rules=[*_rules(), capped])
        report = compared(candidate, *(bought(str(number), day=number) for number in range(3)))
        gift = next(row for row in report.rules if row.key.rule == "gift")
        assert (gift.points.candidate, gift.times.candidate, gift.cut_points.candidate) == (40, 2, 50)

    def test_spends_a_budget_to_its_end_and_gives_back_what_is_refunded(self) -> None:
        candidate = program(campaigns=[campaign(budget={"points": 100})])
        facts = [bought(str(number), day=number) for number in range(3)]
        spent = compared(candidate, *facts).budgets[0]
        assert (spent.points, spent.limit_points, spent.spent_at) == (100, 100, NOON + 2 * clock.DAY_S)
        freed = compared(candidate, *facts, back("0", day=1.5)).budgets[0]
        assert (freed.points, freed.spent_at) == (100, None)

    def test_names_the_rules_that_nothing_is_known_for(self) -> None:
        born = bonus(when={"birthday": "month", "tags": ["vip"]})
        candidate = program(earning_rules=[*_rules(), born])
        unknown = compared(candidate, bought()).unjudged
        assert [(item.document, item.missing) for item in unknown] == [("candidate", ("birthdays", "tags"))]
        told = program(earning_rules=[*_rules(), bonus(when={"condition": "contains(member.tags, 'vip')"})])
        assert [item.missing for item in compared(told, bought()).unjudged] == [("tags",)]
        known = compared(candidate, bought(), ann=Person(birthday="1990-03-01", tags=("vip",)))
        assert known.unjudged == ()
        assert known.total_candidate.earned == 100 + 100 + 50

    def test_replays_events_and_takes_back_what_was_withdrawn(self) -> None:
        rule = {"kind": "per_event", "code": "check_in", "title": texts("x"), "events": ["check_in"], "points": 5}
        candidate = program(earning_rules=[*_rules(), rule])
        told = {"source": "app", "event_id": "1", "type": "check_in", "occurred_at": clock.text(NOON)}
        happened = Happened("e1", "ann", NOON, msgspec.convert(told, EventIn))
        report = compared(candidate, bought(), happened)
        assert (report.total_today.earned, report.total_candidate.earned) == (200, 205)
        assert report.unjudged == ()
        withdrawn = compared(candidate, bought(), happened, Withdrawn("e1", NOON + 60))
        assert withdrawn.total_candidate.issued == 200
        assert compared(candidate, bought()).unjudged[0].missing == ("events",)

    def test_of_today_against_today_finds_nothing(self) -> None:
        report = compared(default(), bought(), bought("2", "bob"), back())
        assert (report.affected, report.gaining, report.losing) == (0, 0, 0)
        assert report.gains == report.losses == ()


FACTS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "cat"]),
        st.integers(0, 400),
        st.integers(0, 500_00),
        st.sampled_from([None, "part", "all"]),
    ),
    min_size=1,
    max_size=12,
)


@given(FACTS)
def test_what_is_counted_adds_up_to_what_members_have(drawn: list[tuple[str, int, int, str | None]]) -> None:
    facts: list[Fact] = []
    for number, (member, day, total_minor, then) in enumerate(drawn):
        facts.append(bought(str(number), member, day, total_minor))
        if then:
            facts.append(back(str(number), day + 20, total_minor // 3 + 1 if then == "part" else None))
    recorded = in_order("drawn", facts)
    tally = replay(RICH, recorded)
    span = range(min(tally.months), max(tally.months) + 1)
    assert list(tally.outstanding(span))[-1] == sum(state.total for state in tally.states.values())
    assert sum(rule.points for rule in tally.rules.values()) == tally.total.earned
    assert sum(tally.order_points) + 10 * len(tally.states) == tally.total.earned
    assert sum(tally.tier_points.values()) == sum(tally.order_points)
    assert tally.total.expired == sum(state.lifetime.expired for state in tally.states.values())


@given(st.lists(st.integers(-3_000, 3_000)))
def test_everybody_stands_in_one_bar(changes: list[int]) -> None:
    bars = distribution(changes)
    assert sum(bar.members for bar in bars) == len(changes)
    for bar in bars:
        assert bar.members == sum(bar.low <= change <= bar.high for change in changes)


def test_money_is_written_with_the_digits_of_its_currency() -> None:
    assert money.written(123456, "CNY") == "CNY 1,234.56"
    assert money.written(123456, "JPY") == "JPY 123,456"
    assert money.written(-5, "KWD") == "KWD −0.005"
    assert money.written(None, "CNY") == "–"


def _rules() -> list[dict[str, Any]]:
    return [{"kind": "per_amount", "code": "base", "title": texts("base")}]
