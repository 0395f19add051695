"""What surveys and the answers to them cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from unittest import mock

from chalicelib.base import clock
from chalicelib.surveys import defining
from tests.api import polls, shop
from tests.api.client import Response, client, link
from tests.api.polls import AGENT, NINE, OFFICE, answer, save
from tests.budgets import Budget, Cost
from tests.meter import metered

MAKE = Budget("make a survey", 12, 2, 3, of="post_survey")
CHANGE = Budget("change a survey", 10, 4, 5, of="patch_survey")
OPEN = Budget("open a survey", 1, 2, 3, of="open_survey")
CLOSE = Budget("close a survey", 1, 2, 3, of="close_survey")
LIST = Budget("surveys, a page of 20", 0, 21, 2, of="get_surveys")
DEFINITION = Budget("read a survey's definition", 0, 1, 1, of="get_survey_definition")
SHOW = Budget("survey for a member", 0, 1.5, 2, of="get_survey")
SHOW_FIRST = Budget("survey that a process has not seen before, for a member", 0, 3.5, 4, of="get_survey")
ANSWER = Budget("answer a survey in the app", 8, 3, 5, of="post_response")
AGAIN = Budget("the same answer again", 0, 1.5, 2, of="post_response")
BY_LINK = Budget("answer a survey by its link", 10, 3, 5, of="post_response")
DETRACTOR = Budget("answer a survey and open a case by it", 24, 3, 5, of="post_response")
EASE = Budget("answer how easy a case was made", 16, 4, 6, of="post_response")
ON_BEHALF = Budget("answer a survey on behalf of a member", 8, 3.5, 6, of="post_response")
SAVE = Budget("save a part of an answer", 1, 1.5, 3, of="post_draft")
RESUME = Budget("read what was saved of an answer", 0, 3, 3, of="get_draft")
READ = Budget("read an answer", 0, 2, 2, of="get_response")
IMPORT = Budget("bring in answers of nobody known, ten of them", 60, 5, 20, of="post_import")
IMPORT_MEMBER = Budget("bring in an answer of a member", 10, 3, 5, of="post_import")


def surveys() -> Iterator[Cost]:
    """Each of them once, by a process that is busy: it looks up an open survey every five seconds."""
    with mock.patch.object(defining, "_HEAD_LASTS_S", clock.DAY_S):
        yield from _each()


def _each() -> Iterator[Cost]:
    body = {"template": "relationship_nps", "code": "cost_nps", "points": 50}
    yield _cost(MAKE, lambda: client.post("/v1/surveys", json=body, caller=OFFICE), 201)
    survey_id = defining.survey_id_of("cost_nps")
    path = f"/v1/surveys/{survey_id}"
    yield _cost(CHANGE, lambda: client.patch(path, json={"points": 60}, caller=OFFICE, headers={"If-Match": '"1"'}))
    yield _cost(OPEN, lambda: client.post(f"{path}/open", caller=OFFICE))
    yield _cost(DEFINITION, lambda: client.get(f"{path}/definition", caller=OFFICE))
    yield from _answers(survey_id)
    yield from _drafts(survey_id)
    yield from _imports(survey_id)
    yield _cost(CLOSE, lambda: client.post(f"{path}/close", caller=OFFICE))
    for number in range(19):
        polls.define(f"cost_{number}")
    yield _cost(LIST, lambda: client.get("/v1/surveys?limit=20", caller=OFFICE))


def _answers(survey_id: str) -> Iterator[Cost]:
    path, nine = f"/v1/surveys/{survey_id}", {**NINE, "areas": {"rows": dict.fromkeys(polls.DIMENSIONS, 4)}}
    member_id, caller = polls.enrol("cost-one", "+8613100131001")
    defining.forget_all()
    yield _cost(SHOW_FIRST, lambda: client.get(path, caller=caller))
    yield _cost(SHOW, lambda: client.get(path, caller=caller))
    yield _cost(ANSWER, lambda: answer(survey_id, caller, nine), 201)
    yield _cost(AGAIN, lambda: answer(survey_id, caller, nine))
    invited = link(polls.invited(survey_id, member_id))
    yield _cost(BY_LINK, lambda: answer(survey_id, invited, nine), 201)
    _second_id, second = polls.enrol("cost-two", "+8613100131002")
    low = {**nine, "recommend": {"number": 2}, "improve": {"text": "The tea was cold, twice in a row."}}
    with metered() as bill:
        found = answer(survey_id, second, low)
    yield Cost(DETRACTOR, bill)
    yield _cost(READ, lambda: client.get(f"{path}/responses/{found.json['id']}", caller=OFFICE))
    yield from _ease(found.json["account"]["member_id"], found.json["case_id"])
    polls.enrol("cost-three", "+8613100131003")
    named = {"phone": "+8613100131003"}
    yield _cost(ON_BEHALF, lambda: answer(survey_id, AGENT, nine, identity=named), 201)


def _ease(member_id: str, case_id: str) -> Iterator[Cost]:
    questions = [polls.question("ces", "easy")]
    survey_id = polls.opened("cost_ces", kind="post_case", questions=questions)
    defining.read(survey_id)
    caller = link(polls.invited(survey_id, member_id, case_id=case_id))
    yield _cost(EASE, lambda: answer(survey_id, caller, {"easy": {"number": 6}}), 201)


def _drafts(survey_id: str) -> Iterator[Cost]:
    _member_id, caller = polls.enrol("cost-four", "+8613100131004")
    yield _cost(SAVE, lambda: save(survey_id, caller, NINE))
    yield _cost(RESUME, lambda: client.get(f"/v1/surveys/{survey_id}/responses/draft", caller=caller))


def _imports(survey_id: str) -> Iterator[Cost]:
    at = shop.moment(0)
    titles = "key,occurred_at,member_id,recommend,areas.product,areas.service,areas.price,areas.after_sales"
    rows = [f"cost-{number},{at},,9,4,4,5,5" for number in range(10)]
    yield _cost(IMPORT, lambda: polls.bring_in(survey_id, csv="\n".join([titles, *rows])))
    member_id, _caller = polls.enrol("cost-five", "+8613100131005")
    row = f"cost-member,{at},{member_id},9,4,4,5,5"
    yield _cost(IMPORT_MEMBER, lambda: polls.bring_in(survey_id, csv=f"{titles}\n{row}"))


def _cost(budget: Budget, act: Callable[[], Response], expected: int = 200) -> Cost:
    with metered() as bill:
        found = act()
    assert found.status == expected, found.text
    return Cost(budget, bill)
