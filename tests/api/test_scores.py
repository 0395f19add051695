"""A member's score over HTTP: what a read says is what the night tells."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.base import clock, facts
from chalicelib.ledger.table import EntryItem
from chalicelib.program import service as programs
from chalicelib.scoring import gathering, keeping, member, render, told
from tests.api import night, scoring_night, shop
from tests.api.client import Response, client, staff, system
from tests.api.client import member as person

READER = system("scores.read")


def read(member_id: str, **headers: str) -> Response:
    return client.get(f"/v1/members/{member_id}/score", caller=READER, headers=headers)


def bought(number: int, purchases: int) -> str:
    """A member who has bought so many times, on as many days."""
    found = shop.enrol(f"m{number}", phone=f"+86138001380{number:02}")
    for purchase in range(purchases):
        days_ago = 2 + number % 7 + 4 * purchase
        assert (
            shop.post_order(f"o{number}-{purchase}", member_id=found, occurred_at=shop.moment(days_ago)).status == 201
        )
    night.project(found)
    return found


@pytest.fixture
def members() -> list[str]:
    return [bought(number, number) for number in range(6)]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets so many days pass."""

    def pass_by(days: int) -> None:
        then = clock.now() + days * clock.DAY_S
        monkeypatch.setattr(clock, "now", lambda: then)
        keeping.forget()

    return pass_by


def test_before_the_first_night_there_is_no_score_and_it_says_what_to_do() -> None:
    answer = read(shop.enrol())
    assert (answer.status, answer.code) == (409, "not_scored_yet")
    assert "administer_scoring" in answer.json["detail"]


def test_a_member_that_nobody_knows_has_none() -> None:
    answer = read("mem_" + "a" * 26)
    assert (answer.status, answer.code) == (404, "member_not_found")


@pytest.mark.parametrize(
    ("caller", "code"),
    [
        (system("members.read"), "scope_missing"),
        (staff("members.read"), "scope_missing"),
        (person(), "caller_not_allowed"),
    ],
)
def test_a_score_is_for_systems_and_staff_who_may_read_scores(caller: Any, code: str) -> None:
    answer = client.get(f"/v1/members/{shop.enrol()}/score", caller=caller)
    assert (answer.status, answer.code) == (403, code)


def test_a_score_with_all_that_belongs_to_it(members: list[str]) -> None:
    scoring_night.whole()
    found = read(members[5]).json
    assert found["member_id"] == members[5]
    assert found["basis"]["number"] == 1
    assert sum(part["weight"] for part in found["parts"]) == pytest.approx(1.0, abs=1e-3)
    whole = sum(part["weight"] * part["value"] for part in found["parts"])
    assert found["score"] == pytest.approx(100 * whole, abs=0.1)
    assert (found["purchases"], found["currency"]) == (5, "CNY")
    assert 90_00 < found["expected_basket_minor"] < 110_00
    assert isinstance(found["value_12_months_minor"], int)
    assert found["value_12_months_minor"] > found["expected_basket_minor"]
    assert found["behaviour"]["code"] in found["segments"]
    assert found["value"]["code"] in found["segments"]
    assert found["rfm"]["frequency"] == 5
    assert found["trend"] is None
    assert 1 - found["active"] < found["churn"]["probability"] < 1


def test_who_has_bought_nothing_has_a_score_in_which_little_is_known(members: list[str]) -> None:
    scoring_night.whole()
    found = read(members[0]).json
    assert (found["behaviour"]["code"], found["stage"]["code"]) == ("none", "prospect")
    unknown = (
        "active",
        "overdue",
        "days_since_purchase",
        "expected_purchases",
        "expected_basket_minor",
        "rfm",
        "persona",
    )
    assert [found[name] for name in unknown] == [None] * len(unknown)
    assert (found["churn"]["probability"], found["value_12_months_minor"]) == (None, 0)
    assert found["next_action"]["code"] == "first_purchase"


@pytest.mark.parametrize(
    ("locale", "stage", "text"),
    [
        ("en", "onboarding", "Buys more often than most"),
        ("zh-CN", "引入期", "消费比多数会员频繁"),
        ("zh-TW", "引入期", "消費比多數會員頻繁"),
    ],
)
def test_reasons_are_told_in_the_readers_language(members: list[str], locale: str, stage: str, text: str) -> None:
    scoring_night.whole()
    found = read(members[5], **{"Accept-Language": locale}).json
    assert found["stage"]["name"] == stage
    assert text in [reason["text"] for reason in found["reasons"]]
    assert {reason["direction"] for reason in found["reasons"] if reason["moves"] > 0} == {"lifts"}
    moves = [abs(reason["moves"]) for reason in found["reasons"]]
    assert moves == sorted(moves, reverse=True)


