"""Whatever fails on the way, an answer is taken once, whole, and nothing of it is lost."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from pynamodb.exceptions import PutError

from chalicelib.base.errors import Unavailable
from chalicelib.cases.table import head_write, read_head
from chalicelib.ledger.posting import Posted, peek
from chalicelib.ledger.table import read_chain
from chalicelib.members import enrolling, uniting
from chalicelib.members.schema import ExternalIn, MemberIn, MergeIn
from chalicelib.surveys import changing, defining, drafting, inviting, respondents, responding, tallies
from chalicelib.surveys.by_hand import Request, invite
from chalicelib.surveys.changing import SurveyChanged
from chalicelib.surveys.document import Answer, Definition
from chalicelib.surveys.preparing import Submission
from chalicelib.surveys.respondents import Respondent
from chalicelib.surveys.responding import AnsweredBefore
from chalicelib.surveys.table import DRAFT, SHARDS, AnswerItem, DraftItem, ResponseItem, answers_key
from tests import faults
from tests.rules.survey_cases import definition, question

NOW = 1_800_000_000
MONTH = "2027-01"
FAULTS = [faults.lost_on_the_way, faults.committed_then_timed_out, faults.conflicting, faults.throttled, faults.failing]
LOW = {"recommend": Answer(number=2), "why": Answer(text="cold")}


def survey(points: int = 50, **fields: Any) -> Definition:
    questions = [question("nps", "recommend"), question("text", "why", required=False)]
    rules = [{"question": "recommend", "at_most": 6}]
    return definition(*questions, points=points, case_rules=rules, **fields)


def opened() -> str:
    made, _replayed = changing.create(survey(), actor="staff:li", now=NOW)
    return changing.set_status(made.survey_id, "open", actor="staff:li", now=NOW).survey_id


def enrolled(key: str = "1") -> str:
    body = MemberIn(external=(ExternalIn(source="tests", id=key),))
    return str(enrolling.enrol(body, client_id="tests", key=key, actor="system:tests", now=NOW).member_id)


def answer(survey_id: str, respondent: Respondent, answers: dict[str, Answer] | None = None) -> Posted[ResponseItem]:
    submission = Submission(survey_id=survey_id, answers=answers or LOW, channel="app", actor="member", occurred_at=NOW)
    return responding.respond(submission, respondent, now=NOW)


def available(member_id: str) -> int:
    return int(peek(member_id, now=NOW, consistent=True).state.available)


def counted(survey_id: str) -> tuple[int, int]:
    """How many answers lie in their month, and how many are counted."""
    listed = sum(len(list(AnswerItem.query(answers_key(survey_id, MONTH, shard)))) for shard in range(SHARDS))
    totals = tallies.read(survey_id, [MONTH])[MONTH]
    return listed, totals.sound["recommend:2"]


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_is_taken_once(fault: faults.Fault) -> None:
    survey_id, member_id = opened(), enrolled()
    before = available(member_id)
    invitation = invite(
        survey_id, Request(member_id=member_id, open_days=1), key="1", actor="staff:li", now=NOW
    ).record.key
    respondent = respondents.of_link(survey_id, invitation)
    with faults.calls(fault):
        posted = answer(survey_id, respondent)
    assert available(member_id) == before + 50
    assert counted(survey_id) == (1, 1)
    assert read_head(str(posted.record.case_id))
    assert inviting.read(invitation).response_id == posted.record.record_id
    again = answer(survey_id, respondents.of_link(survey_id, invitation))
    assert again.replayed
    assert msgspec.json.decode(again.record.body) == {"recommend": {"number": 2}, "why": {"text": "cold"}}
    assert (available(member_id), counted(survey_id)) == (before + 50, (1, 1))
    assert [item.kind for item in read_chain(member_id, consistent=True)] == ["enrolled", "survey_answered"]


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_of_somebody_unknown_is_taken_once(fault: faults.Fault) -> None:
    survey_id = opened()
    respondent = respondents.of_row(survey_id, "paper", "1", None)
    with faults.calls(fault):
        posted = answer(survey_id, respondent)
    assert not posted.record.has_entry
    assert answer(survey_id, respondent).replayed
    assert counted(survey_id) == (1, 1)


def test_an_answer_that_is_not_taken_leaves_nothing() -> None:
    survey_id, member_id = opened(), enrolled()
    before = available(member_id)
    respondent = respondents.of_member(survey_id, member_id)
    with faults.calls(*[faults.lost_on_the_way] * 8), pytest.raises(Unavailable):
        answer(survey_id, respondent)
    assert (available(member_id), counted(survey_id)) == (before, (0, 0))
    assert respondents.recorded(respondent) == []
    assert not answer(survey_id, respondent).replayed


def test_two_who_answer_one_invitation_at_once_answer_it_once() -> None:
    survey_id, member_id = opened(), enrolled()
    wanted = Request(member_id=member_id, open_days=1)
    invitation = invite(survey_id, wanted, key="1", actor="staff:li", now=NOW).record.key
    respondent = respondents.of_link(survey_id, invitation)

    def first_the_other(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        answer(survey_id, respondents.of_link(survey_id, invitation), {"recommend": Answer(number=9)})
        return real(name, parameters)

    with faults.calls(first_the_other), pytest.raises(AnsweredBefore):
        answer(survey_id, respondent)
    assert counted(survey_id) == (1, 0)


def test_an_invitation_that_is_taken_back_meanwhile_is_not_answered() -> None:
    survey_id, member_id = opened(), enrolled()
    wanted = Request(member_id=member_id, open_days=1)
    invitation = invite(survey_id, wanted, key="1", actor="staff:li", now=NOW).record.key
    respondent = respondents.of_link(survey_id, invitation)

    def first_withdraw(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        inviting.withdraw(survey_id, invitation, actor="staff:li", now=NOW)
        return real(name, parameters)

    with faults.calls(first_withdraw), pytest.raises(inviting.InvitationWithdrawn):
        answer(survey_id, respondent)
    assert counted(survey_id) == (0, 0)


def test_what_is_said_of_a_case_is_noted_though_the_case_moves_meanwhile() -> None:
    survey_id, member_id = opened(), enrolled()
    case_id = str(answer(survey_id, respondents.of_member(survey_id, member_id)).record.case_id)
    ease = definition(question("ces", "easy"), code="ease", kind="post_case")
    made, _replayed = changing.create(ease, actor="staff:li", now=NOW)
    changing.set_status(made.survey_id, "open", actor="staff:li", now=NOW)
    wanted = Request(member_id=member_id, open_days=1, case_id=case_id, override="asked for")
    invitation = invite(made.survey_id, wanted, key="1", actor="staff:li", now=NOW).record.key

    def first_touch(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        stored = read_head(case_id)
        assert stored
        moved = head_write(msgspec.structs.replace(stored.case, store="harbour"), stored.version + 1)
        moved.model.save(condition=moved.condition)
        return real(name, parameters)

    with faults.calls(first_touch):
        answer(made.survey_id, respondents.of_link(made.survey_id, invitation), {"easy": Answer(number=6)})
    stored = read_head(case_id)
    assert stored
    assert (stored.case.ces, stored.case.store) == (6, "harbour")


def test_the_same_member_by_app_and_on_paper_at_once_counts_once() -> None:
    survey_id, member_id = opened(), enrolled()

    def first_on_paper(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        answer(survey_id, respondents.of_row(survey_id, "paper", "7", member_id))
        return real(name, parameters)

    with faults.calls(first_on_paper):
        posted = answer(survey_id, respondents.of_member(survey_id, member_id))
    assert posted.replayed
    assert counted(survey_id) == (1, 1)
    assert available(member_id) == 150


def test_a_read_that_misses_the_answer_answers_it_alike() -> None:
    survey_id, member_id = opened(), enrolled()
    respondent = respondents.of_member(survey_id, member_id)
    first = answer(survey_id, respondent)
    with faults.calls(faults.seeing_nothing, operation="Query"):
        again = answer(survey_id, respondent)
    assert (again.replayed, again.record.serialize()) == (True, first.record.serialize())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_change_is_made_once(fault: faults.Fault) -> None:
    survey_id = opened()
    with faults.calls(fault):
        found = changing.change(survey_id, survey(70), based_on="2", actor="staff:li", now=NOW)
    assert (found.number, found.version, found.definition.points) == (2, 3, 70)
    assert changing.change(survey_id, survey(70), based_on="2", actor="staff:li", now=NOW) == found


def test_of_two_changes_at_once_one_is_made() -> None:
    survey_id = opened()

    def first_the_other(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        changing.change(survey_id, survey(1), based_on="2", actor="staff:wang", now=NOW)
        return real(name, parameters)

    with faults.calls(first_the_other), pytest.raises(SurveyChanged):
        changing.change(survey_id, survey(2), based_on="2", actor="staff:li", now=NOW)
    assert defining.read_now(survey_id).definition.points == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_survey_is_made_once(fault: faults.Fault) -> None:
    with faults.calls(fault):
        made, _replayed = changing.create(survey(), actor="staff:li", now=NOW)
    assert (made.number, made.status) == (1, "draft")
    assert len(defining.listed(after=None, limit=10)) == 1


def test_another_process_sees_a_later_version_before_this_one_does() -> None:
    survey_id, member_id = opened(), enrolled()
    assert defining.read(survey_id, now=NOW).number == 1
    # What another process would still know.
    known = dict(defining._open)
    changing.change(survey_id, survey(70), based_on="2", actor="staff:li", now=NOW)
    defining._open.update(known)
    submission = Submission(survey_id=survey_id, answers=LOW, channel="app", actor="member", occurred_at=NOW, version=2)
    posted = responding.respond(submission, respondents.of_member(survey_id, member_id), now=NOW)
    assert (posted.record.definition, posted.record.points) == (2, 70)


def test_a_draft_that_was_saved_though_nobody_heard_of_it_is_found_saved() -> None:
    survey_id, member_id = opened(), enrolled()
    respondent = respondents.of_member(survey_id, member_id)
    with faults.calls(faults.committed_then_timed_out, operation="PutItem"), pytest.raises(PutError):
        drafting.save(survey_id, respondent, LOW, number=0, based_on=None, now=NOW)
    again = drafting.save(survey_id, respondent, LOW, number=0, based_on=None, now=NOW)
    assert again.version == 1
    answer(survey_id, respondent)
    assert not list(DraftItem.query(respondent.response_id, DraftItem.part == DRAFT))


def test_a_burst_of_answers_writes_no_item_twice_but_the_shards_of_the_counts() -> None:
    survey_id = opened()
    written: list[str] = []

    def noted(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        for part in parameters["TransactItems"]:
            (act,) = part.values()
            key = act.get("Key") or {name: act["Item"][name] for name in act["Item"] if name in {"key", "part"}}
            written.append(f"{act['TableName']} {key}")
        return real(name, parameters)

    count = 160
    with faults.calls(*[noted] * count) as calls:
        for number in range(count):
            answer(
                survey_id, respondents.of_row(survey_id, "paper", str(number), None), {"recommend": Answer(number=9)}
            )
    times = sorted((written.count(item) for item in set(written)), reverse=True)
    assert times[0] < count * 2.5 / SHARDS
    assert [each for each in times if each > 1] == times[:SHARDS]
    assert sum(times[:SHARDS]) == count
    # One for each answer, and two by which the survey was found at first.
    assert calls.count("Query") == count + 2


def test_who_takes_over_somebody_in_the_middle_of_an_answer_has_answered_what_that_one_has() -> None:
    survey_id, one, other = opened(), enrolled("1"), enrolled("2")
    answer(survey_id, respondents.of_member(survey_id, one))

    def first_merged(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        uniting.merge(one, MergeIn(into=other), actor="staff:li", now=NOW)
        return real(name, parameters)

    high = {"recommend": Answer(number=9)}
    with faults.calls(first_merged), pytest.raises(Unavailable):
        answer(survey_id, respondents.of_member(survey_id, other), high)
    with pytest.raises(AnsweredBefore):
        answer(survey_id, respondents.of_member(survey_id, other), high)
    assert counted(survey_id) == (1, 1)
