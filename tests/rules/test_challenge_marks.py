"""What purchases and events count for in challenges."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.engagement.rules import marks
from chalicelib.program.rules.inputs import Event, Line, Member, Purchase
from tests.challenges import card, quest, streak
from tests.programs import program, texts

NOON = 1_795_147_200  # Friday, 20 November 2026, 12:00 in Shanghai
TEA = Line("oolong", "tea", 3, 60_00)
CUP = Line("cup-07", "home", 1, 40_00)


def bought(*lines: Line, **fields: Any) -> Purchase:
    total = sum(line.amount_minor for line in lines) if lines else 100_00
    return Purchase(currency="CNY", total_minor=total, lines=lines, occurred_at=NOON, **fields)


def of_purchase(
    challenge: dict[str, Any], purchase: Purchase, left: Purchase | None = None, member: Member | None = None
) -> dict[str, int] | None:
    found = marks.of_purchase(program(challenges=[challenge]), purchase, left or purchase, member or Member())
    return found.get(challenge["code"])


def of_event(
    challenge: dict[str, Any], *, at: int = NOON, is_cancelled: bool = False, **fields: Any
) -> dict[str, int] | None:
    event = Event(type="check_in", occurred_at=at, **fields)
    found = marks.of_event(program(challenges=[challenge]), event, Member(), is_cancelled=is_cancelled)
    return found.get(challenge["code"])


def test_a_purchase_is_one_stamp() -> None:
    assert of_purchase(card(), bought()) == {"": 1}
    assert of_purchase(card(), bought(TEA, CUP)) == {"": 1}


def test_with_each_item_every_piece_is_a_stamp() -> None:
    tea = card(items={"categories": ["tea"]}, each_item=True)
    assert of_purchase(tea, bought(TEA, CUP)) == {"": 3}


def test_a_purchase_without_any_of_the_items_is_no_fact_at_all() -> None:
    assert of_purchase(card(items={"skus": ["gongfu"]}), bought(TEA)) is None


def test_only_with_items_does_a_challenge_of_events_take_purchases() -> None:
    assert of_purchase(streak(), bought(TEA)) is None
    assert of_purchase(streak(items={"categories": ["tea"]}), bought(TEA)) == {"": 1}


def test_what_is_excluded_from_earning_is_excluded_here() -> None:
    excluded = {"excluded_categories": ["home"], "excluded_channels": ["outlet"]}
    document = program(challenges=[card()], earning=excluded)
    assert marks.of_purchase(document, bought(CUP), bought(CUP), Member()) == {}
    assert marks.of_purchase(document, bought(TEA, channel="outlet"), bought(TEA), Member()) == {}


@pytest.mark.parametrize(
    ("left", "weight"),
    [(bought(TEA, CUP), 3), (bought(Line("oolong", "tea", 1, 20_00)), 1), (bought(CUP), 0)],
)
def test_what_was_given_back_counts_no_more(left: Purchase, weight: int) -> None:
    tea = card(items={"categories": ["tea"]}, each_item=True)
    assert of_purchase(tea, bought(TEA, CUP), left) == {"": weight}


def test_nothing_counts_of_a_purchase_that_was_taken_back_whole() -> None:
    document = program(challenges=[card()])
    assert marks.of_purchase(document, bought(TEA), None, Member()) == {"tea_card": {"": 0}}


def test_a_threshold_must_hold_when_it_was_bought_and_of_what_is_left() -> None:
    large = card(when={"minimum_minor": {"CNY": 80_00}})
    assert of_purchase(large, bought(TEA, CUP)) == {"": 1}
    assert of_purchase(large, bought(TEA)) == {"": 0}
    assert of_purchase(large, bought(TEA, CUP), bought(TEA)) == {"": 0}


@pytest.mark.parametrize(
    ("asked", "member", "weight"),
    [
        ({"when": {"tiers": ["gold"]}}, Member(tier="gold"), 1),
        ({"when": {"tiers": ["gold"]}}, Member(tier="silver"), 0),
        ({"audience": {"tags": ["staff"]}}, Member(tags=("staff",)), 1),
        ({"audience": {"tags": ["staff"]}}, Member(), 0),
        ({"audience": {"members": ["mem_a"]}}, Member(member_id="mem_a"), 1),
        ({"when": {"first_purchase": True}}, Member(purchases=1), 0),
        ({"when": {"weekdays": [5]}}, Member(), 1),
        ({"when": {"weekdays": [6]}}, Member(), 0),
        ({"when": {"condition": "order.total_minor > `5000`"}}, Member(), 1),
        ({"when": {"condition": "order.total_minor > `50000`"}}, Member(), 0),
    ],
)
def test_audience_and_conditions_hold(asked: dict[str, Any], member: Member, weight: int) -> None:
    assert of_purchase(card(**asked), bought(TEA), None, member) == {"": weight}


def test_an_event_counts_where_its_type_is_named() -> None:
    assert of_event(streak()) == {"": 1}
    assert of_event(streak(events=["share"])) is None
    assert of_event(card()) is None


def test_a_cancelled_event_counts_for_nothing() -> None:
    assert of_event(streak(), is_cancelled=True) == {"": 0}


def test_an_event_must_meet_the_conditions() -> None:
    here = streak(when={"stores": ["harbour"]})
    assert of_event(here, store="harbour") == {"": 1}
    assert of_event(here, store="airport") == {"": 0}
    rated = streak(when={"condition": "event.properties.stars >= `4`"})
    assert of_event(rated, properties={"stars": 5}) == {"": 1}
    assert of_event(rated, properties={"stars": 3}) == {"": 0}
    assert of_event(rated) == {"": 0}


def test_a_challenge_counts_from_its_first_instant_to_the_last_before_its_end() -> None:
    window = streak(starts_at="2026-11-20T12:00", ends_at="2026-11-20T12:01")
    found = [of_event(window, at=NOON + seconds) for seconds in (-1, 0, 59, 60)]
    assert found == [None, {"": 1}, {"": 1}, None]


def test_each_step_of_a_quest_looks_for_itself() -> None:
    assert of_purchase(quest(), bought(TEA)) == {"tea": 1}
    assert of_purchase(quest(), bought(CUP)) is None
    both = quest(steps=[{"code": code, "title": texts(code), "items": {}} for code in ("one", "two")])
    assert of_purchase(both, bought(TEA)) == {"one": 1, "two": 1}


@pytest.mark.parametrize(
    ("challenge", "expected"),
    [
        (card(), False),
        (card(audience={"segments": ["vip"]}), True),
        (card(when={"birthday": "month"}), True),
        (quest(steps=[{"code": "a", "title": texts("a"), "when": {"tags": ["staff"]}}]), True),
    ],
)
def test_the_profile_is_looked_at_only_where_it_is_asked_for(challenge: dict[str, Any], *, expected: bool) -> None:
    assert marks.needs_profile(program(challenges=[challenge])) is expected
