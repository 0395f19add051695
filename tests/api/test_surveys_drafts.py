"""An answer that is not finished is saved, and gone on with on another device."""

from __future__ import annotations

import pytest

from chalicelib.base import clock
from chalicelib.surveys.drafting import KEPT_DAYS
from chalicelib.surveys.table import DRAFT, DraftItem
from chalicelib.web.caller import Caller
from tests.api import polls, shop
from tests.api.client import Response, client, link, member
from tests.api.polls import NINE, answer, enrol, move, opened, question, save

AREAS = {"areas": {"rows": {"price": 4}}}


def draft(survey_id: str, caller: Caller, query: str = "") -> Response:
    return client.get(f"/v1/surveys/{survey_id}/responses/draft{query}", caller=caller)


def told(found: Response) -> tuple[int, str]:
    return found.status, found.code


class TestADraft:
    def test_is_found_on_another_device(self) -> None:
        _member_id, caller = enrol()
        survey_id = opened()
        saved = save(survey_id, caller, AREAS)
        assert (saved.status, saved.json["answers"], saved.headers["etag"]) == (200, AREAS, '"1"')
        found = draft(survey_id, caller)
        assert (found.json, found.headers["etag"]) == (saved.json, '"1"')
        assert client.get(f"/v1/surveys/{survey_id}", caller=caller).json["answer"] == "begun"

    def test_takes_the_place_of_the_one_that_was_read(self) -> None:
        _member_id, caller = enrol()
        survey_id = opened()
        save(survey_id, caller, AREAS)
        again = save(survey_id, caller, {**AREAS, **NINE}, '"1"')
        assert (again.status, again.headers["etag"]) == (200, '"2"')
        assert draft(survey_id, caller).json["answers"] == {**NINE, **AREAS}

    @pytest.mark.parametrize("etag", [None, '"1"', '"7"', '"x"'])
    def test_is_not_written_over_by_a_device_that_has_not_seen_it(self, etag: str | None) -> None:
        _member_id, caller = enrol()
        survey_id = opened()
        save(survey_id, caller, AREAS)
        save(survey_id, caller, {**AREAS, **NINE}, '"1"')
        assert told(save(survey_id, caller, AREAS, etag)) == (412, "draft_changed")
        assert draft(survey_id, caller).json["answers"] == {**NINE, **AREAS}

    def test_saved_again_finds_itself_saved(self) -> None:
        _member_id, caller = enrol()
        survey_id = opened()
        first = save(survey_id, caller, AREAS)
        assert save(survey_id, caller, AREAS).headers["etag"] == first.headers["etag"]
        later = save(survey_id, caller, NINE, '"1"')
        assert save(survey_id, caller, NINE, '"1"').headers["etag"] == later.headers["etag"] == '"2"'

    def test_must_fit_as_far_as_it_goes(self) -> None:
        _member_id, caller = enrol()
        survey_id = opened()
        found = save(survey_id, caller, {"recommend": {"number": 9}, "why": {"text": "late"}})
        assert told(found) == (400, "question_not_asked")
        assert told(draft(survey_id, caller)) == (404, "draft_not_found")

    def test_moves_no_points(self) -> None:
        member_id, caller = enrol()
        before = polls.available(member_id)
        save(opened(), caller, NINE)
        assert polls.available(member_id) == before

    def test_is_judged_by_the_version_on_which_it_was_begun(self) -> None:
        _member_id, caller = enrol()
        survey_id = opened(points=50)
        save(survey_id, caller, AREAS)
        polls.change(survey_id, questions=[question("nps", "other")], points=5)
        assert client.get(f"/v1/surveys/{survey_id}", caller=caller).json["version"] == 1
        assert save(survey_id, caller, {**AREAS, **NINE}, '"1"').json["version"] == 1
        found = answer(survey_id, caller, {**AREAS, **NINE})
        assert (found.status, found.json["version"], found.json["points"]) == (201, 1, 50)

    def test_goes_when_the_answer_is_handed_in(self) -> None:
        _member_id, caller = enrol()
        survey_id = opened()
        response_id = survey_id and save(survey_id, caller, AREAS) and answer(survey_id, caller).json["id"]
        assert not list(DraftItem.query(response_id, DraftItem.part == DRAFT))
        assert told(draft(survey_id, caller)) == (409, "answered_before")
        assert told(save(survey_id, caller, AREAS)) == (409, "answered_before")

    def test_goes_by_itself_after_its_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        _member_id, caller = enrol()
        survey_id = opened()
        save(survey_id, caller, AREAS)
        now = clock.now() + KEPT_DAYS * clock.DAY_S
        monkeypatch.setattr(clock, "now", lambda: now)
        assert told(draft(survey_id, caller)) == (404, "draft_not_found")
        assert client.get(f"/v1/surveys/{survey_id}", caller=caller).json["answer"] == "none"
        assert save(survey_id, caller, NINE).json["answers"] == NINE

    def test_is_one_member_s_own(self) -> None:
        one, two = enrol("one", "+8613800138001")[1], enrol("two", "+8613800138002")[1]
        survey_id = opened()
        save(survey_id, one, AREAS)
        assert told(draft(survey_id, two)) == (404, "draft_not_found")
        assert told(draft(survey_id, member("stranger"))) == (404, "member_not_found")

    def test_of_an_invitation_is_found_by_link_and_in_the_app(self) -> None:
        member_id, caller = enrol()
        survey_id = opened()
        invitation_id = polls.invited(survey_id, member_id)
        save(survey_id, link(invitation_id), AREAS)
        assert draft(survey_id, caller, f"?invitation_id={invitation_id}").json["answers"] == AREAS
        assert told(draft(survey_id, caller)) == (404, "draft_not_found")
        assert answer(survey_id, link(invitation_id)).status == 201
        assert told(draft(survey_id, link(invitation_id))) == (409, "answered_before")

    def test_is_taken_only_while_the_survey_is_open(self) -> None:
        _member_id, caller = enrol()
        survey_id = opened()
        move(survey_id, "close")
        assert told(save(survey_id, caller, AREAS)) == (409, "survey_closed")

    def test_of_a_member_who_was_merged_stays_behind_an_answer_does_not(self) -> None:
        (one, first), (two, second) = enrol("one", "+8613800138001"), enrol("two", "+8613800138002")
        survey_id = opened()
        assert answer(survey_id, first).status == 201
        assert client.post(f"/v1/members/{one}/merge", json={"into": two}, caller=shop.SHOP).status == 201
        assert told(save(survey_id, second, AREAS)) == (409, "answered_before")
