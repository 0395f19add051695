"""What an admin asks of scoring: a night now, how far it is, sheets of segments, words, and facts made anew."""

from __future__ import annotations

import csv
import io
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from chalicelib.base import clock, objects
from chalicelib.ledger import nights
from chalicelib.ledger.table import AccountItem
from chalicelib.scoring import explaining, keeping, state
from chalicelib.scoring.basis import value_bin
from chalicelib.scoring.console_triggers import administer_scoring
from tests.api import night, scoring_night, shop
from tests.campaigns import publish


def ask(action: str, **fields: Any) -> Any:
    return administer_scoring({"action": action, **fields}, None)


def by_hand(**fields: Any) -> Any:
    """A night asked for by hand, from its first message to its report."""
    with night.queued() as lying:
        answer = ask("run", **fields)
        scoring_night.run(lying)
    return answer


@pytest.fixture
def members() -> list[str]:
    found = []
    for number in range(6):
        one = shop.enrol(f"m{number}", phone=f"+861380013800{number}")
        for purchase in range(number):
            moment = shop.moment(2 + number + 4 * purchase)
            assert shop.post_order(f"o{number}-{purchase}", member_id=one, occurred_at=moment).status == 201
        night.project(one)
        found.append(one)
    return found


@pytest.mark.parametrize("event", [{}, {"action": "help"}])
def test_help_names_everything_that_can_be_asked_for(event: dict[str, Any]) -> None:
    told = administer_scoring(event, None)["actions"]
    assert set(told) == {"run", "progress", "export", "basis", "alerts", "explain", "rebuild"}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"action": "basis"}, "not_scored_yet"),
        ({"action": "basis", "number": 7}, "basis_unknown"),
        ({"action": "export"}, "sheet_not_found"),
        ({"action": "export", "value": ["platinum"]}, "invalid_request"),
        ({"action": "export", "persona": ["vip"]}, "invalid_request"),
        ({"action": "progress"}, "night_unknown"),
        ({"action": "progress", "day": "2020-01-01"}, "night_unknown"),
        ({"action": "progress", "day": "yesterday"}, "invalid_request"),
        ({"action": "explain", "member_id": "mem_" + "a" * 26}, "member_not_found"),
        ({"action": "rebuild", "member_id": "mem_" + "a" * 26}, "member_not_found"),
        ({"action": "forget"}, "invalid_request"),
    ],
)
def test_what_cannot_be_is_refused_with_a_code(asked: dict[str, Any], code: str) -> None:
    assert administer_scoring(asked, None)["error"]["code"] == code


class TestRunning:
    def test_without_a_night_of_the_day_it_is_the_days_own(self, members: list[str]) -> None:
        answer = by_hand()
        assert (answer["night"], answer["messages"]) == (night.today(), 4)
        assert scoring_night.basis().members == len(members)
        # The schedule that comes later finds the day's night begun.
        with night.queued() as lying:
            assert night.start()["messages"] == 0
            assert lying.messages == []

    def test_after_the_days_night_it_is_one_more(self, members: list[str]) -> None:
        scoring_night.whole()
        first = scoring_night.basis()
        publish(scoring={"margin_percent": 40})
        again = by_hand()
        assert (again["night"], again["messages"]) == (f"{night.today()}-02", 2)
        basis = scoring_night.basis()
        assert (basis.number, basis.day, basis.margin) == (first.number, first.day, 0.4)
        assert keeping.made_in() == f"{night.today()}-02"
        assert by_hand()["night"] == f"{night.today()}-03"
        assert objects.get(f"reports/{night.today()}-03/report.html") is not None
        assert ask("explain", member_id=members[4])["score"]["basis"]["number"] == 1

    def test_one_more_night_changes_nothing_where_nothing_has_changed(self, members: list[str]) -> None:
        scoring_night.whole()
        told, basis = [scoring_night.last_told(one) for one in members], scoring_night.basis()
        by_hand()
        assert [scoring_night.last_told(one) for one in members] == told
        again = scoring_night.basis()
        assert (again.number, again.day, again.means) == (basis.number, basis.day, basis.means)

    def test_a_message_of_the_night_before_does_not_bring_its_basis_back(self, members: list[str]) -> None:
        scoring_night.whole()
        first = scoring_night.basis()
        publish(scoring={"margin_percent": 40})
        by_hand()
        assert not keeping.put(first, night.today())
        assert scoring_night.basis().margin == 0.4
        assert keeping.numbered(1) == scoring_night.basis()
        assert members

    def test_a_night_that_is_on_its_way_is_waited_for(self, members: list[str]) -> None:
        with night.queued() as lying:
            night.start()
            assert ask("run")["error"]["code"] == "night_running"
            assert ask("run", anyway=True)["night"] == f"{night.today()}-02"
            scoring_night.run(lying)
        assert scoring_night.basis().members == len(members)


