"""A programme whose events, benefits or challenges do not fit together is refused, with every fault by its place."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.program.validation import InvalidProgram
from tests.challenges import card, quest, streak
from tests.programs import program, texts

CHECK_IN = {"kind": "per_event", "code": "here", "title": texts("here"), "events": ["check_in"], "points": 5}
LOUNGE = {"code": "lounge", "kind": "experience", "title": texts("Lounge"), "tiers": ["gold"], "uses": 2}
SHARE = {"share": {"title": texts("share"), "self_reported": True}}


def problems(**changes: Any) -> list[str]:
    with pytest.raises(InvalidProgram) as refused:
        program(**changes)
    return [problem.field for problem in refused.value.problems]


@pytest.mark.parametrize(
    "changes",
    [
        {"events": {"check_in": {"title": texts("here")}}, "challenges": [streak()]},
        {"challenges": [card(), card("coffee"), streak(), quest()]},
        {"challenges": [card(points=0, badge={"code": "b", "title": texts("b")})]},
        {"challenges": [streak(items={"skus": ["a"]}, when={"minimum_minor": {"CNY": 100}})]},
        {"benefits": [LOUNGE, {**LOUNGE, "code": "gift", "tiers": ["silver", "gold"]}]},
    ],
)
def test_what_fits_together_is_taken(changes: dict[str, Any]) -> None:
    assert program(**changes)


@pytest.mark.parametrize(
    ("challenge", "field"),
    [
        (card(given=10), "given"),
        (card(given=11), "given"),
        (card(points=0), "points"),
        (card(ends_at="2020-01-01T00:00"), "ends_at"),
        (card(starts_at="2026-02-30T00:00"), "starts_at"),
        (card(audience={"tiers": ["platinum"]}), "audience.tiers[0]"),
        (card(when={"tiers": ["platinum"]}), "when.tiers[0]"),
        (card(when={"condition": "order.colour == 'red'"}), "when.condition"),
        (streak(when={"minimum_minor": {"CNY": 100}}), "when.minimum_minor"),
        (streak(events=["check_in", "check_in"]), "events[1]"),
        (quest(steps=[quest()["steps"][0]] * 2), "steps[1].code"),
        (quest(steps=[{"code": "a", "title": texts("a"), "when": {"tiers": ["no"]}}]), "steps[0].when.tiers[0]"),
    ],
)
def test_a_challenge_that_cannot_be_done_is_refused(challenge: dict[str, Any], field: str) -> None:
    assert problems(challenges=[card("first"), challenge]) == [f"challenges[1].{field}"]


def test_two_challenges_or_benefits_do_not_share_a_code() -> None:
    assert problems(challenges=[card(), streak("tea_card")]) == ["challenges[1].code"]
    assert problems(benefits=[LOUNGE, LOUNGE]) == ["benefits[1].code"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tiers": ["platinum"]}, "tiers[0]"),
        ({"tiers": ["gold", "gold"]}, "tiers[1]"),
        ({"starts_at": "2026-05-02T00:00", "ends_at": "2026-05-01T00:00"}, "ends_at"),
    ],
)
def test_a_benefit_that_nobody_can_have_is_refused(change: dict[str, Any], field: str) -> None:
    assert problems(benefits=[{**LOUNGE, **change}]) == [f"benefits[0].{field}"]


def test_as_many_benefits_are_counted_as_an_account_remembers() -> None:
    many = [{**LOUNGE, "code": f"lounge_{number}"} for number in range(21)]
    assert problems(benefits=many) == ["benefits"]
    assert program(benefits=[*many[:20], {**LOUNGE, "uses": None}])


def test_where_events_are_declared_nothing_names_others() -> None:
    rules = [CHECK_IN]
    found = problems(events=SHARE, challenges=[streak(), quest()], earning_rules=rules)
    assert found == ["earning_rules[0].events[0]", "challenges[0].events[0]"]
