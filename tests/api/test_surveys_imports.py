"""Answers of a call centre and from paper: each row once, and no bad row loses a good one."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.ledger.table import read_tail
from chalicelib.surveys import defining, importing
from tests.api import polls, shop
from tests.api.client import Response, client, member, staff
from tests.api.community import kinds
from tests.api.polls import NINE, answer, available, bring_in, enrol, move, opened, read

AT = shop.moment(2)
PHONE = "+8613800138000"


def row(key: str, number: int = 9, **fields: Any) -> dict[str, Any]:
    return {"key": key, "occurred_at": AT, "answers": {"recommend": {"number": number}}, **fields}


def lines(*rows: dict[str, Any] | str) -> str:
    return "\n".join(item if isinstance(item, str) else json.dumps(item) for item in rows)


def csv(*rows: str, titles: str = "key,occurred_at,phone,recommend,why") -> str:
    return "\n".join([titles, *rows]) + "\n"


def counted(found: Response) -> tuple[int, int, list[tuple[int, str, str]]]:
    assert found.status == 200, found.text
    refused = [(bad["line"], bad["key"], bad["code"]) for bad in found.json["refused"]]
    return found.json["taken"], found.json["repeated"], refused


class TestAnImport:
    def test_takes_every_row_of_either_form(self) -> None:
        survey_id = opened()
        text = csv(f"c1,{AT},,9,", f'c2,{AT},,3,"Cold, and ""late"""')
        assert counted(bring_in(survey_id, csv=text)) == (2, 0, [])
        assert counted(bring_in(survey_id, json_lines=lines(row("c3"), row("c4", 2)))) == (2, 0, [])

    def test_sent_again_adds_nothing(self) -> None:
        member_id, _caller = enrol()
        survey_id = opened(points=50)
        text = csv(f"c1,{AT},{PHONE},9,", f"c2,{AT},,3,")
        before = available(member_id)
        assert counted(bring_in(survey_id, csv=text)) == (2, 0, [])
        assert counted(bring_in(survey_id, csv=text)) == (0, 2, [])
        assert counted(bring_in(survey_id, csv=text + f"c3,{AT},,1,\n")) == (1, 2, [])
        assert available(member_id) == before + 50

    def test_of_a_row_that_has_become_another_is_refused(self) -> None:
        survey_id = opened()
        bring_in(survey_id, json_lines=lines(row("c1", 9)))
        assert counted(bring_in(survey_id, json_lines=lines(row("c1", 2)))) == (0, 0, [(1, "c1", "answered_before")])
        assert counted(bring_in(survey_id, "another", json_lines=lines(row("c1", 2)))) == (1, 0, [])

    def test_posts_points_and_a_fact_for_a_member_and_none_for_somebody_unknown(self) -> None:
        member_id, _caller = enrol()
        survey_id = opened(points=50)
        rows = [row("known", identity={"phone": PHONE}), row("stranger", identity={"phone": "+8613900139000"})]
        assert counted(bring_in(survey_id, json_lines=lines(*rows, row("nobody")))) == (3, 0, [])
        assert kinds(member_id) == ["survey_answered"]
        assert available(member_id) == 150

    def test_counts_a_member_once_however_it_was_answered(self) -> None:
        member_id, caller = enrol()
        survey_id = opened(points=50)
        assert counted(bring_in(survey_id, json_lines=lines(row("c1", member_id=member_id))))[0] == 1
        by_app = answer(survey_id, caller, NINE)
        assert by_app.status == 200
        assert read(survey_id, by_app.json["id"])["channel"] == "import"
        low = {"recommend": {"number": 1}}
        assert answer(survey_id, caller, low).code == "answered_before"
        again = bring_in(survey_id, json_lines=lines(row("c2", 1, member_id=member_id)))
        assert counted(again) == (0, 0, [(1, "c2", "answered_before")])
        assert available(member_id) == 150

    def test_does_not_count_who_has_answered_in_the_app(self) -> None:
        member_id, caller = enrol()
        survey_id = opened()
        answer(survey_id, caller)
        found = bring_in(survey_id, json_lines=lines(row("c1", 1, member_id=member_id)))
        assert counted(found) == (0, 0, [(1, "c1", "answered_before")])

    def test_is_taken_once_though_its_row_has_become_a_member_meanwhile(self) -> None:
        survey_id = opened()
        text = lines(row("c1", identity={"phone": PHONE}))
        assert counted(bring_in(survey_id, json_lines=text)) == (1, 0, [])
        member_id, _caller = enrol()
        before = available(member_id)
        assert counted(bring_in(survey_id, json_lines=text)) == (0, 1, [])
        assert available(member_id) == before

    def test_names_every_bad_row_and_takes_the_good_ones(self) -> None:
        survey_id = opened()
        rows: list[dict[str, Any] | str] = [
            row("good-1"),
            "{broken",
            row("eleven", 11),
            {**row("no-time"), "occurred_at": "yesterday"},
            row("future", occurred_at=shop.moment(-1)),
            row("nobody", member_id="mem_nobody"),
            row("both", member_id="mem_a", identity={"phone": PHONE}),
            {**row("late"), "answers": {"recommend": {"number": 9}, "why": {"text": "x"}}},
            {**row("control"), "answers": {"recommend": {"number": 1}, "why": {"text": "a\u0000b"}}},
            {**row("long"), "answers": {"recommend": {"number": 1}, "why": {"text": "x" * 10_001}}},
            row("extra", colour="red"),
            row("store", store="a\u0000b"),
            row("good-2"),
        ]
        taken, repeated, refused = counted(bring_in(survey_id, json_lines=lines(*rows)))
        assert (taken, repeated) == (2, 0)
        assert refused == [
            (2, "", "row_invalid"),
            (3, "eleven", "row_invalid"),
            (4, "no-time", "row_invalid"),
            (5, "future", "occurred_in_future"),
            (6, "nobody", "member_not_found"),
            (7, "both", "invalid_request"),
            (8, "late", "question_not_asked"),
            (9, "control", "control_character"),
            (10, "long", "row_invalid"),
            (11, "extra", "row_invalid"),
            (12, "store", "row_invalid"),
        ]

    def test_takes_old_answers_of_people_who_are_no_members(self) -> None:
        survey_id = opened()
        old = shop.moment(400)
        assert counted(bring_in(survey_id, json_lines=lines(row("old", occurred_at=old)))) == (1, 0, [])
        member_id, _caller = enrol()
        found = bring_in(survey_id, json_lines=lines(row("older", member_id=member_id, occurred_at=old)))
        assert counted(found) == (0, 0, [(1, "older", "occurred_too_long_ago")])

    def test_of_another_version_is_judged_by_it(self) -> None:
        survey_id = opened()
        polls.change(survey_id, questions=[polls.question("nps", "other")])
        rows = [row("old", version=1), row("new"), row("never", version=9)]
        refused = [(2, "new", "question_unknown"), (3, "never", "survey_not_found")]
        assert counted(bring_in(survey_id, json_lines=lines(*rows))) == (1, 0, refused)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"csv": "key,occurred_at\n", "json_lines": "{}"},
            {"csv": "key,occurred_at\n"},
            {"csv": "key,colour\n1,red\n"},
            {"json_lines": "{}\n" * 201},
        ],
    )
    def test_that_is_none_is_refused_as_a_whole(self, body: dict[str, str]) -> None:
        found = bring_in(opened(), **body)
        assert (found.status, found.code) == (400, "import_invalid")

    def test_stops_before_the_time_is_up_and_may_be_sent_again(self) -> None:
        survey_id = opened()
        text = lines(*(row(f"c{number}") for number in range(4)))
        survey, ticks = defining.read(survey_id), itertools.count(0, 10)
        found = importing.bring_in(
            survey,
            importing.lines_of(survey, csv=None, json_lines=text),
            source="x",
            actor="system:x",
            now=clock.now(),
            clock_now=lambda: next(ticks),
        )
        assert (found.taken, [bad.code for bad in found.refused]) == (1, ["busy"] * 3)
        assert counted(bring_in(survey_id, "x", json_lines=text)) == (3, 1, [])

    def test_is_for_an_open_survey_and_who_may(self) -> None:
        survey_id = opened()
        body = {"source": "x", "json_lines": lines(row("c1"))}
        path = f"/v1/surveys/{survey_id}/imports"
        assert client.post(path, json=body, caller=member()).code == "caller_not_allowed"
        assert client.post(path, json=body, caller=staff("surveys.read")).code == "scope_missing"
        move(survey_id, "close")
        assert bring_in(survey_id, json_lines=lines(row("c1"))).code == "survey_closed"

    def test_shows_who_brought_it_in(self) -> None:
        member_id, _caller = enrol()
        survey_id = opened()
        bring_in(survey_id, json_lines=lines(row("c1", member_id=member_id, channel="paper", store="harbour")))
        entry = read_tail(member_id, consistent=True)
        assert entry
        kept = read(survey_id, entry.record)
        assert (kept["actor"], kept["channel"], kept["store"]) == ("system:call-centre", "paper", "harbour")
        assert entry.actor == "system:call-centre"