def test_progress_tells_of_each_segment_and_its_figures(members: list[str]) -> None:
    AccountItem(members[2]).update(actions=[AccountItem.score_facts.set(b"nonsense")])
    scoring_night.whole()
    with night.queued():
        (found,) = ask("progress")["nights"]
    assert (found["night"], found["seen"], found["failed"]) == (night.today(), len(members), 1)
    assert found["is_walked"]
    assert found["is_basis_in_use"]
    walks = {(segment["walk"], segment["segment"]) for segment in found["segments"]}
    assert walks == {("sweep", 0), ("sweep", 1), ("score", 0), ("score", 1)}
    swept = [segment for segment in found["segments"] if segment["walk"] == "sweep"]
    assert sum(segment["folded"] for segment in swept) == len(members) - 1
    assert sum(segment["told"] for segment in found["segments"] if segment["walk"] == "score") == len(members) - 1


def rows(answer: Any) -> list[dict[str, str]]:
    body = objects.get(answer["key"])
    assert body is not None
    assert body.startswith(b"\xef\xbb\xbf")
    found = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert len(found) == answer["members"]
    return found


class TestExports:
    def test_without_a_segment_everybody_is_in_it(self, members: list[str]) -> None:
        scoring_night.whole()
        answer = ask("export")
        assert answer["key"] == f"exports/scoring/{night.today()}-all.csv"
        assert [row["customer_id"] for row in rows(answer)] == sorted(members)
        body = objects.get("reports/latest/members.csv")
        assert body == objects.get(answer["key"])

    def test_only_those_of_the_segments_are_in_it(self, members: list[str]) -> None:
        scoring_night.whole()
        everybody = rows(ask("export"))
        high = rows(ask("export", value=["high"]))
        assert high == [row for row in everybody if row["value_segment"] in {"high", "gold"}]
        assert 0 < len(high) < len(members)
        none = rows(ask("export", behaviour=["none", "lapsed"], value=["low"]))
        assert [row["customer_id"] for row in none] == [members[0]]
        assert rows(ask("export", value=["gold"], behaviour=["none"])) == []

    def test_by_loyalty_and_persona(self, members: list[str]) -> None:
        scoring_night.whole()
        undetermined = rows(ask("export", loyalty=["undetermined"]))
        assert {row["loyalty_type"] for row in undetermined} == {"undetermined"}
        personas = sorted({row["persona"] for row in rows(ask("export"))} - {""})
        assert personas
        found = rows(ask("export", persona=personas[:1]))
        assert {row["persona"] for row in found} == {personas[0]}
        assert members

    def test_the_link_leads_to_it_for_an_hour(self, members: list[str]) -> None:
        scoring_night.whole()
        answer = ask("export")
        assert answer["link_lasts_s"] == 3600
        assert "Expires=3600" in answer["link"]
        assert urlsplit(answer["link"]).path.endswith("/" + answer["key"])
        assert answer["members"] == len(members)


def test_a_basis_is_told_in_words_and_figures(members: list[str]) -> None:
    scoring_night.whole()
    told = ask("basis")
    assert (told["number"], told["members"], told["model"]["name"]) == (1, len(members), "mbg-nbd")
    assert sum(told["weights"].values()) == pytest.approx(1.0)
    assert told["fits"]["buying"]["source"] in {"fitted", "kept", "default"}
    ranks = [step["rank"] for step in told["frequency_from_purchases"] if step["rank"]]
    assert ranks == sorted(ranks)
    assert msgspec.json.encode(told)
    assert ask("basis", number=1) == told


@pytest.mark.parametrize("amount", [0.0, 1.0, 99.5, 100.0, 12_345.6])
def test_an_amount_lies_in_the_bin_that_begins_below_it(amount: float) -> None:
    place = value_bin(amount)
    assert explaining.amount_of(place) <= amount < explaining.amount_of(place + 1)


