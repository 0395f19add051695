"""What holds of every programme and purchase."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import clock
from chalicelib.ledger.limits import added_limits
from chalicelib.ledger.state import Limit
from chalicelib.program.document import Program, decode, encode
from chalicelib.program.rules import compiled, windows
from chalicelib.program.rules.earning import evaluate
from chalicelib.program.rules.inputs import Earned, Member, Purchase
from tests.programs import document, texts
from tests.rules.earning_cases import NOON, UNHURRIED, caps, members, programmes, purchases, rules
from tests.rules.earning_oracle import reckon


@UNHURRIED
@given(programmes(), purchases(), members)
def test_a_second_reckoning_finds_the_same(program: Program, bought: Purchase, member: Member) -> None:
    earned, expected = evaluate(program, bought, member), reckon(program, bought, member)
    told = {item.rule: item.points for item in earned.explanations if item.points}
    assert told == {code: points for code, points in expected.told.items() if points}
    assert earned.points == expected.points
    assert earned.qualifying_points == expected.qualifying.__floor__()
    assert earned.eligible_minor == sum(expected.eligible).__floor__()


@UNHURRIED
@given(programmes(), purchases(), members)
def test_explanations_and_lines_add_up(program: Program, bought: Purchase, member: Member) -> None:
    earned = evaluate(program, bought, member)
    assert sum(item.points for item in earned.explanations) == earned.points >= 0
    assert len(earned.line_points) == len(bought.lines)
    assert not bought.lines or sum(earned.line_points) == earned.points
    assert all(points >= 0 for points in earned.line_points)
    assert 0 <= earned.eligible_minor <= bought.total_minor


@UNHURRIED
@given(programmes(), purchases(), members)
def test_every_line_has_what_it_brought_give_or_take_a_point(
    program: Program, bought: Purchase, member: Member
) -> None:
    earned, expected = evaluate(program, bought, member), reckon(program, bought, member)
    if len(expected.total) == len(earned.line_points):
        assert all(abs(whole - exact) < 2 for whole, exact in zip(earned.line_points, expected.total, strict=True))


@UNHURRIED
@given(programmes(), purchases(), members)
def test_every_rule_is_explained_once_and_with_a_reason(program: Program, bought: Purchase, member: Member) -> None:
    told = [(item.campaign, item.rule) for item in evaluate(program, bought, member).explanations]
    wanted = [("", "tier_multiplier"), *(("", rule.code) for rule in program.earning_rules)]
    wanted += [(campaign.code, rule.code) for campaign in program.campaigns for rule in campaign.rules]
    assert sorted(told) == sorted(wanted)
    assert all(
        item.reason and item.fired == bool(item.points) for item in evaluate(program, bought, member).explanations
    )


@UNHURRIED
@given(programmes(), purchases(), members)
def test_the_same_facts_earn_the_same_in_any_process(program: Program, bought: Purchase, member: Member) -> None:
    before = (encode(program), msgspec.json.encode(bought), msgspec.json.encode(member))
    first, second = evaluate(program, bought, member), evaluate(program, bought, member)
    compiled._ready.clear()
    assert first == second == evaluate(decode(encode(program)), bought, member)
    assert before == (encode(program), msgspec.json.encode(bought), msgspec.json.encode(member))


@UNHURRIED
@given(programmes(), purchases(), members)
def test_a_campaign_whose_budget_is_exhausted_gives_as_little_as_a_paused_one(
    program: Program, bought: Purchase, member: Member
) -> None:
    paused = tuple(msgspec.structs.replace(campaign, status="paused") for campaign in program.campaigns)
    without = evaluate(msgspec.structs.replace(program, campaigns=paused), bought, member)
    exhausted = evaluate(program, bought, member, frozenset(campaign.code for campaign in program.campaigns))
    assert (exhausted.points, exhausted.line_points, exhausted.limits) == (
        without.points,
        without.line_points,
        without.limits,
    )
    assert exhausted.awards == ()


@UNHURRIED
@given(programmes(), purchases(), members)
def test_an_award_is_what_the_rules_of_its_campaign_brought(program: Program, bought: Purchase, member: Member) -> None:
    earned = evaluate(program, bought, member)
    brought: Counter[str] = Counter()
    for item in earned.explanations:
        brought[item.campaign] += item.points
    budgeted = {campaign.code for campaign in program.campaigns if campaign.budget}
    assert {award.campaign: award.points for award in earned.awards} == {
        code: points for code, points in brought.items() if code in budgeted and points > 0
    }


@UNHURRIED
@given(programmes(campaigns=0), purchases(), members, st.data())
def test_a_rule_that_does_not_fire_changes_nothing(
    program: Program, bought: Purchase, member: Member, data: st.DataObject
) -> None:
    extra = data.draw(rules("idle", {"lines": "", "whole": ""}))
    extra |= {"when": extra["when"] | {"channels": ["nowhere"]}, "group": None}
    place = data.draw(st.integers(0, len(program.earning_rules)))
    more = [*program.earning_rules]
    more.insert(place, decode(msgspec.json.encode(document(earning_rules=[extra]))).earning_rules[0])
    earned = evaluate(program, bought, member)
    with_it = evaluate(msgspec.structs.replace(program, earning_rules=tuple(more)), bought, member)
    others = tuple(item for item in with_it.explanations if item.rule != "idle")
    assert msgspec.structs.replace(with_it, explanations=others) == earned


@UNHURRIED
@given(
    st.lists(rules("r", {"lines": "", "whole": ""}, capped=False), min_size=1, max_size=5),
    purchases(),
    members,
    st.data(),
)
def test_the_order_of_rules_that_add_and_share_nothing_does_not_matter(
    listed: list[dict[str, Any]], bought: Purchase, member: Member, data: st.DataObject
) -> None:
    """All but multipliers of what is there so far, and those below 1, which take no more than there is."""
    independent = [
        rule | {"code": f"r{index}", "group": None, "of": "base"}
        if rule["kind"] == "multiplier"
        else rule | {"code": f"r{index}", "group": None}
        for index, rule in enumerate(listed)
        if rule["kind"] != "multiplier" or min(map(float, [rule["factor"], *(s["factor"] for s in rule["steps"])])) >= 1
    ]
    if not independent:
        return
    currencies = {"CNY": {"points": 1, "per_minor": 100}, "JPY": {"points": 3, "per_minor": 7}}
    mixed = data.draw(st.permutations(independent))
    one, other = (
        decode(msgspec.json.encode(document(currencies=currencies, earning_rules=order)))
        for order in (independent, mixed)
    )
    first, second = evaluate(one, bought, member), evaluate(other, bought, member)
    assert (first.points, first.line_points, first.qualifying_points) == (
        second.points,
        second.line_points,
        second.qualifying_points,
    )


@UNHURRIED
@given(programmes(), st.lists(st.tuples(purchases(), st.integers(-40, 40)), min_size=1, max_size=8), members)
def test_no_cap_is_ever_exceeded(program: Program, history: list[tuple[Purchase, int]], member: Member) -> None:
    """Whatever is bought and in whatever order it arrives, in no period more is gained than its cap says."""
    times: Counter[tuple[str, str, int]] = Counter()
    points: Counter[tuple[str, str, int]] = Counter()
    limits: tuple[Limit, ...] = ()
    for bought, days in history:
        at = NOON + days * clock.DAY_S
        now = NOON + 40 * clock.DAY_S
        facts = msgspec.structs.replace(member, limits=limits, at=now)
        earned = evaluate(program, msgspec.structs.replace(bought, occurred_at=at), facts)
        limits = added_limits(limits, earned.limits, now)
        for code, gained in _gains(program, earned).items():
            for per in ("day", "week", "month", "year", "ever"):
                period = (code, per, windows.period_end(per, at, program.zone))
                times[period] += 1
                points[period] += gained
    for code, cap in _caps(program):
        of_cap = [key for key in times if key[:2] == (code, cap.per)]
        assert all(cap.times is None or times[key] <= cap.times for key in of_cap)
        assert all(cap.points is None or points[key] <= cap.points for key in of_cap)


def _gains(program: Program, earned: Earned) -> dict[str, int]:
    gains = {item.rule: item.points for item in earned.explanations if item.points}
    for campaign in program.campaigns:
        gained = sum(item.points for item in earned.explanations if item.campaign == campaign.code)
        if gained:
            gains[campaign.code] = gained
    return gains


def _caps(program: Program) -> list[tuple[str, Any]]:
    found = [(rule.code, cap) for rule in program.earning_rules for cap in rule.caps]
    for campaign in program.campaigns:
        found += [(campaign.code, cap) for cap in campaign.caps]
        found += [(rule.code, cap) for rule in campaign.rules for cap in rule.caps]
    return found


@UNHURRIED
@given(caps(), purchases())
def test_a_cap_per_order_holds_for_each_by_itself(capped: list[dict[str, Any]], bought: Purchase) -> None:
    cap = {"per": "order", "points": 7}
    rule = {
        "kind": "per_amount",
        "code": "base",
        "title": texts("base"),
        "caps": [cap, *(c for c in capped if c["per"] != "order")],
    }
    program = decode(
        msgspec.json.encode(
            document(
                currencies={"CNY": {"points": 1, "per_minor": 9}, "JPY": {"points": 1, "per_minor": 9}},
                earning_rules=[rule],
            )
        )
    )
    assert evaluate(program, bought, Member()).points <= 7