def test_a_purchase_since_the_night_counts_at_once_and_is_not_stored(members: list[str]) -> None:
    scoring_night.whole()
    before, stored = read(members[1]).json, scoring_night.facts(members[1])
    assert shop.post_order("new", member_id=members[1], occurred_at=shop.moment(0)).status == 201
    after = read(members[1]).json
    assert (before["purchases"], after["purchases"]) == (1, 2)
    assert after["days_since_purchase"] < before["days_since_purchase"]
    assert scoring_night.facts(members[1]) == stored


def test_who_enrolled_since_the_night_is_scored_too(members: list[str]) -> None:
    scoring_night.whole()
    newcomer = shop.enrol("late", phone="+8613800138099")
    assert read(newcomer).json["behaviour"]["code"] == "none"
    assert shop.post_order("first", member_id=newcomer).status == 201
    assert read(newcomer).json["behaviour"]["code"] == "new"
    assert read(members[3]).status == 200


def test_the_score_of_a_merged_member_is_the_survivors(members: list[str]) -> None:
    scoring_night.whole()
    body = {"into": members[4]}
    merged = client.post(f"/v1/members/{members[2]}/merge", json=body, caller=shop.SHOP, key="merge")
    assert merged.status in {200, 201}, merged.text
    found = read(members[2]).json
    assert found == read(members[4]).json
    assert found["member_id"] == members[4]
    # Purchases of one day are one, whoever has made them.
    entries = [entry for one in (2, 4) for entry in EntryItem.query(members[one]) if entry.kind == facts.ORDER]
    zone = programs.in_force(clock.now(), now=clock.now()).program.zone
    days = {gathering.day_of(clock.parse(entry.occurred_at), zone) for entry in entries}
    assert found["purchases"] == len(days) > 4


def test_it_grows_older_by_itself(members: list[str], later: Callable[[int], None]) -> None:
    scoring_night.whole()
    before = read(members[4]).json
    later(40)
    after = read(members[4]).json
    assert after["days_since_purchase"] == before["days_since_purchase"] + 40
    assert after["churn"]["probability"] > before["churn"]["probability"]
    assert after["score"] < before["score"]
    assert after["basis"] == before["basis"]


def rewriting_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nights store what they say of everybody, whether or not it has changed."""

    def everything(last: told.Told | None, now: told.Told, _alerts: tuple[str, ...], *, is_new: bool) -> told.Told:
        _ = last, is_new
        return now

    monkeypatch.setattr(told, "next_told", everything)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_a_read_says_is_what_the_night_tells(
    seed: int, members: list[str], later: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rewriting_everything(monkeypatch)
    chance = random.Random(seed)  # noqa: S311 -- not for secrets
    scoring_night.whole()
    for turn in range(5):
        later(chance.choice([1, 3, 20, 70]))
        for one in chance.sample(members, 2):
            moment = clock.text(clock.now() - chance.randrange(3 * clock.DAY_S))
            answer = shop.post_order(
                f"t{turn}-{one}", member_id=one, occurred_at=moment, discount_minor=chance.choice([0, 500])
            )
            assert answer.status == 201, answer.text
            night.project(one)
        read_before = {one: member.read(one, now=clock.now()).score for one in members}
        later(1)
        scoring_night.whole()
        for one, said in read_before.items():
            stored = scoring_night.last_told(one)
            assert (stored.day, stored.basis) == (said.day, said.basis.number)
            assert (stored.value, stored.behaviour) == (said.value, said.behaviour)
            assert abs(stored.score - said.score) <= 0.5 + 1e-6


def test_what_is_stored_on_transition_only_has_the_segments_of_a_read(
    members: list[str], later: Callable[[int], None]
) -> None:
    scoring_night.whole()
    for _month in range(6):
        later(29)
        read_before = {one: member.read(one, now=clock.now()).score for one in members}
        later(1)
        scoring_night.whole()
        for one, said in read_before.items():
            stored = scoring_night.last_told(one)
            assert (stored.value, stored.behaviour) == (said.value, said.behaviour)
            assert abs(stored.score - said.score) < told.DRIFTED + 1


def test_facts_brought_up_to_date_for_a_read_are_those_folded_from_the_beginning(members: list[str]) -> None:
    scoring_night.whole()
    assert shop.post_order("late", member_id=members[3], occurred_at=shop.moment(29)).status == 201
    program = programs.in_force(clock.now(), now=clock.now()).program
    found = member.read(members[3], now=clock.now())
    assert found.score.facts == gathering.from_the_beginning(members[3], program)
    assert render.day(found.score.day) == read(members[3]).json["as_of"]