@pytest.mark.parametrize(
    ("locale", "words"),
    [("en", ["of 100", "Next: "]), ("zh-Hans", ["满分 100", "建议："]), ("zh-Hant", ["滿分 100", "建議："])],
)
def test_a_score_is_explained_in_words(members: list[str], locale: str, words: list[str]) -> None:
    scoring_night.whole()
    for one in members:
        told = ask("explain", member_id=one, locale=locale)
        assert all(word in told["text"] for word in words)
        assert str(told["score"]["score"]) in told["text"]
        assert all(reason["text"] in told["text"] for reason in told["score"]["reasons"])


@pytest.mark.parametrize(
    ("currency", "price", "spending", "words"),
    [("JPY", 1_500, 3_000.0, "1500 JPY"), ("KWD", 2_500, 5.0, "2.500 KWD"), ("CNY", 2_500, 50.0, "25.00 CNY")],
)
def test_amounts_are_told_in_the_unit_of_their_currency(currency: str, price: int, spending: float, words: str) -> None:
    publish(
        base_currency=currency,
        currencies={currency: {"points": 1, "per_minor": 100}},
        redemption={"points_per": 100, "amount_minor": {currency: 500}, "minimum_points": 100},
    )
    one = shop.enrol("m1", phone="+8613800138001")
    for number in (1, 2):
        bought = {"member_id": one, "currency": currency, "total_minor": price}
        assert shop.post_order(f"o{number}", occurred_at=shop.moment(9 * number), **bought).status == 201
    night.project(one)

    scoring_night.whole()

    told = msgspec.json.decode(objects.get("reports/latest/report.json") or b"")
    assert told["spending"] == pytest.approx(spending)
    found = ask("explain", member_id=one)
    assert found["score"]["expected_basket_minor"] == price
    assert words in found["text"]


class TestRebuilding:
    def test_facts_that_are_right_stay(self, members: list[str]) -> None:
        scoring_night.whole()
        assert shop.post_order("since", member_id=members[3]).status == 201
        told = ask("rebuild", member_id=members[3])
        assert (told["is_same"], told["differs"]) == (True, {})

    def test_facts_that_are_wrong_are_named_and_put_right(self, members: list[str]) -> None:
        scoring_night.whole()
        right = scoring_night.facts(members[3])
        wrong = msgspec.structs.replace(right, purchase_days=7)
        AccountItem(members[3]).update(actions=[AccountItem.score_facts.set(state.pack(wrong))])
        told = ask("rebuild", member_id=members[3])
        assert told["differs"] == {"purchase_days": {"stored": 7, "ledger": 3}}
        assert scoring_night.facts(members[3]) == right
        assert ask("rebuild", member_id=members[3])["is_same"]

    def test_facts_that_cannot_be_read_are_made_anew_and_a_read_does_without_them(self, members: list[str]) -> None:
        scoring_night.whole()
        right = scoring_night.facts(members[3])
        before = ask("explain", member_id=members[3])
        AccountItem(members[3]).update(actions=[AccountItem.score_facts.set(b"nonsense")])
        assert ask("explain", member_id=members[3]) == before
        told = ask("rebuild", member_id=members[3])
        assert told["differs"]["purchase_days"] == {"stored": "unreadable", "ledger": 3}
        assert scoring_night.facts(members[3]) == right

    def test_who_was_never_scored_has_nothing_to_compare(self, members: list[str]) -> None:
        told = ask("rebuild", member_id=members[3])
        assert (told["was_stored"], told["entries"]) == (False, 4)


def test_a_night_that_failed_half_way_is_told_as_such(members: list[str]) -> None:
    with night.queued() as lying:
        night.start()
        queue, body = lying.messages[0]
        scoring_night.deliver(queue, body)
        (found,) = ask("progress")["nights"]
    assert not found["is_walked"]
    assert not found["is_basis_in_use"]
    assert found["seen"] <= len(members)
    assert nights.is_begun(night.today())
    assert clock.now() > 0


def test_after_the_parameters_were_lost_a_night_by_hand_begins_anew(members: list[str]) -> None:
    scoring_night.whole()
    for item in keeping.BasisItem.query("scoring"):
        item.delete()
    keeping.forget()
    assert ask("explain", member_id=members[3])["error"]["code"] == "not_scored_yet"
    assert by_hand()["night"] == f"{night.today()}-02"
    assert scoring_night.basis().number == 1
    assert ask("explain", member_id=members[3])["score"]["basis"]["number"] == 1
