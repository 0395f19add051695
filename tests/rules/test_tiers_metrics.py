"""Tiers by points, spending, purchases and activity: all of them, or any one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ledger.state import TierRecord
from chalicelib.program.document import Program
from chalicelib.program.rules.tier_needs import METRICS, Amounts, Missing, Needs
from chalicelib.program.rules.tiers import ToNext, standing
from chalicelib.program.validation import InvalidProgram
from tests.programs import program, tier
from tests.rules.tier_members import Member, mid, months, rules, start


def ladder(**thresholds: Any) -> list[dict[str, Any]]:
    """Three tiers, of which silver and gold ask for these amounts."""
    named: list[dict[str, Any]] = [
        {f"threshold_{name}": amounts[place] for name, amounts in thresholds.items()} for place in (0, 1)
    ]
    return [tier("member", 0), tier("silver", **named[0]), tier("gold", **named[1])]


def by(match: str = "all", **thresholds: Any) -> Program:
    return program(tiers=ladder(**thresholds), tier_policy={"match": match})


POINTS_AND_PURCHASES: dict[str, Any] = {"points": (1_000, 3_000), "purchases": (3, 6)}


class TestOneMetric:
    @pytest.mark.parametrize("metric", ["spend_minor", "purchases", "activity"])
    def test_reaches_a_tier_and_keeps_it(self, metric: str) -> None:
        nothing: dict[str, Any] = dict.fromkeys(METRICS)
        member = Member(by("all", **{metric: (10, 20)}))
        member.post(0, 5_000, **{metric: 9})
        assert member.at(mid(0)).code == "member"
        member.post(1, **{metric: 1})
        assert member.at(mid(1)).code == "silver"
        member.post(11, **{metric: 9})
        assert member.at(mid(11)).to_next == ToNext("gold", Missing(**nothing | {metric: 1}, match="all"))
        member.post(12, **{metric: 1})
        assert member.at(mid(14)).code == "silver"
        assert member.at(mid(26)).code == "member"

    def test_of_which_a_refund_takes_back_takes_the_tier_back(self) -> None:
        member = Member(by(purchases=(2, 5)))
        member.post(0, purchases=2)
        member.post(3, purchases=-1, dated=0)
        assert member.at(mid(3)).code == "member"

    def test_is_all_that_is_told_of_what_is_missing(self) -> None:
        member = Member(by(spend_minor=(100_00, 500_00)))
        member.post(0, 70, spend_minor=120_00)
        found = member.at(mid(0))
        assert found.to_next is not None
        assert found.to_next.missing == Missing(None, 380_00, None, None, "all")
        assert found.missing_to_keep == Missing(None, 100_00, None, None, "all")
        assert (found.to_next.points, found.to_keep) == (None, None)


class TestAllOfThem:
    def test_must_be_reached(self) -> None:
        member = Member(by(**POINTS_AND_PURCHASES))
        member.post(0, 5_000, purchases=2)
        assert member.at(mid(0)).code == "member"
        member.post(1, purchases=1)
        assert member.at(mid(1)).code == "silver"

    def test_are_told_where_they_are_missing(self) -> None:
        member = Member(by(**POINTS_AND_PURCHASES))
        member.post(0, 5_000, purchases=3)
        found = member.at(mid(0))
        assert found.to_next is not None
        assert found.to_next.missing == Missing(0, None, 3, None, "all")
        assert found.missing_to_keep == Missing(1_000, None, 3, None, "all")

    def test_count_with_what_a_refund_leaves(self) -> None:
        member = Member(by(**POINTS_AND_PURCHASES))
        member.post(0, 1_500, purchases=3)
        member.post(1, -500, dated=0)
        assert member.at(mid(1)).code == "silver", "the refund leaves the purchase"
        member.post(2, -500, purchases=-1, dated=0)
        assert member.at(mid(2)).code == "member"
        member.post(3, 500, purchases=1)
        found = member.at(mid(3))
        assert (found.code, found.until) == ("silver", start(16))


class TestAnyOfThem:
    def test_reaches_a_tier(self) -> None:
        for amounts in ({"points": 1_000}, {"purchases": 3}):
            member = Member(by("any", **POINTS_AND_PURCHASES))
            member.post(0, **amounts)
            assert member.at(mid(0)).code == "silver"

    def test_keeps_a_tier_that_another_one_reached(self) -> None:
        member = Member(by("any", **POINTS_AND_PURCHASES))
        member.post(0, 1_000)
        member.post(6, purchases=3)
        assert member.at(mid(13)).code == "silver"

    def test_holds_it_when_the_other_one_is_refunded(self) -> None:
        member = Member(by("any", **POINTS_AND_PURCHASES))
        member.post(0, 1_000, purchases=3)
        member.post(1, -1_000, dated=0)
        assert member.at(mid(1)).code == "silver"
        member.post(2, purchases=-1, dated=0)
        assert member.at(mid(2)).code == "member"

    def test_is_told_with_the_nearest_way(self) -> None:
        member = Member(by("any", **POINTS_AND_PURCHASES))
        member.post(0, 800, purchases=1)
        found = member.at(mid(0))
        assert found.to_next is not None
        assert found.to_next.missing == Missing(200, None, 2, None, "any", "points")

    def test_misses_nothing_once_one_is_reached(self) -> None:
        member = Member(by("any", **POINTS_AND_PURCHASES))
        member.post(0, 1_000)
        member.post(6, purchases=3)
        assert member.at(mid(6)).missing_to_keep == Missing(0, None, 0, None, "any")

    def test_has_a_nearest_way_that_no_rounding_decides(self) -> None:
        """The two parts differ by less than a float can tell: by one over the product of what is needed."""
        points, spend_minor = 999_999_937, 999_999_999_989
        short = pow(spend_minor, -1, points)
        less = short * spend_minor // points
        missing = Needs(Amounts(points, spend_minor), is_any=True).missing_from(
            Amounts(points - short, spend_minor - less)
        )
        assert (missing.points, missing.spend_minor, missing.nearest) == (short, less, "spend_minor")
        assert short / points == less / spend_minor

    def test_is_what_a_tier_fallen_to_stands_on_as_well(self) -> None:
        tiers = [*ladder(**POINTS_AND_PURCHASES), tier("top", 9_000, threshold_purchases=9)]
        member = Member(program(tiers=tiers, tier_policy={"match": "any", "downgrade": "one_down"}))
        member.post(0, 100, purchases=9)
        member.post(13, 0)
        assert member.at(mid(13)).code == "gold"
        member.post(14, -100, dated=0)
        assert member.at(mid(14)).code == "gold"
        member.post(15, purchases=-1, dated=0)
        assert member.at(mid(15)).code == "member"


class TestAChangeOfMetrics:
    def test_takes_no_tier_back_but_judges_its_end(self) -> None:
        member = Member(rules())
        member.post(0, 1_000)
        member.program = by(purchases=(3, 6))
        member.post(5, 0, purchases=1)
        found = member.at(mid(5))
        assert (found.code, found.until, found.missing_to_keep) == (
            "silver",
            start(13),
            Missing(None, None, 2, None, "all"),
        )
        assert member.at(mid(13)).code == "member"

    def test_still_takes_back_what_is_refunded(self) -> None:
        member = Member(rules())
        member.post(0, 1_000)
        member.program = by(purchases=(3, 6))
        member.post(5, -1, dated=0)
        assert member.at(mid(5)).code == "member"

    def test_from_any_to_all_takes_no_tier_back(self) -> None:
        member = Member(by("any", **POINTS_AND_PURCHASES))
        member.post(0, purchases=3)
        member.program = by("all", **POINTS_AND_PURCHASES)
        member.post(3, 0)
        assert member.at(mid(12)).code == "silver"
        assert member.at(mid(13)).code == "member"

    def test_lifts_who_has_what_the_new_one_asks_for(self) -> None:
        member = Member(rules())
        member.post(0, 10, purchases=3)
        member.program = by(purchases=(3, 6))
        assert member.at(mid(1)).code == "silver"


def test_a_record_remembers_every_threshold_that_it_was_reached_with() -> None:
    member = Member(by("any", points=(1_000, 3_000), spend_minor=(7, 8), purchases=(3, 6), activity=(4, 5)))
    member.post(0, 1_000, purchases=1)
    (record,) = member.records
    assert record == TierRecord(
        "silver",
        mid(0),
        start(13),
        1_000,
        window_months=12,
        needed_spend_minor=7,
        needed_purchases=3,
        needed_activity=4,
        is_any=True,
    )


def test_a_record_of_old_asks_for_its_points_only() -> None:
    record = TierRecord("silver", mid(0), start(13), 1_000, 12)
    bought = Member(by("any", **POINTS_AND_PURCHASES))
    bought.others = months(m0=1_000)
    assert standing(bought.program, bought.holding((record,)), mid(5)).code == "silver"
    bought.others = months(m0=999)
    assert standing(bought.program, bought.holding((record,)), mid(5)).code == "member"


amounts = st.builds(Amounts, *(st.integers(0, 30) for _metric in METRICS))


@given(needed=amounts, have=amounts, is_any=st.booleans())
def test_what_is_missing_is_exactly_what_would_be_enough(needed: Amounts, have: Amounts, *, is_any: bool) -> None:
    needs = Needs(needed, is_any)
    missing = needs.missing_from(have)
    asked = [metric for metric in METRICS if getattr(needed, metric)]
    assert [metric for metric in METRICS if getattr(missing, metric) is not None] == asked
    if needs.met_by(have):
        assert not any(getattr(missing, metric) for metric in asked)
        return
    gaps = {metric: getattr(missing, metric) for metric in asked}
    all_of_it = Amounts(*(getattr(have, metric) + gaps.get(metric, 0) for metric in METRICS))
    assert needs.met_by(all_of_it)
    for metric, gap in gaps.items():
        if not gap:
            continue
        others = {name: getattr(have if is_any else all_of_it, name) for name in METRICS}
        assert needs.met_by(Amounts(**others | {metric: getattr(have, metric) + gap}))
        assert not needs.met_by(Amounts(**others | {metric: getattr(have, metric) + gap - 1}))


class TestTheLadder:
    @pytest.mark.parametrize(
        ("tiers", "match", "field"),
        [
            ([tier("a", 0), tier("b", None), tier("c", None)], "all", "tiers[1].threshold_points"),
            ([tier("a", 0), tier("b", 5), tier("c", None, threshold_purchases=3)], "all", "tiers[2].threshold_p"),
            ([tier("a", 0), tier("b", 5, threshold_purchases=3), tier("c", 9)], "all", "tiers[2].threshold_purchases"),
            (
                [tier("a", 0), tier("b", 5, threshold_activity=3), tier("c", 9, threshold_activity=2)],
                "all",
                "tiers[2].threshold_activity",
            ),
            ([tier("a", 0), tier("b", 5, threshold_activity=3), tier("c", 5, threshold_activity=3)], "all", "tiers[2]"),
            ([tier("a", 0, threshold_purchases=1), tier("b", 5), tier("c", 9)], "all", "tiers[0].threshold_purchases"),
            (
                [tier("a", 0), tier("b", 5, threshold_purchases=0), tier("c", 9, threshold_purchases=1)],
                "any",
                "tiers[1]",
            ),
            (
                [tier("a", None), tier("b", None, threshold_purchases=0), tier("c", None, threshold_purchases=1)],
                "all",
                "tiers[1]",
            ),
        ],
    )
    def test_that_does_not_rise_is_refused(self, tiers: list[dict[str, Any]], match: str, field: str) -> None:
        with pytest.raises(InvalidProgram) as refused:
            program(tiers=tiers, tier_policy={"match": match})
        assert refused.value.problems[0].field.startswith(field)

    @pytest.mark.parametrize("match", ["all", "any"])
    def test_may_rise_in_one_of_its_metrics(self, match: str) -> None:
        assert by(match, points=(10, 20), purchases=(3, 3)).tiers[2].threshold_purchases == 3

    def test_may_begin_without_a_threshold(self) -> None:
        tiers = [tier("a", None), tier("b", None, threshold_purchases=3), tier("c", None, threshold_purchases=4)]
        assert program(tiers=tiers).tiers[0].threshold_points is None

    @pytest.mark.parametrize("period", ["calendar_year", "membership_year"])
    def test_has_years_of_twelve_months(self, period: str) -> None:
        for policy in ({"window_months": 6}, {"keep_months": 24}, {"grace_days": 366}):
            with pytest.raises(InvalidProgram) as refused:
                program(tier_policy={"period": period, **policy})
            assert refused.value.problems[0].field == "tier_policy"
        assert program(tier_policy={"period": period, "grace_days": 365}).tier_policy.keep_months == 12
