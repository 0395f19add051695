"""Surveys are made as drafts, opened, changed while open, and closed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import polls
from tests.api.client import Response, client, member, staff
from tests.api.polls import OFFICE, define, move, opened, question, survey
from tests.programs import texts


def definition(survey_id: str, query: str = "") -> Response:
    return client.get(f"/v1/surveys/{survey_id}/definition{query}", caller=OFFICE)


class TestADraft:
    def test_is_made_with_all_that_was_said(self) -> None:
        answer = define("nps")
        assert (answer.status, answer.json["status"], answer.json["version"]) == (201, "draft", 1)
        found = definition(answer.json["id"])
        assert found.json["definition"]["questions"][0]["code"] == "recommend"
        assert found.json["changed_by"] == "staff:li.wei"
        assert found.headers["etag"] == answer.headers["etag"] == '"1"'

    def test_of_the_same_code_is_made_once(self) -> None:
        first, again = define("nps"), define("nps")
        assert (again.status, again.json) == (200, first.json)
        other = define("nps", points=7)
        assert (other.status, other.code) == (409, "key_reused")

    @pytest.mark.parametrize(
        "template", ["relationship_nps", "post_purchase_csat", "post_case_ces", "churn_exit", "needs_research"]
    )
    def test_comes_from_a_template_with_what_is_said_beside_it(self, template: str) -> None:
        body = {"template": template, "code": "mine", "points": 30, "title": texts("Mine")}
        answer = client.post("/v1/surveys", json=body, caller=OFFICE)
        found = answer.json["definition"]
        assert answer.status == 201, answer.text
        assert (found["code"], found["points"], found["title"]["en"]) == ("mine", 30, "Mine")
        assert len(found["questions"]) > 3

    @pytest.mark.parametrize("missing", ["code", "kind", "title", "questions"])
    def test_from_nothing_says_everything(self, missing: str) -> None:
        body = {name: value for name, value in survey("nps").items() if name != missing}
        answer = client.post("/v1/surveys", json=body, caller=OFFICE)
        assert (answer.status, answer.json["field"]) == (400, missing)

    def test_that_does_not_fit_together_is_refused_with_every_reason(self) -> None:
        questions = [question("nps", "a"), question("nps", "a"), question("multiple", "b", maximum=9, options=[])]
        answer = define(questions=questions)
        assert answer.status == 400
        questions[2] = question("multiple", "b", maximum=9, options=polls.options("x", "y"))
        answer = define(questions=questions)
        assert (answer.code, answer.json["field"]) == ("survey_invalid", "questions[1].code")
        assert "questions[2].maximum" in answer.json["detail"]

    def test_that_no_item_can_hold_is_refused(self) -> None:
        many = [{"code": f"o{number}", "title": {**texts("a"), "en": "a" * 20}} for number in range(50)]
        questions = [question("nps", "a"), *(question("single", f"q{number}", options=many) for number in range(59))]
        answer = define(questions=questions)
        assert (answer.status, answer.code) == (400, "survey_invalid")
        assert "bytes" in answer.json["detail"]

    @pytest.mark.parametrize(
        "fields",
        [
            {"title": {"en": "Only English"}},
            {"title": texts(" ")},
            {"questions": []},
            {"questions": [question("stars", "q")]},
            {"questions": [question("nps", "Q 1")]},
            {"points": -1},
            {"extra": True},
        ],
    )
    def test_of_the_wrong_form_is_refused(self, fields: dict[str, Any]) -> None:
        assert define(**fields).code == "invalid_request"

    def test_is_nothing_that_a_member_sees(self) -> None:
        survey_id = define().json["id"]
        _member_id, caller = polls.enrol()
        assert client.get(f"/v1/surveys/{survey_id}", caller=caller).code == "survey_not_found"
        assert polls.answer(survey_id, caller).code == "survey_not_open"

    def test_is_made_and_changed_by_who_may(self) -> None:
        body, other = survey(), staff("surveys.write", "surveys.read")
        assert client.post("/v1/surveys", json=body, caller=other).code == "scope_missing"
        assert client.post("/v1/surveys", json=body, caller=member()).code == "caller_not_allowed"
        survey_id = define().json["id"]
        assert client.post(f"/v1/surveys/{survey_id}/open", caller=other).code == "scope_missing"


class TestAChange:
    def test_makes_the_next_version_and_keeps_the_one_before(self) -> None:
        survey_id = define(points=10).json["id"]
        answer = polls.change(survey_id, points=20)
        assert (answer.status, answer.json["version"], answer.json["definition"]["points"]) == (200, 2, 20)
        assert definition(survey_id, "?version=1").json["definition"]["points"] == 10
        assert definition(survey_id, "?version=3").code == "survey_not_found"
        assert definition(survey_id, "?version=x").code == "query_invalid"

    def test_needs_the_version_that_it_is_based_on(self) -> None:
        survey_id = define().json["id"]
        bare = client.patch(f"/v1/surveys/{survey_id}", json={"points": 1}, caller=OFFICE)
        assert (bare.status, bare.code) == (428, "precondition_required")
        polls.change(survey_id, '"1"', points=1)
        late = polls.change(survey_id, '"1"', points=2)
        assert (late.status, late.code) == (412, "survey_changed")

    def test_sent_again_finds_itself_done(self) -> None:
        survey_id = define().json["id"]
        first, again = polls.change(survey_id, '"1"', points=1), polls.change(survey_id, '"1"', points=1)
        assert (again.status, again.json) == (200, first.json)

    def test_leaves_the_code_as_it_is(self) -> None:
        survey_id = define("nps").json["id"]
        assert polls.change(survey_id, code="other").code == "survey_code_fixed"
        assert polls.change(survey_id, code="nps", points=1).status == 200

    def test_takes_a_text_away(self) -> None:
        survey_id = define(intro=texts("Hello")).json["id"]
        assert polls.change(survey_id, intro=None).json["definition"]["intro"] is None

    def test_that_does_not_fit_is_refused_and_changes_nothing(self) -> None:
        survey_id = define().json["id"]
        assert polls.change(survey_id, questions=[question("csat", "q")]).code == "survey_invalid"
        assert definition(survey_id).json["version"] == 1

    def test_of_a_closed_survey_is_refused(self) -> None:
        survey_id = opened()
        move(survey_id, "close")
        assert polls.change(survey_id, points=1).code == "survey_closed"


class TestOpeningAndClosing:
    def test_is_done_once_and_may_be_done_again(self) -> None:
        survey_id = define().json["id"]
        statuses = [move(survey_id, act).json["status"] for act in ("open", "open", "close", "close", "open")]
        assert statuses == ["open", "open", "closed", "closed", "open"]

    def test_a_draft_cannot_be_closed(self) -> None:
        survey_id = define().json["id"]
        answer = client.post(f"/v1/surveys/{survey_id}/close", caller=OFFICE)
        assert (answer.status, answer.code) == (409, "survey_not_open")

    def test_what_there_is_not_is_not_found(self) -> None:
        for path in ("srv_none", "mem_x", "list"):
            assert client.post(f"/v1/surveys/{path}/open", caller=OFFICE).code == "survey_not_found"


class TestTheList:
    def test_has_all_surveys_page_by_page(self) -> None:
        made = {define(f"s{number}").json["id"] for number in range(3)}
        page = client.get("/v1/surveys?limit=2", caller=OFFICE).json
        rest = client.get(f"/v1/surveys?limit=2&cursor={page['next_cursor']}", caller=OFFICE).json
        found = [*page["surveys"], *rest["surveys"]]
        assert {line["id"] for line in found} == made
        assert rest["next_cursor"] is None
        assert (found[0]["status"], found[0]["questions"], found[0]["points"]) == ("draft", 3, 50)

    def test_is_for_staff(self) -> None:
        assert client.get("/v1/surveys", caller=member()).code == "caller_not_allowed"
        assert client.get("/v1/surveys", caller=staff("orders.read")).code == "scope_missing"


class TestAsItIsShown:
    def test_is_in_the_language_of_the_reader(self) -> None:
        body = {"template": "churn_exit", "code": "leaving"}
        survey_id = client.post("/v1/surveys", json=body, caller=OFFICE).json["id"]
        move(survey_id, "open")
        _member_id, caller = polls.enrol()
        for locale, title in (
            ("zh-CN", "很遗憾您要离开"),
            ("zh-TW", "很遺憾您要離開"),
            ("fr", "We are sorry to see you go"),
        ):
            found = client.get(f"/v1/surveys/{survey_id}", caller=caller, headers={"Accept-Language": locale})
            assert (found.json["title"], found.headers["content-language"]) == (title, found.json["locale"])

    def test_is_in_the_same_order_whenever_the_same_member_comes(self) -> None:
        questions = [question("nps", "last"), *(question("csat", f"q{number}", block="all") for number in range(8))]
        survey_id = opened(questions=questions)
        orders = []
        for number in range(6):
            _member_id, caller = polls.enrol(f"someone-{number}", f"+861380013800{number}")
            first, again = (client.get(f"/v1/surveys/{survey_id}", caller=caller) for _turn in range(2))
            assert first.json == again.json
            assert (
                client.get(
                    f"/v1/surveys/{survey_id}", caller=caller, headers={"If-None-Match": first.headers["etag"]}
                ).status
                == 304
            )
            orders.append(tuple(item["code"] for item in first.json["questions"]))
        assert len(set(orders)) > 1
        assert {order[0] for order in orders} == {"last"}
        written = client.get(f"/v1/surveys/{survey_id}", caller=OFFICE).json
        assert [item["code"] for item in written["questions"]][1:] == [f"q{number}" for number in range(8)]

    def test_says_what_each_kind_of_question_takes(self) -> None:
        every = [
            question("nps", "a"),
            question("scale", "b", lowest=0, highest=3, lowest_title=texts("low"), highest_title=texts("high")),
            question("multiple", "c", options=polls.options("x", "y", x={"exclusive": True}), maximum=2),
            question("matrix", "d", rows=polls.rows("price", "service")),
            question("text", "e", characters=50, show_if=[{"question": "a", "at_most": 6}]),
            question("single", "f", options=polls.options("x", "y"), hint=texts("Choose")),
        ]
        found = client.get(f"/v1/surveys/{opened(questions=every)}", caller=OFFICE).json["questions"]
        a, b, c, d, e, f = found
        assert (a["kind"], a["lowest"], a["highest"]) == ("nps", 0, 10)
        assert (b["lowest"], b["highest"], b["lowest_title"], b["highest_title"]) == (0, 3, "low", "high")
        assert (c["maximum"], [item["exclusive"] for item in c["options"]]) == (2, [True, False])
        assert (d["lowest"], d["highest"], len(d["rows"])) == (1, 5, 2)
        assert (e["characters"], e["show_if"][0]["at_most"]) == (50, 6)
        assert (f["maximum"], f["hint"]) == (1, "Choose")

    def test_tells_a_member_nothing_of_cases_and_other_languages(self) -> None:
        survey_id = opened(case_rules=[{"question": "recommend", "at_most": 6}])
        _member_id, caller = polls.enrol()
        assert set(client.get(f"/v1/surveys/{survey_id}", caller=caller).json).isdisjoint({"case_rules", "definition"})
        assert client.get(f"/v1/surveys/{survey_id}/definition", caller=caller).code == "caller_not_allowed"
