"""An answer is taken once, with its fact, its points, its counts and the case that it opens."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
import pytest

from chalicelib.base import clock
from chalicelib.cases.table import read_head
from chalicelib.ledger.table import read_chain, read_tail
from chalicelib.surveys import inviting
from chalicelib.surveys.table import SHARDS, AnswerItem, answers_key
from tests.api import polls, shop
from tests.api.client import Response, client, link, member, staff
from tests.api.polls import AGENT, NINE, OFFICE, answer, available, enrol, move, opened, question, read
from tests.programs import texts

LOW: dict[str, Any] = {"recommend": {"number": 3}, "why": {"text": "Cold tea."}}
CASES = [{"question": "recommend", "at_most": 6, "severity": "high"}]


def told(found: Response) -> tuple[int, str]:
    return found.status, found.code


def months(survey_id: str, *names: str) -> list[AnswerItem]:
    """All that lies among the answers of some months."""
    keys = [answers_key(survey_id, name, shard) for name in names for shard in range(SHARDS)]
    return [item for key in keys for item in AnswerItem.query(key)]


class TestAnAnswerFromTheApp:
    def test_brings_its_points_and_its_fact_at_once(self) -> None:
        member_id, caller = enrol()
        before = available(member_id)
        survey_id = opened(points=50, thanks=texts("Thank you"))
        found = answer(survey_id, caller, seconds=40)
        assert found.status == 201
        assert (found.json["points"], found.json["entry"]["kind"]) == (50, "survey_answered")
        assert found.json["account"]["available"] == available(member_id) == before + 50
        assert found.json["thanks"] == "Thank you"
        tail = read_tail(member_id, consistent=True)
        assert tail
        assert (tail.kind, tail.record, tail.actor) == ("survey_answered", found.json["id"], "member")

    def test_without_points_is_a_fact_all_the_same(self) -> None:
        _member_id, caller = enrol()
        assert answer(opened(points=0), caller).json["entry"]["kind"] == "survey_answered"

    def test_handed_in_again_is_answered_alike(self) -> None:
        member_id, caller = enrol()
        survey_id = opened()
        first = answer(survey_id, caller)
        points = available(member_id)
        again = answer(survey_id, caller, seconds=3, version=1)
        assert (again.status, again.json) == (200, first.json)
        assert available(member_id) == points
        assert len(months(survey_id, clock.text(clock.now())[:7])) <= 1

    def test_is_not_changed_afterwards(self) -> None:
        member_id, caller = enrol()
        survey_id = opened()
        answer(survey_id, caller)
        points = available(member_id)
        assert told(answer(survey_id, caller, LOW)) == (409, "answered_before")
        assert told(answer(survey_id, caller, {})) == (409, "answered_before")
        assert available(member_id) == points

    def test_of_another_survey_or_member_is_another(self) -> None:
        one, two = enrol("one", "+8613800138001")[1], enrol("two", "+8613800138002")[1]
        first, second = opened(), opened()
        ids = [answer(survey, caller).json["id"] for survey in (first, second) for caller in (one, two)]
        assert len(set(ids)) == 4

    def test_is_kept_as_it_was_given(self) -> None:
        member_id, caller = enrol()
        survey_id = opened()
        found = answer(survey_id, caller, LOW, seconds=40)
        kept = read(survey_id, found.json["id"])
        assert kept["answers"] == LOW
        assert (kept["member_id"], kept["channel"], kept["actor"]) == (member_id, "app", "member")
        assert (kept["seconds"], kept["tier"], kept["locale"], kept["version"]) == (40, "member", "en", 1)

    def test_of_who_is_no_member_is_refused(self) -> None:
        assert told(answer(opened(), member("stranger"))) == (404, "member_not_found")

    @pytest.mark.parametrize(
        "fields",
        [
            {"member_id": "mem_a"},
            {"identity": {"phone": "+8613800138000"}},
            {"channel": "phone"},
            {"occurred_at": "2026-11-20T10:00:00Z"},
            {"store": "harbour"},
        ],
    )
    def test_says_nothing_that_is_for_others_to_say(self, fields: dict[str, Any]) -> None:
        _member_id, caller = enrol()
        found = answer(opened(), caller, **fields)
        assert (found.status, found.json["field"]) == (400, next(iter(fields)))

    @pytest.mark.parametrize(
        ("answers", "code", "field"),
        [
            ({}, "answer_required", "answers.recommend"),
            ({"recommend": {"number": 11}}, "invalid_request", "answers[...].number"),
            ({"recommend": {"number": 9}, "why": {"text": "late"}}, "question_not_asked", "answers.why"),
            ({"recommend": {"number": 9}, "what": {"number": 1}}, "question_unknown", "answers.what"),
            (
                {"recommend": {"number": 9}, "areas": {"rows": {"price": 6}}},
                "answers_invalid",
                "answers.areas.rows.price",
            ),
            ({"recommend": {"number": 9}, "areas": {"rows": {"place": 1}}}, "row_unknown", "answers.areas.rows.place"),
            ({"recommend": 9}, "invalid_request", "answers[...]"),
            ({"recommend": {"number": "9"}}, "invalid_request", "answers[...].number"),
        ],
    )
    def test_that_does_not_fit_is_refused_and_may_be_mended(
        self, answers: dict[str, Any], code: str, field: str
    ) -> None:
        _member_id, caller = enrol()
        survey_id = opened()
        found = answer(survey_id, caller, answers)
        assert (found.status, found.code, found.json["field"]) == (400, code, field)
        assert answer(survey_id, caller).status == 201


class TestWords:
    def test_of_a_hundred_kilobytes_are_refused(self) -> None:
        _member_id, caller = enrol()
        survey_id = opened()
        found = answer(survey_id, caller, {**LOW, "why": {"text": "x" * 100_000}})
        assert found.status == 400
        assert told(answer(survey_id, caller, {**LOW, "why": {"text": "很" * 2_001}})) == (400, "text_too_long")
        assert answer(survey_id, caller, {**LOW, "why": {"text": "很" * 2_000}}).status == 201

    def test_of_more_than_a_request_may_have_are_refused(self) -> None:
        _member_id, caller = enrol()
        found = answer(opened(), caller, {**LOW, "why": {"text": "x" * 300_000}})
        assert told(found) == (413, "body_too_large")

    @pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\u0085"])
    def test_with_control_characters_are_refused(self, character: str) -> None:
        _member_id, caller = enrol()
        found = answer(opened(), caller, {**LOW, "why": {"text": f"a{character}b"}})
        assert told(found) == (400, "control_character")

    @pytest.mark.parametrize(
        "text", ["<script>alert('x')</script>", "=HYPERLINK(1)", "a\nb\tc", "👍🏽 很好", "\u202eabc"]
    )
    def test_are_kept_as_text_whatever_they_look_like(self, text: str) -> None:
        _member_id, caller = enrol()
        survey_id = opened()
        found = answer(survey_id, caller, {**LOW, "why": {"text": text}})
        assert read(survey_id, found.json["id"])["answers"]["why"]["text"] == text

    def test_lie_in_the_record_alone(self) -> None:
        member_id, caller = enrol()
        survey_id = opened()
        answer(survey_id, caller, {**LOW, "why": {"text": "a very private matter"}})
        month = clock.text(clock.now() + 8 * 3600)[:7]
        (listed,) = months(survey_id, month)
        assert msgspec.json.decode(listed.answers) == {"recommend": {"number": 3}}
        assert all("private" not in str(item.attribute_values) for item in read_chain(member_id, consistent=True))


class TestASurveyThatChanges:
    def test_judges_an_answer_by_the_version_that_was_shown(self) -> None:
        _member_id, caller = enrol()
        survey_id = opened(points=50)
        shown = client.get(f"/v1/surveys/{survey_id}", caller=caller).json["version"]
        polls.change(survey_id, questions=[question("nps", "recommend"), question("csat", "new")], points=5)
        found = answer(survey_id, caller, LOW, version=shown)
        assert (found.status, found.json["version"], found.json["points"]) == (201, 1, 50)

    def test_takes_new_answers_by_its_new_version(self) -> None:
        _member_id, caller = enrol()
        survey_id = opened()
        polls.change(survey_id, questions=[question("nps", "recommend"), question("csat", "new")], points=5)
        assert told(answer(survey_id, caller)) == (400, "answer_required")
        found = answer(survey_id, caller, {**NINE, "new": {"number": 4}})
        assert (found.json["version"], found.json["points"]) == (2, 5)

    def test_answers_a_replay_as_before_however_it_was_changed(self) -> None:
        _member_id, caller = enrol()
        survey_id = opened()
        first = answer(survey_id, caller, LOW)
        polls.change(survey_id, questions=[question("nps", "other")])
        assert (answer(survey_id, caller, LOW).status, answer(survey_id, caller, LOW).json) == (200, first.json)

    def test_has_no_other_versions_than_those_that_were_open(self) -> None:
        _member_id, caller = enrol()
        survey_id = polls.define(points=1_000).json["id"]
        polls.change(survey_id, points=10)
        move(survey_id, "open")
        assert told(answer(survey_id, caller, version=1)) == (404, "survey_not_found")
        assert told(answer(survey_id, caller, version=3)) == (404, "survey_not_found")
        assert answer(survey_id, caller, version=2).json["points"] == 10

    def test_takes_nothing_once_it_is_closed_but_answers_what_it_took(self) -> None:
        one, two = enrol("one", "+8613800138001")[1], enrol("two", "+8613800138002")[1]
        survey_id = opened()
        first = answer(survey_id, one)
        move(survey_id, "close")
        assert told(answer(survey_id, two)) == (409, "survey_closed")
        assert (answer(survey_id, one).status, answer(survey_id, one).json) == (200, first.json)
        move(survey_id, "open")
        assert answer(survey_id, two).status == 201

    def test_that_there_is_not_is_not_found(self) -> None:
        _member_id, caller = enrol()
        assert told(answer("srv_none", caller)) == (404, "survey_not_found")


class TestDoubtfulAnswers:
    SAME: ClassVar = {"recommend": {"number": 9}, "areas": {"rows": {f"r{number}": 3 for number in range(6)}}}
    ROWS: ClassVar = [{"code": f"r{number}", "title": texts("r")} for number in range(6)]

    @pytest.mark.parametrize(("pays", "points"), [(True, 50), (False, 0)])
    def test_are_flagged_and_paid_as_the_survey_says(self, pays: bool, points: int) -> None:  # noqa: FBT001
        _member_id, caller = enrol()
        questions = [question("nps", "recommend"), question("matrix", "areas", rows=self.ROWS)]
        survey_id = opened(questions=questions, minimum_seconds=10, points_for_flagged=pays)
        found = answer(survey_id, caller, self.SAME, seconds=2)
        assert (found.status, found.json["points"]) == (201, points)
        assert read(survey_id, found.json["id"])["flags"] == ["straight_lined", "speeding"]


class TestACase:
    def test_is_opened_with_the_answer_of_a_detractor(self) -> None:
        member_id, caller = enrol()
        survey_id = opened(case_rules=CASES)
        found = answer(survey_id, caller, LOW)
        stored = read_head(found.json["case_id"])
        assert stored
        case = stored.case
        assert (case.member_id, case.severity, case.kind) == (member_id, "high", "complaint")
        assert (case.response_id, case.channel, case.state) == (found.json["id"], "app", "new")
        assert answer(survey_id, caller, LOW).json["case_id"] == case.case_id
        assert read(survey_id, found.json["id"])["case_id"] == case.case_id

    def test_is_not_opened_by_a_promoter(self) -> None:
        _member_id, caller = enrol()
        assert answer(opened(case_rules=CASES), caller).json["case_id"] is None


class TestHowEasyACaseWasMade:
    def test_is_noted_with_the_case(self) -> None:
        member_id, caller = enrol()
        case_id = answer(opened(case_rules=CASES), caller, LOW).json["case_id"]
        survey_id = opened(kind="post_case", questions=[question("ces", "easy")])
        invitation = link(polls.invited(survey_id, member_id, case_id=case_id))
        found = answer(survey_id, invitation, {"easy": {"number": 6}})
        assert read(survey_id, found.json["id"])["about_case_id"] == case_id
        stored = read_head(case_id)
        assert stored
        assert (stored.case.ces, stored.case.ces_response) == (6, found.json["id"])


class TestOnBehalfOfAMember:
    def test_the_agent_is_recorded(self) -> None:
        member_id, _caller = enrol()
        survey_id = opened()
        found = answer(survey_id, AGENT, LOW, member_id=member_id, store="harbour", locale="zh-Hans")
        kept = read(survey_id, found.json["id"])
        assert (kept["channel"], kept["actor"], kept["store"]) == ("phone", "staff:agent-7", "harbour")
        assert kept["locale"] == "zh-Hans"
        tail = read_tail(member_id, consistent=True)
        assert tail
        assert (tail.actor, tail.points) == ("staff:agent-7", 50)

    def test_the_member_is_found_by_an_identity(self) -> None:
        member_id, caller = enrol()
        survey_id = opened()
        found = answer(survey_id, AGENT, LOW, identity={"phone": "+86 138 0013 8000"}, channel="paper")
        assert found.json["account"]["member_id"] == member_id
        assert answer(survey_id, caller, LOW).status == 200

    @pytest.mark.parametrize(
        ("fields", "status", "code"),
        [
            ({}, 400, "invalid_request"),
            ({"member_id": "mem_nobody"}, 404, "member_not_found"),
            ({"identity": {"phone": "+8613900139000"}}, 404, "member_not_found"),
            ({"identity": {"phone": "123"}}, 400, "phone_invalid"),
        ],
    )
    def test_one_is_named_that_there_is(self, fields: dict[str, Any], status: int, code: str) -> None:
        assert told(answer(opened(), AGENT, **fields)) == (status, code)

    @pytest.mark.parametrize(("days_ago", "code"), [(-0.01, "occurred_in_future"), (40, "occurred_too_long_ago")])
    def test_it_was_lately(self, days_ago: float, code: str) -> None:
        member_id, _caller = enrol()
        found = answer(opened(), AGENT, member_id=member_id, occurred_at=shop.moment(days_ago))
        assert told(found) == (400, code)

    def test_it_takes_the_scope(self) -> None:
        member_id, _caller = enrol()
        assert told(answer(opened(), staff("surveys.read"), member_id=member_id)) == (403, "scope_missing")


class TestTheMonth:
    @pytest.mark.parametrize(
        ("moment", "month"),
        [
            ("2026-10-31T15:59:59Z", "2026-10"),
            ("2026-10-31T16:00:00Z", "2026-11"),
            ("2026-11-01T00:30:00+09:00", "2026-10"),
        ],
    )
    def test_of_an_answer_is_that_of_the_programme_s_zone(
        self, moment: str, month: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clock, "now", lambda: clock.parse("2026-11-02T00:00:00Z"))
        member_id, _caller = enrol()
        survey_id = opened()
        assert answer(survey_id, AGENT, member_id=member_id, occurred_at=moment).status == 201
        assert [len(months(survey_id, name)) for name in ("2026-10", "2026-11")] == [
            month == "2026-10",
            month == "2026-11",
        ]


class TestMergedMembers:
    def test_have_answered_what_either_has(self) -> None:
        survey_id, other = opened(), opened()
        (one, first), (two, _second) = enrol("one", "+8613800138001"), enrol("two", "+8613800138002")
        given = answer(survey_id, first, LOW)
        merged = client.post(f"/v1/members/{one}/merge", json={"into": two}, caller=shop.SHOP)
        assert merged.status in {200, 201}, merged.text
        assert told(answer(survey_id, AGENT, NINE, member_id=two)) == (409, "answered_before")
        assert answer(survey_id, first, LOW).json["id"] == given.json["id"]
        assert read(survey_id, given.json["id"])["member_id"] == two
        assert answer(other, first).json["account"]["member_id"] == two


class TestALink:
    def test_answers_once_and_says_nothing_of_the_account(self) -> None:
        member_id, _caller = enrol()
        survey_id = opened(case_rules=CASES)
        order_id = shop.post_order(member_id=member_id, store="harbour").json["order"]["id"]
        before = available(member_id)
        caller = link(polls.invited(survey_id, member_id, order_id=order_id))
        found = answer(survey_id, caller, LOW)
        assert found.status == 201
        assert (found.json["points"], found.json["account"], found.json["entry"], found.json["case_id"]) == (
            50,
            None,
            None,
            None,
        )
        assert available(member_id) == before + 50
        assert (answer(survey_id, caller, LOW).status, answer(survey_id, caller, LOW).json) == (200, found.json)
        assert told(answer(survey_id, caller)) == (409, "answered_before")
        kept = read(survey_id, found.json["id"])
        assert (kept["channel"], kept["invitation_id"]) == ("link", caller.subject)
        assert (kept["order_id"], kept["store"]) == (order_id, "harbour")

    def test_is_another_answer_than_that_without_an_invitation(self) -> None:
        member_id, caller = enrol()
        survey_id = opened()
        invited = [link(polls.invited(survey_id, member_id, str(number))) for number in range(2)]
        found = [answer(survey_id, each) for each in (caller, *invited)]
        assert [each.status for each in found] == [201, 201, 201]
        assert len({each.json["id"] for each in found}) == 3

    def test_that_has_run_out_or_was_taken_back_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        member_id, _caller = enrol()
        survey_id = opened()
        late, gone = (polls.invited(survey_id, member_id, key) for key in ("late", "gone"))
        inviting.withdraw(survey_id, gone, actor="staff:li.wei", now=clock.now())
        assert told(answer(survey_id, link(gone))) == (409, "invitation_withdrawn")
        assert told(polls.save(survey_id, link(gone), NINE)) == (409, "invitation_withdrawn")
        now = clock.now() + clock.DAY_S
        monkeypatch.setattr(clock, "now", lambda: now)
        assert told(answer(survey_id, link(late))) == (409, "invitation_expired")

    def test_is_for_its_own_survey_and_invitation(self) -> None:
        member_id, _caller = enrol()
        survey_id, other = opened(), opened()
        caller = link(polls.invited(survey_id, member_id))
        assert told(answer(other, caller)) == (404, "invitation_not_found")
        elsewhere = polls.invited(survey_id, member_id, "2")
        assert told(answer(survey_id, caller, invitation_id=elsewhere)) == (400, "invalid_request")
        assert told(answer(survey_id, link())) == (404, "invitation_not_found")

    def test_shows_the_survey(self) -> None:
        member_id, _caller = enrol()
        survey_id = opened()
        caller = link(polls.invited(survey_id, member_id))
        assert client.get(f"/v1/surveys/{survey_id}", caller=caller).json["answer"] == "none"
        answer(survey_id, caller)
        assert client.get(f"/v1/surveys/{survey_id}", caller=caller).json["answer"] == "given"


class TestAnInvitationInTheApp:
    def test_is_answered_by_its_member_alone(self) -> None:
        (member_id, caller), (_other_id, other) = enrol("one", "+8613800138001"), enrol("two", "+8613800138002")
        survey_id = opened()
        invitation_id = polls.invited(survey_id, member_id)
        assert told(answer(survey_id, other, invitation_id=invitation_id)) == (404, "invitation_not_found")
        assert answer(survey_id, caller, invitation_id=invitation_id).status == 201
        by_link = answer(survey_id, link(invitation_id), LOW)
        assert told(by_link) == (409, "answered_before")

    def test_is_needed_where_the_survey_says_so(self) -> None:
        member_id, caller = enrol()
        survey_id = opened(by_invitation=True)
        assert told(answer(survey_id, caller)) == (409, "invitation_required")
        assert told(polls.save(survey_id, caller, NINE)) == (409, "invitation_required")
        assert answer(survey_id, caller, invitation_id=polls.invited(survey_id, member_id)).status == 201
        assert answer(survey_id, AGENT, member_id=member_id).status == 201

    def test_is_answered_on_behalf(self) -> None:
        member_id, _caller = enrol()
        survey_id = opened()
        invitation_id = polls.invited(survey_id, member_id)
        found = answer(survey_id, AGENT, member_id=member_id, invitation_id=invitation_id)
        assert read(survey_id, found.json["id"])["invitation_id"] == invitation_id


class TestReadingAnAnswer:
    def test_is_for_staff_and_by_its_survey(self) -> None:
        _member_id, caller = enrol()
        survey_id, other = opened(), opened()
        response_id = answer(survey_id, caller).json["id"]
        path = f"/v1/surveys/{survey_id}/responses/{response_id}"
        assert told(client.get(path, caller=caller)) == (403, "caller_not_allowed")
        assert told(client.get(path, caller=staff("orders.read"))) == (403, "scope_missing")
        for wrong in (
            f"{other}/responses/{response_id}",
            f"{survey_id}/responses/rsp_none",
            f"{survey_id}/responses/head",
        ):
            assert told(client.get(f"/v1/surveys/{wrong}", caller=OFFICE)) == (404, "response_not_found")
